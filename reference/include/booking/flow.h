/*
 * flow.h - the requests of the booking flow.
 *
 * Each request runs to its answer on the caller's thread and session: it reads the flag, takes the
 * legacy or the fixed path, and comes back with the session outside any transaction.  struct
 * booking_app is constant while requests run and is shared by all threads.
 *
 * Time is decided by booking.now() of the database, asked when it decides, with the locks held.
 */
#ifndef BOOKING_FLOW_H
#define BOOKING_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "booking/db.h"
#include "booking/faults.h"
#include "booking/flag.h"
#include "booking/monitor.h"
#include "booking/payments.h"

/* name, HTTP status, text */
#define BOOKING_STATUSES(X)                                                                \
    X(OK, 200, "ok")                                                                       \
    X(CONFLICT, 409, "conflict") /* somebody else has the slot, or the state forbids it */ \
    X(NOT_FOUND, 404, "not-found")                                                         \
    X(EXPIRED, 410, "expired")         /* the hold is over */                              \
    X(INVALID, 400, "invalid")         /* a request that cannot be understood */           \
    X(FORBIDDEN, 403, "forbidden")     /* another customer's, or a bad signature */        \
    X(RETRY_LATER, 503, "retry-later") /* nothing was decided: ask again */                \
    X(ERROR, 500, "error")                                                                 \
    X(CRASHED, 0, "crashed") /* the process died: the client got no answer */

enum booking_status {
#define BOOKING_STATUS_ENUM(name, http, text) BOOKING_##name,
    BOOKING_STATUSES(BOOKING_STATUS_ENUM)
#undef BOOKING_STATUS_ENUM
};

int booking_status_http(enum booking_status status);
const char *booking_status_text(enum booking_status status);

struct booking_app {
    struct booking_payments *payments; /* borrowed */
    struct booking_monitor *monitor;   /* borrowed */
    const char *webhook_secret;        /* borrowed */
    enum booking_isolation isolation;  /* of the fixed path's transactions */
    const enum booking_path *path;     /* of a worker with only one; NULL: the flag decides */
    int64_t hold_ttl_s;                /* how long a hold lasts */
    int retries_max; /* transactions run again after 40001, 40P01, 23P01, 23505, a lost session */
    /* Deliveries for a hold that is not there before a person is asked: at least 2, as a booking
     * that the legacy path makes meanwhile is found by the next one. */
    int unmatched_max;
    int64_t pause_us; /* before the first retry; doubled for each further one */

    /* Called where hold/expired and cleanup/now fail, with the session of the request, which may
     * be inside a transaction: use another one.  It may be NULL. */
    void (*on_fault)(void *arg, struct booking_db *db, enum booking_fault fault);
    void *on_fault_arg;
};

/* Sets everything: read committed, 15 minutes, 8 retries, 5 unmatched deliveries, 1 ms, no
 * on_fault. */
void booking_app_init(struct booking_app *app, struct booking_payments *payments,
                      struct booking_monitor *monitor, const char *webhook_secret);

#define BOOKING_RANGE_SIZE 96

struct booking_answer {
    enum booking_status status;
    enum booking_path path;
    const char *reason; /* a constant word for what was decided: "held", "slot-taken", … */
    bool lost_race;     /* counted as an attempted double booking */
    bool free;          /* availability: nobody has the slot at the moment */
    int retries;
    int64_t simulator_id; /* 0 when there is none; so the ids below */
    int64_t hold_id;
    int64_t booking_id;
    int64_t amount_minor;
    int64_t count; /* cleanup: holds expired; series: holds made */
    int64_t series_id;
    char currency[BOOKING_CURRENCY_SIZE];
    char payment_id[BOOKING_ID_SIZE]; /* "" when there is none */
    char during[BOOKING_RANGE_SIZE];  /* as PostgreSQL prints a tstzrange in UTC; may be "" */
    char sqlstate[6]; /* of the error behind ERROR, INVALID and RETRY_LATER; may be "" */
};

/* A slot is [start, end), each a timestamp with time zone as PostgreSQL reads it; without a zone
 * it is UTC. */
struct booking_slot_request {
    const char *customer;
    int64_t simulator_id;
    const char *start;
    const char *end;
};

/* One slot every so many days, at the same time on the wall of where the simulator stands.  The
 * first one is [start, end), timestamps without a zone as PostgreSQL reads them. */
struct booking_series_request {
    const char *customer;
    int64_t simulator_id;
    const char *start;
    const char *end;
    int every_days; /* at least 1 */
    int times;      /* 1 to BOOKING_SERIES_MAX */
};

#define BOOKING_SERIES_MAX 60

struct booking_hold_ref {
    const char *customer;
    int64_t hold_id;
    const char
        *attempt; /* pay: tells one attempt to pay from another (two tabs); NULL: the only one */
};

/* A booking is moved by the id of its hold.  The slot is as in struct booking_slot_request. */
struct booking_move_request {
    const char *customer;
    int64_t hold_id;
    const char *start;
    const char *end;
};

struct booking_refund_request {
    const char *customer; /* whose booking it is */
    int64_t hold_id;
    int64_t amount_minor; /* over 0 */
    const char *part; /* tells one refund of the booking from another; a repetition has the same */
};

struct booking_webhook_request {
    const char *body; /* raw, as it came */
    size_t body_size;
    const char *signature; /* the header, or NULL */
};

struct booking_return_request {
    const char *customer;
    const char *payment_id;
};

/* Each returns answer->status.  The answer is always filled whole. */

/* Is the slot free?  OK with answer->free. */
enum booking_status booking_availability(const struct booking_app *app, struct booking_db *db,
                                         const struct booking_slot_request *request,
                                         struct booking_answer *answer);

/* Holds the slot for hold_ttl_s: OK with hold_id, CONFLICT when it is taken. */
enum booking_status booking_hold(const struct booking_app *app, struct booking_db *db,
                                 const struct booking_slot_request *request,
                                 struct booking_answer *answer);

/* Holds each slot of a series for hold_ttl_s, or none: OK with series_id and the first one's
 * hold_id.  CONFLICT: one of them is taken; INVALID with the reason "no-such-time": at one of them
 * the clocks are put forward.  Each hold is then paid for and given up like any other.  Needs
 * schema version 13. */
enum booking_status booking_series(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_series_request *request,
                                   struct booking_answer *answer);

/* Creates the payment of a hold and captures it: OK with payment_id.  The booking is made by the
 * webhook or the return, whichever comes first.  RETRY_LATER: whether money was taken is not
 * known yet. */
enum booking_status booking_pay(const struct booking_app *app, struct booking_db *db,
                                const struct booking_hold_ref *request,
                                struct booking_answer *answer);

/* Handles one delivery of the provider.  OK only after what it says is durable: confirmed,
 * refund requested, left to a person, or seen before. */
enum booking_status booking_webhook(const struct booking_app *app, struct booking_db *db,
                                    const struct booking_webhook_request *request,
                                    struct booking_answer *answer);

/* The customer comes back from the payment page: OK with booking_id when the hold is confirmed. */
enum booking_status booking_return(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_return_request *request,
                                   struct booking_answer *answer);

/* Gives a hold or a booking up; what was paid for it is refunded.  OK also when that had
 * happened before.  CONFLICT: it was moved, and the booking goes on under another hold. */
enum booking_status booking_cancel(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_hold_ref *request,
                                   struct booking_answer *answer);

/* Gives back a part of what was paid for a booking, whose price is lower by it from then on: OK
 * when that is durable, also when it had happened before.  CONFLICT: there is no booking, or no
 * more than that is left of its price; all of it goes back by a cancellation. */
enum booking_status booking_refund(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_refund_request *request,
                                   struct booking_answer *answer);

/* Moves a booking to another slot of its simulator, at the same price: OK with the hold that stands
 * for it from then on, also when that had happened before.  CONFLICT: nothing has changed, because
 * the slot is taken, or there is no such booking (any more): the old hold is a link that is dead
 * once it was followed.  Needs schema version 11. */
enum booking_status booking_reschedule(const struct booking_app *app, struct booking_db *db,
                                       const struct booking_move_request *request,
                                       struct booking_answer *answer);

/* Expires overdue holds and completes pending refunds.  It alone works without a payment provider:
 * the refunds are then left to a process that has one. */
enum booking_status booking_cleanup(const struct booking_app *app, struct booking_db *db,
                                    struct booking_answer *answer);

#endif
