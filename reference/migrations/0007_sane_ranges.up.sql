-- An empty range overlaps nothing and so slips past an exclusion constraint; an unbounded one blocks a bay for ever.
SET LOCAL lock_timeout = '5s';
LOCK TABLE booking.booking, booking.temp_booking IN ACCESS EXCLUSIVE MODE;
SELECT booking.refuse_dirty('insane-range');
ALTER TABLE booking.booking ADD CONSTRAINT booking_sane_range
    CHECK (NOT isempty(during) AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL
           AND isfinite(lower(during)) AND isfinite(upper(during)));
ALTER TABLE booking.temp_booking ADD CONSTRAINT temp_booking_sane_range
    CHECK (NOT isempty(during) AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL
           AND isfinite(lower(during)) AND isfinite(upper(during)));
