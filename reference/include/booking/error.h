/*
 * error.h - what went wrong, for a person: a short factual message, the mechanics, the cure.
 *
 * Used by what an operator calls (connecting, migrating, the flag).  The flow itself answers with a
 * status (booking/flow.h).  No text ever contains a password.
 */
#ifndef BOOKING_ERROR_H
#define BOOKING_ERROR_H

struct booking_error {
    char sqlstate[6]; /* "" when the server did not say one */
    char message[320];
    char detail[640]; /* may be "" */
    char hint[320];   /* may be "" */
};

/* Sets the message and empties the rest; a text that does not fit is cut. */
void booking_error_set(struct booking_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void booking_error_detail(struct booking_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void booking_error_hint(struct booking_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
