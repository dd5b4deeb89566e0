/*
 * first.c - how many runs each strategy needs until the first violation, of every built-in variant
 * that is expected to break.
 *
 * A strategy that draws by lot is tried with many seeds, and the median counts; one that does not
 * is tried once.  A try ends after RUNS_MAX runs, and then counts as more than that, never as
 * found.
 */
#include "bench.h"

#include "base/alloc.h"
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
    double median;             /* of runs; negative: more than RUNS_MAX */
    uint64_t seeds, not_found; /* tries, and how many of them ended without it */
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
        ob_bench_must(
            ob_rig_run(rig, &chooser, kind == OB_STRATEGY_STRESS, &contest->trace, &outcome, &err),
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
    struct score score = {.seeds = ob_strategy_ends(kind) ? 1 : seeds};
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

/* "7", or "7/2" where two seeds did not find it at all. */
static void print_score(const struct score *score)
{
    char text[32], tail[24] = "";
    if (score->not_found > 0)
        snprintf(tail, sizeof tail, "/%" PRIu64, score->not_found);
    if (score->median < 0)
        snprintf(text, sizeof text, ">%d%s", RUNS_MAX, tail);
    else
        snprintf(text, sizeof text, "%g%s", score->median, tail);
    printf(" %9s", text);
}

static json_t *score_json(const struct score *score)
{
    return json_pack("{s:o, s:I, s:I}", "median",
                     score->median < 0 ? json_null() : json_real(score->median), "seeds",
                     (json_int_t)score->seeds, "not_found", (json_int_t)score->not_found);
}

/* The best of those that ours is measured against; OURS when none found it. */
static size_t best_of(const struct score *scores)
{
    size_t best = OURS;
    for (size_t i = 0; i < OURS; i++)
        if (scores[i].median >= 0 && (best == OURS || scores[i].median < scores[best].median))
            best = i;
    return best;
}

static void contend(json_t *figures, struct contest *contest, uint64_t seeds)
{
    struct score scores[CONTENDER_COUNT];
    const char *variant = contest->scenario->variants[contest->variant].name;
    char *name = ob_asprintf("%s, %s", contest->scenario->name, variant);
    json_t *medians = json_object();
    printf("%-56s", name);
    for (size_t i = 0; i < CONTENDER_COUNT; i++) {
        scores[i] = measure(contest, contenders[i], seeds);
        print_score(&scores[i]);
        fflush(stdout);
        json_object_set_new(medians, contenders[i], score_json(&scores[i]));
    }
    size_t best = best_of(scores);
    double ours = scores[OURS].median, against = scores[best].median;
    bool compared = best != OURS && ours >= 0;
    if (compared)
        printf(" %6.2f %s\n", ours / against, contenders[best]);
    else
        printf(" %6s %s\n", "-", best == OURS ? "nobody" : contenders[best]);
    json_array_append_new(
        figures,
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "name", name, "unit",
                  "runs until the first violation", "best", best == OURS ? "" : contenders[best],
                  "ours", ours < 0 ? json_null() : json_real(ours), "against",
                  against < 0 ? json_null() : json_real(against), "ratio",
                  compared ? json_real(ours / against) : json_null(), "strategies", medians));
    free(name);
}

/* How many seeds: $OVERBOOK_BENCH_SEEDS, else SEEDS_USUAL. */
static uint64_t seed_count(void)
{
    uint64_t seeds = SEEDS_USUAL;
    const char *wanted = getenv("OVERBOOK_BENCH_SEEDS");
    if (wanted && !ob_parse_u64(wanted, 1, SEEDS_MAX, &seeds)) {
        fprintf(stderr, "overbook-bench: OVERBOOK_BENCH_SEEDS is to be a number from 1 to %d\n",
                SEEDS_MAX);
        exit(2);
    }
    return seeds;
}

void ob_bench_first(json_t *figures)
{
    const struct ob_options options = {0};
    char scenarios[] = "scenarios", *folder[] = {scenarios};
    struct ob_scenario_list list = {0};
    struct contest contest = {0};
    struct ob_error err;
    uint64_t seeds = seed_count();
    double begun = ob_bench_seconds();
    ob_bench_must(ob_builtin_load(&options, folder, 1, &list, &err), &err);
    ob_bench_must(ob_server_open(&options, &contest.server, &err), &err);
    printf("\nruns until the first violation, median of %" PRIu64 " seeds, /seeds without\n%56s",
           seeds, "");
    for (size_t i = 0; i < CONTENDER_COUNT; i++)
        printf(" %9s", contenders[i]);
    printf("  ratio to the best\n");
    for (size_t i = 0; i < list.count; i++) {
        contest.scenario = list.items[i];
        for (size_t v = 0; v < contest.scenario->variant_count; v++) {
            contest.variant = v;
            if (contest.scenario->variants[v].violates)
                contend(figures, &contest, seeds);
        }
    }
    printf("that took %.0f s\n", ob_bench_seconds() - begun);
    ob_server_close(contest.server);
    ob_scenario_list_clear(&list);
}
