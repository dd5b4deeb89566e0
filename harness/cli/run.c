/* run.c - overbook run: explore, check, report. */
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/crew.h"
#include "cli/judge.h"
#include "cli/output.h"
#include "cli/pinned.h"
#include "cli/progress.h"
#include "cli/variant.h"
#include "scenario/vocabulary.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS_USUAL 9999 /* more make a row wider than its heading */

struct running {
    const struct ob_options *options;
    struct ob_crew_task *tasks; /* owned */
    size_t task_count, task_capacity;
    struct ob_report report;
    struct ob_table *table; /* owned; NULL when standard output is for a file, or broken */
    struct ob_progress progress;
    int64_t begun_us;
    struct ob_error unwritten; /* why the table could not be; code OB_OK when it could */
    struct ob_error fatal;     /* what ended everything; code OB_OK when nothing did */
};

/* A spec that is named may be told about in a scenario beside it. */
static void say_beside(const struct ob_options *options, const struct ob_scenario_list *list)
{
    for (size_t i = 0; i < list->count && options->verbosity >= 0; i++) {
        const struct ob_scenario *scenario = list->items[i];
        for (size_t k = 0; k < options->arg_count; k++) {
            const char *path = options->args[k];
            size_t size = strlen(path);
            if (scenario->spec && ob_scenario_is_spec(path) &&
                strncmp(scenario->file, path, size - 4) == 0 && strcmp(scenario->file, path) != 0 &&
                !strchr(scenario->file + size - 4, '/'))
                fprintf(stderr, "overbook: %s is run as %s says\n", path, scenario->file);
        }
    }
}

/* Nobody reads a table that cannot be written: then only what goes to files is worth going on. */
static void table_result(struct running *running, enum ob_result result, struct ob_error *err)
{
    if (result == OB_OK)
        return;
    ob_table_free(running->table);
    running->table = NULL;
    __fpurge(stdout);
    clearerr(stdout);
    running->unwritten = *err;
}

/* Only specs have permutations. */
static enum ob_result check_permutations(const struct ob_options *options,
                                         const struct ob_scenario_list *list, struct ob_error *err)
{
    bool only = options->strategy_given && options->strategy == OB_STRATEGY_PERMUTATIONS;
    if (options->from_permutations && options->strategy_given &&
        options->strategy == OB_STRATEGY_STRESS) {
        ob_error_set(err, OB_USAGE, "--strategy stress cannot begin with permutations");
        ob_error_hint(err, "Leave out one of them: where threads race, nobody decides the order.");
        return OB_USAGE;
    }
    for (size_t i = 0; i < list->count && (only || options->from_permutations); i++) {
        if (list->items[i]->target == OB_TARGET_SPEC)
            continue;
        ob_error_set(err, OB_USAGE, "%s is of the target %s, which has no permutations",
                     list->items[i]->file, ob_target_words[list->items[i]->target]);
        ob_error_hint(err, "Name specs only, or leave out %s.",
                      only ? "--strategy permutations" : "--from-permutations");
        return OB_USAGE;
    }
    return OB_OK;
}

static bool is_wanted(const struct ob_options *options, const struct ob_variant *variant)
{
    bool expected =
        options->expected == OB_WANT_ANY ||
        (!variant->any && (variant->violates != NULL) == (options->expected == OB_WANT_VIOLATES));
    return expected && (!options->variant || strcmp(options->variant, variant->name) == 0);
}

/* All that were asked for, in their order. */
static enum ob_result list_tasks(struct running *running, const struct ob_scenario_list *list,
                                 struct ob_error *err)
{
    const struct ob_options *options = running->options;
    for (size_t i = 0; i < list->count; i++) {
        const struct ob_scenario *scenario = list->items[i];
        if (ob_pinned_is(options, scenario)) {
            struct ob_token token;
            enum ob_result result = ob_pinned_read(scenario, &token, err);
            if (result != OB_OK)
                return result;
            ob_token_clear(&token);
        }
        for (size_t v = 0; v < scenario->variant_count; v++) {
            if (!is_wanted(options, &scenario->variants[v]) ||
                ob_pinned_skips(options, scenario, v))
                continue;
            running->tasks = ob_grow(running->tasks, &running->task_capacity,
                                     running->task_count + 1, sizeof *running->tasks);
            running->tasks[running->task_count++] =
                (struct ob_crew_task){.scenario = scenario, .variant = v};
        }
    }
    if (running->task_count > 0)
        return OB_OK;
    ob_error_set(err, OB_USAGE, "no variant is left: of none is it expected that it %s",
                 options->expected == OB_WANT_HOLDS ? "holds" : "violates an invariant");
    ob_error_hint(err, "Leave out --expected, or name other scenarios.");
    return OB_USAGE;
}

/* What the table's head says of all, and how wide its columns are. */
static void announce(struct running *running, const struct ob_crew_task *task)
{
    struct ob_variant_plan plan;
    struct ob_error ignored;
    if (ob_variant_plan(running->options, task->scenario, task->variant, &plan, &ignored) != OB_OK)
        plan = (struct ob_variant_plan){.strategy = OB_STRATEGY_PORTFOLIO,
                                        .runs_max = OB_RUNS_DEFAULT};
    running->report.controlled_steps &= plan.strategy != OB_STRATEGY_STRESS;
    if (!running->table)
        return;
    struct ob_report row;
    ob_report_init(&row);
    struct ob_report_result *result = ob_judge_begin(&row, task->scenario, task->variant);
    result->runs = plan.runs_max < RUNS_USUAL ? plan.runs_max : RUNS_USUAL;
    ob_table_announce(running->table, result);
    ob_report_clear(&row);
}

static void begin(void *arg, const struct ob_crew_task *task)
{
    struct running *running = arg;
    ob_progress_begin(&running->progress, task->scenario->name,
                      task->scenario->variants[task->variant].name);
}

static void tick(void *arg, const struct ob_explored *explored)
{
    struct running *running = arg;
    (void)ob_progress_tick(&running->progress, explored);
}

static bool line(void *arg)
{
    struct running *running = arg;
    const struct ob_options *options = running->options;
    struct ob_error err;
    ob_progress_end(&running->progress);
    if (running->table)
        table_result(running, ob_table_print(running->table, &err), &err);
    bool unread = running->unwritten.code != OB_OK && !ob_output_wants_files(options);
    const struct ob_report *report = &running->report;
    bool failed = options->fail_fast && !report->results[report->result_count - 1].as_expected;
    return !unread && !failed;
}

/* The exit status, with what is to be said about it. */
static int conclude(struct running *running)
{
    struct ob_report *report = &running->report;
    int status = ob_report_exit_status(report);
    struct ob_error err;
    report->seconds = (double)(ob_progress_clock_us() - running->begun_us) / 1e6;
    if (running->table)
        table_result(running, ob_table_end(running->table, &err), &err);
    if (running->unwritten.code != OB_OK)
        status = ob_cli_error(&running->unwritten);
    if (ob_output_write(report, running->options, &err) != OB_OK)
        status = ob_cli_error(&err);
    if (running->fatal.code != OB_OK) {
        int failed = ob_cli_error(&running->fatal);
        status = running->fatal.code == OB_STUCK ? OB_EXIT_INCONCLUSIVE : failed;
    } else if (ob_cli_interrupted()) {
        ob_cli_say_interrupted();
        status = OB_EXIT_INCONCLUSIVE;
    }
    return status;
}

/* What shards must have in common beside scenarios and strategies, or they are not of one whole.
 * How long each may take is its own affair. */
static void note_shard(struct running *running)
{
    const struct ob_options *options = running->options;
    struct ob_report *report = &running->report;
    if (options->shard.count == 0)
        return;
    report->shard_index = options->shard.index + 1;
    report->shard_count = options->shard.count;
    char *asked = ob_variant_asked(options, true);
    report->asked = ob_arena_strdup(&report->arena, asked);
    free(asked);
}

/* Everything between the servers' start and their end; the exit status. */
static int run_tasks(struct running *running, struct ob_crew *crew)
{
    struct ob_report *report = &running->report;
    const struct ob_crew_listener listener = {
        .arg = running,
        .begin = begin,
        .tick = tick,
        .ticks = running->progress.shown,
        .line = line,
    };
    ob_crew_describe(crew, report);
    note_shard(running);
    running->table = ob_output_table(report, running->options);
    for (size_t i = 0; i < running->task_count; i++)
        announce(running, &running->tasks[i]);
    running->fatal.code = ob_crew_run(crew, report, &listener, &running->fatal);
    int status = conclude(running);
    ob_table_free(running->table);
    return status;
}

int ob_command_run(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_RUN, argc, argv, &options);
    struct running running = {.options = &options, .begun_us = ob_progress_clock_us()};
    struct ob_scenario_list list = {0};
    struct ob_crew *crew = NULL;
    struct ob_error err;
    enum ob_result result = ob_output_check(&options, &err);
    if (result == OB_OK)
        result = ob_builtin_load(&options, options.args, options.arg_count, &list, &err);
    if (result == OB_OK)
        result = ob_builtin_check_variant(&list, &options, &err);
    if (result == OB_OK)
        result = check_permutations(&options, &list, &err);
    if (result == OB_OK)
        result = list_tasks(&running, &list, &err);
    if (result == OB_OK)
        result = ob_variant_check_folder(&options, &err);
    if (result == OB_OK)
        result = ob_crew_open(&options, running.tasks, running.task_count, &crew, &err);
    int status;
    if (result == OB_OK)
        say_beside(&options, &list);
    if (result != OB_OK) {
        status = ob_cli_error(&err);
    } else {
        ob_report_init(&running.report);
        ob_progress_init(&running.progress, options.progress, options.verbosity);
        status = ob_cli_finish(run_tasks(&running, crew));
        ob_crew_close(crew);
        ob_report_clear(&running.report);
    }
    free(running.tasks);
    ob_scenario_list_clear(&list);
    return status;
}
