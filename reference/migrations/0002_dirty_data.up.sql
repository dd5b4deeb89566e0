-- What the constraints to come would refuse, so that people can settle it first.
CREATE VIEW booking.dirty AS
SELECT 'booking-overlap' AS kind, a.id AS first_id, b.id AS second_id,
       format('bookings %s and %s overlap on simulator %s: %s and %s',
              a.id, b.id, a.simulator_id, a.during, b.during) AS detail
  FROM booking.booking a
  JOIN booking.booking b ON b.simulator_id = a.simulator_id AND b.during && a.during AND b.id > a.id
 WHERE a.status = 'CONFIRMED' AND b.status = 'CONFIRMED'
UNION ALL
SELECT 'hold-overlap', a.id, b.id,
       format('holds %s (%s) and %s (%s) overlap on simulator %s: %s and %s',
              a.id, a.status, b.id, b.status, a.simulator_id, a.during, b.during)
  FROM booking.temp_booking a
  JOIN booking.temp_booking b ON b.simulator_id = a.simulator_id AND b.during && a.during AND b.id > a.id
 WHERE (a.status = 'CONFIRMED' OR a.status = 'RESERVED' AND a.expires_at > booking.now())
   AND (b.status = 'CONFIRMED' OR b.status = 'RESERVED' AND b.expires_at > booking.now())
UNION ALL
SELECT 'payment-twice', a.id, b.id,
       format('bookings %s and %s were made from one payment: %s', a.id, b.id, a.payment_id)
  FROM booking.booking a
  JOIN booking.booking b ON b.payment_id = a.payment_id AND b.id > a.id
UNION ALL
SELECT 'hold-twice', a.id, b.id, format('bookings %s and %s were made from hold %s', a.id, b.id, a.hold_id)
  FROM booking.booking a
  JOIN booking.booking b ON b.hold_id = a.hold_id AND b.id > a.id
UNION ALL
SELECT 'insane-range', id, NULL, format('booking %s has the range %s', id, during)
  FROM booking.booking
 WHERE isempty(during) OR lower(during) IS NULL OR upper(during) IS NULL
    OR NOT isfinite(lower(during)) OR NOT isfinite(upper(during))
UNION ALL
SELECT 'insane-range', id, NULL, format('hold %s has the range %s', id, during)
  FROM booking.temp_booking
 WHERE isempty(during) OR lower(during) IS NULL OR upper(during) IS NULL
    OR NOT isfinite(lower(during)) OR NOT isfinite(upper(during));

-- Ends a migration that such rows would break, naming some of them.
CREATE FUNCTION booking.refuse_dirty(VARIADIC kinds text[]) RETURNS void
    LANGUAGE plpgsql AS $body$
DECLARE
    rows_found bigint;
BEGIN
    SELECT count(*) INTO rows_found FROM booking.dirty WHERE kind = ANY (kinds);
    IF rows_found = 0 THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'rows that the constraint would refuse: %', rows_found
        USING ERRCODE = 'exclusion_violation',
              DETAIL = (SELECT string_agg(detail, '; ')
                          FROM (SELECT detail FROM booking.dirty WHERE kind = ANY (kinds)
                                 ORDER BY kind, first_id, second_id LIMIT 5) AS first_rows),
              HINT = 'List them all with "booking-migrate check", settle them, and migrate again.';
END
$body$;
