/*
 * variant.h - one variant of a scenario, explored in a database of its own and judged: a line of
 * the report.
 */
#ifndef OB_CLI_VARIANT_H
#define OB_CLI_VARIANT_H

#include "cli/cli.h"
#include "cli/database.h"
#include "explore/explore.h"
#include "report.h"
#include "scenario/scenario.h"

/* How it will be explored: the command line's wish, else the scenario's, else the usual. */
struct ob_variant_plan {
    enum ob_strategy_kind strategy;
    unsigned argument;
    uint64_t runs_max;
};

/* OB_INPUT: the scenario's wish is no strategy. */
OB_MUSTCHECK enum ob_result ob_variant_plan(const struct ob_options *options,
                                            const struct ob_scenario *scenario, size_t variant,
                                            struct ob_variant_plan *out, struct ob_error *err);

/* What was asked for beside that, as far as it decides which runs are made; the caller's to free.
 * with_runs: also how many. */
char *ob_variant_asked(const struct ob_options *options, bool with_runs);

/* The folder of --checkpoint, made where it is not there: OB_INPUT. */
OB_MUSTCHECK enum ob_result ob_variant_check_folder(const struct ob_options *options,
                                                    struct ob_error *err);

/* Borrowed. */
struct ob_variant_job {
    const struct ob_options *options;
    struct ob_server *server;
    const struct ob_scenario *scenario;
    size_t variant;
    bool tells_requests; /* what became of each beside a migration */
    bool (*progress)(void *arg, const struct ob_explored *explored); /* as in explore.h */
    void *progress_arg;
};

/* Adds the line, whatever happens.  An error is one that ends everything: the next variant would
 * fare no better; after OB_STUCK a thread still runs, and the process can only end. */
OB_MUSTCHECK enum ob_result ob_variant_run(const struct ob_variant_job *job,
                                           struct ob_report *report, struct ob_error *err);

#endif
