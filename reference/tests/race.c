/*
 * race.c - two requests at once.
 */
#include "race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#define BLOCKED_LIMIT_S 10

static void *thread_main(void *arg)
{
    struct racer *racer = arg;

    racer->run(racer);
    return NULL;
}

void race_start(struct racer *racer, struct world *world, void (*run)(struct racer *racer))
{
    racer->world = world;
    racer->run = run;
    racer->db = world_connect();
    assert_int_equal(pthread_create(&racer->thread, NULL, thread_main, racer), 0);
}

void race_join(struct racer *racer)
{
    pthread_join(racer->thread, NULL);
    booking_db_close(racer->db);
}

void race_wait_blocked(struct world *world)
{
    time_t limit = time(NULL) + BLOCKED_LIMIT_S;

    while (world_int(world, "SELECT count(*) FROM pg_stat_activity"
                            " WHERE cardinality(pg_blocking_pids(pid)) > 0") == 0)
        if (time(NULL) > limit)
            fail_msg("no session waited for a lock within %d s", BLOCKED_LIMIT_S);
}

/* What race_meanwhile arranged; act is NULL when it has happened. */
static struct {
    struct world *world;
    const char *text;
    void (*act)(struct world *world);
    const struct booking_db_ops *real;
    struct booking_db_ops interfering;
} meanwhile;

static enum booking_db_result interfering_exec(struct booking_db *db, const char *sql,
                                               int param_count, const char *const *params,
                                               PGresult **out)
{
    if (meanwhile.act && strstr(sql, meanwhile.text)) {
        void (*act)(struct world * world) = meanwhile.act;

        meanwhile.act = NULL;
        act(meanwhile.world);
    }
    return meanwhile.real->exec(db, sql, param_count, params, out);
}

void race_meanwhile(struct world *world, const char *text, void (*act)(struct world *world))
{
    meanwhile.world = world;
    meanwhile.text = text;
    meanwhile.act = act;
    meanwhile.real = world->plain->ops;
    meanwhile.interfering = *meanwhile.real;
    meanwhile.interfering.exec = interfering_exec;
    world->inner->ops = &meanwhile.interfering;
}

void race_hold(struct racer *racer)
{
    struct booking_slot_request request = {.customer = racer->customer,
                                           .simulator_id = 1,
                                           .start = "2026-06-01 10:00",
                                           .end = "2026-06-01 11:00"};

    booking_hold(&racer->world->app, racer->db, &request, &racer->answer);
}

void race_deliver(struct racer *racer)
{
    struct booking_psp *psp = racer->world->psp;
    struct booking_delivery delivery;
    struct booking_webhook_request request;

    if (!booking_psp_take(psp, &delivery))
        return;
    request = (struct booking_webhook_request){
        .body = delivery.body, .body_size = delivery.body_size, .signature = delivery.signature};
    booking_webhook(&racer->world->app, racer->db, &request, &racer->answer);
    booking_psp_delivered(psp, delivery.id, booking_status_http(racer->answer.status));
}

void race_return(struct racer *racer)
{
    struct booking_return_request request = {.customer = racer->customer, .payment_id = "pay_1"};

    booking_return(&racer->world->app, racer->db, &request, &racer->answer);
}

void race_cancel(struct racer *racer)
{
    struct booking_hold_ref request = {.customer = racer->customer, .hold_id = racer->hold_id};

    booking_cancel(&racer->world->app, racer->db, &request, &racer->answer);
}

void race_clean(struct racer *racer)
{
    booking_cleanup(&racer->world->app, racer->db, &racer->answer);
}
