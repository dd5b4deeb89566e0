-- The schema without what guards against double booking: there only the code does.
ALTER TABLE booking.claim DROP CONSTRAINT IF EXISTS claim_no_overlap;
ALTER TABLE booking.temp_booking DROP CONSTRAINT IF EXISTS temp_booking_one_successor;
ALTER TABLE booking.booking DROP CONSTRAINT IF EXISTS booking_no_overlap,
                            DROP CONSTRAINT IF EXISTS booking_payment,
                            DROP CONSTRAINT IF EXISTS booking_hold;
