/*
 * psp.h - a simulated payment provider, in memory.
 *
 * It has what makes real ones hard: idempotency keys that replay the first answer, refunds that
 * cannot exceed what was captured, and webhooks that are signed, retried until a 2xx, duplicated
 * and reordered.  It is deterministic: ids are counters, time comes from the caller, queues have a
 * total order (due time, then age).  A mutex guards it, so threads may race on it.  When memory
 * runs out it aborts: it simulates, it does not serve.
 *
 * Points of failure: psp/timeout, psp/refund-failed, webhook/duplicate, webhook/reordered
 * (booking/faults.h).
 */
#ifndef BOOKING_PSP_H
#define BOOKING_PSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "booking/payments.h"
#include "booking/signature.h"

struct booking_psp;

struct booking_psp_options {
    const char *secret; /* of the webhook endpoint; copied */
    /* Microseconds since 1970; NULL: always 0.  Called with the mutex held: it must not call back.
     */
    int64_t (*now_us)(void *clock);
    void *clock;
};

struct booking_psp *booking_psp_new(const struct booking_psp_options *options);
void booking_psp_free(struct booking_psp *psp); /* NULL is legal */

/* Forgets everything and starts counting from 1 again. */
void booking_psp_reset(struct booking_psp *psp);

/* Makes the one know exactly what the other knows; secret and clock stay.  Nobody may call either
 * meanwhile. */
void booking_psp_copy(struct booking_psp *to, const struct booking_psp *from);

/* The port; it lives as long as the provider. */
struct booking_payments *booking_psp_payments(struct booking_psp *psp);

/* --- what happened to the money */

enum booking_ledger_kind { BOOKING_LEDGER_CAPTURE, BOOKING_LEDGER_REFUND };

struct booking_ledger_entry {
    enum booking_ledger_kind kind;
    char payment_id[BOOKING_ID_SIZE];
    char customer[BOOKING_ID_SIZE];
    char currency[BOOKING_CURRENCY_SIZE];
    char key[BOOKING_KEY_SIZE]; /* "" when the call had none */
    int64_t hold_id;
    int64_t amount_minor; /* positive in both kinds */
    int64_t at_us;
};

size_t booking_psp_ledger_count(struct booking_psp *psp);

/* Copies entry index, in the order in which they happened; false past the end. */
bool booking_psp_ledger_get(struct booking_psp *psp, size_t index,
                            struct booking_ledger_entry *out);

/* Calls that were made with a key that was new although the same call of the same payment had
 * ended unknown: a client that makes up a key for each retry. */
size_t booking_psp_unstable_keys(struct booking_psp *psp);

/* Forgets the answers of idempotency keys older than this; their reuse is then a new call. */
void booking_psp_prune_keys(struct booking_psp *psp, int64_t older_than_us);

/* --- webhooks */

#define BOOKING_DELIVERY_BODY_SIZE 1024
#define BOOKING_DELIVERY_ATTEMPTS_MAX 12

/* One attempt at delivering one event: its body, signed at the time of the attempt. */
struct booking_delivery {
    int64_t id;  /* of the delivery, the same for each attempt */
    int attempt; /* from 1 */
    int64_t due_us;
    char event_id[BOOKING_ID_SIZE];
    char type[BOOKING_ID_SIZE];
    char payment_id[BOOKING_ID_SIZE];
    size_t body_size;
    char body[BOOKING_DELIVERY_BODY_SIZE]; /* NUL-terminated JSON */
    char signature[BOOKING_SIGNATURE_SIZE];
};

/* When the next delivery is due, or -1 when none waits. */
int64_t booking_psp_next_due_us(struct booking_psp *psp);

/* Takes the next delivery, due or not, and marks it as being sent; false when none waits.
 * Several may be on their way at once.  Each must be given back to booking_psp_delivered. */
bool booking_psp_take(struct booking_psp *psp, struct booking_delivery *out);

/* The same for the next delivery of that payment and type, whatever else waits. */
bool booking_psp_take_of(struct booking_psp *psp, const char *payment_id, const char *type,
                         struct booking_delivery *out);

/* The same for one delivery; false when it does not wait. */
bool booking_psp_take_one(struct booking_psp *psp, int64_t delivery_id,
                          struct booking_delivery *out);

/* How many deliveries wait. */
size_t booking_psp_waiting(struct booking_psp *psp);

/* The endpoint's answer; 0 when there was none.  Anything but 2xx is retried with growing
 * delays, up to BOOKING_DELIVERY_ATTEMPTS_MAX attempts. */
void booking_psp_delivered(struct booking_psp *psp, int64_t delivery_id, int http_status);

/* Queues one more delivery of an event already sent or waiting: under its own event id, or under
 * a new one.  The delivery's id, 0 when there is no such event. */
int64_t booking_psp_duplicate(struct booking_psp *psp, const char *event_id, bool new_event_id);

/* An event as the provider would send it, made up by a test: a wrong owner, amount or hold, a
 * late failure. */
struct booking_event_facts {
    const char *type; /* "payment.succeeded", "payment.failed", "refund.succeeded" */
    const char *payment_id;
    const char *customer;
    const char *currency;
    int64_t hold_id;
    int64_t amount_minor;
    const char *refund_id; /* refunds only, else NULL */
    const char *key;       /* the idempotency key of the call behind it, or NULL */
};

/* Queues it, due at once; the delivery's id. */
int64_t booking_psp_emit(struct booking_psp *psp, const struct booking_event_facts *facts);

/* Deliveries given up after the last attempt. */
size_t booking_psp_abandoned(struct booking_psp *psp);

#endif
