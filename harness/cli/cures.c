#include "cli/cures.h"

#include "cli/timeline.h"

#include <stdlib.h>
#include <string.h>

static bool progress(void *arg, uint64_t runs)
{
    const struct ob_variant_job *job = arg;
    const struct ob_explored explored = {.runs = runs, .findings = 1, .curing = true};
    return !job->progress || job->progress(job->progress_arg, &explored);
}

static bool is_interrupted(struct ob_variant_job *job)
{
    return !progress(job, 0);
}

static struct ob_cure_place place_of(struct ob_variant_job *job, struct ob_target *target,
                                     const struct ob_query_port *query)
{
    return (struct ob_cure_place){
        .rig = ob_target_rig(target),
        .query = query,
        .seed = job->options->seed,
        .runs_max = OB_CURE_RUNS,
        .budget_us = OB_CURE_US,
        .progress = progress,
        .progress_arg = job,
    };
}

enum ob_result ob_cures_find(const struct ob_variant_job *job, struct ob_target *target,
                             const struct ob_cures_wanted *wanted, struct ob_cure_case *out,
                             struct ob_error *err)
{
    struct ob_variant_job told = *job;
    struct ob_query_port query = ob_target_query(target);
    struct ob_cure_place place = place_of(&told, target, &query);
    *out = (struct ob_cure_case){
        .scenario = job->scenario,
        .variant = job->variant,
        .item = wanted->item,
        .trace = wanted->trace,
        .is_race = wanted->explained->edge_count > 0,
    };
    return ob_cure_case_open(out, &place, err);
}

/* A cure that its target does not take is no failure of ours. */
static bool is_refusal(enum ob_result result)
{
    return result == OB_SQL || result == OB_INPUT || result == OB_REFUSED;
}

/* One cure, and where it goes in the report. */
struct curing {
    struct ob_variant_job *job;
    const struct ob_cure_case *of;
    const struct ob_cure *cure;
    struct ob_arena *arena;
    struct ob_report_cure *out;
};

static void note(const struct curing *c, const struct ob_cure_trial *trial)
{
    struct ob_arena *arena = c->arena;
    const struct ob_report_timeline *neighbour = c->out->neighbour;
    *c->out = (struct ob_report_cure){
        .name = ob_arena_strdup(arena, c->cure->name),
        .what = ob_arena_strdup(arena, c->cure->what),
        .change = ob_arena_strdup(arena, c->cure->change),
        .on_schedule = ob_arena_strdup(arena, trial->on_schedule),
        .in_exploration = ob_arena_strdup(arena, trial->in_exploration),
        .verdict = ob_cure_verdict_word(trial->verdict),
        .why = ob_arena_strdup(arena, trial->why),
        .runs = trial->runs,
        .neighbour = neighbour,
    };
}

static enum ob_result try_on(const struct curing *c, struct ob_target *target,
                             struct ob_cure_trial *trial, struct ob_error *err)
{
    const struct ob_rig *rig = ob_target_rig(target);
    struct ob_query_port query = ob_target_query(target);
    struct ob_cure_place place = place_of(c->job, target, &query);
    enum ob_result result = ob_cure_try(c->of, c->cure, &place, trial, err);
    if (result == OB_OK && trial->trace.step_count > 0)
        c->out->neighbour =
            ob_timeline_of(c->arena, &trial->trace, rig->client_names, rig->spec.client_count);
    return result;
}

static enum ob_result try_there(const struct curing *c, const char *conninfo,
                                struct ob_cure_trial *trial, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fault_budget = c->job->options->faults,
        .fixed_plans = true,
        .own_server = ob_server_embedded(c->job->server),
    };
    struct ob_target *target = NULL;
    enum ob_result result =
        ob_target_open(c->cure->scenario, c->of->variant, &options, &target, err);
    if (is_refusal(result)) {
        const char *why = ob_arena_printf(c->arena, "%s%s%s", err->message,
                                          *err->detail ? ": " : "", err->detail);
        ob_cure_not_applied(trial, why);
        return OB_OK;
    }
    if (result == OB_OK)
        result = try_on(c, target, trial, err);
    if (result != OB_STUCK) /* a thread of it still runs */
        ob_target_close(target);
    return result;
}

static enum ob_result try_one(const struct curing *c, struct ob_error *err)
{
    char *conninfo = NULL;
    struct ob_cure_trial trial;
    ob_cure_trial_init(&trial);
    enum ob_result result = ob_server_create_database(c->job->server, NULL, &conninfo, err);
    if (result == OB_OK) {
        result = try_there(c, conninfo, &trial, err);
        result = ob_server_drop_database(c->job->server, result, err);
    }
    if (result == OB_OK)
        note(c, &trial);
    ob_cure_trial_clear(&trial);
    free(conninfo);
    return result;
}

enum ob_result ob_cures_try(const struct ob_variant_job *job, const struct ob_cure_case *of,
                            struct ob_arena *arena, struct ob_cures_tried *out,
                            struct ob_error *err)
{
    struct ob_variant_job told = *job;
    enum ob_result result = OB_OK;
    *out = (struct ob_cures_tried){.cures =
                                       ob_arena_alloc(arena, of->cure_count * sizeof *out->cures)};
    for (size_t i = 0; i < of->cure_count && result == OB_OK; i++) {
        const struct curing curing = {&told, of, &of->cures[i], arena, &out->cures[i]};
        if (is_interrupted(&told))
            return OB_OK;
        result = try_one(&curing, err);
        if (result == OB_OK && !is_interrupted(&told))
            out->count++;
    }
    return result == OB_INTERRUPTED ? OB_OK : result;
}
