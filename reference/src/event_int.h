/*
 * event_int.h - the body of a webhook.
 */
#ifndef BOOKING_EVENT_INT_H
#define BOOKING_EVENT_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "booking/payments.h"

#define EVENT_BODY_MAX 65536 /* bytes; a longer body is refused */

#define EVENT_SUCCEEDED "payment.succeeded"
#define EVENT_FAILED "payment.failed"
#define EVENT_REFUNDED "refund.succeeded"

/* A customer who returns is an event too, with an id of this form: longer than the provider's. */
#define EVENT_ID_RETURN "return-%s"
#define EVENT_ID_SIZE (BOOKING_ID_SIZE + sizeof EVENT_ID_RETURN)

struct event {
    char id[EVENT_ID_SIZE];
    char type[BOOKING_ID_SIZE];
    char refund_id[BOOKING_ID_SIZE]; /* "" when it is not about a refund */
    char key[BOOKING_KEY_SIZE];      /* of the call behind it; may be "" */
    struct booking_payment payment;  /* amount_minor is the event's: captured or refunded */
};

/* Reads a body; false when it is not an event of ours: no JSON, a field missing or too long. */
bool event_parse(const char *body, size_t size, struct event *out);

/* Writes a body; false when it does not fit. */
bool event_format(const struct event *event, char *body, size_t size);

#endif
