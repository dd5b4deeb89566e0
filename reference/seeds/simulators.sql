-- Three bays to book.  Prices are in minor units of the currency.
INSERT INTO booking.simulator (id, name, price_per_hour_minor, currency)
VALUES (1, 'Cessna 172', 9000, 'EUR'),
       (2, 'Airbus A320', 24000, 'EUR'),
       (3, 'Formula car', 6000, 'GBP')
ON CONFLICT (id) DO NOTHING;
