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
        .strategy = OB_STRATEGY_PORTFOLIO,
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

/* One cure. */
struct curing {
    struct ob_variant_job *job;
    const struct ob_cure_case *of;
    const struct ob_cure *cure;
    const char *setting;                /* of the clients' sessions; NULL: none */
    const struct ob_variant_plan *plan; /* of its exploration; NULL: the usual one of cures */
    struct ob_arena *arena;
    const struct ob_report_timeline *neighbour; /* out, in the arena; NULL: none */
};

static enum ob_result try_on(struct curing *c, struct ob_target *target,
                             struct ob_cure_trial *trial, struct ob_error *err)
{
    const struct ob_rig *rig = ob_target_rig(target);
    struct ob_query_port query = ob_target_query(target);
    struct ob_cure_place place = place_of(c->job, target, &query);
    if (c->plan) {
        place.strategy = c->plan->strategy;
        place.argument = c->plan->argument;
        place.runs_max = c->plan->runs_max;
        place.budget_us = c->job->options->budget_us;
    }
    enum ob_result result = ob_cure_try(c->of, c->cure, &place, trial, err);
    if (result == OB_OK && trial->trace.step_count > 0)
        c->neighbour =
            ob_timeline_of(c->arena, &trial->trace, rig->client_names, rig->spec.client_count);
    return result;
}

static enum ob_result try_there(struct curing *c, const char *conninfo, struct ob_cure_trial *trial,
                                struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fault_budget = c->job->options->faults,
        .fixed_plans = true,
        .own_server = ob_server_embedded(c->job->server),
        .learns = ob_strategy_wants_footprints(c->plan ? c->plan->strategy : OB_STRATEGY_PORTFOLIO),
        .setting = c->setting,
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

/* In a database of its own.  *trial is the caller's to clear. */
static enum ob_result try_one(struct curing *c, struct ob_cure_trial *trial, struct ob_error *err)
{
    char *conninfo = NULL;
    ob_cure_trial_init(trial);
    enum ob_result result = ob_server_create_database(c->job->server, NULL, &conninfo, err);
    if (result == OB_OK) {
        result = try_there(c, conninfo, trial, err);
        result = ob_server_drop_database(c->job->server, result, err);
    }
    free(conninfo);
    return result;
}

static struct ob_report_cure note(const struct curing *c, const struct ob_cure_trial *trial)
{
    struct ob_arena *arena = c->arena;
    return (struct ob_report_cure){
        .name = ob_arena_strdup(arena, c->cure->name),
        .what = ob_arena_strdup(arena, c->cure->what),
        .change = ob_arena_strdup(arena, c->cure->change),
        .on_schedule = ob_arena_strdup(arena, trial->on_schedule),
        .in_exploration = ob_arena_strdup(arena, trial->in_exploration),
        .verdict = ob_cure_verdict_word(trial->verdict),
        .why = ob_arena_strdup(arena, trial->why),
        .runs = trial->runs,
        .neighbour = c->neighbour,
    };
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
        struct curing curing = {.job = &told, .of = of, .cure = &of->cures[i], .arena = arena};
        struct ob_cure_trial trial;
        if (is_interrupted(&told))
            return OB_OK;
        result = try_one(&curing, &trial, err);
        if (result == OB_OK) {
            out->cures[i] = note(&curing, &trial);
            out->count += !is_interrupted(&told);
        }
        ob_cure_trial_clear(&trial);
    }
    return result == OB_INTERRUPTED ? OB_OK : result;
}

/* --- all of them, everywhere */

struct crossing {
    struct ob_variant_job *job;
    const struct ob_cure_case *of;
    const struct ob_cure_matrix *cells;
    const struct ob_variant_plan *plan; /* of each exploration */
    struct ob_arena *arena;
    struct ob_report_matrix *out;
};

static const char *claim_of(const struct ob_cure_trial *trial)
{
    if (trial->verdict != OB_CURE_CURED || !trial->exhausted)
        return "";
    return trial->reduced ? "all that matter" : "all tried";
}

static void add_cell(const struct crossing *c, const struct ob_cure_cell *cell, size_t setting,
                     const struct ob_cure_trial *trial)
{
    struct ob_arena *arena = c->arena;
    c->out->cells[c->out->cell_count++] = (struct ob_report_matrix_cell){
        .row = cell->row,
        .level = cell->level,
        .setting = setting,
        .retries = cell->retries,
        .verdict = ob_cure_cell_word(trial->verdict),
        .breaks = ob_arena_strdup(arena, trial->breaks),
        .claim = claim_of(trial),
        .why = ob_arena_strdup(arena, trial->why),
        .on_schedule = ob_arena_strdup(arena, trial->on_schedule),
        .in_exploration = ob_arena_strdup(arena, trial->in_exploration),
        .runs = trial->runs,
        .trace = ob_arena_strdup(arena, trial->shown),
    };
}

static enum ob_result cross_with(const struct crossing *c, size_t setting, struct ob_error *err)
{
    bool fails = false; /* the cell before */
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < c->cells->cell_count && result == OB_OK; i++) {
        const struct ob_cure_cell *cell = &c->cells->cells[i];
        struct ob_cure_trial trial;
        struct curing curing = {
            .job = c->job, .of = c->of, .cure = &cell->cure, .plan = c->plan, .arena = c->arena};
        if (setting > 0)
            curing.setting = c->out->settings[setting];
        if (cell->spare && !fails)
            continue;
        if (is_interrupted(c->job))
            return ob_error_set(err, OB_INTERRUPTED, "interrupted");
        result = try_one(&curing, &trial, err);
        fails = trial.fails;
        if (result == OB_OK && !is_interrupted(c->job))
            add_cell(c, cell, setting, &trial);
        ob_cure_trial_clear(&trial);
    }
    return result;
}

/* The matrix as far as it is known before anything is tried. */
static struct ob_report_matrix *begin_matrix(const struct ob_options *options,
                                             const struct ob_cure_case *of,
                                             const struct ob_cure_matrix *cells,
                                             struct ob_arena *arena)
{
    static const char *const levels[] = {[OB_READ_COMMITTED] = "read committed",
                                         [OB_REPEATABLE_READ] = "repeatable read",
                                         [OB_SERIALIZABLE] = "serializable"};
    struct ob_report_matrix *out = ob_arena_alloc(arena, sizeof *out);
    const char **settings = ob_arena_alloc(arena, (options->setting_count + 1) * sizeof *settings);
    settings[0] = "";
    for (size_t i = 0; i < options->setting_count; i++)
        settings[i + 1] = ob_arena_strdup(arena, options->settings[i]);
    *out = (struct ob_report_matrix){
        .invariant = ob_arena_strdup(arena, of->scenario->invariants[of->item].name),
        .levels = levels,
        .level_count = sizeof levels / sizeof *levels,
        .settings = settings,
        .setting_count = options->setting_count + 1,
        .row_count = cells->row_count,
    };
    out->rows = ob_arena_alloc(arena, out->row_count * sizeof *out->rows);
    out->cells = ob_arena_alloc(arena, out->setting_count * cells->cell_count * sizeof *out->cells);
    for (size_t i = 0; i < out->row_count; i++)
        out->rows[i] = (struct ob_report_matrix_row){
            .name = ob_arena_strdup(arena, cells->rows[i]->name),
            .what = ob_arena_strdup(arena, cells->rows[i]->what),
            .change = ob_arena_strdup(arena, cells->rows[i]->change),
        };
    return out;
}

enum ob_result ob_cures_cross(const struct ob_variant_job *job, struct ob_cure_case *of,
                              struct ob_arena *arena, const struct ob_report_matrix **out,
                              struct ob_error *err)
{
    struct ob_variant_job told = *job;
    struct ob_cure_matrix cells;
    const struct ob_options *options = job->options;
    const struct ob_variant_plan plan = {
        .strategy = options->strategy_given ? options->strategy : OB_STRATEGY_PORTFOLIO,
        .argument = options->strategy_argument,
        .runs_max = options->runs > 0 ? options->runs : OB_CURE_RUNS,
    };
    enum ob_result result = OB_OK;
    ob_cure_cross(of, &cells);
    struct ob_report_matrix *matrix = begin_matrix(options, of, &cells, arena);
    const struct crossing crossing = {&told, of, &cells, &plan, arena, matrix};
    for (size_t i = 0; i < matrix->setting_count && result == OB_OK; i++)
        result = cross_with(&crossing, i, err);
    if (result == OB_INTERRUPTED)
        result = OB_OK;
    if (result == OB_OK)
        *out = matrix;
    return result;
}
