/*
 * matrix.c - overbook matrix: a variant that breaks, with each cure and without one, at each
 * isolation level and with each setting.
 *
 * A scenario is one task (variant.h), whose violation is looked for as always, and then crossed
 * (cures.h).
 */
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/tasks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The variant that is asked for, else the first that is expected to break; SIZE_MAX: none. */
static size_t variant_of(const struct ob_options *options, const struct ob_scenario *scenario)
{
    if (options->variant)
        return ob_scenario_variant(scenario, options->variant);
    size_t i = 0;
    while (i < scenario->variant_count && !scenario->variants[i].violates)
        i++;
    return i < scenario->variant_count ? i : SIZE_MAX;
}

static enum ob_result list_tasks(const struct ob_options *options,
                                 const struct ob_scenario_list *list, struct ob_tasks *tasks,
                                 struct ob_error *err)
{
    const struct ob_scenario *without = NULL;
    for (size_t i = 0; i < list->count; i++) {
        size_t variant = variant_of(options, list->items[i]);
        if (variant != SIZE_MAX)
            (void)ob_tasks_add(tasks, list->items[i], variant);
        else
            without = list->items[i];
    }
    if (tasks->count > 0)
        return OB_OK;
    assert(without != NULL);
    ob_error_set(err, OB_USAGE, "no variant of %s is expected to break an invariant",
                 without->name);
    ob_error_hint(err, "Name one that does with --variant: there has to be something to cure.");
    return OB_USAGE;
}

static enum ob_result load(const struct ob_options *options, struct ob_scenario_list *list,
                           struct ob_tasks *tasks, struct ob_error *err)
{
    enum ob_result result = ob_output_check(options, err);
    if (result == OB_OK && options->arg_count == 0) {
        result = ob_error_set(err, OB_USAGE, "no scenario was named");
        ob_error_hint(err, "Name a scenario's file, or a folder.");
    }
    if (result == OB_OK)
        result = ob_builtin_load(options, options->args, options->arg_count, list, err);
    if (result == OB_OK)
        result = ob_builtin_check_variant(list, options, err);
    return result == OB_OK ? list_tasks(options, list, tasks, err) : result;
}

static void say_unbroken(const struct ob_options *options, const struct ob_report *report)
{
    for (size_t i = 0; i < report->result_count && options->verbosity >= 0; i++)
        if (report->results[i].violation_count == 0)
            fprintf(stderr, "overbook: %s, %s was not broken: there is nothing to cure\n",
                    report->results[i].scenario, report->results[i].variant);
}

/* What was found until then is told, also when it ends early; the exit status. */
static int run(const struct ob_options *options, const struct ob_tasks *tasks,
               struct ob_report *report)
{
    int64_t begun_us = ob_progress_clock_us();
    struct ob_progress progress;
    struct ob_error fatal, err;
    ob_progress_init(&progress, options->progress, options->verbosity);
    enum ob_result result = ob_tasks_run(tasks, options, &progress, report, &fatal);
    report->seconds = (double)(ob_progress_clock_us() - begun_us) / 1e6;
    if (ob_output_all(report, options, &err) != OB_OK)
        return ob_cli_error(&err);
    say_unbroken(options, report);
    if (result == OB_OK)
        return ob_report_exit_status(report);
    if (result != OB_INTERRUPTED)
        return ob_cli_error(&fatal);
    ob_cli_say_interrupted();
    return OB_EXIT_INCONCLUSIVE;
}

int ob_command_matrix(int argc, char **argv)
{
    struct ob_options options;
    struct ob_scenario_list list = {0};
    struct ob_tasks tasks = {0};
    struct ob_error err;
    ob_options_parse(OB_COMMAND_MATRIX, argc, argv, &options);
    options.crosses = true;
    int status;
    if (load(&options, &list, &tasks, &err) != OB_OK) {
        status = ob_cli_error(&err);
    } else {
        struct ob_report report;
        ob_report_init(&report);
        status = ob_cli_finish(run(&options, &tasks, &report));
        ob_report_clear(&report);
    }
    free(tasks.items);
    ob_scenario_list_clear(&list);
    return status;
}
