-- Back to one unit for each bay, which is only possible where no two claims stand beside each other.
SET LOCAL lock_timeout = '5s';
LOCK TABLE booking.simulator, booking.temp_booking, booking.booking IN ACCESS EXCLUSIVE MODE;
UPDATE booking.temp_booking SET status = 'EXPIRED'
 WHERE status = 'RESERVED' AND expires_at <= booking.now();

CREATE OR REPLACE VIEW booking.dirty AS
SELECT 'booking-overlap' AS kind, a.id AS first_id, b.id AS second_id,
       format('bookings %s and %s overlap on simulator %s: %s and %s',
              a.id, b.id, a.simulator_id, a.during, b.during) AS detail
  FROM booking.booking a
  JOIN booking.booking b ON b.simulator_id = a.simulator_id AND b.during && a.during AND b.id > a.id
 WHERE a.status = 'CONFIRMED' AND b.status = 'CONFIRMED'
UNION ALL
SELECT 'hold-overlap', a.id, b.id,
       format('holds %s (%s) and %s (%s) overlap on simulator %s: %s and %s',
              a.id, a.status, b.id, b.status, a.simulator_id, a.during, b.during)
  FROM booking.temp_booking a
  JOIN booking.temp_booking b ON b.simulator_id = a.simulator_id AND b.during && a.during AND b.id > a.id
 WHERE (a.status = 'CONFIRMED' OR a.status = 'RESERVED' AND a.expires_at > booking.now())
   AND (b.status = 'CONFIRMED' OR b.status = 'RESERVED' AND b.expires_at > booking.now())
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

CREATE OR REPLACE FUNCTION booking.free_units(bay bigint, slot tstzrange, own bigint, over_is_free boolean DEFAULT false)
    RETURNS SETOF integer LANGUAGE sql STABLE AS $body$
    SELECT 1
     WHERE NOT EXISTS (SELECT FROM booking.booking b
                        WHERE b.status = 'CONFIRMED' AND b.simulator_id = bay AND b.during && slot)
       AND NOT EXISTS (SELECT FROM booking.temp_booking h
                        WHERE h.status IN ('RESERVED', 'CONFIRMED') AND h.simulator_id = bay AND h.during && slot
                          AND h.id <> own
                          AND NOT (over_is_free AND h.status = 'RESERVED' AND h.expires_at <= booking.now()))
$body$;

SELECT booking.refuse_dirty('booking-overlap', 'hold-overlap');
DROP TRIGGER booking_unit ON booking.booking;
DROP FUNCTION booking.take_unit();
DROP TRIGGER temp_booking_claims ON booking.temp_booking;
DROP FUNCTION booking.keep_claims();
DROP FUNCTION booking.claim_units(booking.temp_booking);
DROP TABLE booking.claim;
ALTER TABLE booking.booking DROP CONSTRAINT IF EXISTS booking_no_overlap;
ALTER TABLE booking.booking DROP COLUMN unit;
ALTER TABLE booking.booking ADD CONSTRAINT booking_no_overlap
    EXCLUDE USING gist (simulator_id WITH =, during WITH &&) WHERE (status = 'CONFIRMED');
ALTER TABLE booking.temp_booking ADD CONSTRAINT temp_booking_no_overlap
    EXCLUDE USING gist (simulator_id WITH =, during WITH &&)
    WHERE (status IN ('RESERVED', 'CONFIRMED'));
-- What the bays have more of comes back with the way up.
CREATE TABLE booking_archive.simulator_capacity AS
    SELECT id, capacity FROM booking.simulator WHERE capacity <> 1;
ALTER TABLE booking.simulator DROP COLUMN capacity;
