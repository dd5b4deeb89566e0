-- A booking that is moved to another slot gets a new hold, which tells whose place it took.  Each hold has one successor
-- at most, so an old link cannot make a second booking, whoever follows it.
SET LOCAL lock_timeout = '5s';
ALTER TABLE booking.temp_booking ADD COLUMN rescheduled_from bigint REFERENCES booking.temp_booking;
DO $do$
BEGIN
    IF to_regclass('booking_archive.reschedule') IS NOT NULL THEN
        UPDATE booking.temp_booking h SET rescheduled_from = a.rescheduled_from
          FROM booking_archive.reschedule a WHERE a.hold_id = h.id;
        DROP TABLE booking_archive.reschedule;
    END IF;
END
$do$;
ALTER TABLE booking.temp_booking ADD CONSTRAINT temp_booking_one_successor UNIQUE (rescheduled_from);
