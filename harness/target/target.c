#include "target/target_int.h"

#include "base/alloc.h"
#include "check/situation.h"

#include <assert.h>
#include <stdlib.h>

static enum ob_result reset(void *self, struct ob_error *err)
{
    struct ob_target *target = self;
    if (target->ops->begin)
        target->ops->begin(target->self);
    enum ob_result result = ob_pg_world_reset(target->world, target->start_us, err);
    if (result == OB_OK && target->ops->prepare)
        result = target->ops->prepare(target->self, target->world, err);
    return result;
}

static void finish(void *self, struct ob_trace *trace)
{
    struct ob_target *target = self;
    if (trace->end == OB_RUN_STUCK)
        ob_trace_add_event(trace, OB_NO_CLIENT, "stuck",
                           "{\"why\":\"clients wait for locks that nobody frees\"}");
    if (target->ops->finish)
        target->ops->finish(target->self, trace);
}

bool ob_target_is_exact(const struct ob_target *target)
{
    (void)target;
    return true;
}

static enum ob_result digest(void *self, uint64_t *out, struct ob_error *err)
{
    struct ob_target *target = self;
    return ob_pg_world_digest(target->world, out, err);
}

static enum ob_result learn(void *self, struct ob_error *err)
{
    struct ob_target *target = self;
    return ob_pg_world_learn(target->world, err);
}

static int64_t monotonic_us(void *self)
{
    struct ob_target *target = self;
    struct ob_ports ports = ob_pg_world_ports(target->world);
    return ports.monotonic_us(ports.self);
}

static void choose_clients(struct ob_target *target)
{
    const struct ob_scenario *scenario = target->scenario;
    for (size_t i = 0; i < scenario->client_count; i++) {
        if (!(scenario->clients[i].variants >> target->variant & 1))
            continue;
        target->names[target->client_count] = scenario->clients[i].name;
        target->scenario_index[target->client_count++] = i;
    }
    target->own_count = target->client_count;
    if (target->ops->extra_clients)
        target->client_count +=
            target->ops->extra_clients(scenario, target->names + target->client_count);
}

/* What the variant's runs are to reach. */
static enum ob_result add_wanted(struct ob_target *target, struct ob_error *err)
{
    const struct ob_scenario *scenario = target->scenario;
    static_assert(OB_SCENARIO_SOMETIMES_MAX <= OB_WANTED_MAX, "each has its bit");
    for (size_t i = 0; i < scenario->sometimes_count; i++) {
        const struct ob_sometimes_ref *ref = &scenario->sometimes[i];
        const struct ob_situation *builtin = ref->sql ? NULL : ob_situation_find(ref->name);
        if ((ref->variants >> target->variant & 1) == 0)
            continue;
        if (!ref->sql && !builtin)
            return ob_error_set(err, OB_INTERNAL, "no situation is called \"%s\"", ref->name);
        target->items[target->item_count++] = (struct ob_check_item){
            .name = ref->name,
            .sql = ref->sql,
            .wanted = true,
            .reached = builtin ? builtin->reached : NULL,
        };
    }
    return OB_OK;
}

static enum ob_result make_items(struct ob_target *target, struct ob_error *err)
{
    const struct ob_scenario *scenario = target->scenario;
    size_t most = scenario->invariant_count + scenario->sometimes_count;
    target->items = ob_alloc(most * sizeof *target->items);
    for (size_t i = 0; i < scenario->invariant_count; i++) {
        const struct ob_invariant_ref *ref = &scenario->invariants[i];
        const struct ob_invariant *builtin = ref->sql ? NULL : ob_invariant_find(ref->name);
        if (!ref->sql && !builtin)
            return ob_error_set(err, OB_INTERNAL, "no invariant is called \"%s\"", ref->name);
        bool asked = (ref->variants >> target->variant & 1) != 0;
        target->items[i] = (struct ob_check_item){
            .name = ref->name,
            .sql = !asked     ? NULL
                   : ref->sql ? ref->sql
                              : builtin->sql,
            .after_commit = ref->after_commit,
        };
    }
    target->item_count = scenario->invariant_count;
    return add_wanted(target, err);
}

static size_t parts(void *self, size_t client, struct ob_part **out)
{
    struct ob_target *target = self;
    return target->ops->parts(target->self, client, out);
}

static void fill_rig(struct ob_target *target)
{
    const struct ob_scenario *scenario = target->scenario;
    const struct ob_target_options *options = target->options;
    struct ob_ports ports = ob_pg_world_ports(target->world);
    target->query = ob_pg_world_query_port(target->world);
    struct ob_rig *rig = &target->rig;
    rig->engine = ob_engine_new(&ports, &options->limits);
    rig->check = ob_check_new(target->items, target->item_count, &target->query);
    rig->client_names = target->names;
    rig->query = &target->query;
    rig->self = target;
    rig->learn = learn;
    rig->reset = reset;
    rig->finish = finish;
    rig->digest = digest;
    rig->parts = target->ops->parts ? parts : NULL;
    rig->monotonic_us = monotonic_us;
    rig->spec.clients = target->clients;
    rig->spec.client_count = target->client_count;
    rig->spec.start_us = target->start_us;
    rig->spec.before_step = options->script ? ob_script_note : NULL;
    rig->spec.before_step_arg = options->script;
    rig->spec.gates = scenario->variants[target->variant].gates;
    if (rig->spec.gates)
        rig->steps_max = 0; /* how many gates there are within functions is not known */
    rig->spec.fault_points = ob_faults_points(target->faults);
    rig->spec.fault_point_count = scenario->fault_point_count;
    rig->spec.fault_budget =
        options->fault_budget ? *options->fault_budget : scenario->fault_budget;
}

static enum ob_result open_target(struct ob_target *target, struct ob_error *err)
{
    const struct ob_scenario *scenario = target->scenario;
    const struct ob_pg_world_options world = {
        .conninfo = target->options->conninfo,
        .session_count = target->client_count,
        .client_names = target->names,
        .clock = target->ops->clock,
        .keeps_session_state = target->ops->keeps_session_state,
        .fixed_plans = target->options->fixed_plans,
        .own_server = target->options->own_server,
        .learns = target->options->learns,
        .setting = target->options->setting,
        .gates = target->scenario->variants[target->variant].gates,
        .exact = target->ops->exact(target),
    };
    enum ob_result result = make_items(target, err);
    if (result == OB_OK)
        result = ob_pg_world_open(&world, &target->world, err);
    if (result == OB_OK)
        result =
            target->ops->install(target, ob_pg_world_control(target->world), &target->self, err);
    if (result == OB_OK)
        result = ob_pg_world_ready(target->world, err);
    if (result == OB_OK)
        result = ob_faults_open(scenario->fault_points, scenario->fault_point_count,
                                &target->faults, err);
    if (result == OB_OK)
        fill_rig(target);
    return result;
}

static const struct ob_target_ops *ops_of(const struct ob_scenario *scenario)
{
    static const struct ob_target_ops *const kinds[] = {
        [OB_TARGET_REFERENCE] = &ob_target_reference,
        [OB_TARGET_SQL] = &ob_target_sql,
        [OB_TARGET_SPEC] = &ob_target_spec,
    };
    return kinds[scenario->target];
}

const char *ob_target_schema(const struct ob_scenario *scenario, size_t variant)
{
    const struct ob_target_ops *ops = ops_of(scenario);
    return ops->schema ? ops->schema(scenario, variant) : NULL;
}

enum ob_result ob_target_fill(const struct ob_scenario *scenario, size_t variant,
                              const char *conninfo, struct ob_error *err)
{
    const struct ob_pg_world_options options = {.conninfo = conninfo};
    struct ob_pg_world *world = NULL;
    enum ob_result result = ob_pg_world_open(&options, &world, err);
    if (result == OB_OK)
        result = ops_of(scenario)->fill(scenario, variant, ob_pg_world_control(world), err);
    ob_pg_world_close(world);
    return result;
}

enum ob_result ob_target_open(const struct ob_scenario *scenario, size_t variant,
                              const struct ob_target_options *options, struct ob_target **out,
                              struct ob_error *err)
{
    assert(variant < scenario->variant_count);
    struct ob_target *target = ob_alloc(sizeof *target);
    target->ops = ops_of(scenario);
    target->scenario = scenario;
    target->variant = variant;
    target->options = options;
    target->start_us = scenario->start_us;
    choose_clients(target);
    enum ob_result result = OB_OK;
    if (target->client_count == 0 || target->client_count > OB_CLIENTS_MAX)
        result = ob_error_set(err, OB_INPUT, "%s: variant \"%s\" has %zu clients, not 1 to %d",
                              scenario->file, scenario->variants[variant].name,
                              target->client_count, OB_CLIENTS_MAX);
    if (result == OB_OK)
        result = open_target(target, err);
    target->options = NULL;
    if (result == OB_OK)
        *out = target;
    else
        ob_target_close(target);
    return result;
}

void ob_target_close(struct ob_target *target)
{
    if (!target)
        return;
    ob_engine_free(target->rig.engine);
    ob_check_free(target->rig.check);
    ob_faults_close(target->faults);
    ob_pg_world_close(target->world);
    if (target->self)
        target->ops->free(target->self);
    free(target->items);
    free(target);
}

struct ob_rig *ob_target_rig(struct ob_target *target)
{
    return &target->rig;
}

struct ob_pg_world *ob_target_world(struct ob_target *target)
{
    return target->world;
}

struct ob_query_port ob_target_query(const struct ob_target *target)
{
    return target->query;
}

bool ob_target_controls_deadlock(const struct ob_target *target)
{
    return ob_pg_world_controls_deadlock(target->world);
}

bool ob_target_has_probe(const struct ob_target *target)
{
    return ob_pg_world_has_probe(target->world);
}
