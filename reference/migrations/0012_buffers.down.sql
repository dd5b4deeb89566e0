-- What is claimed stays as it is; the buffers come back with the way up.
SET LOCAL lock_timeout = '5s';
LOCK TABLE booking.simulator IN ACCESS EXCLUSIVE MODE;
CREATE OR REPLACE FUNCTION booking.free_units(bay bigint, slot tstzrange, own bigint, over_is_free boolean DEFAULT false)
    RETURNS SETOF integer LANGUAGE sql STABLE AS $body$
    SELECT u.unit
      FROM booking.simulator s, generate_series(1, s.capacity) AS u(unit)
     WHERE s.id = bay
       AND NOT EXISTS (SELECT FROM booking.booking b
                        WHERE b.status = 'CONFIRMED' AND b.simulator_id = bay AND b.unit = u.unit AND b.during && slot)
       AND NOT EXISTS (SELECT FROM booking.claim c JOIN booking.temp_booking h ON h.id = c.hold_id
                        WHERE c.simulator_id = bay AND c.unit = u.unit AND c.during && slot AND c.hold_id <> own
                          AND NOT (over_is_free AND h.status = 'RESERVED' AND h.expires_at <= booking.now()))
     ORDER BY u.unit
$body$;

CREATE OR REPLACE FUNCTION booking.claim_units(hold booking.temp_booking) RETURNS void
    LANGUAGE sql AS $body$
    INSERT INTO booking.claim (hold_id, simulator_id, unit, during)
    SELECT hold.id, hold.simulator_id,
           coalesce((SELECT min(unit) FROM booking.free_units(hold.simulator_id, hold.during, hold.id) AS unit), 1),
           hold.during
$body$;

DROP FUNCTION booking.with_buffers(bigint, tstzrange);
CREATE TABLE booking_archive.simulator_buffers AS
    SELECT id, buffer_before_s, buffer_after_s FROM booking.simulator
     WHERE buffer_before_s <> 0 OR buffer_after_s <> 0;
ALTER TABLE booking.simulator DROP COLUMN buffer_before_s, DROP COLUMN buffer_after_s;
