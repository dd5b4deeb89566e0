-- Time to prepare and to clear up: a simulator is claimed from so long before a slot until so long after it.  What a hold
-- claims is wider than its slot from now on, whoever writes; what is claimed already stays as it is.
SET LOCAL lock_timeout = '5s';
ALTER TABLE booking.simulator
    ADD COLUMN buffer_before_s integer NOT NULL DEFAULT 0 CHECK (buffer_before_s BETWEEN 0 AND 86400),
    ADD COLUMN buffer_after_s integer NOT NULL DEFAULT 0 CHECK (buffer_after_s BETWEEN 0 AND 86400);
DO $do$
BEGIN
    IF to_regclass('booking_archive.simulator_buffers') IS NOT NULL THEN
        UPDATE booking.simulator s SET buffer_before_s = a.buffer_before_s, buffer_after_s = a.buffer_after_s
          FROM booking_archive.simulator_buffers a WHERE a.id = s.id;
        DROP TABLE booking_archive.simulator_buffers;
    END IF;
END
$do$;

-- What a slot claims.  An insane one stays as it is, for the constraints to refuse.
CREATE FUNCTION booking.with_buffers(bay bigint, slot tstzrange) RETURNS tstzrange
    LANGUAGE sql STABLE AS $body$
    SELECT CASE WHEN isempty(slot) THEN slot
                ELSE tstzrange(lower(slot) - s.buffer_before_s * interval '1 second',
                               upper(slot) + s.buffer_after_s * interval '1 second', '[)') END
      FROM booking.simulator s WHERE s.id = bay
$body$;

-- A hold that has its claim keeps it, although the buffers have changed since.
CREATE OR REPLACE FUNCTION booking.free_units(bay bigint, slot tstzrange, own bigint, over_is_free boolean DEFAULT false)
    RETURNS SETOF integer LANGUAGE sql STABLE AS $body$
    SELECT u.unit
      FROM booking.simulator s, generate_series(1, s.capacity) AS u(unit),
           (SELECT coalesce((SELECT during FROM booking.claim WHERE hold_id = own LIMIT 1),
                            booking.with_buffers(bay, slot))) AS wanted(during)
     WHERE s.id = bay
       AND NOT EXISTS (SELECT FROM booking.booking b
                        WHERE b.status = 'CONFIRMED' AND b.simulator_id = bay AND b.unit = u.unit
                          AND b.during && wanted.during)
       AND NOT EXISTS (SELECT FROM booking.claim c JOIN booking.temp_booking h ON h.id = c.hold_id
                        WHERE c.simulator_id = bay AND c.unit = u.unit AND c.during && wanted.during
                          AND c.hold_id <> own
                          AND NOT (over_is_free AND h.status = 'RESERVED' AND h.expires_at <= booking.now()))
     ORDER BY u.unit
$body$;

CREATE OR REPLACE FUNCTION booking.claim_units(hold booking.temp_booking) RETURNS void
    LANGUAGE sql AS $body$
    INSERT INTO booking.claim (hold_id, simulator_id, unit, during)
    SELECT hold.id, hold.simulator_id,
           coalesce((SELECT min(unit) FROM booking.free_units(hold.simulator_id, hold.during, hold.id) AS unit), 1),
           booking.with_buffers(hold.simulator_id, hold.during)
$body$;
