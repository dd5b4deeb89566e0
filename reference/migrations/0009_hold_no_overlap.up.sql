-- A constraint cannot span holds and bookings.  But each booking comes from a hold that stays CONFIRMED as long as
-- the booking lives, so excluding holds that are RESERVED or CONFIRMED excludes both kinds of claim in one table.
-- "Not yet expired" cannot stand in a predicate (it is not immutable): overdue holds have to be moved to EXPIRED.
CREATE EXTENSION IF NOT EXISTS btree_gist;
SET LOCAL lock_timeout = '5s';
LOCK TABLE booking.temp_booking IN ACCESS EXCLUSIVE MODE;
UPDATE booking.temp_booking SET status = 'EXPIRED'
 WHERE status = 'RESERVED' AND expires_at <= booking.now();
SELECT booking.refuse_dirty('hold-overlap');
ALTER TABLE booking.temp_booking ADD CONSTRAINT temp_booking_no_overlap
    EXCLUDE USING gist (simulator_id WITH =, during WITH &&)
    WHERE (status IN ('RESERVED', 'CONFIRMED'));
