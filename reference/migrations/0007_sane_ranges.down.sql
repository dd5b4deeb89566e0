ALTER TABLE booking.temp_booking DROP CONSTRAINT temp_booking_sane_range;
ALTER TABLE booking.booking DROP CONSTRAINT booking_sane_range;
