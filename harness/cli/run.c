/* run.c - overbook run: explore, check, report. */
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "cli/judge.h"
#include "cli/progress.h"
#include "scenario/vocabulary.h"
#include "target/target.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS_USUAL 9999 /* more make a row wider than its heading */

struct running {
    const struct ob_options *options;
    struct ob_server *server;
    struct ob_report report;
    struct ob_table *table; /* owned; NULL when standard output is for a file, or broken */
    struct ob_progress progress;
    int64_t begun_us;
    struct ob_error unwritten; /* why the table could not be; code OB_OK when it could */
    struct ob_error fatal;     /* what ended everything; code OB_OK when nothing did */
};

/* How to explore. */
struct wish {
    enum ob_strategy_kind strategy;
    unsigned argument;
};

/* The wish is borrowed. */
static struct ob_explore_options explore_options(struct running *running,
                                                 const struct ob_scenario *scenario, size_t variant,
                                                 const struct wish *wish)
{
    const struct ob_options *options = running->options;
    uint64_t runs = scenario->explore.runs > 0 ? scenario->explore.runs : OB_RUNS_DEFAULT;
    if (ob_strategy_ends(wish->strategy) && scenario->explore.runs == 0)
        runs = UINT64_MAX; /* --runs and --budget bound it */
    return (struct ob_explore_options){
        .strategy = wish->strategy,
        .argument = &wish->argument,
        .seed = options->seed,
        .runs_max = options->runs > 0 ? options->runs : runs,
        .budget_us = options->budget_us,
        .keep_going = options->keep_going,
        .orders_first = options->from_permutations,
        .until = scenario->variants[variant].violates,
        .progress = ob_progress_tick,
        .progress_arg = &running->progress,
    };
}

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

/* The command line's strategy, else the scenario's wish, else the portfolio. */
static enum ob_result choose_strategy(const struct ob_options *options,
                                      const struct ob_scenario *scenario, struct wish *out,
                                      struct ob_error *err)
{
    *out = (struct wish){.strategy = OB_STRATEGY_PORTFOLIO};
    if (options->strategy_given)
        *out = (struct wish){options->strategy, options->strategy_argument};
    if (options->strategy_given || scenario->explore.strategy[0] == '\0')
        return OB_OK;
    enum ob_result result =
        ob_strategy_parse(scenario->explore.strategy, &out->strategy, &out->argument, err);
    if (result != OB_OK) {
        ob_error_context(err, "%s", scenario->file);
        err->code = OB_INPUT;
        return OB_INPUT;
    }
    return result;
}

static enum ob_result explore(struct running *running, const struct ob_scenario *scenario,
                              size_t variant, const char *conninfo, struct ob_report_result *result,
                              struct ob_error *err)
{
    const struct ob_options *options = running->options;
    struct ob_report *report = &running->report;
    struct wish wish;
    enum ob_result code = choose_strategy(options, scenario, &wish, err);
    if (code != OB_OK)
        return code;
    char name[OB_STRATEGY_NAME_SIZE];
    ob_strategy_name(wish.strategy, wish.argument, name);
    result->strategy = ob_arena_strdup(&report->arena, name);
    const struct ob_target_options target_options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fault_budget = options->faults,
        .fixed_plans = true,
        .own_server = ob_server_embedded(running->server),
        .learns = ob_strategy_reduces(wish.strategy),
    };
    struct ob_target *target = NULL;
    code = ob_target_open(scenario, variant, &target_options, &target, err);
    if (code != OB_OK)
        return code;
    report->controlled_deadlock &= ob_target_controls_deadlock(target);
    report->controlled_now &= ob_target_has_probe(target);
    report->controlled_footprints &= ob_target_has_probe(target);
    struct ob_explore_options explore = explore_options(running, scenario, variant, &wish);
    struct ob_exploration exploration;
    struct ob_rig *rig = ob_target_rig(target);
    code = ob_explore(rig, &explore, &exploration, err);
    const struct ob_judge_case judged = {
        .scenario = scenario,
        .variant = variant,
        .rig = rig,
        .exploration = &exploration,
        .server_version = ob_server_version_number(running->server),
        .named = options->arg_count > 0,
        .require_exhausted = options->require_exhausted,
        .invariants = options->invariants,
        .invariant_count = options->invariant_count,
    };
    if (code == OB_OK)
        ob_judge(report, result, &judged);
    ob_exploration_clear(&exploration);
    if (code != OB_STUCK) /* a thread of it still runs */
        ob_target_close(target);
    return code;
}

/* Explores one variant in a database of its own.  What ends everything goes to running->fatal. */
static void run_variant(struct running *running, const struct ob_scenario *scenario, size_t variant)
{
    struct ob_report_result *result = ob_judge_begin(&running->report, scenario, variant);
    struct ob_error err;
    char *conninfo = NULL;
    ob_progress_begin(&running->progress, scenario->name, scenario->variants[variant].name);
    enum ob_result code = ob_server_create_database(running->server, NULL, &conninfo, &err);
    bool created = code == OB_OK;
    if (created) {
        code = explore(running, scenario, variant, conninfo, result, &err);
        code = ob_server_drop_database(running->server, code, &err);
    }
    if (code != OB_OK)
        ob_judge_error(&running->report, result, &err);
    if (code == OB_SERVER || code == OB_REFUSED || code == OB_STUCK || (code != OB_OK && !created))
        running->fatal = err; /* the next variant would fare no better */
    free(conninfo);
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

typedef void each_variant(struct running *running, const struct ob_scenario *scenario,
                          size_t variant);

/* All that were asked for, in their order. */
static void for_each(struct running *running, const struct ob_scenario_list *list,
                     each_variant *visit)
{
    const char *wanted = running->options->variant;
    for (size_t i = 0; i < list->count; i++) {
        const struct ob_scenario *scenario = list->items[i];
        for (size_t v = 0; v < scenario->variant_count; v++)
            if (!wanted || ob_scenario_variant(scenario, wanted) == v)
                visit(running, scenario, v);
    }
}

/* What the table's head says of all, and how wide its columns are. */
static void announce(struct running *running, const struct ob_scenario *scenario, size_t variant)
{
    struct wish wish;
    struct ob_error ignored;
    if (choose_strategy(running->options, scenario, &wish, &ignored) != OB_OK)
        wish = (struct wish){.strategy = OB_STRATEGY_PORTFOLIO};
    running->report.controlled_steps &= wish.strategy != OB_STRATEGY_STRESS;
    if (!running->table)
        return;
    struct ob_report row;
    ob_report_init(&row);
    struct ob_report_result *result = ob_judge_begin(&row, scenario, variant);
    uint64_t runs = explore_options(running, scenario, variant, &wish).runs_max;
    result->runs = runs < RUNS_USUAL ? runs : RUNS_USUAL;
    ob_table_announce(running->table, result);
    ob_report_clear(&row);
}

static void visit(struct running *running, const struct ob_scenario *scenario, size_t variant)
{
    const struct ob_options *options = running->options;
    bool unread = running->unwritten.code != OB_OK && !options->json && !options->junit;
    if (running->fatal.code != OB_OK || unread || ob_cli_interrupted())
        return;
    run_variant(running, scenario, variant);
    ob_progress_end(&running->progress);
    struct ob_error err;
    if (running->table)
        table_result(running, ob_table_print(running->table, &err), &err);
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* What would spoil the outputs is known before anything runs. */
static enum ob_result check_outputs(const struct ob_options *options, struct ob_error *err)
{
    const char *json = options->json, *junit = options->junit;
    if (json && junit && strcmp(json, junit) == 0 && strcmp(json, "/dev/null") != 0) {
        ob_error_set(err, OB_USAGE, "--json and --junit both go to %s",
                     is_stdout(json) ? "standard output" : json);
        ob_error_hint(err, "Name a file of its own for one of them.");
        return OB_USAGE;
    }
    enum ob_result result = json ? ob_report_can_write(json, err) : OB_OK;
    if (result == OB_OK && junit)
        result = ob_report_can_write(junit, err);
    return result;
}

static void open_table(struct running *running)
{
    const struct ob_options *options = running->options;
    if (is_stdout(options->json) || is_stdout(options->junit))
        return;
    const struct ob_table_options how = {
        .color = ob_cli_color(options->color, STDOUT_FILENO),
        .unicode = ob_cli_unicode(),
        .whole = !isatty(STDOUT_FILENO),
        .width = ob_cli_width(STDOUT_FILENO),
        .verbosity = options->verbosity,
    };
    running->table = ob_table_new(&running->report, &how, stdout);
}

static enum ob_result write_files(const struct running *running, struct ob_error *err)
{
    const struct ob_options *options = running->options;
    enum ob_result result = OB_OK;
    if (options->json)
        result = ob_report_write(&running->report, ob_report_json, options->json, err);
    if (result == OB_OK && options->junit)
        result = ob_report_write(&running->report, ob_report_junit, options->junit, err);
    return result;
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
    if (write_files(running, &err) != OB_OK)
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

/* Everything between the server's start and its end; the exit status. */
static int run_on_server(struct running *running, const struct ob_scenario_list *list)
{
    struct ob_report *report = &running->report;
    report->postgres = ob_server_version(running->server);
    report->seed = running->options->seed;
    report->controlled_steps = report->controlled_deadlock = report->controlled_clock = true;
    report->controlled_gates = report->controlled_now = true;
    report->controlled_footprints = true;
    report->controlled_wake = ob_server_embedded(running->server);
    open_table(running);
    for_each(running, list, announce);
    for_each(running, list, visit);
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
    struct ob_error err;
    enum ob_result result = check_outputs(&options, &err);
    if (result == OB_OK)
        result = ob_builtin_load(&options, options.args, options.arg_count, &list, &err);
    if (result == OB_OK)
        result = ob_builtin_check_variant(&list, &options, &err);
    if (result == OB_OK)
        result = check_permutations(&options, &list, &err);
    if (result == OB_OK)
        result = ob_server_open(&options, &running.server, &err);
    int status;
    if (result == OB_OK)
        say_beside(&options, &list);
    if (result != OB_OK) {
        status = ob_cli_error(&err);
    } else {
        ob_report_init(&running.report);
        ob_progress_init(&running.progress, options.progress, options.verbosity);
        status = ob_cli_finish(run_on_server(&running, &list));
        ob_server_close(running.server);
        if (running.fatal.code == OB_STUCK)
            _exit(status); /* an abandoned thread still uses what would be freed */
        ob_report_clear(&running.report);
    }
    ob_scenario_list_clear(&list);
    return status;
}
