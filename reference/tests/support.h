/*
 * support.h - a small world for tests on a server: a fresh schema, a virtual clock, a provider, two
 * customers.
 *
 * DATABASE_URL names the server (reference/tests/with-server gives one).  Each world drops the
 * schema of the one before it.  Everything that fails here fails the test.
 */
#ifndef BOOKING_TESTS_SUPPORT_H
#define BOOKING_TESTS_SUPPORT_H

#include <pthread.h>
#include <stdint.h>

#include "booking.h"

#define WORLD_SECRET "whsec_test"
#define WORLD_START_US 1767225600000000 /* 2026-01-01 00:00:00 UTC */

struct world {
    struct booking_db *plain; /* without points of failure, for looking and preparing */
    struct booking_db *inner; /* below the session */
    struct booking_db_faulty faulty;
    struct booking_db *session; /* what the flow is given */
    struct booking_psp *psp;
    struct booking_monitor *monitor;
    struct booking_app app;
    struct booking_answer answer; /* of the last request */
    _Atomic int64_t now_us;
    pthread_mutex_t mutex; /* guards the two below */
    int races_logged;
    char last_race[1024];
};

/* Opens and closes one at a schema version, with everybody on the given path if there is a flag. */
struct world *world_open(int version, enum booking_path path);
void world_close(struct world *world);

/* Empties it for another round: rows, provider, counters, points; time starts again. */
void world_reset(struct world *world);

/* For cmocka's setup and teardown: the latest schema on the fixed path. */
int world_setup(void **state);
int world_teardown(void **state);

const char *world_url(void);
struct booking_db *world_connect(void);

/* The clock of the database and of the provider. */
void world_advance(struct world *world, int64_t seconds);

/* SQL on the plain session: to do something, and to look at the first value. */
void world_do(struct world *world, const char *sql);
int64_t world_int(struct world *world, const char *sql);

/* Ends the server's process of the session that the flow is given, and waits until it has ended. */
void world_end_session(struct world *world);

/* The first value of a query is this text. */
#define assert_sql_text(world, sql, expected)              \
    do {                                                   \
        char sql_text[256];                                \
        world_text(world, sql, sql_text, sizeof sql_text); \
        assert_string_equal(sql_text, expected);           \
    } while (0)
void world_text(struct world *world, const char *sql, char *out, size_t size);

/* Requests with the usual arguments: simulator 1, from an hour to an hour of 2026-06-01. */
enum booking_status world_hold(struct world *world, const char *customer, int from, int to);
enum booking_status world_pay(struct world *world, const char *customer, int64_t hold_id);
enum booking_status world_return(struct world *world, const char *customer, const char *payment_id);
enum booking_status world_cancel(struct world *world, const char *customer, int64_t hold_id);
enum booking_status world_clean(struct world *world);

/* Takes the next delivery to the webhook and the answer back to the provider. */
enum booking_status world_deliver(struct world *world);

/* Delivers until nothing waits, moving the clock to when the next one is due; the number of
 * deliveries. */
int world_deliver_all(struct world *world);

/* Holds and pays 10 to 11 o'clock: the hold's id.  The payment is in the answer. */
int64_t world_paid(struct world *world, const char *customer);

/* An event of this kind, made up from the last answer's payment. */
void world_emit(struct world *world, const char *type, const char *payment_id, const char *customer,
                int64_t hold_id, int64_t amount_minor);

uint64_t world_count(struct world *world, enum booking_counter counter);

/* Enables a point once, the hits before it passing by. */
void world_fault(enum booking_fault fault, int failnum, int hits_before);

/* Invariants over the final state: no overlapping live claims, each captured payment settled in one
 * way, the money adds up, one mail for one confirmation, legal transitions.  Violations are counted
 * and printed. */
int world_violations(struct world *world);

#endif
