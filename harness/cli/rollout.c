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
#include "cli/output.h"
#include "cli/rollout_judge.h"
#include "cli/tasks.h"

#include <assert.h>
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
    struct ob_tasks tasks;
};

static bool migrates(const struct ob_rollout *rollout, const struct ob_rollout_move *move)
{
    return rollout->phases[move->from].schema != rollout->phases[move->to].schema;
}

static void add_phases(struct rolling *rolling)
{
    const struct ob_rollout *rollout = rolling->rollout;
    for (size_t t = 0; t < rollout->traffic.count; t++)
        for (size_t i = 0; i < rollout->phase_count; i++)
            for (size_t k = 0; k < rollout->phases[i].variant_count; k++) {
                const struct ob_scenario *scenario = rollout->traffic.items[t];
                size_t variant = ob_scenario_variant(scenario, rollout->phases[i].variants[k]);
                (void)ob_tasks_add(&rolling->tasks, scenario, variant);
            }
}

/* A traffic as it is raced beside moves: an invariant that the phase before breaks is not asked,
 * and on the way back none that either breaks, as nothing follows from it (rollout_judge.h). */
struct beside {
    struct ob_scenario usual, fewer;     /* fewer runs, where a migration is made */
    struct ob_invariant_ref *invariants; /* of both; owned */
};

static void leave_out(struct beside *beside, size_t variant, const struct ob_report_cell *phase)
{
    for (size_t i = 0; i < beside->usual.invariant_count; i++)
        for (size_t k = 0; k < phase->broken_count; k++)
            if (strcmp(beside->invariants[i].name, phase->broken[k]) == 0)
                beside->invariants[i].variants &= ~(UINT64_C(1) << variant);
}

static void init_beside(struct beside *beside, const struct ob_scenario *scenario)
{
    uint64_t usual = scenario->explore.runs > 0 ? scenario->explore.runs : OB_RUNS_DEFAULT;
    size_t size = scenario->invariant_count * sizeof *beside->invariants;
    beside->invariants = ob_alloc(size);
    memcpy(beside->invariants, scenario->invariants, size);
    beside->usual = *scenario;
    beside->usual.invariants = beside->invariants;
    beside->fewer = beside->usual;
    beside->fewer.explore.runs = (usual + MIGRATION_PART - 1) / MIGRATION_PART;
}

/* beside: one for each traffic, filled; for the tasks' life. */
static void add_moves(struct rolling *rolling, const struct ob_report_cell *phases,
                      struct beside *beside)
{
    const struct ob_rollout *rollout = rolling->rollout;
    for (size_t t = 0; t < rollout->traffic.count; t++) {
        init_beside(&beside[t], rollout->traffic.items[t]);
        for (size_t i = 0; i < rollout->move_count; i++) {
            const struct ob_rollout_move *move = &rollout->moves[i];
            bool is_back = i % 2 == 1, slow = migrates(rollout, move);
            if (!move->variant)
                continue;
            size_t variant = ob_scenario_variant(&beside[t].usual, move->variant);
            leave_out(&beside[t], variant, &phases[move->from]);
            if (is_back)
                leave_out(&beside[t], variant, &phases[move->to]);
            ob_tasks_add(&rolling->tasks, slow ? &beside[t].fewer : &beside[t].usual, variant)
                ->tells_requests = slow;
        }
    }
}

/* --- what is looked for once more */

struct shown {
    size_t result, violation; /* of the report's; the violation: of what is made small */
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

/* --- doubts */

/* What a move breaks may be broken in the phase before it as well, and have been missed there: so
 * it is looked for there with that many times the runs before the move is blamed. */
#define DOUBT_TIMES 8

struct doubts {
    struct shown *items; /* owned, each with its variants */
    size_t count, most;
};

static bool breaks(const struct ob_report_cell *cell, const char *invariant)
{
    for (size_t i = 0; i < cell->broken_count; i++)
        if (strcmp(cell->broken[i], invariant) == 0)
            return true;
    return false;
}

static bool has_violation(const struct ob_report_result *result, const char *invariant)
{
    for (size_t i = 0; i < result->violation_count; i++)
        if (strcmp(result->violations[i].invariant, invariant) == 0)
            return true;
    return false;
}

/* Has the invariant looked for in that result's traffic and variant. */
static void look_in(struct doubts *doubts, const struct rolling *rolling,
                    const struct ob_report *report, size_t index, const char *invariant)
{
    const struct ob_report_result *result = &report->results[index];
    const struct ob_scenario *scenario = scenario_of(rolling, result);
    size_t variant = ob_scenario_variant(scenario, result->variant);
    for (size_t i = 0; i < doubts->count; i++)
        if (doubts->items[i].result == index &&
            strcmp(doubts->items[i].variants[variant].violates, invariant) == 0)
            return;
    assert(doubts->count < doubts->most);
    struct shown *added = &doubts->items[doubts->count++];
    added->result = index;
    expect(added, scenario, variant, invariant);
    uint64_t usual = scenario->explore.runs > 0 ? scenario->explore.runs : OB_RUNS_DEFAULT;
    added->scenario.explore.runs = DOUBT_TIMES * usual;
}

/* Has it looked for in the phase, in the traffic of that result. */
static void look_in_phase(struct doubts *doubts, const struct rolling *rolling,
                          const struct ob_report *report, size_t phase,
                          const struct ob_report_result *found, const char *invariant)
{
    const struct ob_rollout_phase *planned = &rolling->rollout->phases[phase];
    for (size_t i = 0; i < report->result_count; i++)
        for (size_t k = 0; k < planned->variant_count; k++)
            if (strcmp(report->results[i].scenario, found->scenario) == 0 &&
                strcmp(report->results[i].variant, planned->variants[k]) == 0)
                look_in(doubts, rolling, report, i, invariant);
}

/* All that these variants break and the phase does not. */
static void doubt(struct doubts *doubts, const struct rolling *rolling,
                  const struct ob_report *report, const char *variant, size_t phase)
{
    const struct ob_report_cell *before = &report->rollout->phases[phase];
    for (size_t i = 0; i < report->result_count; i++) {
        const struct ob_report_result *result = &report->results[i];
        for (size_t k = 0; strcmp(result->variant, variant) == 0 && k < result->violation_count;
             k++)
            if (!breaks(before, result->violations[k].invariant) &&
                ob_rollout_asks(rolling->rollout, phase, result->violations[k].invariant))
                look_in_phase(doubts, rolling, report, phase, result,
                              result->violations[k].invariant);
    }
}

static void doubt_moves(struct doubts *doubts, const struct rolling *rolling,
                        const struct ob_report *report)
{
    const struct ob_rollout *rollout = rolling->rollout;
    for (size_t i = 0; i < rollout->move_count; i++) {
        const struct ob_rollout_move *move = &rollout->moves[i];
        const struct ob_rollout_phase *to = &rollout->phases[move->to];
        bool is_back = i % 2 == 1;
        if (report->rollout->moves[i].safe)
            continue;
        if (move->variant)
            doubt(doubts, rolling, report, move->variant, move->from);
        if (move->variant && is_back)
            doubt(doubts, rolling, report, move->variant, move->to);
        for (size_t k = 0; k < to->variant_count && !is_back; k++)
            doubt(doubts, rolling, report, to->variants[k], move->from);
    }
}

/* Adds what was found to the results of the phases. */
static void add_found(struct ob_report *report, const struct ob_report *found,
                      const struct doubts *doubts)
{
    for (size_t i = 0; i < found->result_count; i++) {
        const struct ob_report_result *from = &found->results[i];
        struct ob_report_result *to = &report->results[doubts->items[i].result];
        size_t most = to->violation_count + from->violation_count;
        struct ob_report_violation *all = ob_arena_alloc(&report->arena, most * sizeof *all);
        if (to->violation_count > 0)
            memcpy(all, to->violations, to->violation_count * sizeof *all);
        to->violations = all;
        to->runs += from->runs;
        for (size_t k = 0; k < from->violation_count; k++)
            if (!has_violation(to, from->violations[k].invariant))
                all[to->violation_count++] = from->violations[k];
        if (to->violation_count > 0)
            to->verdict = OB_VIOLATED;
    }
}

/* found: a report that must live as long as the other one. */
static enum ob_result settle_doubts(struct rolling *rolling, struct ob_report *report,
                                    struct ob_report *found, struct ob_error *err)
{
    const struct ob_rollout *rollout = rolling->rollout;
    size_t invariants = rollout->traffic.items[0]->invariant_count;
    struct doubts doubts = {.most = report->result_count * invariants};
    struct ob_options options = rolling->options;
    options.keep_going = false;
    options.no_shrink = true;
    options.no_cures = true;
    doubts.items = ob_alloc(doubts.most * sizeof *doubts.items);
    doubt_moves(&doubts, rolling, report);
    rolling->tasks.count = 0;
    for (size_t i = 0; i < doubts.count; i++) {
        const struct ob_report_result *result = &report->results[doubts.items[i].result];
        (void)ob_tasks_add(&rolling->tasks, &doubts.items[i].scenario,
                           ob_scenario_variant(&doubts.items[i].scenario, result->variant));
    }
    enum ob_result result = OB_OK;
    if (doubts.count > 0)
        result = ob_tasks_run(&rolling->tasks, &options, &rolling->progress, found, err);
    if (result == OB_OK)
        add_found(report, found, &doubts);
    for (size_t i = 0; i < doubts.count; i++)
        free(doubts.items[i].variants);
    free(doubts.items);
    report->rollout = ob_rollout_judge(report, rolling->rollout);
    return result;
}

/* --- what is shown, made small */

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
    (void)ob_tasks_add(&rolling->tasks, &added->scenario, variant);
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
    rolling->tasks.count = 0;
    options.keep_going = false;
    options.no_shrink = false;
    options.no_cures = true; /* the next phase is one */
    options.shrink_runs = SHRINK_RUNS;
    for (size_t i = 0; i < judged->phase_count; i++)
        add_shown(rolling, report, &judged->phases[i], shown, &count);
    for (size_t i = 0; i < judged->move_count; i++)
        if (!judged->moves[i].safe)
            add_shown(rolling, report, &judged->moves[i].cell, shown, &count);
    enum ob_result result = OB_OK;
    if (count > 0)
        result = ob_tasks_run(&rolling->tasks, &options, &rolling->progress, small, err);
    replace(report, small, shown);
    for (size_t i = 0; i < count; i++)
        free(shown[i].variants);
    free(shown);
    return result;
}

/* --- all of it */

/* The phases, then the moves between them, and what follows. */
static enum ob_result race(struct rolling *rolling, struct ob_report *report,
                           struct ob_report *found, struct ob_error *err)
{
    struct ob_options options = rolling->options;
    options.keep_going = true;
    options.no_shrink = true;
    add_phases(rolling);
    enum ob_result result =
        ob_tasks_run(&rolling->tasks, &options, &rolling->progress, report, err);
    if (result != OB_OK)
        return result;
    report->rollout = ob_rollout_judge(report, rolling->rollout);
    size_t count = rolling->rollout->traffic.count;
    struct beside *beside = ob_alloc(count * sizeof *beside);
    rolling->tasks.count = 0;
    add_moves(rolling, report->rollout->phases, beside);
    if (rolling->tasks.count > 0)
        result = ob_tasks_run(&rolling->tasks, &options, &rolling->progress, report, err);
    for (size_t i = 0; i < count; i++)
        free(beside[i].invariants);
    free(beside);
    if (result != OB_OK)
        return result;
    report->rollout = ob_rollout_judge(report, rolling->rollout);
    return settle_doubts(rolling, report, found, err);
}

/* What was raced to its end is told, also when it is not made small any more. */
static int run(struct rolling *rolling, struct ob_report *report, struct ob_report *found,
               struct ob_report *small)
{
    int64_t begun_us = ob_progress_clock_us();
    struct ob_error err;
    enum ob_result result = race(rolling, report, found, &err);
    bool raced = result == OB_OK;
    if (raced && !rolling->options.no_shrink)
        result = make_small(rolling, report, small, &err);
    bool interrupted = result == OB_INTERRUPTED;
    if (raced && (result == OB_OK || interrupted)) {
        report->seconds = (double)(ob_progress_clock_us() - begun_us) / 1e6;
        result = ob_output_all(report, &rolling->options, &err);
    }
    if (interrupted)
        ob_cli_say_interrupted();
    if (result != OB_OK && result != OB_INTERRUPTED)
        return ob_cli_error(&err);
    return interrupted ? OB_EXIT_INCONCLUSIVE : ob_report_exit_status(report);
}

static enum ob_result load(struct rolling *rolling, struct ob_error *err)
{
    struct ob_options *options = &rolling->options;
    char *path = options->arg_count > 0 ? ob_strdup(options->args[0]) : ob_builtin_plan();
    enum ob_result result = OB_OK;
    rolling->path = path;
    if (options->arg_count > 1)
        return ob_error_set(err, OB_USAGE, "overbook rollout takes one plan, not %zu",
                            options->arg_count);
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
        struct ob_report report, found, small;
        ob_report_init(&report);
        ob_report_init(&found);
        ob_report_init(&small);
        ob_progress_init(&rolling.progress, rolling.options.progress, rolling.options.verbosity);
        status = ob_cli_finish(run(&rolling, &report, &found, &small));
        ob_report_clear(&report);
        ob_report_clear(&found);
        ob_report_clear(&small);
    }
    ob_rollout_free(rolling.rollout);
    free(rolling.path);
    free(rolling.tasks.items);
    return status;
}
