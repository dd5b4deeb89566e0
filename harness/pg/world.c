#include "pg/world_int.h"

#include "base/alloc.h"
#include "pg/setting.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A setting that no module has defined is not shown. */
static enum ob_result look_for_probe(struct ob_pg_world *world, struct ob_error *err)
{
    char *found = NULL;
    enum ob_result result = ob_pg_exec(world->control,
                                       "SELECT count(*) FROM pg_catalog.pg_settings"
                                       " WHERE name = 'overbook.footprints'",
                                       &found, err);
    world->has_probe = found && strcmp(found, "1") == 0;
    world->tells = world->has_probe && world->learns;
    free(found);
    return result;
}

/* The setup and the checks have the virtual time too, as soon as there is a clock. */
static enum ob_result follow_clock(struct ob_pg_world *world, struct ob_error *err)
{
    char sql[128];
    if (!world->has_probe || !world->clock)
        return OB_OK;
    snprintf(sql, sizeof sql, "SET overbook.clock = '%s'", world->clock);
    return ob_pg_exec(world->control, sql, NULL, err);
}

static enum ob_result ask_level(struct ob_pg_world *world, struct ob_error *err)
{
    char *level = NULL;
    enum ob_result result =
        ob_pg_exec(world->control, "SHOW default_transaction_isolation", &level, err);
    world->serializable = level && strcmp(level, "serializable") == 0;
    free(level);
    return result;
}

/* The level that the clients begin with; and whether the server takes their setting. */
static enum ob_result ask_level_as_clients(struct ob_pg_world *world, struct ob_error *err)
{
    if (!world->setting)
        return ask_level(world, err);
    enum ob_result result = ob_pg_exec(world->control, "BEGIN", NULL, err);
    if (result == OB_OK)
        result = ob_pg_setting_try(world->control, world->setting, err);
    if (result == OB_OK)
        result = ask_level(world, err);
    struct ob_error ending;
    enum ob_result ended = ob_pg_exec(world->control, "ROLLBACK", NULL, &ending);
    if (result == OB_OK && ended != OB_OK)
        *err = ending;
    return result == OB_OK ? ended : result;
}

/* Finds out what this role may control, by trying, and sets the control connection up. */
static enum ob_result set_up_control(struct ob_pg_world *world, struct ob_error *err)
{
    enum ob_result result = ob_pg_exec(world->control,
                                       "SET jit = off; SET session_replication_role = replica; SET "
                                       "session_replication_role = origin",
                                       NULL, err);
    if (result == OB_SQL) {
        ob_error_context(err, "this database role cannot be used");
        ob_error_detail(
            err, "Restoring rows between runs needs triggers and foreign keys switched off.");
        ob_error_hint(err,
                      "Connect as a superuser, or, from PostgreSQL 15 on: GRANT SET ON PARAMETER "
                      "session_replication_role TO %s;",
                      PQuser(world->control));
        return err->code = OB_REFUSED;
    }
    if (result != OB_OK)
        return result;
    struct ob_error refused;
    world->controls_deadlock =
        ob_pg_exec(world->control,
                   "SET deadlock_timeout = '1h'; SET log_lock_waits = on; SET lc_messages = 'C'",
                   NULL, &refused) == OB_OK;
    result = ask_level_as_clients(world, err);
    if (result == OB_OK)
        result = look_for_probe(world, err);
    return result == OB_OK ? follow_clock(world, err) : result;
}

enum ob_result ob_pg_control_open(struct ob_pg_world *world, struct ob_error *err)
{
    enum ob_result result = ob_pg_connect(world->conninfo, "overbook control",
                                          "-c search_path=public -c timezone=UTC -c datestyle=ISO"
                                          " -c plan_cache_mode=force_generic_plan"
                                          " -c max_parallel_workers_per_gather=0",
                                          &world->control, err);
    return result == OB_OK ? set_up_control(world, err) : result;
}

void ob_pg_control_close(struct ob_pg_world *world)
{
    PQfinish(world->control);
    world->control = NULL;
    for (size_t i = 0; i < world->prepared_count; i++)
        free(world->prepared[i].sql);
    world->prepared_count = 0;
    world->clock_us = INT64_MIN;
    world->gates_closed = false;
}

enum ob_result ob_pg_world_open(const struct ob_pg_world_options *options, struct ob_pg_world **out,
                                struct ob_error *err)
{
    assert(options->session_count <= OB_CLIENTS_MAX);
    struct ob_pg_world *world = ob_alloc(sizeof *world);
    world->conninfo = ob_strdup(options->conninfo);
    world->clock = options->clock ? ob_strdup(options->clock) : NULL;
    world->setting = options->setting ? ob_strdup(options->setting) : NULL;
    world->session_count = options->session_count;
    world->keeps_session_state = options->keeps_session_state;
    world->fixed_plans = options->fixed_plans;
    world->own_server = options->own_server;
    world->learns = options->learns;
    world->gates = options->gates;
    world->client_names = options->client_names;
    world->exact = options->exact;
    world->clock_us = INT64_MIN;
    enum ob_result result = ob_pg_control_open(world, err);
    if (result == OB_OK)
        *out = world;
    else
        ob_pg_world_close(world);
    return result;
}

void ob_pg_world_close(struct ob_pg_world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->session_count; i++)
        ob_pg_session_close(&world->sessions[i]);
    for (size_t i = 0; i < world->session_count; i++) {
        struct ob_error ignored; /* who drops the database tells */
        if (world->left[i].prepared && world->control)
            (void)ob_pg_roll_back_prepared(world, &ignored);
        world->left[i].prepared = false;
    }
    ob_pg_drop_clean(world);
    ob_pg_control_close(world);
    free(world->prepared);
    free(world->vacuum);
    free(world->digest_sql);
    free(world->database);
    free(world->clean);
    free(world->clock);
    free(world->setting);
    free(world->conninfo);
    free(world);
}

enum ob_result ob_pg_world_learn(struct ob_pg_world *world, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (world->tells || !world->has_probe)
        return OB_OK;
    world->tells = true;
    for (size_t i = 0; i < world->session_count && result == OB_OK; i++) {
        ob_pg_session_close(&world->sessions[i]);
        result = ob_pg_session_open(world, i, err);
    }
    return result;
}

PGconn *ob_pg_world_control(struct ob_pg_world *world)
{
    return world->control;
}

bool ob_pg_world_controls_deadlock(const struct ob_pg_world *world)
{
    return world->controls_deadlock;
}

bool ob_pg_world_has_probe(const struct ob_pg_world *world)
{
    return world->has_probe;
}

static void discard(void *self, void *native)
{
    (void)self;
    PQclear(native);
}

static int64_t monotonic_us(void *self)
{
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct ob_ports ob_pg_world_ports(struct ob_pg_world *world)
{
    return (struct ob_ports){
        .self = world,
        .send = ob_pg_session_send,
        .poll = ob_pg_session_poll,
        .wait = ob_pg_session_wait,
        .waits = ob_pg_control_waits,
        .arm_deadlock = ob_pg_session_arm,
        .deadlock_checked = ob_pg_session_checked,
        .has_timeout = ob_pg_session_has_timeout,
        .serializable = ob_pg_session_serializable,
        .gates = world->gates ? ob_pg_gates : NULL,
        .pass_gate = world->gates ? ob_pg_gate_pass : NULL,
        .hold = world->own_server ? ob_pg_session_hold : NULL,
        .footprint = ob_pg_session_footprint,
        .set_clock = ob_pg_control_clock,
        .cancel = ob_pg_session_cancel,
        .discard = discard,
        .monotonic_us = monotonic_us,
    };
}

struct ob_query_port ob_pg_world_query_port(struct ob_pg_world *world)
{
    return (struct ob_query_port){.self = world, .query = ob_pg_control_query};
}
