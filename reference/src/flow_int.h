/*
 * flow_int.h - what the requests share: statements about a slot, refunds, and both paths'
 * functions.
 */
#ifndef BOOKING_FLOW_INT_H
#define BOOKING_FLOW_INT_H

#include "event_int.h"
#include "work_int.h"

/* SQL: has the simulator a unit that nobody but the hold "own" claims a part of the range of? Asked
 * with the lock on the simulator, after overdue holds were moved to EXPIRED: they count until then.
 * The function reads all that is claimed under the statement's one snapshot. */
#define SQL_FREE(simulator, range, own) \
    "EXISTS (SELECT FROM booking.free_units(" simulator ", " range ", " own "))"

/* A simulator's slot as columns: $1 the simulator, $2 and $3 the bounds. */
#define SQL_SLOT "(SELECT tstzrange($2::timestamptz, $3::timestamptz, '[)')) AS slot(during)"

/* SQL: the price of a slot, from the simulator s.  From version 17 on an infinite slot lasts
 * "infinity", before that is an error; either way the slot is refused, here by having no price. */
#define SQL_PRICE                                                                   \
    "ceil(s.price_per_hour_minor * nullif(extract(epoch FROM upper(slot.during) - " \
    "lower(slot.during)), 'Infinity') / 3600)::bigint"

/* A hold as it was read. */
struct hold {
    bool found;
    bool live; /* not overdue */
    int64_t id;
    int64_t simulator_id;
    int64_t amount_minor;
    char status[16];
    char customer[BOOKING_ID_SIZE];
    char payment_id[BOOKING_ID_SIZE]; /* "" when there is none */
    char currency[BOOKING_CURRENCY_SIZE];
    char during[BOOKING_RANGE_SIZE];
};

/* The columns that hold_from_result reads. */
#define SQL_HOLD_COLUMNS                                                                       \
    "h.id, h.simulator_id, h.amount_minor, h.status, h.customer_id, h.payment_id, h.currency," \
    " h.during, h.expires_at > booking.now() AS live"

struct hold hold_from_result(const PGresult *result);
bool hold_is(const struct hold *hold, const char *status);

/* Puts a hold's facts into the answer. */
void hold_to_answer(const struct hold *hold, struct booking_answer *answer);

/* Reads a hold outside a transaction; false when the answer is set: a failure, no such hold,
 * another's hold. */
bool hold_read(struct work *work, int64_t hold_id, struct hold *out);

/* Moves overdue holds of a simulator to EXPIRED. */
bool hold_expire_overdue(struct work *work, const char *simulator_id);

/* --- settle.c: the fixed path's answer to a captured payment */

/* Settles a payment that the provider says is captured, once, whoever tells it first.  via_return:
 * the customer is waiting and wants to know of the booking. */
enum booking_status settle_payment(struct work *work, const struct event *told, bool via_return);

/* --- refund.c */

struct refund {
    const char *key;
    const char *payment_id;
    int64_t hold_id;
    int64_t amount_minor;
    const char *currency;
    const char *reason;
};

/* The idempotency key of a refund, the same for ever: of all that is left of the payment, or of a
 * part, which the request for it names. */
void refund_key(const char *payment_id, const char *part, char key[BOOKING_KEY_SIZE]);

/* Writes the durable intention, inside the caller's transaction; *fresh: it was not there before.
 */
bool refund_request(struct work *work, const struct refund *refund, bool *fresh);

/* Calls the provider and writes down how it ended, outside any transaction.  It may run twice, and
 * at two places at once: the key makes it one refund.  What stays unknown is left to the cleanup.
 * False: the process "died". */
bool refund_drive(struct work *work, const struct refund *refund);

/* Drives what is pending.  False: the process "died", or the answer is set. */
bool refund_drive_pending(struct work *work);

/* The provider tells of a refund, with an event. */
enum booking_status refund_told(struct work *work, const struct event *event);

/* --- the paths; each sets the answer */

void fixed_availability(struct work *work, const struct booking_slot_request *request);
void fixed_hold(struct work *work, const struct booking_slot_request *request);
void fixed_series(struct work *work, const struct booking_series_request *request);
void fixed_pay(struct work *work, const struct booking_hold_ref *request);
void fixed_return(struct work *work, const struct booking_return_request *request);
void fixed_cancel(struct work *work, const struct booking_hold_ref *request);
void fixed_reschedule(struct work *work, const struct booking_move_request *request);
void fixed_refund(struct work *work, const struct booking_refund_request *request);
void fixed_cleanup(struct work *work);

void legacy_availability(struct work *work, const struct booking_slot_request *request);
void legacy_hold(struct work *work, const struct booking_slot_request *request);
void legacy_series(struct work *work, const struct booking_series_request *request);
void legacy_pay(struct work *work, const struct booking_hold_ref *request);
void legacy_webhook(struct work *work, const struct event *event);
void legacy_return(struct work *work, const struct booking_return_request *request);
void legacy_cancel(struct work *work, const struct booking_hold_ref *request);
void legacy_reschedule(struct work *work, const struct booking_move_request *request);
void legacy_refund(struct work *work, const struct booking_refund_request *request);
void legacy_cleanup(struct work *work);

#endif
