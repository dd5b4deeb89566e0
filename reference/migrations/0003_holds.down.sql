DROP FUNCTION booking.free_units(bigint, tstzrange, bigint, boolean);
DROP INDEX booking.booking_simulator;
DROP INDEX booking.temp_booking_simulator;
DROP INDEX booking.temp_booking_overdue;
ALTER TABLE booking.temp_booking DROP CONSTRAINT temp_booking_payment_id;
ALTER TABLE booking.simulator DROP COLUMN version;
