-- The clock goes with the tables, whose defaults call it.
ALTER TABLE booking.outbox SET SCHEMA booking_archive;
ALTER TABLE booking.booking SET SCHEMA booking_archive;
ALTER TABLE booking.temp_booking SET SCHEMA booking_archive;
ALTER TABLE booking.simulator SET SCHEMA booking_archive;
ALTER FUNCTION booking.now() SET SCHEMA booking_archive;
DROP FUNCTION booking.take_back(text);
