-- What makes a basket a hold.  The version is raised by each transaction that decides about a bay's slots: at
-- REPEATABLE READ and above a lock alone leaves the snapshot stale, a new row version ends in 40001.
ALTER TABLE booking.simulator ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE booking.temp_booking ADD CONSTRAINT temp_booking_payment_id UNIQUE (payment_id);
CREATE INDEX temp_booking_overdue ON booking.temp_booking (expires_at) WHERE status = 'RESERVED';
CREATE INDEX temp_booking_simulator ON booking.temp_booking (simulator_id);
CREATE INDEX booking_simulator ON booking.booking (simulator_id);

-- The units of a bay that nobody else has a part of the slot of; here a bay has one, number 1.  Both tables are read
-- under one snapshot: asked one after the other, a confirmation in between would be in neither.  CONFIRMED holds count
-- although a booking stands for them: the legacy path confirms the hold before it makes the booking.  A hold that is
-- over counts until it is EXPIRED: who writes moves it first, and who only asks says so.
CREATE FUNCTION booking.free_units(bay bigint, slot tstzrange, own bigint, over_is_free boolean DEFAULT false)
    RETURNS SETOF integer LANGUAGE sql STABLE AS $body$
    SELECT 1
     WHERE NOT EXISTS (SELECT FROM booking.booking b
                        WHERE b.status = 'CONFIRMED' AND b.simulator_id = bay AND b.during && slot)
       AND NOT EXISTS (SELECT FROM booking.temp_booking h
                        WHERE h.status IN ('RESERVED', 'CONFIRMED') AND h.simulator_id = bay AND h.during && slot
                          AND h.id <> own
                          AND NOT (over_is_free AND h.status = 'RESERVED' AND h.expires_at <= booking.now()))
$body$;
