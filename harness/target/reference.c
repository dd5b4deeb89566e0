/*
 * reference.c - the target "reference": the booking flow that ships with overbook, in process.
 *
 * Its own code runs behind gated ports.  What the scenario gives as done is done once, before the
 * race, on a plain session; the rows, the provider and the parties as they then are is what every
 * run starts from.
 */
#include "target/reference_int.h"

#include "base/alloc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOKING_CLOCK "booking.clock"

static const struct ob_setting *setting_of(const struct ob_scenario *scenario, size_t number,
                                           const char *key)
{
    const struct ob_variant *variant = &scenario->variants[number];
    const struct ob_setting *found =
        ob_setting_find(variant->settings, variant->setting_count, key);
    assert(found);
    return found;
}

static const struct ob_setting *variant_setting(const struct ob_target *target, const char *key)
{
    return setting_of(target->scenario, target->variant, key);
}

/* What the variant says of the schema: its version, or NULL where it has all but perhaps the
 * constraints. */
static const struct ob_setting *schema_setting(const struct ob_scenario *scenario, size_t number)
{
    const struct ob_variant *variant = &scenario->variants[number];
    return ob_setting_find(variant->settings, variant->setting_count, "schema");
}

static int schema_version(const struct ob_scenario *scenario, size_t variant)
{
    const struct ob_setting *schema = schema_setting(scenario, variant);
    return schema ? (int)schema->number : BOOKING_SCHEMA_LATEST;
}

static bool has_point(const struct ob_scenario *scenario, const char *prefix)
{
    for (size_t i = 0; i < scenario->fault_point_count; i++)
        if (strncmp(scenario->fault_points[i], prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* Someone has to make the deliveries and the cleanups that only faults bring about. */
static size_t extra_clients(const struct ob_scenario *scenario, const char **names)
{
    size_t count = 0;
    if (has_point(scenario, "webhook/"))
        names[count++] = "courier";
    if (has_point(scenario, "cleanup/"))
        names[count++] = "cleaner";
    return count;
}

/* --- the clients */

static int64_t psp_now_us(void *reference)
{
    return ob_reference_now_us(reference);
}

/* hold/expired and cleanup/now: what the fault is, is done by the clock or by another client. */
static void on_fault(void *arg, struct booking_db *db, enum booking_fault fault)
{
    struct ob_reference *reference = arg;
    struct ob_client *client = ob_client_current();
    (void)db;
    if (!client)
        return;
    if (fault == BOOKING_FAULT_CLEANUP_NOW) {
        pthread_mutex_lock(&reference->mutex);
        reference->state.cleanups++;
        pthread_mutex_unlock(&reference->mutex);
        return;
    }
    const struct ob_op op = {
        .kind = OB_OP_CLOCK,
        .text = "fault: the hold's time is over",
        .time_us = ob_client_now_us(client) + (reference->app.hold_ttl_s + 1) * 1000000,
    };
    struct ob_reply reply;
    ob_client_do(client, &op, &reply);
}

static void body(struct ob_client *client, void *arg)
{
    struct ob_reference_client *self = arg;
    ob_gated_db_init(&self->gated, client);
    booking_db_faulty_init(&self->faulty, &self->gated.db);
    struct ob_actor actor = {
        .reference = self->reference,
        .client = client,
        .db = &self->faulty.db,
        .gated = &self->gated,
        .app = self->reference->app,
        .party = self->party,
    };
    if (!self->scenario) {
        actor.customer = "nobody";
        (self->party == 0 ? ob_reference_be_courier : ob_reference_be_cleaner)(&actor);
        return;
    }
    const struct ob_scenario_client *scenario = self->scenario;
    const struct ob_setting *customer =
        ob_setting_find(scenario->settings, scenario->setting_count, "customer");
    actor.customer = customer ? customer->text : scenario->name;
    if (self->has_path)
        actor.app.path = &self->path;
    for (size_t i = 0; i < scenario->action_count && !self->gated.stopped; i++)
        if (ob_client_begins(client, (uint32_t)i))
            ob_reference_act(&actor, &scenario->actions[i]);
}

static void make_clients(struct ob_target *target, struct ob_reference *reference)
{
    reference->client_count = target->client_count;
    for (size_t i = 0; i < target->client_count; i++) {
        struct ob_reference_client *client = &reference->clients[i];
        client->reference = reference;
        if (i < target->own_count) {
            client->party = target->scenario_index[i];
            client->scenario = &target->scenario->clients[client->party];
            const uint64_t variant = UINT64_C(1) << target->variant;
            client->has_path =
                ((client->scenario->legacy | client->scenario->fixed) & variant) != 0;
            client->path = (client->scenario->legacy & variant) != 0 ? BOOKING_PATH_LEGACY
                                                                     : BOOKING_PATH_FIXED;
        } else {
            client->party = strcmp(target->names[i], "courier") == 0 ? 0 : 1;
        }
        target->clients[i] =
            (struct ob_run_client){.name = target->names[i], .body = body, .arg = client};
    }
}

/* --- the schema */

static enum ob_result booking_failed(const struct booking_error *cause, struct ob_error *err)
{
    ob_error_set(err, OB_SQL, "%s", cause->message);
    ob_error_detail(err, "%s", cause->detail);
    ob_error_hint(err, "%s", cause->hint);
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", cause->sqlstate);
    return OB_SQL;
}

static enum ob_result run_script(struct ob_script *script, PGconn *conn, const char *sql,
                                 struct ob_error *err)
{
    ob_script_add_setup(script, sql, 0, NULL);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!done) {
        ob_error_set(err, OB_SQL, "the booking flow's schema could not be filled");
        ob_error_detail(err, "%s", PQresultErrorMessage(result));
    }
    PQclear(result);
    return done ? OB_OK : OB_SQL;
}

static void note_migration(void *arg, int version, const char *name)
{
    struct ob_script *script = arg;
    size_t count;
    (void)name;
    ob_script_add_setup(script, booking_migrations(&count)[version - 1].up, 0, NULL);
}

static bool has_constraint(const struct ob_scenario *scenario, size_t variant)
{
    return setting_of(scenario, variant, "constraint")->number != 0;
}

/* One of an older version is hardly asked for twice. */
static const char *schema(const struct ob_scenario *scenario, size_t variant)
{
    if (schema_setting(scenario, variant))
        return NULL;
    return has_constraint(scenario, variant) ? "booking" : "booking without the constraint";
}

/* script: what is done is written there; may be NULL. */
static enum ob_result make_schema(const struct ob_scenario *scenario, size_t variant, PGconn *conn,
                                  struct ob_script *script, struct ob_error *err)
{
    bool guards = schema_setting(scenario, variant) || has_constraint(scenario, variant);
    struct booking_error cause;
    ob_script_add_setup(script, "CREATE SCHEMA booking", 0, NULL);
    if (!booking_migrate(conn, schema_version(scenario, variant), note_migration, script, &cause))
        return booking_failed(&cause, err);
    enum ob_result result = run_script(script, conn, booking_sql_virtual_clock(), err);
    if (result == OB_OK && !guards)
        result = run_script(script, conn, booking_sql_without_guards(), err);
    return result == OB_OK ? run_script(script, conn, booking_sql_seeds(), err) : result;
}

static enum ob_result fill(const struct ob_scenario *scenario, size_t variant, PGconn *conn,
                           struct ob_error *err)
{
    return make_schema(scenario, variant, conn, NULL, err);
}

static enum ob_result install_schema(struct ob_target *target, PGconn *conn, struct ob_error *err)
{
    const struct ob_target_options *options = target->options;
    enum ob_result result = OB_OK;
    if (!options->has_schema)
        result = make_schema(target->scenario, target->variant, conn, options->script, err);
    char clock[96];
    snprintf(clock, sizeof clock, "SELECT setval('%s', %" PRId64 ")", BOOKING_CLOCK,
             target->scenario->start_us);
    return result == OB_OK ? run_script(options->script, conn, clock, err) : result;
}

/* --- what is given */

static void act_given(struct ob_reference *reference, struct booking_db *db,
                      const struct ob_action *action)
{
    const struct ob_scenario *scenario = reference->scenario;
    const struct ob_setting *as = ob_setting_find(action->settings, action->setting_count, "as");
    struct ob_actor actor = {
        .reference = reference,
        .db = db,
        .app = reference->app,
        .party = as ? (size_t)as->number : SIZE_MAX,
        .customer = "nobody",
    };
    if (as) {
        const struct ob_scenario_client *client =
            actor.party < scenario->client_count ? &scenario->clients[actor.party] : NULL;
        const struct ob_setting *customer =
            client ? ob_setting_find(client->settings, client->setting_count, "customer") : NULL;
        actor.customer = customer ? customer->text : as->text;
    }
    ob_reference_act(&actor, action);
}

static enum ob_result act_all_given(struct ob_target *target, struct ob_reference *reference,
                                    struct ob_error *err)
{
    struct booking_error cause;
    struct booking_db *session = NULL;
    struct ob_noted_db noted;
    if (booking_db_open(target->options->conninfo, &session, &cause) != BOOKING_DB_OK)
        return booking_failed(&cause, err);
    ob_noted_db_init(&noted, session, target->options->script);
    struct booking_db *db = &noted.db;
    enum ob_result result = OB_OK;
    int flag = (int)variant_setting(target, "flag")->number;
    if (schema_version(target->scenario, target->variant) >= BOOKING_SCHEMA_FLAG &&
        booking_flag_set(db, flag, &cause) != BOOKING_DB_OK)
        result = booking_failed(&cause, err);
    for (size_t i = 0; i < target->scenario->given_count && result == OB_OK; i++)
        act_given(reference, db, &target->scenario->given[i]);
    booking_db_close(session);
    reference->given_lost_races[0] =
        booking_monitor_get(reference->monitor, BOOKING_COUNT_LOST_RACES_LEGACY);
    reference->given_lost_races[1] =
        booking_monitor_get(reference->monitor, BOOKING_COUNT_LOST_RACES_FIXED);
    reference->given_state = reference->state;
    booking_psp_copy(reference->given_psp, reference->psp);
    return result;
}

/* --- the target */

static void free_reference(void *self)
{
    struct ob_reference *reference = self;
    booking_psp_free(reference->psp);
    booking_psp_free(reference->given_psp);
    booking_monitor_free(reference->monitor);
    ob_arena_clear(&reference->given_arena);
    free(reference->given);
    pthread_mutex_destroy(&reference->queue_mutex);
    pthread_mutex_destroy(&reference->mutex);
    free(reference);
}

static struct ob_reference *new_reference(struct ob_target *target)
{
    struct ob_reference *reference = ob_alloc(sizeof *reference);
    const struct booking_psp_options psp = {
        .secret = OB_REFERENCE_SECRET, .now_us = psp_now_us, .clock = reference};
    reference->scenario = target->scenario;
    reference->psp = booking_psp_new(&psp);
    reference->given_psp = booking_psp_new(&psp);
    reference->monitor = booking_monitor_new(ob_reference_race, reference);
    reference->given_now_us = target->scenario->start_us;
    ob_arena_init(&reference->given_arena);
    pthread_mutex_init(&reference->mutex, NULL);
    pthread_mutex_init(&reference->queue_mutex, NULL);
    ob_gated_payments_init(&reference->payments, reference->psp, ob_reference_called, reference);
    booking_app_init(&reference->app, &reference->payments.payments, reference->monitor,
                     OB_REFERENCE_SECRET);
    reference->app.isolation =
        ob_gated_isolation(target->scenario->variants[target->variant].isolation);
    reference->app.hold_ttl_s = variant_setting(target, "hold-for")->number / 1000000;
    reference->app.on_fault = on_fault;
    reference->app.on_fault_arg = reference;
    return reference;
}

static enum ob_result install(struct ob_target *target, PGconn *conn, void **self,
                              struct ob_error *err)
{
    enum ob_result result = install_schema(target, conn, err);
    if (result != OB_OK)
        return result;
    struct ob_reference *reference = new_reference(target);
    make_clients(target, reference);
    result = act_all_given(target, reference, err);
    if (result != OB_OK) {
        free_reference(reference);
        return result;
    }
    target->start_us = reference->given_now_us;
    target->rig.spec.given = reference->given;
    target->rig.spec.given_count = reference->given_count;
    *self = reference;
    return OB_OK;
}

/* A client's actions. */
static size_t parts(void *self, size_t client, struct ob_part **out)
{
    const struct ob_reference *reference = self;
    const struct ob_scenario_client *scenario = reference->clients[client].scenario;
    size_t count = scenario ? scenario->action_count : 0;
    *out = ob_alloc(count * sizeof **out);
    for (size_t i = 0; i < count; i++)
        (*out)[i] = (struct ob_part){.number = (uint32_t)i, .text = scenario->actions[i].verb};
    return count;
}

static void begin(void *self)
{
    struct ob_reference *reference = self;
    reference->state = reference->given_state;
    ob_reference_lock_queue(reference);
    booking_psp_copy(reference->psp, reference->given_psp);
    ob_reference_unlock_queue(reference);
    booking_monitor_reset(reference->monitor);
    booking_monitor_add(reference->monitor, BOOKING_COUNT_LOST_RACES_LEGACY,
                        reference->given_lost_races[0]);
    booking_monitor_add(reference->monitor, BOOKING_COUNT_LOST_RACES_FIXED,
                        reference->given_lost_races[1]);
}

static void finish(void *self, struct ob_trace *trace)
{
    struct ob_reference *reference = self;
    uint64_t lost_races = booking_monitor_get(reference->monitor, BOOKING_COUNT_LOST_RACES_LEGACY) +
                          booking_monitor_get(reference->monitor, BOOKING_COUNT_LOST_RACES_FIXED);
    char data[64];
    snprintf(data, sizeof data, "{\"lost_races\":%" PRIu64 "}", lost_races);
    ob_trace_add_event(trace, OB_NO_CLIENT, "metrics", data);
}

/* The flow changes rows only; a migration changes more. */
static bool is_exact(const struct ob_target *target)
{
    for (size_t i = 0; i < target->own_count; i++) {
        const struct ob_scenario_client *client =
            &target->scenario->clients[target->scenario_index[i]];
        for (size_t k = 0; k < client->action_count; k++)
            if (strcmp(client->actions[k].verb, "migrate") == 0)
                return true;
    }
    return false;
}

const struct ob_target_ops ob_target_reference = {
    .clock = BOOKING_CLOCK,
    .exact = is_exact,
    .extra_clients = extra_clients,
    .schema = schema,
    .fill = fill,
    .install = install,
    .begin = begin,
    .parts = parts,
    .finish = finish,
    .free = free_reference,
};
