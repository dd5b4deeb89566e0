-- outbox.transition_id stays: the legacy path does not mind it, and what it says would be lost.
ALTER TABLE booking.outbox DROP CONSTRAINT outbox_transition;
DROP TRIGGER temp_booking_moved ON booking.temp_booking;
DROP TRIGGER temp_booking_made ON booking.temp_booking;
DROP FUNCTION booking.record_transition();
ALTER TABLE booking.transition SET SCHEMA booking_archive;
