#include "engine/engine_int.h"

#include "base/digest.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ob_limits ob_limits_default(void)
{
    return (struct ob_limits){
        .steps_max = 10000,
        .run_us_max = (int64_t)60 * 1000000,
        .client_us_max = (int64_t)5 * 1000000,
        .step_us_max = (int64_t)300 * 1000000,
    };
}

struct ob_engine *ob_engine_new(const struct ob_ports *ports, const struct ob_limits *limits)
{
    assert(limits->steps_max > 0 && limits->steps_max <= OB_STEPS_MAX);
    struct ob_engine *engine = ob_alloc(sizeof *engine);
    engine->ports = *ports;
    engine->limits = *limits;
    sem_init(&engine->posted, 0, 0);
    pthread_mutex_init(&engine->mutex, NULL);
    pthread_cond_init(&engine->changed, NULL);
    return engine;
}

void ob_engine_free(struct ob_engine *engine)
{
    if (!engine)
        return;
    if (engine->abandoned)
        return; /* a thread still runs in it: its memory must stay */
    ob_clients_quit(engine);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->mutex);
    sem_destroy(&engine->posted);
    free(engine);
}

bool ob_client_enabled(const struct ob_engine *engine, const struct ob_client *client)
{
    if (client->state != OB_CLIENT_POSTED)
        return client->state == OB_CLIENT_GATED;
    const struct ob_op *op = client->op;
    if (op->kind != OB_OP_WAIT)
        return true;
    return op->time_us <= engine->now_us || (op->ready && op->ready(op->arg));
}

enum ob_op_kind ob_client_next_kind(const struct ob_client *client)
{
    return client->state == OB_CLIENT_GATED ? OB_OP_GATE : client->op->kind;
}

static ob_client_set enabled_clients(const struct ob_engine *engine)
{
    ob_client_set enabled = 0;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if (ob_client_enabled(engine, &engine->clients[i]))
            enabled |= ob_client_bit(i);
    return enabled;
}

static enum ob_result set_clock(struct ob_engine *engine, int64_t time_us, struct ob_error *err)
{
    if (time_us > engine->now_us)
        engine->now_us = time_us; /* virtual time never goes back */
    return engine->ports.set_clock(engine->ports.self, engine->now_us, err);
}

/* Everybody who could move waits: for a time, which then comes, or for what can no longer happen.
 * *progress tells whether that helped anybody. */
static enum ob_result let_time_pass(struct ob_engine *engine, bool *progress, struct ob_error *err)
{
    struct ob_client *timed = NULL, *hopeless = NULL;
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        struct ob_client *client = &engine->clients[i];
        if (client->state != OB_CLIENT_POSTED)
            continue;
        assert(client->op->kind == OB_OP_WAIT);
        if (client->op->time_us == INT64_MAX)
            hopeless = hopeless ? hopeless : client;
        else if (!timed || client->op->time_us < timed->op->time_us)
            timed = client;
    }
    *progress = timed || hopeless;
    if (timed) {
        char data[64];
        snprintf(data, sizeof data, "{\"at_us\": %" PRId64 "}", timed->op->time_us);
        ob_trace_add_event(engine->trace, OB_NO_CLIENT, "clock", data);
        return set_clock(engine, timed->op->time_us, err);
    }
    if (!hopeless)
        return OB_OK;
    hopeless->reply = (struct ob_reply){.status = OB_REPLY_NEVER};
    return ob_client_resume(hopeless, err);
}

static ob_client_set flying_clients(const struct ob_engine *engine)
{
    ob_client_set flying = 0;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if (engine->clients[i].state == OB_CLIENT_FLYING)
            flying |= ob_client_bit(i);
    return flying;
}

/* The client that the chooser picks of those enabled and in flight, or OB_NO_CLIENT when it cannot
 * follow its schedule. */
static size_t choose(struct ob_engine *engine, ob_client_set enabled, ob_client_set flying)
{
    size_t clients[OB_CLIENTS_MAX], count = 0;
    enum ob_op_kind kinds[OB_CLIENTS_MAX];
    uint32_t parts[OB_CLIENTS_MAX];
    const struct ob_op *ops[OB_CLIENTS_MAX];
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        if (!((enabled | flying) & ob_client_bit(i)))
            continue;
        kinds[count] = ob_client_next_kind(&engine->clients[i]);
        parts[count] = engine->clients[i].part;
        ops[count] = engine->clients[i].op;
        clients[count++] = i;
    }
    const struct ob_trace *trace = engine->trace;
    if (trace->step_count > 0)
        engine->seen =
            ob_hash_u64(engine->seen, ob_trace_step_digest(trace, trace->step_count - 1));
    const struct ob_choice_point point = {
        .kind = OB_CHOICE_STEP,
        .option_count = count,
        .clients = clients,
        .kinds = kinds,
        .parts = parts,
        .ops = ops,
        .flying = flying,
        .waiting = engine->waiting,
        .previous = engine->previous,
        .trace = trace,
        .seen = engine->seen,
    };
    const struct ob_chooser *chooser = &engine->spec->chooser;
    size_t option = chooser->choose(chooser->self, &point);
    if (option == OB_CANNOT_FOLLOW)
        return OB_NO_CLIENT;
    assert(option < count);
    return clients[option];
}

static void end_run(struct ob_engine *engine, enum ob_run_end end, const char *reason)
{
    engine->trace->end = end;
    size_t room = sizeof engine->trace->reason;
    snprintf(engine->trace->reason, room, "%.*s", (int)room - 1, reason);
    engine->stopping = end != OB_RUN_FINISHED;
}

/* Those who have waited longest come first. */
static size_t in_order_of_waiting(const struct ob_engine *engine, ob_client_set set,
                                  size_t clients[OB_CLIENTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        if (!(set & ob_client_bit(i)))
            continue;
        size_t at = count++;
        for (; at > 0 && engine->since[clients[at - 1]] > engine->since[i]; at--)
            clients[at] = clients[at - 1];
        clients[at] = i;
    }
    return count;
}

size_t ob_engine_choose_wake(struct ob_engine *engine, ob_client_set ready)
{
    size_t clients[OB_CLIENTS_MAX], count = in_order_of_waiting(engine, ready, clients);
    const struct ob_choice_point point = {
        .kind = OB_CHOICE_WAKE,
        .option_count = count,
        .clients = clients,
        .waiting = engine->waiting,
        .previous = engine->previous,
        .seen = engine->seen,
    };
    const struct ob_chooser *chooser = &engine->spec->chooser;
    if (count == 1)
        return clients[0];
    size_t option = chooser->choose(chooser->self, &point);
    if (option == OB_CANNOT_FOLLOW) {
        end_run(engine, OB_RUN_DIVERGED, "the recorded choice of who goes on is not possible here");
        return OB_NO_CLIENT;
    }
    assert(option < count);
    ob_schedule_add_wake(&engine->trace->schedule, clients[option]);
    engine->trace->steps[engine->trace->step_count - 1].wake_count++;
    return clients[option];
}

static enum ob_result resume_all(struct ob_engine *engine, size_t first, ob_client_set set,
                                 struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (set & ob_client_bit(first))
        result = ob_client_resume(&engine->clients[first], err);
    for (size_t i = 0; i < engine->spec->client_count && result == OB_OK; i++)
        if ((set & ob_client_bit(i)) && i != first)
            result = ob_client_resume(&engine->clients[i], err);
    return result;
}

/* A step that the database has no part in is answered at once. */
static enum ob_result step_outside(struct ob_engine *engine, struct ob_client *client,
                                   struct ob_step *step, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (client->op->kind == OB_OP_CLOCK)
        result = set_clock(engine, client->op->time_us, err);
    client->reply = (struct ob_reply){.status = OB_REPLY_DONE};
    step->blocked = engine->waiting | engine->loose;
    ob_record_completions(engine, step, ob_client_bit(client->index));
    return result == OB_OK ? ob_client_resume(client, err) : result;
}

/* The step was uncontrolled if who goes on first was drawn by the server, or if somebody waits
 * whose timeout comes when it will. */
static void mark_uncontrolled(struct ob_engine *engine, struct ob_step *step, bool lot)
{
    ob_client_set waited = engine->waiting | step->woken | step->gated;
    bool timed = !engine->spec->server_timers && ob_settle_timed(engine, waited) != 0;
    bool before = step->uncontrolled;
    step->uncontrolled |= lot || timed;
    engine->trace->uncontrolled += step->uncontrolled && !before;
}

static enum ob_result step_database(struct ob_engine *engine, struct ob_client *client,
                                    struct ob_step *step, struct ob_error *err)
{
    ob_client_set done;
    enum ob_settled settled = ob_settle(engine, client, &done, err);
    if (settled == OB_SETTLE_FAILED)
        return err->code;
    step->woken = engine->woken;
    step->gated = engine->gated;
    step->blocked = engine->waiting | engine->loose;
    if (engine->waiting & ob_client_bit(client->index))
        step->holders = engine->holders[client->index];
    mark_uncontrolled(engine, step, engine->by_lot && engine->woken != 0);
    ob_record_completions(engine, step, done);
    if (settled != OB_SETTLED) {
        engine->stopping = true;
        if (settled == OB_SETTLE_UNARMED)
            engine->trace->end = OB_RUN_AGAIN;
        return OB_OK;
    }
    return resume_all(engine, client->index, done, err);
}

static enum ob_result take_step(struct ob_engine *engine, size_t index, ob_client_set enabled,
                                struct ob_error *err)
{
    struct ob_client *client = &engine->clients[index];
    struct ob_step *step = ob_record_step(engine, client, enabled);
    size_t step_index = engine->trace->step_count - 1;
    enum ob_op_kind kind = step->kind;
    engine->previous = index;
    if (engine->spec->before_step)
        engine->spec->before_step(engine->spec->before_step_arg, step_index, client->op,
                                  engine->now_us);
    enum ob_result result = ob_op_is_outside(kind) ? step_outside(engine, client, step, err)
                                                   : step_database(engine, client, step, err);
    if (result != OB_OK || engine->stopping || !engine->spec->after_step)
        return result;
    return engine->spec->after_step(engine->spec->after_step_arg, &engine->trace->steps[step_index],
                                    err);
}

/* What is in flight is part of the last step still. */
static enum ob_result await(struct ob_engine *engine, size_t index, struct ob_error *err)
{
    struct ob_step *step = &engine->trace->steps[engine->trace->step_count - 1];
    ob_client_set done;
    enum ob_settled settled = ob_settle_await(engine, &engine->clients[index], &done, err);
    if (settled == OB_SETTLE_FAILED)
        return err->code;
    step->blocked = engine->waiting | engine->loose;
    if (!(step->blocked & ob_client_bit(step->client)))
        step->holders = 0;
    step->woken |= done & ~ob_client_bit(step->client);
    ob_record_completions(engine, step, done);
    mark_uncontrolled(engine, step, !engine->spec->server_timers);
    engine->stopping = settled != OB_SETTLED;
    return engine->stopping ? OB_OK : resume_all(engine, index, done, err);
}

/* A choice that is not possible may become so when somebody's wait ends by itself. */
static enum ob_result cannot_follow(struct ob_engine *engine, struct ob_error *err)
{
    ob_client_set timed =
        engine->spec->server_timers ? 0 : ob_settle_timed(engine, engine->waiting);
    if (timed != 0)
        return await(engine, ob_first_client(timed), err);
    end_run(engine, OB_RUN_DIVERGED, "the recorded choice is not possible here");
    return OB_OK;
}

static enum ob_result nobody_can_move(struct ob_engine *engine, bool *over, struct ob_error *err)
{
    bool progress;
    ob_client_set timed = ob_settle_timed(engine, engine->waiting);
    if (timed != 0)
        return await(engine, ob_first_client(timed), err);
    enum ob_result result = let_time_pass(engine, &progress, err);
    *over = result == OB_OK && !progress;
    if (*over && engine->waiting != 0)
        end_run(engine, OB_RUN_STUCK, "each of those left waits for a lock that nobody will free");
    return result;
}

/* A client that waits in an endless loop for what never comes makes no step: only time ends that.
 */
static bool limit_reached(struct ob_engine *engine, ob_client_set enabled)
{
    const char *reason = "the clients still had operations to do";
    if (enabled != 0 && engine->trace->step_count >= engine->limits.steps_max)
        end_run(engine, OB_RUN_STEP_LIMIT, reason);
    else if (engine->ports.monotonic_us(engine->ports.self) > engine->deadline_us)
        end_run(engine, OB_RUN_TIME_LIMIT, reason);
    return engine->stopping;
}

static enum ob_result steps(struct ob_engine *engine, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (bool over = false; result == OB_OK && !over && !engine->stopping;) {
        if (engine->failed) {
            *err = engine->failure;
            return err->code;
        }
        ob_client_set enabled = enabled_clients(engine);
        ob_client_set flying = engine->spec->server_timers ? flying_clients(engine) : 0;
        if ((enabled | flying) == 0)
            result = nobody_can_move(engine, &over, err);
        if (over || limit_reached(engine, enabled) || (enabled | flying) == 0)
            continue;
        size_t client = choose(engine, enabled, flying);
        if (client == OB_NO_CLIENT)
            result = cannot_follow(engine, err);
        else if (flying & ob_client_bit(client))
            result = await(engine, client, err);
        else
            result = take_step(engine, client, enabled, err);
    }
    return result;
}

/* Makes every client's body return, whatever it was doing, so that the threads can be used again.
 */
static enum ob_result unwind(struct ob_engine *engine, struct ob_error *err)
{
    struct ob_error stuck;
    engine->stopping = true;
    enum ob_result result = ob_settle_cancel(engine, err);
    if (result == OB_OK && engine->spec->gates)
        result = engine->ports.gates(engine->ports.self, false, err);
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        struct ob_client *client = &engine->clients[i];
        if (client->state == OB_CLIENT_FINISHED || client->state == OB_CLIENT_ABSENT)
            continue;
        client->reply = (struct ob_reply){.status = OB_REPLY_STOPPED};
        if (ob_client_resume(client, &stuck) != OB_OK) {
            *err = stuck;
            return OB_STUCK;
        }
    }
    return result;
}

static void choose_program(const struct ob_run_spec *spec, struct ob_trace *trace)
{
    const struct ob_choice_point point = {.kind = OB_CHOICE_PROGRAM,
                                          .option_count = 1 + spec->program_count};
    if (spec->program_count > 0)
        trace->schedule.program = spec->chooser.choose(spec->chooser.self, &point);
    assert(trace->schedule.program < point.option_count);
}

static void leave_out(struct ob_engine *engine, const struct ob_run_spec *spec)
{
    for (size_t i = 0; i < spec->omission_count; i++) {
        const struct ob_omission *omission = &spec->omissions[i];
        assert(omission->client < spec->client_count && !spec->free_running);
        ob_schedule_add_omission(&engine->trace->schedule, *omission);
        if (omission->rest)
            engine->clients[omission->client].ops_max = omission->at;
    }
}

static void begin(struct ob_engine *engine, const struct ob_run_spec *spec, struct ob_trace *trace)
{
    ob_trace_reset(trace);
    for (size_t i = 0; i < spec->given_count; i++)
        ob_trace_add_event(trace, OB_NO_CLIENT, spec->given[i].kind, spec->given[i].data);
    spec->chooser.restart(spec->chooser.self);
    choose_program(spec, trace);
    engine->spec = spec;
    engine->trace = trace;
    engine->now_us = spec->start_us;
    engine->deadline_us = spec->server_timers ? INT64_MAX
                                              : engine->ports.monotonic_us(engine->ports.self) +
                                                    engine->limits.run_us_max;
    engine->free_running = spec->free_running;
    engine->stopping = false;
    engine->failed = false;
    engine->careful = spec->careful || spec->gates; /* nobody can be armed at a gate */
    engine->fault_count = 0;
    engine->seen = spec->free_running ? 0 : OB_HASH_START;
    engine->previous = OB_NO_CLIENT;
    engine->waiting = engine->loose = engine->armed = engine->woken = engine->foreign = 0;
    engine->gated = 0;
    engine->held = 0;
    engine->wait_count = 0;
    for (size_t i = 0; i < engine->thread_count; i++) {
        struct ob_client *client = &engine->clients[i];
        client->state = OB_CLIENT_ABSENT;
        if (i >= spec->client_count)
            continue;
        client->body = spec->clients[i].body;
        client->arg = spec->clients[i].arg;
        memset(client->hits, 0, sizeof client->hits);
        client->chance_count = 0;
        client->ops = client->part = 0;
        client->ops_max = UINT32_MAX;
    }
    leave_out(engine, spec);
}

static enum ob_result run_gated(struct ob_engine *engine, struct ob_error *err)
{
    enum ob_result result = set_clock(engine, engine->spec->start_us, err);
    if (result == OB_OK && engine->spec->gates)
        result = engine->ports.gates(engine->ports.self, true, err);
    for (size_t i = 0; i < engine->spec->client_count && result == OB_OK; i++)
        if (engine->clients[i].ops_max > 0)
            result = ob_client_resume(&engine->clients[i], err);
    if (result == OB_OK)
        result = steps(engine, err);
    if (result != OB_STUCK) {
        struct ob_error later;
        enum ob_result unwound = unwind(engine, &later);
        if (unwound != OB_OK && (result == OB_OK || unwound == OB_STUCK)) {
            *err = later;
            result = unwound;
        }
    }
    if (result == OB_STUCK)
        end_run(engine, OB_RUN_NOT_BACK, err->message);
    return result;
}

enum ob_result ob_engine_run(struct ob_engine *engine, const struct ob_run_spec *spec,
                             struct ob_trace *trace, struct ob_error *err)
{
    assert(!engine->abandoned);
    assert(spec->client_count > 0 && spec->client_count <= OB_CLIENTS_MAX);
    assert(spec->fault_point_count <= OB_FAULT_POINTS_MAX);
    ob_clients_grow(engine, spec->client_count);
    begin(engine, spec, trace);
    if (spec->free_running) {
        ob_clients_unpin(engine, true);
        return ob_free_run(engine, err);
    }
    ob_clients_pin(engine);
    enum ob_result result = run_gated(engine, err);
    ob_clients_unpin(engine, false);
    if (result == OB_OK)
        ob_trace_check(trace);
    return result;
}
