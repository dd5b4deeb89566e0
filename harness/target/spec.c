/*
 * spec.c - the target "spec": the sessions of an isolation spec as clients.
 *
 * A session's steps are sent as they are, in its order, whatever comes of them: one that fails is
 * followed by the next.  The session's setup runs before each run, past the schedule.  A
 * transaction that is open after the last step is rolled back; teardowns are left out, since the
 * reset does what they are for.
 */
#include "target/target_int.h"

#include "base/alloc.h"
#include "engine/client.h"
#include "scenario/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spec_client {
    const struct ob_spec *spec;
    const struct ob_spec_session *session;
};

struct ob_spec_target {
    const struct ob_spec *spec;
    enum ob_isolation isolation;
    struct spec_client clients[OB_CLIENTS_MAX];
    struct ob_order *orders; /* the spec's permutations; owned */
    size_t *movers;          /* of all orders; owned */
};

/* False: the client is done. */
static bool send(struct ob_client *client, enum ob_op_kind kind, const char *sql, bool *open)
{
    const struct ob_op op = {.kind = kind, .text = sql};
    struct ob_reply reply;
    ob_client_do(client, &op, &reply);
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

static void body(struct ob_client *client, void *arg)
{
    const struct spec_client *self = arg;
    const struct ob_spec_step *steps = self->spec->steps + self->session->first_step;
    bool open = false, going = true;
    for (size_t i = 0; i < self->session->step_count && going; i++)
        going = send(client, OB_OP_QUERY, steps[i].sql, &open);
    if (going && open)
        (void)send(client, OB_OP_ROLLBACK, "ROLLBACK", &open);
}

/* The level of transactions that do not say one, then what the session itself begins with. */
static enum ob_result prepare(void *self, struct ob_pg_world *world, struct ob_error *err)
{
    static const char *const levels[] = {
        [OB_READ_COMMITTED] = NULL,
        [OB_REPEATABLE_READ] = "SET default_transaction_isolation = 'repeatable read'",
        [OB_SERIALIZABLE] = "SET default_transaction_isolation = 'serializable'",
    };
    const struct ob_spec_target *target = self;
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < target->spec->session_count && result == OB_OK; i++) {
        const char *setup = target->spec->sessions[i].setup;
        if (levels[target->isolation])
            result = ob_pg_world_prepare(world, i, levels[target->isolation], err);
        if (result == OB_OK && setup)
            result = ob_pg_world_prepare(world, i, setup, err);
    }
    return result;
}

/* A permutation says whose step comes when; which step it is follows from the session's order. */
static void make_orders(struct ob_spec_target *self, const struct ob_spec *spec)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->permutation_count; i++)
        count += spec->permutations[i].launch_count;
    self->orders = ob_alloc(spec->permutation_count * sizeof *self->orders);
    self->movers = ob_alloc(count * sizeof *self->movers);
    size_t *next = self->movers;
    for (size_t i = 0; i < spec->permutation_count; i++) {
        const struct ob_spec_permutation *permutation = &spec->permutations[i];
        self->orders[i] = (struct ob_order){.clients = next, .count = permutation->launch_count};
        for (size_t k = 0; k < permutation->launch_count; k++)
            *next++ = spec->steps[permutation->launches[k].step].session;
    }
}

static enum ob_result install(struct ob_target *target, PGconn *conn, void **out,
                              struct ob_error *err)
{
    const struct ob_scenario *scenario = target->scenario;
    const struct ob_spec *spec = scenario->spec;
    const struct ob_variant *variant = &scenario->variants[target->variant];
    enum ob_result result = ob_target_set_clock_up(conn, err);
    for (size_t i = 0; i < spec->setup_count && result == OB_OK; i++)
        result = ob_target_set_up(conn, spec->setups[i], scenario->name, err);
    if (result == OB_OK)
        result = ob_target_set_up(conn, variant->setup, variant->name, err);
    if (result != OB_OK)
        return result;
    struct ob_spec_target *self = ob_alloc(sizeof *self);
    self->spec = spec;
    self->isolation = variant->isolation;
    make_orders(self, spec);
    target->rig.orders = self->orders;
    target->rig.order_count = spec->permutation_count;
    for (size_t i = 0; i < spec->session_count; i++) {
        self->clients[i] = (struct spec_client){spec, &spec->sessions[i]};
        target->clients[i] = (struct ob_run_client){
            .name = spec->sessions[i].name, .body = body, .arg = &self->clients[i]};
    }
    *out = self;
    return OB_OK;
}

static void free_target(void *arg)
{
    struct ob_spec_target *self = arg;
    free(self->orders);
    free(self->movers);
    free(self);
}

const struct ob_target_ops ob_target_spec = {
    .clock = OB_TARGET_CLOCK,
    .keeps_session_state = true,
    .exact = true,
    .install = install,
    .prepare = prepare,
    .free = free_target,
};
