DROP FUNCTION booking.refuse_dirty(text[]);
DROP VIEW booking.dirty;
