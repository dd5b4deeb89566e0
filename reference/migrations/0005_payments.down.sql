ALTER TABLE booking.unmatched SET SCHEMA booking_archive;
ALTER TABLE booking.manual_case SET SCHEMA booking_archive;
ALTER TABLE booking.refund SET SCHEMA booking_archive;
ALTER TABLE booking.event SET SCHEMA booking_archive;
