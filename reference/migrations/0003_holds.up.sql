-- What makes a basket a hold.  The version is raised by each transaction that decides about a bay's slots: at
-- REPEATABLE READ and above a lock alone leaves the snapshot stale, a new row version ends in 40001.
ALTER TABLE booking.simulator ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE booking.temp_booking ADD CONSTRAINT temp_booking_payment_id UNIQUE (payment_id);
CREATE INDEX temp_booking_overdue ON booking.temp_booking (expires_at) WHERE status = 'RESERVED';
CREATE INDEX temp_booking_simulator ON booking.temp_booking (simulator_id);
CREATE INDEX booking_simulator ON booking.booking (simulator_id);
