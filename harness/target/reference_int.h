/*
 * reference_int.h - what the files of the reference target share.
 *
 *   reference.c  installing the booking flow, what is given, what a run begins and ends with
 *   actions.c    what a party does, verb by verb
 *   operator.c   what whoever runs the service does: the flag, migrations
 *   noted.c      what is given, written down as SQL
 *   history.c    the events that invariants are checked over (docs/invariants.md defines them)
 */
#ifndef OB_TARGET_REFERENCE_INT_H
#define OB_TARGET_REFERENCE_INT_H

#include "target/gated.h"
#include "target/noted.h"
#include "target/target_int.h"

#include <jansson.h>
#include <pthread.h>

#define OB_PARTIES_MAX ((size_t)2 * OB_CLIENTS_MAX)
#define OB_PARTY_PAYMENTS_MAX 4
#define OB_REFERENCE_SECRET "whsec_reference"

/* Somebody whom actions are about, and what has come of them so far. */
struct ob_party {
    int64_t hold_id;       /* 0: none */
    int64_t first_hold_id; /* before any rescheduling */
    int64_t simulator;     /* of the hold */
    char payments[OB_PARTY_PAYMENTS_MAX]
                 [BOOKING_ID_SIZE];                      /* captured for the hold, in their order */
    char events[OB_PARTY_PAYMENTS_MAX][BOOKING_ID_SIZE]; /* that told of each; "" not sent yet */
    bool told[OB_PARTY_PAYMENTS_MAX]; /* a webhook action was about that event: the next one's is a
                                         duplicate */
    size_t payment_count;
};

/* All that changes in a run beside the database; copied whole to go back to the given state. */
struct ob_reference_state {
    struct ob_party parties[OB_PARTIES_MAX];
    size_t ledger_seen; /* entries of the provider's ledger that are in the history */
    unsigned cleanups;  /* asked for by faults, not taken up yet */
};

/* Who acts: a racing client, or whoever the scenario gives as having acted before. */
struct ob_actor {
    struct ob_reference *reference;
    struct ob_client *client; /* NULL: before the race */
    struct booking_db *db;
    struct ob_gated_db *gated; /* below db; NULL: before the race */
    struct booking_app app;
    size_t party;         /* SIZE_MAX: nobody */
    const char *customer; /* whom it acts for */
};

struct ob_reference_client {
    struct ob_reference *reference;
    const struct ob_scenario_client *scenario; /* NULL: an extra one */
    size_t party;
    bool has_path; /* whatever the flag says */
    enum booking_path path;
    struct ob_gated_db gated;
    struct booking_db_faulty faulty;
};

struct ob_reference {
    const struct ob_scenario *scenario;
    struct booking_psp *psp, *given_psp; /* owned; the second as the race begins */
    struct ob_gated_payments payments;
    struct booking_monitor *monitor; /* owned */
    struct booking_app app;
    /* Threads may race in free-running mode.  Order of locks: queue_mutex, the provider's own, the
     * engine's, mutex.  The provider decides faults under its lock, and whether a wait is over is
     * asked under the engine's. */
    pthread_mutex_t mutex;       /* guards state */
    pthread_mutex_t queue_mutex; /* guards who takes which of the provider's deliveries */
    int64_t due_us; /* when the next one is due, -1 for none; written under it, read without */
    struct ob_reference_state state, given_state;
    struct ob_reference_client clients[OB_CLIENTS_MAX];
    size_t client_count;

    /* What happened before the race. */
    struct ob_actor *given_actor; /* while it happens; the calls of the provider are its own */
    int64_t given_now_us;
    struct ob_arena given_arena;
    struct ob_event *given; /* owned */
    size_t given_count, given_capacity;
    uint64_t given_lost_races[2];
};

/* --- actions.c */

void ob_reference_act(struct ob_actor *actor, const struct ob_action *action);

/* Bodies of the extra clients.  The courier is the provider's own worker: it sends what is due in
 * the provider's order, so that duplicates, reordering and news of refunds arrive; the cleaner
 * waits until a fault asks for it. */
void ob_reference_be_courier(struct ob_actor *actor);
void ob_reference_be_cleaner(struct ob_actor *actor);

/* Around whatever may change the provider's queue of deliveries; the second wakes the courier. */
void ob_reference_lock_queue(struct ob_reference *reference);
void ob_reference_unlock_queue(struct ob_reference *reference);

/* --- operator.c */

void ob_reference_set_flag(struct ob_actor *actor, const struct ob_action *action);
void ob_reference_migrate(struct ob_actor *actor, const struct ob_action *action);

/* --- history.c */

int64_t ob_reference_now_us(const struct ob_reference *reference);

/* Adds an event; takes data. */
void ob_reference_event(struct ob_reference *reference, const char *kind, json_t *data);

void ob_reference_request(struct ob_actor *actor, const char *action, json_t *data);
void ob_reference_answer(struct ob_actor *actor, const char *action,
                         const struct booking_answer *answer, json_t *data);

/* For ob_gated_payments: the call, and what it did to the ledger. */
void ob_reference_called(void *reference, const struct ob_payment_call *call);

/* For booking_monitor_new. */
void ob_reference_race(void *reference, const char *json_line);

/* "2026-06-01T10:00:00Z"; size at least OB_TIME_TEXT_SIZE. */
#define OB_TIME_TEXT_SIZE 40
void ob_reference_time_text(int64_t time_us, char *text, size_t size);

#endif
