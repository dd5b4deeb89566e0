/*
 * first.c - how many runs each strategy needs until the first violation, of every built-in variant
 * that is expected to break.
 *
 * A strategy that draws by lot is tried with many seeds, and the median counts; one that does not
 * is tried once.  A try ends after RUNS_MAX runs, and then counts as more than that, never as
 * found.
 */
#include "bench.h"

#include "base/parse.h"
#include "cli/builtin.h"
#include "cli/database.h"
#include "explore/strategy.h"
#include "target/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_USUAL 20
#define SEEDS_MAX 1000
#define RUNS_MAX 200
#define NOT_FOUND UINT64_MAX

/* The last one is what the others are measured against. */
static const char *const contenders[] = {"random",    "pct:2", "pct:3",  "pos",      "urw",
                                         "bounded:2", "dpor",  "stress", "portfolio"};
#define CONTENDER_COUNT (sizeof contenders / sizeof *contenders)
#define OURS (CONTENDER_COUNT - 1)

struct contest {
    struct ob_server *server;
    const struct ob_scenario *scenario;
    size_t variant;
    struct ob_target *target;
    struct ob_trace trace;
    char *conninfo;
};

struct score {
    double median; /* of runs; negative: more than RUNS_MAX */
    uint64_t seeds, not_found;
};

static void open_contest(struct contest *contest, bool learns)
{
    struct ob_error err;
    ob_bench_must(ob_server_create_database(contest->server, NULL, &contest->conninfo, &err), &err);
    const struct ob_target_options options = {.conninfo = contest->conninfo,
                                              .limits = ob_limits_default(),
                                              .fixed_plans = true,
                                              .own_server = true,
                                              .learns = learns};
    ob_bench_must(
        ob_target_open(contest->scenario, contest->variant, &options, &contest->target, &err),
        &err);
    ob_trace_init(&contest->trace);
}

static void close_contest(struct contest *contest)
{
    struct ob_error err;
    ob_trace_clear(&contest->trace);
    ob_target_close(contest->target);
    ob_bench_must(ob_server_drop_database(contest->server, OB_OK, &err), &err);
    free(contest->conninfo);
}

static bool breaks(const struct ob_rig *rig, const struct ob_run_outcome *outcome,
                   const char *invariant)
{
    for (size_t i = 0; i < outcome->broken_count; i++)
        if (strcmp(ob_check_name(rig->check, outcome->broken[i].item), invariant) == 0)
            return true;
    return false;
}

/* Runs until the expected violation, NOT_FOUND when it did not come. */
static uint64_t runs_until(struct contest *contest, enum ob_strategy_kind kind, unsigned argument,
                           uint64_t seed)
{
    struct ob_rig *rig = ob_target_rig(contest->target);
    struct ob_strategy *strategy = ob_strategy_new(kind, seed, rig->spec.client_count);
    ob_strategy_set_argument(strategy, argument);
    ob_strategy_set_steps_max(strategy, rig->steps_max);
    const char *violates = contest->scenario->variants[contest->variant].violates;
    uint64_t found = NOT_FOUND;
    for (uint64_t run = 0; run < RUNS_MAX && found == NOT_FOUND; run++) {
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        struct ob_run_outcome outcome;
        struct ob_error err;
        if (!ob_strategy_next(strategy, run))
            break;
        ob_bench_must(ob_rig_run(rig, &chooser, kind == OB_STRATEGY_STRESS, &contest->trace,
                                 &outcome, &err),
                      &err);
        ob_strategy_learn(strategy, &contest->trace);
        if (breaks(rig, &outcome, violates))
            found = run + 1;
    }
    ob_strategy_free(strategy);
    return found;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static double median_of(uint64_t *counts, size_t count)
{
    qsort(counts, count, sizeof *counts, compare);
    uint64_t low = counts[(count - 1) / 2], high = counts[count / 2];
    return high == NOT_FOUND ? -1 : ((double)low + (double)high) / 2;
}

static struct score measure(struct contest *contest, const char *name, uint64_t seeds)
{
    enum ob_strategy_kind kind;
    unsigned argument;
    struct ob_error err;
    uint64_t counts[SEEDS_MAX];
    ob_bench_must(ob_strategy_parse(name, &kind, &argument, &err), &err);
    struct score score = {.seeds = ob_strategy_samples(kind) || kind == OB_STRATEGY_STRESS ||
                                           kind == OB_STRATEGY_PORTFOLIO
                                       ? seeds
                                       : 1};
    open_contest(contest, ob_strategy_reduces(kind));
    for (uint64_t i = 0; i < score.seeds; i++) {
        counts[i] = NOT_FOUND;
        if (score.not_found > score.seeds / 2) { /* so is the median, whatever the others are */
            score.not_found++;
            continue;
        }
        counts[i] = runs_until(contest, kind, argument, i + 1);
        score.not_found += counts[i] == NOT_FOUND;
    }
    close_contest(contest);
    score.median = median_of(counts, score.seeds);
    return score;
}
