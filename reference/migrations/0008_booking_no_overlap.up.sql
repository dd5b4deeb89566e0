-- No two confirmed bookings of one bay overlap, and neither a payment nor a hold makes two bookings, whoever writes.
-- There is no NOT VALID for an exclusion constraint: the table is locked while it is built, so give up early rather
-- than queue everybody behind a lock that does not come.
CREATE EXTENSION IF NOT EXISTS btree_gist;
SET LOCAL lock_timeout = '5s';
LOCK TABLE booking.booking IN ACCESS EXCLUSIVE MODE;
SELECT booking.refuse_dirty('booking-overlap', 'payment-twice', 'hold-twice');
ALTER TABLE booking.booking ADD CONSTRAINT booking_no_overlap
    EXCLUDE USING gist (simulator_id WITH =, during WITH &&) WHERE (status = 'CONFIRMED');
ALTER TABLE booking.booking ADD CONSTRAINT booking_payment UNIQUE (payment_id);
ALTER TABLE booking.booking ADD CONSTRAINT booking_hold UNIQUE (hold_id);
