/*
 * client.c - the clients' threads, and handing over between them and the engine.
 *
 * Exactly one thread moves at a time: the engine's, or one client's.  Two semaphores hand the turn
 * over and order all memory accesses, so nothing else needs a lock.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Thread_local struct ob_client *current;

struct ob_client *ob_client_current(void)
{
    return current;
}

size_t ob_client_index(const struct ob_client *client)
{
    return client->index;
}

size_t ob_client_program(const struct ob_client *client)
{
    return client->engine->trace->schedule.program;
}

bool ob_client_begins(struct ob_client *client, uint32_t part)
{
    client->part = part;
    const struct ob_run_spec *spec = client->engine->spec;
    for (size_t i = 0; i < spec->omission_count; i++) {
        const struct ob_omission *omission = &spec->omissions[i];
        if (omission->client == client->index && !omission->rest && omission->at == part)
            return false;
    }
    return true;
}

/* A thread that comes back after it was given up must touch nothing any more: its run is over, and
 * the run's trace and arguments may be gone. */
static void park_if_abandoned(const struct ob_engine *engine)
{
    while (__atomic_load_n(&engine->abandoned, __ATOMIC_ACQUIRE))
        pause();
}

/* Around what a client writes of the run: in free-running mode others write too. */
static void enter(struct ob_engine *engine)
{
    park_if_abandoned(engine);
    if (engine->free_running)
        pthread_mutex_lock(&engine->mutex);
}

static void leave(struct ob_engine *engine)
{
    if (engine->free_running)
        pthread_mutex_unlock(&engine->mutex);
}

static void take(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        assert(errno == EINTR);
}

/* Gives the turn back to the engine.  The state is written atomically for ThreadSanitizer's sake,
 * which does not know sem_clockwait(). */
static void stop_moving(struct ob_client *client, enum ob_client_state state)
{
    __atomic_store_n(&client->state, state, __ATOMIC_RELEASE);
    sem_post(&client->engine->posted);
}

static void *thread_main(void *arg)
{
    struct ob_client *client = arg;
    struct ob_engine *engine = client->engine;
    current = client;
    for (;;) {
        take(&client->go);
        if (engine->quitting)
            return NULL;
        client->body(client, client->arg);
        park_if_abandoned(engine);
        if (engine->free_running) {
            pthread_mutex_lock(&engine->mutex);
            client->state = OB_CLIENT_FINISHED;
            pthread_cond_broadcast(&engine->changed);
            pthread_mutex_unlock(&engine->mutex);
            sem_post(&engine->posted);
        } else {
            stop_moving(client, OB_CLIENT_FINISHED);
        }
    }
}

void ob_clients_grow(struct ob_engine *engine, size_t count)
{
    assert(count <= OB_CLIENTS_MAX);
    for (; engine->thread_count < count; engine->thread_count++) {
        struct ob_client *client = &engine->clients[engine->thread_count];
        client->engine = engine;
        client->index = engine->thread_count;
        client->cpu = OB_ANY_CPU;
        sem_init(&client->go, 0, 0);
        int failed = pthread_create(&client->thread, NULL, thread_main, client);
        assert(!failed);
    }
}

void ob_clients_quit(struct ob_engine *engine)
{
    engine->quitting = true;
    for (size_t i = 0; i < engine->thread_count; i++)
        sem_post(&engine->clients[i].go);
    for (size_t i = 0; i < engine->thread_count; i++) {
        pthread_join(engine->clients[i].thread, NULL);
        sem_destroy(&engine->clients[i].go);
        free(engine->clients[i].chances);
    }
}

static void keep_clients(struct ob_engine *engine, int cpu, const cpu_set_t *cpus)
{
    for (size_t i = 0; i < engine->thread_count; i++) {
        struct ob_client *client = &engine->clients[i];
        if (client->cpu != cpu && pthread_setaffinity_np(client->thread, sizeof *cpus, cpus) == 0)
            client->cpu = cpu;
    }
}

void ob_clients_pin(struct ob_engine *engine)
{
    int cpu = sched_getcpu();
    cpu_set_t here;
    if (cpu < 0 || cpu >= CPU_SETSIZE ||
        pthread_getaffinity_np(pthread_self(), sizeof engine->cpus, &engine->cpus) != 0)
        return;
    CPU_ZERO(&here);
    CPU_SET((size_t)cpu, &here);
    if (pthread_setaffinity_np(pthread_self(), sizeof here, &here) != 0)
        return;
    engine->pinned = true;
    keep_clients(engine, cpu, &here);
}

void ob_clients_unpin(struct ob_engine *engine, bool clients)
{
    if (engine->pinned)
        (void)pthread_setaffinity_np(pthread_self(), sizeof engine->cpus, &engine->cpus);
    engine->pinned = false;
    if (clients)
        keep_clients(engine, OB_ANY_CPU, &engine->cpus);
}

enum ob_result ob_client_resume(struct ob_client *client, struct ob_error *err)
{
    struct ob_engine *engine = client->engine;
    int64_t limit_us =
        engine->ports.monotonic_us(engine->ports.self) + engine->limits.client_us_max;
    struct timespec limit = {.tv_sec = (time_t)(limit_us / 1000000),
                             .tv_nsec = (long)(limit_us % 1000000) * 1000};
    client->state = OB_CLIENT_MOVING;
    sem_post(&client->go);
    while (sem_clockwait(&engine->posted, CLOCK_MONOTONIC, &limit) != 0) {
        if (errno == EINTR)
            continue;
        __atomic_store_n(&engine->abandoned, true, __ATOMIC_RELEASE);
        ob_error_set(err, OB_STUCK,
                     "client \"%s\" did not come back from its own code within %lld ms",
                     engine->spec->clients[client->index].name,
                     (long long)(engine->limits.client_us_max / 1000));
        ob_error_detail(
            err, "It neither asked for its next operation nor finished; its thread is abandoned.");
        ob_error_hint(
            err, "Look for an endless loop, or for something that blocks outside the session.");
        return OB_STUCK;
    }
    enum ob_client_state state = __atomic_load_n(&client->state, __ATOMIC_ACQUIRE);
    assert(state == OB_CLIENT_POSTED || state == OB_CLIENT_FINISHED);
    return OB_OK;
}

void ob_client_do(struct ob_client *client, const struct ob_op *op, struct ob_reply *reply)
{
    struct ob_engine *engine = client->engine;
    assert(client == current);
    assert(op->text);
    park_if_abandoned(engine);
    client->op = op;
    if (engine->free_running) {
        ob_free_do(client);
    } else if (engine->stopping || client->ops++ >= client->ops_max) {
        client->reply = (struct ob_reply){.status = OB_REPLY_STOPPED};
    } else {
        stop_moving(client, OB_CLIENT_POSTED);
        take(&client->go);
    }
    *reply = client->reply;
    client->reply = (struct ob_reply){0};
    client->op = NULL;
}

int64_t ob_client_now_us(const struct ob_client *client)
{
    return __atomic_load_n(&client->engine->now_us, __ATOMIC_RELAXED);
}

/* How often the client has come to the point in this part of what it does before, from 0. */
static uint32_t count_chance(struct ob_client *client, size_t point)
{
    for (size_t i = 0; i < client->chance_count; i++) {
        struct ob_chances *chances = &client->chances[i];
        if (chances->point == point && chances->part == client->part)
            return chances->count++;
    }
    client->chances = ob_grow(client->chances, &client->chance_capacity, client->chance_count + 1,
                              sizeof *client->chances);
    client->chances[client->chance_count++] =
        (struct ob_chances){.point = point, .part = client->part, .count = 1};
    return 0;
}

static unsigned decide_fault(struct ob_client *client, size_t point)
{
    struct ob_engine *engine = client->engine;
    const struct ob_run_spec *spec = engine->spec;
    uint32_t hit = client->hits[point]++, nth = count_chance(client, point);
    if (engine->stopping || engine->fault_count >= spec->fault_budget)
        return 0;
    struct ob_choice_point choice = {
        .kind = OB_CHOICE_FAULT,
        .seen = engine->seen,
        .option_count = 1 + (size_t)spec->fault_points[point].ways,
        .client = client->index,
        .point = point,
        .hit = hit,
        .part = client->part,
        .nth = nth,
    };
    unsigned way = (unsigned)spec->chooser.choose(spec->chooser.self, &choice);
    assert(way < choice.option_count);
    if (way == 0)
        return 0;
    engine->fault_count++;
    ob_schedule_add_fault(&engine->trace->schedule, (struct ob_fault){.point = point,
                                                                      .client = client->index,
                                                                      .hit = hit,
                                                                      .way = way,
                                                                      .part = client->part,
                                                                      .nth = nth});
    const char *data = ob_arena_printf(&engine->trace->arena, "{\"point\": \"%s\", \"way\": %u}",
                                       spec->fault_points[point].name, way);
    ob_trace_add_event(engine->trace, client->index, "fault", data);
    return way;
}

unsigned ob_client_fault(struct ob_client *client, size_t point)
{
    struct ob_engine *engine = client->engine;
    assert(client == current);
    enter(engine);
    assert(point < engine->spec->fault_point_count);
    unsigned way = decide_fault(client, point);
    leave(engine);
    return way;
}

void ob_client_event(struct ob_client *client, const char *kind, const char *data)
{
    struct ob_engine *engine = client->engine;
    assert(client == current);
    enter(engine);
    ob_trace_add_event(engine->trace, client->index, kind, data);
    leave(engine);
}

void ob_client_fail(struct ob_client *client, const struct ob_error *error)
{
    struct ob_engine *engine = client->engine;
    assert(client == current);
    enter(engine);
    if (!engine->failed)
        engine->failure = *error;
    engine->failed = true;
    leave(engine);
}
