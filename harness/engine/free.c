/*
 * free.c - free-running mode: no gates, the clients' threads race for real.
 *
 * Each client does its operations in its own thread, and waits for the answer there.  One mutex
 * guards the trace, the virtual clock, the choices and the clients' states; it is never held while
 * the database works. Steps are recorded in the order in which their answers came.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#define OB_FREE_WAIT_US 10000 /* between two looks at the time limit */

static bool time_is_over(const struct ob_engine *engine)
{
    return engine->ports.monotonic_us(engine->ports.self) > engine->deadline_us;
}

static void give_up(struct ob_engine *engine, enum ob_run_end end, const char *reason)
{
    if (engine->stopping)
        return;
    engine->stopping = true;
    engine->trace->end = end;
    snprintf(engine->trace->reason, sizeof engine->trace->reason, "%s", reason);
    pthread_cond_broadcast(&engine->changed);
}

static void fail(struct ob_engine *engine, const struct ob_error *err)
{
    if (engine->failed)
        return;
    engine->failed = true;
    engine->failure = *err;
    give_up(engine, OB_RUN_FINISHED, "");
}

/* Whether the run is being given up, for whatever reason. */
static bool is_over(struct ob_engine *engine)
{
    pthread_mutex_lock(&engine->mutex);
    if (time_is_over(engine))
        give_up(engine, OB_RUN_TIME_LIMIT, "the clients still had operations to do");
    bool over = engine->stopping;
    pthread_mutex_unlock(&engine->mutex);
    return over;
}

/* Ending a session goes through what all sessions share, so those are sent one at a time. */
static enum ob_io send_op(struct ob_client *client, struct ob_error *err)
{
    struct ob_engine *engine = client->engine;
    bool shared = client->op->kind == OB_OP_KILL;
    if (shared)
        pthread_mutex_lock(&engine->mutex);
    enum ob_io io = engine->ports.send(engine->ports.self, client->index, client->op, err);
    if (shared)
        pthread_mutex_unlock(&engine->mutex);
    return io;
}

/* Called without the mutex.  A server that fails ends the run; the reason is in the trace. */
static void do_database(struct ob_client *client)
{
    struct ob_engine *engine = client->engine;
    const struct ob_ports *ports = &engine->ports;
    struct ob_error err;
    enum ob_io io = send_op(client, &err);
    bool cancelled = false;
    while (io != OB_IO_FAILED) {
        io = ports->poll(ports->self, client->index, &client->reply, &err);
        if (io == OB_IO_DONE)
            return;
        if (io == OB_IO_PENDING)
            ports->wait(ports->self, ob_client_bit(client->index), OB_FREE_WAIT_US);
        if (!cancelled && is_over(engine)) {
            cancelled = true;
            ports->cancel(ports->self, client->index);
        }
    }
    client->reply = (struct ob_reply){.status = OB_REPLY_STOPPED};
    pthread_mutex_lock(&engine->mutex);
    fail(engine, &err);
    pthread_mutex_unlock(&engine->mutex);
}

/* Whether nothing but time can make anybody go on.  Mutex held. */
static bool nobody_else_moves(const struct ob_client *client)
{
    const struct ob_engine *engine = client->engine;
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        const struct ob_client *other = &engine->clients[i];
        bool still = other->state == OB_CLIENT_FINISHED ||
                     (other->state == OB_CLIENT_POSTED && !ob_client_enabled(engine, other));
        if (other != client && !still)
            return false;
    }
    return true;
}

/* Mutex held. */
static void set_clock(struct ob_engine *engine, int64_t time_us)
{
    if (time_us > engine->now_us)
        __atomic_store_n(&engine->now_us, time_us, __ATOMIC_RELAXED);
    struct ob_error err;
    if (engine->ports.set_clock(engine->ports.self, engine->now_us, &err) == OB_OK)
        return;
    fail(engine, &err);
}

/* Mutex held. */
static void do_wait(struct ob_client *client)
{
    struct ob_engine *engine = client->engine;
    const struct ob_op *op = client->op;
    struct timespec limit = {.tv_sec = (time_t)(engine->deadline_us / 1000000),
                             .tv_nsec = (long)(engine->deadline_us % 1000000) * 1000};
    client->state = OB_CLIENT_POSTED;
    client->reply.status = OB_REPLY_DONE;
    pthread_cond_broadcast(&engine->changed);
    while (!engine->stopping && !ob_client_enabled(engine, client)) {
        if (!nobody_else_moves(client)) {
            if (pthread_cond_clockwait(&engine->changed, &engine->mutex, CLOCK_MONOTONIC, &limit))
                give_up(engine, OB_RUN_TIME_LIMIT, "a client still waited");
        } else if (op->time_us != INT64_MAX) {
            set_clock(engine, op->time_us);
        } else {
            client->reply.status = OB_REPLY_NEVER;
            break;
        }
    }
    client->state = OB_CLIENT_MOVING;
}

void ob_free_do(struct ob_client *client)
{
    struct ob_engine *engine = client->engine;
    enum ob_op_kind kind = client->op->kind;
    bool database = !ob_op_is_outside(kind);
    client->reply = (struct ob_reply){.status = OB_REPLY_DONE};
    pthread_mutex_lock(&engine->mutex);
    if (!engine->stopping && database) {
        pthread_mutex_unlock(&engine->mutex);
        do_database(client);
        pthread_mutex_lock(&engine->mutex);
    } else if (!engine->stopping && kind == OB_OP_CLOCK) {
        set_clock(engine, client->op->time_us);
    } else if (!engine->stopping && kind == OB_OP_WAIT) {
        do_wait(client);
    }
    if (!engine->stopping && engine->trace->step_count >= engine->limits.steps_max)
        give_up(engine, OB_RUN_STEP_LIMIT, "the clients still had operations to do");
    if (engine->stopping) {
        if (client->reply.native)
            engine->ports.discard(engine->ports.self, client->reply.native);
        client->reply = (struct ob_reply){.status = OB_REPLY_STOPPED};
    } else {
        struct ob_step *step = ob_record_step(engine, client, ob_client_bit(client->index));
        ob_record_completions(engine, step, ob_client_bit(client->index));
    }
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->mutex);
}

enum ob_result ob_free_run(struct ob_engine *engine, struct ob_error *err)
{
    const struct ob_run_spec *spec = engine->spec;
    const struct ob_ports *ports = &engine->ports;
    enum ob_result result = ports->set_clock(ports->self, spec->start_us, err);
    for (size_t i = 0; i < spec->client_count && result == OB_OK; i++)
        result = ports->arm_deadlock(ports->self, i, true, err);
    if (result != OB_OK)
        return result;
    for (size_t i = 0; i < spec->client_count; i++)
        engine->clients[i].state = OB_CLIENT_MOVING;
    for (size_t i = 0; i < spec->client_count; i++)
        sem_post(&engine->clients[i].go);
    int64_t limit_us = engine->deadline_us + engine->limits.client_us_max;
    struct timespec limit = {.tv_sec = (time_t)(limit_us / 1000000),
                             .tv_nsec = (long)(limit_us % 1000000) * 1000};
    for (size_t finished = 0; finished < spec->client_count;) {
        if (sem_clockwait(&engine->posted, CLOCK_MONOTONIC, &limit) == 0) {
            finished++;
        } else if (errno != EINTR) {
            pthread_mutex_lock(&engine->mutex);
            __atomic_store_n(&engine->abandoned, true, __ATOMIC_RELEASE);
            engine->stopping = true;
            engine->trace->end = OB_RUN_NOT_BACK;
            pthread_mutex_unlock(&engine->mutex);
            return ob_error_set(err, OB_STUCK, "%zu of %zu clients did not come back in time",
                                spec->client_count - finished, spec->client_count);
        }
    }
    pthread_mutex_lock(&engine->mutex); /* after which all that the clients wrote is seen */
    if (engine->failed)
        *err = engine->failure;
    result = engine->failed ? err->code : OB_OK;
    pthread_mutex_unlock(&engine->mutex);
    return result;
}
