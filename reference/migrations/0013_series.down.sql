-- The holds of a series stay what they are; which belong together, and where a simulator stands, comes back with the way
-- up.
SET LOCAL lock_timeout = '5s';
DROP FUNCTION booking.occurrences(bigint, timestamp, timestamp, integer, integer);
DROP FUNCTION booking.slot_on_the_wall(text, timestamp, interval);
CREATE TABLE booking_archive.occurrence AS
    SELECT id AS hold_id, series_id FROM booking.temp_booking WHERE series_id IS NOT NULL;
ALTER TABLE booking.temp_booking DROP COLUMN series_id;
ALTER TABLE booking.series SET SCHEMA booking_archive;
CREATE TABLE booking_archive.simulator_zones AS
    SELECT id, zone FROM booking.simulator WHERE zone <> 'UTC';
ALTER TABLE booking.simulator DROP COLUMN zone;
