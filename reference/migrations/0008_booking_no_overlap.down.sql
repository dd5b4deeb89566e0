-- The extension stays: others may use it.
ALTER TABLE booking.booking DROP CONSTRAINT booking_hold;
ALTER TABLE booking.booking DROP CONSTRAINT booking_payment;
ALTER TABLE booking.booking DROP CONSTRAINT booking_no_overlap;
