DROP TRIGGER booking_ends_case ON booking.booking;
DROP FUNCTION booking.end_case_by_booking();
ALTER TABLE booking.unmatched SET SCHEMA booking_archive;
ALTER TABLE booking.manual_case SET SCHEMA booking_archive;
ALTER TABLE booking.refund SET SCHEMA booking_archive;
ALTER TABLE booking.event SET SCHEMA booking_archive;
