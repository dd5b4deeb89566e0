/*
 * spec.c - the target "spec": the sessions of an isolation spec as clients.
 *
 * By themselves, a session's steps are sent as they are, in its order, whatever comes of them: one
 * that fails is followed by the next.  A transaction that is open after the last one is rolled
 * back, as a step of the schedule.
 *
 * The programs of a run are the permutations of the file (spec_program.c): with one of them a
 * session sends what that names, and nothing else.  What is open then is rolled back after the run.
 *
 * The session's setup runs before each run, past the schedule; teardowns are left out, since the
 * reset does what they are for.
 */
#include "target/target_int.h"

#include "base/alloc.h"
#include "engine/client.h"
#include "target/spec_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spec_client {
    const struct ob_spec_target *target;
    size_t session;
};

struct ob_spec_target {
    struct ob_target *whole; /* borrowed: what this is a part of */
    const struct ob_spec *spec;
    enum ob_isolation isolation;
    struct spec_client clients[OB_CLIENTS_MAX];
    struct ob_spec_programs *programs; /* owned */
    bool *goes_on;                     /* for each step; owned */
};

/* False: the client is done. */
static bool send(struct ob_client *client, const struct ob_op *op, bool *open)
{
    struct ob_reply reply;
    ob_client_do(client, op, &reply);
    if (reply.status == OB_REPLY_LOST)
        ob_client_event(client, "lost", "{}");
    if (reply.status != OB_REPLY_DONE)
        return false;
    if (strcmp(reply.sqlstate, "00000") != 0) {
        char data[32];
        snprintf(data, sizeof data, "{\"sqlstate\":\"%s\"}", reply.sqlstate);
        ob_client_event(client, "error", data);
    }
    *open = reply.open;
    PQclear(reply.native);
    return true;
}

static bool send_step(struct ob_client *client, const struct spec_client *self, size_t step,
                      bool *open)
{
    const struct ob_op op = {.kind = OB_OP_QUERY,
                             .text = self->target->spec->steps[step].sql,
                             .goes_on = self->target->goes_on[step]};
    return send(client, &op, open);
}

static void send_own(struct ob_client *client, const struct spec_client *self)
{
    const struct ob_spec_session *session = &self->target->spec->sessions[self->session];
    const struct ob_op roll_back = {.kind = OB_OP_ROLLBACK, .text = "ROLLBACK"};
    bool open = false, going = true;
    for (size_t i = 0; i < session->step_count && going; i++)
        going = send_step(client, self, session->first_step + i, &open);
    if (going && open)
        (void)send(client, &roll_back, &open);
}

static void body(struct ob_client *client, void *arg)
{
    const struct spec_client *self = arg;
    size_t program = ob_client_program(client), at = 0, step;
    bool open, going = true;
    if (program == 0)
        send_own(client, self);
    while (program > 0 && going &&
           ob_spec_program_step(self->target->spec, program, self->session, &at, &step))
        going = send_step(client, self, step, &open);
}

/* Whether it may end its transaction, or free other locks, and then go on.  Too often is right too:
 * what follows is only less speed, and less that is called controlled. */
static bool goes_on(const char *sql)
{
    /* Before the statement ends: a procedure or a block may commit in its middle. */
    static const char *const within[] = {"unlock", "call ", "call\n",     "do $",
                                         "do '",   "do\n",  "do language"};
    static const char *const at_its_end[] = {"commit", "rollback", "abort", "end", "prepare"};
    for (size_t i = 0; i < sizeof within / sizeof *within; i++)
        if (strcasestr(sql, within[i]))
            return true;
    for (size_t i = 0; i < sizeof at_its_end / sizeof *at_its_end; i++) {
        const char *word = strcasestr(sql, at_its_end[i]), *end = word ? strchr(word, ';') : NULL;
        if (end && end[1 + strspn(end + 1, " \t\r\n;")] != '\0')
            return true;
    }
    return false;
}

/* Whether it has a say in when deadlocks are looked for, or gives up the right to say so. */
static bool unsettles(const char *sql)
{
    return sql && (strcasestr(sql, "deadlock_timeout") || strcasestr(sql, "role") ||
                   strcasestr(sql, "authorization"));
}

/* What ends a transaction and goes on, or unsettles, undoes what has armed its session, or prevents
 * it: then all are armed before their transactions begin. */
static void look_through(struct ob_spec_target *self)
{
    const struct ob_spec *spec = self->spec;
    bool careful = false;
    for (size_t i = 0; i < spec->session_count; i++)
        careful |= unsettles(spec->sessions[i].setup);
    for (size_t i = 0; i < spec->step_count; i++) {
        self->goes_on[i] = goes_on(spec->steps[i].sql);
        careful |= self->goes_on[i] || unsettles(spec->steps[i].sql);
    }
    self->whole->rig.spec.careful = careful;
}

/* The level of transactions that do not say one. */
static const char *const levels[] = {
    [OB_READ_COMMITTED] = NULL,
    [OB_REPEATABLE_READ] = "SET default_transaction_isolation = 'repeatable read'",
    [OB_SERIALIZABLE] = "SET default_transaction_isolation = 'serializable'",
};

static enum ob_result prepare_session(const struct ob_spec_target *self, struct ob_pg_world *world,
                                      size_t session, const char *level, struct ob_error *err)
{
    const char *setup = self->spec->sessions[session].setup;
    struct ob_ports ports = ob_pg_world_ports(world);
    enum ob_result result = OB_OK;
    if (self->whole->rig.spec.careful)
        result = ports.arm_deadlock(ports.self, session, true, err);
    if (result == OB_OK && level)
        result = ob_pg_world_prepare(world, session, level, err);
    if (result == OB_OK && setup)
        result = ob_pg_world_prepare(world, session, setup, err);
    return result;
}

/* That level, then what the session itself begins with. */
static enum ob_result prepare(void *self, struct ob_pg_world *world, struct ob_error *err)
{
    const struct ob_spec_target *target = self;
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < target->spec->session_count && result == OB_OK; i++)
        result = prepare_session(target, world, i, levels[target->isolation], err);
    return result;
}

/* What is wrong with the server, if it is, the checks find out. */
static void finish(void *self, struct ob_trace *trace)
{
    const struct ob_spec_target *target = self;
    (void)trace;
    ob_pg_world_roll_back(target->whole->world);
}

static enum ob_result install(struct ob_target *target, PGconn *conn, void **out,
                              struct ob_error *err)
{
    const struct ob_scenario *scenario = target->scenario;
    const struct ob_spec *spec = scenario->spec;
    const struct ob_variant *variant = &scenario->variants[target->variant];
    enum ob_result result = ob_target_set_clock_up(target, conn, err);
    for (size_t i = 0; i < spec->setup_count && result == OB_OK; i++)
        result = ob_target_set_up(target, conn, spec->setups[i], scenario->name, err);
    if (result == OB_OK)
        result = ob_target_set_up(target, conn, variant->setup, variant->name, err);
    if (result != OB_OK)
        return result;
    struct ob_spec_target *self = ob_alloc(sizeof *self);
    self->spec = spec;
    self->isolation = variant->isolation;
    self->whole = target;
    self->programs = ob_spec_programs_new(spec);
    target->rig.orders = ob_spec_programs_orders(self->programs);
    target->rig.steps_max = spec->step_count + spec->session_count; /* and a ROLLBACK each */
    target->rig.spec.program_count = ob_spec_program_count(spec);
    self->goes_on = ob_alloc(spec->step_count * sizeof *self->goes_on);
    look_through(self);
    for (size_t i = 0; i < spec->session_count; i++) {
        self->clients[i] = (struct spec_client){.target = self, .session = i};
        target->clients[i] = (struct ob_run_client){
            .name = spec->sessions[i].name, .body = body, .arg = &self->clients[i]};
        ob_script_add_session_setup(target->options->script, i, levels[variant->isolation]);
        ob_script_add_session_setup(target->options->script, i, spec->sessions[i].setup);
    }
    *out = self;
    return OB_OK;
}

static void free_target(void *arg)
{
    struct ob_spec_target *self = arg;
    ob_spec_programs_free(self->programs);
    free(self->goes_on);
    free(self);
}

const struct ob_target_ops ob_target_spec = {
    .clock = OB_TARGET_CLOCK,
    .keeps_session_state = true,
    .exact = ob_target_is_exact,
    .install = install,
    .prepare = prepare,
    .finish = finish,
    .free = free_target,
};
