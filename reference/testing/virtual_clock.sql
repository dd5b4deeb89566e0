-- A clock that is set: SELECT setval('booking.clock', microseconds since 1970).  A sequence's last_value is not under
-- a snapshot, so every session sees the new time at once, at every isolation level.  It starts at 2026-01-01.
CREATE SEQUENCE IF NOT EXISTS booking.clock AS bigint MINVALUE 0 START 1767225600000000;

CREATE OR REPLACE FUNCTION booking.now() RETURNS timestamptz
    LANGUAGE sql VOLATILE AS
    $$SELECT timestamptz 'epoch' + last_value * interval '1 microsecond' FROM booking.clock$$;
