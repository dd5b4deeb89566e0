ALTER TABLE booking.temp_booking DROP CONSTRAINT temp_booking_no_overlap;
