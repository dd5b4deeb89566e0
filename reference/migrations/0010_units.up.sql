-- A bay may have several units (seats, rigs): a booking takes one of them for its whole time.  A constraint cannot
-- count, but it can exclude unit by unit, whoever writes: what a hold claims stands in a table of its own, which unit
-- is chosen by a trigger, and the constraint has the last word.
SET LOCAL lock_timeout = '5s';
LOCK TABLE booking.simulator, booking.temp_booking, booking.booking IN ACCESS EXCLUSIVE MODE;

ALTER TABLE booking.simulator ADD COLUMN capacity integer NOT NULL DEFAULT 1 CHECK (capacity BETWEEN 1 AND 1000);
ALTER TABLE booking.booking ADD COLUMN unit integer NOT NULL DEFAULT 1;
DO $do$
BEGIN
    IF to_regclass('booking_archive.simulator_capacity') IS NOT NULL THEN
        UPDATE booking.simulator s SET capacity = a.capacity
          FROM booking_archive.simulator_capacity a WHERE a.id = s.id;
        DROP TABLE booking_archive.simulator_capacity;
    END IF;
END
$do$;

-- The rows of a hold are there as long as it is RESERVED or CONFIRMED.
CREATE TABLE booking.claim (
    hold_id bigint NOT NULL REFERENCES booking.temp_booking ON DELETE CASCADE,
    simulator_id bigint NOT NULL REFERENCES booking.simulator,
    unit integer NOT NULL,
    during tstzrange NOT NULL,
    PRIMARY KEY (hold_id, unit, during),
    CONSTRAINT claim_no_overlap EXCLUDE USING gist (simulator_id WITH =, unit WITH =, during WITH &&)
);

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

-- Where no unit is free the first one is claimed, and the constraint says 23P01.  So it does when another transaction,
-- unseen, took the same unit: whoever is refused runs again and sees what is there.
CREATE FUNCTION booking.claim_units(hold booking.temp_booking) RETURNS void
    LANGUAGE sql AS $body$
    INSERT INTO booking.claim (hold_id, simulator_id, unit, during)
    SELECT hold.id, hold.simulator_id,
           coalesce((SELECT min(unit) FROM booking.free_units(hold.simulator_id, hold.during, hold.id) AS unit), 1),
           hold.during
$body$;

CREATE FUNCTION booking.keep_claims() RETURNS trigger
    LANGUAGE plpgsql AS $body$
BEGIN
    IF NEW.status NOT IN ('RESERVED', 'CONFIRMED') THEN
        DELETE FROM booking.claim WHERE hold_id = NEW.id;
    ELSIF NOT EXISTS (SELECT FROM booking.claim WHERE hold_id = NEW.id) THEN
        PERFORM booking.claim_units(NEW);
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER temp_booking_claims AFTER INSERT OR UPDATE OF status ON booking.temp_booking
    FOR EACH ROW EXECUTE FUNCTION booking.keep_claims();

-- A booking has its hold's unit.
CREATE FUNCTION booking.take_unit() RETURNS trigger
    LANGUAGE plpgsql AS $body$
BEGIN
    NEW.unit := coalesce((SELECT unit FROM booking.claim WHERE hold_id = NEW.hold_id ORDER BY during, unit LIMIT 1), 1);
    RETURN NEW;
END
$body$;

CREATE TRIGGER booking_unit BEFORE INSERT ON booking.booking
    FOR EACH ROW EXECUTE FUNCTION booking.take_unit();

-- The constraints change hands.
SELECT booking.claim_units(h) FROM booking.temp_booking h WHERE h.status IN ('RESERVED', 'CONFIRMED') ORDER BY h.id;
ALTER TABLE booking.temp_booking DROP CONSTRAINT temp_booking_no_overlap;
ALTER TABLE booking.booking DROP CONSTRAINT booking_no_overlap;
ALTER TABLE booking.booking ADD CONSTRAINT booking_no_overlap
    EXCLUDE USING gist (simulator_id WITH =, unit WITH =, during WITH &&) WHERE (status = 'CONFIRMED');

CREATE OR REPLACE VIEW booking.dirty AS
SELECT 'booking-overlap' AS kind, a.id AS first_id, b.id AS second_id,
       format('bookings %s and %s overlap on simulator %s, unit %s: %s and %s',
              a.id, b.id, a.simulator_id, a.unit, a.during, b.during) AS detail
  FROM booking.booking a
  JOIN booking.booking b ON b.simulator_id = a.simulator_id AND b.unit = a.unit AND b.during && a.during
                        AND b.id > a.id
 WHERE a.status = 'CONFIRMED' AND b.status = 'CONFIRMED'
UNION ALL
SELECT 'hold-overlap', a.id, b.id,
       format('holds %s (%s) and %s (%s) overlap on simulator %s, unit %s: %s and %s',
              a.id, a.status, b.id, b.status, a.simulator_id, c.unit, c.during, d.during)
  FROM booking.claim c
  JOIN booking.claim d ON d.simulator_id = c.simulator_id AND d.unit = c.unit AND d.during && c.during
                      AND d.hold_id > c.hold_id
  JOIN booking.temp_booking a ON a.id = c.hold_id
  JOIN booking.temp_booking b ON b.id = d.hold_id
 WHERE (a.status = 'CONFIRMED' OR a.expires_at > booking.now())
   AND (b.status = 'CONFIRMED' OR b.expires_at > booking.now())
UNION ALL
SELECT 'payment-twice', a.id, b.id,
       format('bookings %s and %s were made from one payment: %s', a.id, b.id, a.payment_id)
  FROM booking.booking a
  JOIN booking.booking b ON b.payment_id = a.payment_id AND b.id > a.id
UNION ALL
SELECT 'hold-twice', a.id, b.id, format('bookings %s and %s were made from hold %s', a.id, b.id, a.hold_id)
  FROM booking.booking a
  JOIN booking.booking b ON b.hold_id = a.hold_id AND b.id > a.id
UNION ALL
SELECT 'insane-range', id, NULL, format('booking %s has the range %s', id, during)
  FROM booking.booking
 WHERE isempty(during) OR lower(during) IS NULL OR upper(during) IS NULL
    OR NOT isfinite(lower(during)) OR NOT isfinite(upper(during))
UNION ALL
SELECT 'insane-range', id, NULL, format('hold %s has the range %s', id, during)
  FROM booking.temp_booking
 WHERE isempty(during) OR lower(during) IS NULL OR upper(during) IS NULL
    OR NOT isfinite(lower(during)) OR NOT isfinite(upper(during));
