/*
 * rollout.c - overbook rollout: race a plan's traffic in each of its phases and beside each of its
 * moves, and say which orders are safe.
 *
 * Everything is run once for all that it breaks.  What is then shown of a phase or a move is looked
 * for again, this time until that invariant breaks, and made small.
 */
#include "base/alloc.h"
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/crew.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/rollout_judge.h"

#include <stdlib.h>
#include <string.h>

/* A run with a migration costs many times what others do, as the database is made anew after it. */
#define SHRINK_RUNS 150
#define MIGRATION_PART 4

struct rolling {
    struct ob_options options;  /* its one argument is path */
    char *path;                 /* of the plan; owned */
    struct ob_rollout *rollout; /* owned */
    struct ob_progress progress;
    struct ob_crew_task *tasks; /* owned */
    size_t task_count, task_capacity;
};

static void begin(void *arg, const struct ob_crew_task *task)
{
    struct rolling *rolling = arg;
    ob_progress_begin(&rolling->progress, task->scenario->name,
                      task->scenario->variants[task->variant].name);
}

static void tick(void *arg, const struct ob_explored *explored)
{
    struct rolling *rolling = arg;
    (void)ob_progress_tick(&rolling->progress, explored);
}

static bool line(void *arg)
{
    struct rolling *rolling = arg;
    ob_progress_end(&rolling->progress);
    return true;
}

static void add_task(struct rolling *rolling, const struct ob_scenario *scenario, size_t variant)
{
    rolling->tasks = ob_grow(rolling->tasks, &rolling->task_capacity, rolling->task_count + 1,
                             sizeof *rolling->tasks);
    rolling->tasks[rolling->task_count++] = (struct ob_crew_task){scenario, variant};
}

static bool migrates(const struct ob_rollout *rollout, const char *variant)
{
    for (size_t i = 0; i < rollout->move_count; i++) {
        const struct ob_rollout_move *move = &rollout->moves[i];
        if (move->variant && strcmp(move->variant, variant) == 0)
            return rollout->phases[move->from].schema != rollout->phases[move->to].schema;
    }
    return false;
}

/* All variants of a traffic; a move that migrates has a part of the runs.  fewer: filled, and
 * borrowed for the tasks' life. */
static void add_tasks(struct rolling *rolling, const struct ob_scenario *scenario,
                      struct ob_scenario *fewer)
{
    uint64_t usual = scenario->explore.runs > 0 ? scenario->explore.runs : OB_RUNS_DEFAULT;
    *fewer = *scenario;
    fewer->explore.runs = (usual + MIGRATION_PART - 1) / MIGRATION_PART;
    for (size_t v = 0; v < scenario->variant_count; v++)
        add_task(rolling, migrates(rolling->rollout, scenario->variants[v].name) ? fewer : scenario,
                 v);
}

/* Has the tasks done. */
static enum ob_result run_tasks(struct rolling *rolling, const struct ob_options *options,
                                struct ob_report *report, struct ob_error *err)
{
    struct ob_crew *crew = NULL;
    const struct ob_crew_listener listener = {.arg = rolling,
                                              .begin = begin,
                                              .tick = tick,
                                              .ticks = rolling->progress.shown,
                                              .line = line};
    enum ob_result result = ob_crew_open(options, rolling->tasks, rolling->task_count, &crew, err);
    if (result != OB_OK)
        return result;
    ob_crew_describe(crew, report);
    result = ob_crew_run(crew, report, &listener, err);
    ob_crew_close(crew);
    if (result == OB_OK && ob_cli_interrupted())
        result = ob_error_set(err, OB_INTERRUPTED, "interrupted");
    return result;
}

/* --- what is shown, made small */

struct shown {
    size_t result, violation; /* of the report's */
    struct ob_scenario scenario;
    struct ob_variant *variants; /* owned */
};

static const struct ob_scenario *scenario_of(const struct rolling *rolling,
                                             const struct ob_report_result *result)
{
    const struct ob_scenario_list *traffic = &rolling->rollout->traffic;
    size_t i = 0;
    while (strcmp(traffic->items[i]->name, result->scenario) != 0)
        i++;
    return traffic->items[i];
}

/* The same scenario, which that variant is expected to break in that way, so that it is looked for
 * until then. */
static void expect(struct shown *shown, const struct ob_scenario *scenario, size_t variant,
                   const char *invariant)
{
    size_t size = scenario->variant_count * sizeof *shown->variants;
    shown->scenario = *scenario;
    shown->variants = ob_alloc(size);
    memcpy(shown->variants, scenario->variants, size);
    shown->variants[variant].violates = invariant;
    shown->scenario.variants = shown->variants;
}

static void add_shown(struct rolling *rolling, const struct ob_report *report,
                      const struct ob_report_cell *cell, struct shown *shown, size_t *count)
{
    if (cell->broken_count == 0)
        return;
    const struct ob_report_result *result = &report->results[cell->result];
    const struct ob_scenario *scenario = scenario_of(rolling, result);
    size_t variant = ob_scenario_variant(scenario, result->variant);
    struct shown *added = &shown[(*count)++];
    added->result = cell->result;
    added->violation = cell->violation;
    expect(added, scenario, variant, result->violations[cell->violation].invariant);
    add_task(rolling, &added->scenario, variant);
}

/* Puts the small ones in place of what was found first. */
static void replace(struct ob_report *report, const struct ob_report *small,
                    const struct shown *shown)
{
    for (size_t i = 0; i < small->result_count; i++) {
        const struct ob_report_result *result = &small->results[i];
        struct ob_report_violation *old =
            &report->results[shown[i].result].violations[shown[i].violation];
        if (result->violation_count > 0 &&
            strcmp(result->violations[0].invariant, old->invariant) == 0)
            *old = result->violations[0];
    }
}

/* small: a report that must live as long as the other one. */
static enum ob_result make_small(struct rolling *rolling, struct ob_report *report,
                                 struct ob_report *small, struct ob_error *err)
{
    const struct ob_report_rollout *judged = report->rollout;
    struct shown *shown = ob_alloc((judged->phase_count + judged->move_count) * sizeof *shown);
    struct ob_options options = rolling->options;
    size_t count = 0;
    rolling->task_count = 0;
    options.keep_going = false;
    options.no_shrink = false;
    options.no_cures = true; /* the next phase is one */
    options.shrink_runs = SHRINK_RUNS;
    for (size_t i = 0; i < judged->phase_count; i++)
        add_shown(rolling, report, &judged->phases[i], shown, &count);
    for (size_t i = 0; i < judged->move_count; i++)
        add_shown(rolling, report, &judged->moves[i].cell, shown, &count);
    enum ob_result result = OB_OK;
    if (count > 0)
        result = run_tasks(rolling, &options, small, err);
    replace(report, small, shown);
    for (size_t i = 0; i < count; i++)
        free(shown[i].variants);
    free(shown);
    return result;
}

/* --- all of it */

static int run(struct rolling *rolling, struct ob_report *report, struct ob_report *small)
{
    int64_t begun_us = ob_progress_clock_us();
    struct ob_options options = rolling->options;
    const struct ob_scenario_list *traffic = &rolling->rollout->traffic;
    struct ob_error err;
    options.keep_going = true;
    options.no_shrink = true;
    struct ob_scenario *fewer = ob_alloc(traffic->count * sizeof *fewer);
    for (size_t i = 0; i < traffic->count; i++)
        add_tasks(rolling, traffic->items[i], &fewer[i]);
    enum ob_result result = run_tasks(rolling, &options, report, &err);
    free(fewer);
    if (result == OB_OK) {
        report->rollout = ob_rollout_judge(report, rolling->rollout);
        if (!rolling->options.no_shrink)
            result = make_small(rolling, report, small, &err);
    }
    if (result != OB_OK)
        return result == OB_INTERRUPTED ? (ob_cli_say_interrupted(), OB_EXIT_INCONCLUSIVE)
                                        : ob_cli_error(&err);
    report->seconds = (double)(ob_progress_clock_us() - begun_us) / 1e6;
    result = ob_output_all(report, &rolling->options, &err);
    return result == OB_OK ? ob_report_exit_status(report) : ob_cli_error(&err);
}

static enum ob_result load(struct rolling *rolling, struct ob_error *err)
{
    struct ob_options *options = &rolling->options;
    char *path = options->arg_count > 0 ? ob_strdup(options->args[0]) : ob_builtin_plan();
    enum ob_result result = OB_OK;
    rolling->path = path;
    options->args = &rolling->path;
    options->arg_count = 1;
    if (!path) {
        result = ob_error_set(err, OB_USAGE, "the built-in plan was not found");
        ob_error_hint(err, "Name a plan's file.");
    } else {
        result = ob_rollout_load(path, &rolling->rollout, err);
    }
    if (result == OB_OK && !rolling->rollout) {
        result = ob_error_set(err, OB_INPUT, "%s is no plan of a rollout", path);
        ob_error_hint(err, "A plan has \"orders\": see docs/rollout.md. \"overbook run\" runs "
                           "scenarios.");
    }
    return result;
}

int ob_command_rollout(int argc, char **argv)
{
    struct rolling rolling = {0};
    struct ob_error err;
    ob_options_parse(OB_COMMAND_ROLLOUT, argc, argv, &rolling.options);
    enum ob_result result = ob_output_check(&rolling.options, &err);
    if (result == OB_OK)
        result = load(&rolling, &err);
    int status;
    if (result != OB_OK) {
        status = ob_cli_error(&err);
    } else {
        struct ob_report report, small;
        ob_report_init(&report);
        ob_report_init(&small);
        ob_progress_init(&rolling.progress, rolling.options.progress, rolling.options.verbosity);
        status = ob_cli_finish(run(&rolling, &report, &small));
        ob_report_clear(&report);
        ob_report_clear(&small);
    }
    ob_rollout_free(rolling.rollout);
    free(rolling.path);
    free(rolling.tasks);
    return status;
}
