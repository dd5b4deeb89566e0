-- What was moved stays where it is; whose place it took comes back with the way up.
SET LOCAL lock_timeout = '5s';
CREATE TABLE booking_archive.reschedule AS
    SELECT id AS hold_id, rescheduled_from FROM booking.temp_booking WHERE rescheduled_from IS NOT NULL;
ALTER TABLE booking.temp_booking DROP COLUMN rescheduled_from;
