/*
 * race.h - two requests at once, on sessions and threads of their own, for tests on a server.
 */
#ifndef BOOKING_TESTS_RACE_H
#define BOOKING_TESTS_RACE_H

#include <pthread.h>

#include "support.h"

/* A request on a thread.  run gets the racer; it uses its own session and answer. */
struct racer {
    struct world *world;
    struct booking_db *db;
    void (*run)(struct racer *racer);
    const char *customer;
    int64_t hold_id;
    struct booking_answer answer;
    pthread_t thread;
};

void race_start(struct racer *racer, struct world *world, void (*run)(struct racer *racer));
void race_join(struct racer *racer);

/* Waits until some session waits for a lock, as the server says; fails the test after 10 s. */
void race_wait_blocked(struct world *world);

/* Before the next statement of the world's session that contains the text, once, act runs.  For one
 * thread. */
void race_meanwhile(struct world *world, const char *text, void (*act)(struct world *world));

/* Requests for race_start: hold and book a slot, deliver one webhook, cancel, clean. */
void race_hold(struct racer *racer); /* 10 to 11 o'clock */
void race_deliver(struct racer *racer);
void race_return(struct racer *racer); /* of payment pay_1 */
void race_cancel(struct racer *racer);
void race_clean(struct racer *racer);

#endif
