/*
 * first.c - how many runs each strategy needs until the first violation, of every built-in variant
 * that is expected to break.
 *
 * A strategy that draws by lot is tried with many seeds, and the median counts; one that does not
 * is tried once.  What more than half of the seeds have not found in RUNS_MAX runs counts as more
 * than that, never as found.  $OVERBOOK_BENCH_SCENARIOS may name a file or a folder of them.
 *
 * What all strategies have made of a variant is remembered (memo.h), and what the choices decide is
 * not made again.  Of those that need not be, one in CHECKED_EACH is made all the same, and the
 * process ends when it comes to something else.  Where threads race, each seed's runs are made, of
 * fewer seeds.
 */
#include "bench.h"
#include "memo.h"

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

#define SEEDS_USUAL 200
#define SEEDS_MAX 1000
#define SEEDS_RACING 20 /* of stress, at the most */
#define CHECKED_EACH 50
#define RUNS_MAX 200
#define RACING_SECONDS_MAX 120 /* of stress, for a variant: where all wait, a run takes many */
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
    struct ob_memo memo;         /* of the variant's runs */
    uint64_t known, checked;     /* runs that were in it, and those that were made all the same */
    uint64_t made, uncontrolled; /* of those that could be; and those not remembered */
};

struct score {
    double median; /* of runs; negative: more than were made */
    size_t seeds, found;
    uint64_t runs_made; /* of each seed, at the most */
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

/* One seed's exploration. */
struct attempt {
    struct ob_strategy *strategy; /* owned; NULL when it is over */
    uint64_t found;               /* in which run, from 1 */
};

static enum ob_strategy_kind kind_of(const char *name, unsigned *argument)
{
    enum ob_strategy_kind kind;
    struct ob_error err;
    ob_bench_must(ob_strategy_parse(name, &kind, argument, &err), &err);
    return kind;
}

static bool wants_footprints(const char *name)
{
    unsigned argument;
    return ob_strategy_wants_footprints(kind_of(name, &argument));
}

static void begin(const struct contest *contest, const char *name, uint64_t seed,
                  struct attempt *out)
{
    const struct ob_rig *rig = ob_target_rig(contest->target);
    unsigned argument;
    enum ob_strategy_kind kind = kind_of(name, &argument);
    *out = (struct attempt){.strategy = ob_strategy_new(kind, seed, rig->spec.client_count),
                            .found = NOT_FOUND};
    ob_strategy_set_argument(out->strategy, argument);
    ob_strategy_set_steps_max(out->strategy, rig->steps_max);
}

static void end(struct attempt *attempt)
{
    ob_strategy_free(attempt->strategy);
    attempt->strategy = NULL;
}

/* Makes the attempt's present run. */
static bool make(struct contest *contest, const struct ob_chooser *chooser, bool free_running)
{
    struct ob_rig *rig = ob_target_rig(contest->target);
    struct ob_run_outcome outcome;
    struct ob_error err;
    ob_bench_must(ob_rig_run(rig, chooser, free_running, &contest->trace, &outcome, &err), &err);
    return breaks(rig, &outcome, contest->scenario->variants[contest->variant].violates);
}

/* Whether the choices have decided what came of the run. */
static bool is_decided(const struct ob_trace *trace)
{
    return trace->uncontrolled == 0 &&
           (trace->end == OB_RUN_FINISHED || trace->end == OB_RUN_STUCK);
}

/* Makes it if nobody has made it before. */
static struct ob_memo_end make_once(struct contest *contest, const struct ob_chooser *chooser)
{
    struct ob_memo_end end;
    bool known = ob_memo_find(&contest->memo, chooser, &end);
    contest->known += known;
    if (known && contest->known % CHECKED_EACH != 0)
        return end;
    struct ob_chooser kept = ob_memo_chooser(&contest->memo, chooser);
    end.breaks = make(contest, &kept, false);
    end.digest = ob_trace_digest(&contest->trace);
    contest->made++;
    contest->checked += known;
    if (!is_decided(&contest->trace)) {
        contest->uncontrolled++;
    } else if (!ob_memo_add(&contest->memo, &end)) {
        fprintf(stderr, "overbook-bench: %s, %s: the same choices led elsewhere\n",
                contest->scenario->name, contest->scenario->variants[contest->variant].name);
        exit(3);
    }
    return end;
}

/* What its run of that number, from 0, comes to. */
static void go_on(struct contest *contest, struct attempt *attempt, bool free_running, uint64_t run)
{
    struct ob_strategy *strategy = attempt->strategy;
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    struct ob_memo_end made;
    if (!ob_strategy_next(strategy, run)) {
        end(attempt);
        return;
    }
    if (free_running || ob_strategy_learns_steps(strategy)) {
        made.breaks = make(contest, &chooser, free_running);
        ob_strategy_learn(strategy, &contest->trace);
    } else {
        made = make_once(contest, &chooser);
        ob_strategy_learn_as(strategy, &contest->trace, made.digest);
    }
    if (made.breaks) {
        attempt->found = run + 1;
        end(attempt);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const struct attempt *)a)->found, right = ((const struct attempt *)b)->found;
    return (left > right) - (left < right);
}

static double median_of(struct attempt *attempts, size_t count)
{
    qsort(attempts, count, sizeof *attempts, compare);
    uint64_t low = attempts[(count - 1) / 2].found, high = attempts[count / 2].found;
    return high == NOT_FOUND ? -1 : ((double)low + (double)high) / 2;
}

/* All seeds make their first run, then all their second: when more than half have found it the
 * median is known, and the others need not go on. */
static struct score measure(struct contest *contest, const char *name, size_t seed_count)
{
    struct attempt attempts[SEEDS_MAX];
    bool ends = strncmp(name, "bounded", 7) == 0 || strcmp(name, "dpor") == 0,
         free_running = strcmp(name, "stress") == 0;
    struct score score = {.seeds = ends ? 1 : seed_count};
    if (free_running && score.seeds > SEEDS_RACING)
        score.seeds = SEEDS_RACING;
    double begun = ob_bench_seconds();
    open_contest(contest, wants_footprints(name));
    for (size_t i = 0; i < score.seeds; i++)
        begin(contest, name, i + 1, &attempts[i]);
    for (uint64_t run = 0; run < RUNS_MAX && score.found <= score.seeds / 2; run++) {
        if (free_running && ob_bench_seconds() - begun > RACING_SECONDS_MAX)
            break;
        score.runs_made = run + 1;
        for (size_t i = 0; i < score.seeds; i++) {
            if (!attempts[i].strategy)
                continue;
            go_on(contest, &attempts[i], free_running, run);
            score.found += attempts[i].found != NOT_FOUND;
        }
    }
    for (size_t i = 0; i < score.seeds; i++)
        end(&attempts[i]);
    close_contest(contest);
    score.median = median_of(attempts, score.seeds);
    return score;
}

static void print_score(const struct score *score)
{
    char text[32];
    if (score->median < 0)
        snprintf(text, sizeof text, ">%" PRIu64, score->runs_made);
    else
        snprintf(text, sizeof text, "%g", score->median);
    printf(" %9s", text);
}

static json_t *score_json(const struct score *score)
{
    return json_pack("{s:o, s:I, s:I, s:I}", "median",
                     score->median < 0 ? json_null() : json_real(score->median), "seeds",
                     (json_int_t)score->seeds, "found", (json_int_t)score->found, "runs",
                     (json_int_t)score->runs_made);
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

static void contend(json_t *figures, struct contest *contest, size_t seeds)
{
    struct score scores[CONTENDER_COUNT];
    const char *variant = contest->scenario->variants[contest->variant].name;
    char *name = ob_asprintf("%s, %s", contest->scenario->name, variant);
    json_t *medians = json_object();
    ob_memo_init(&contest->memo);
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
    ob_memo_clear(&contest->memo);
    free(name);
}

/* How many seeds: $OVERBOOK_BENCH_SEEDS, else SEEDS_USUAL. */
static size_t seed_count(void)
{
    uint64_t seeds = SEEDS_USUAL;
    const char *wanted = getenv("OVERBOOK_BENCH_SEEDS");
    if (wanted && !ob_parse_u64(wanted, 1, SEEDS_MAX, &seeds)) {
        fprintf(stderr, "overbook-bench: OVERBOOK_BENCH_SEEDS is to be a number from 1 to %d\n",
                SEEDS_MAX);
        exit(2);
    }
    return (size_t)seeds;
}

void ob_bench_first(json_t *figures)
{
    const struct ob_options options = {0};
    char scenarios[] = "scenarios", *wanted = getenv("OVERBOOK_BENCH_SCENARIOS"),
         *folder[] = {wanted ? wanted : scenarios};
    struct ob_scenario_list list = {0};
    struct contest contest = {0};
    struct ob_error err;
    size_t seeds = seed_count();
    double begun = ob_bench_seconds();
    ob_bench_must(ob_builtin_load(&options, folder, 1, &list, &err), &err);
    ob_bench_must(ob_server_open(&options, &contest.server, &err), &err);
    printf("\nruns until the first violation, median of %zu seeds (stress: %d at most)\n%56s",
           seeds, SEEDS_RACING, "");
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
    printf("runs made, and known before: %" PRIu64 ", %" PRIu64
           "; of those made again and compared: "
           "%" PRIu64 "; not decided by their choices: %" PRIu64 "\n",
           contest.made, contest.known, contest.checked, contest.uncontrolled);
    ob_server_close(contest.server);
    ob_scenario_list_clear(&list);
}
