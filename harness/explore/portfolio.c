/*
 * portfolio.c - several strategies by turns, since none is the best everywhere.
 *
 * Each is a strategy like any other, with a seed and with numbers of runs of its own: what it does
 * in its i-th run here is what it does in its i-th run by itself.  First comes an opening in which
 * each has a run at least.  Then one run in STEADY is random's, and of the others each goes as
 * often as it finds something new, in proportion: whose turn it is depends on how many of its runs
 * had a trace that no run before them had, of any strategy.  The two that end, the enumeration and
 * dpor, take their turns until they have run out.
 *
 * Where there are shards, each member's own runs are dealt out among them, and each shard gives
 * turns by what its own runs showed.  So no run is made twice; and which runs are made is not what
 * it would be without shards, since no shard knows what the others found.
 *
 * What may be claimed:
 * - All was explored when the enumeration or dpor says so, which ends it; that all within its bound
 *   was when the enumeration says that.
 * - What pct promises of its runs.  How many it gets depends on what they showed, but a run's luck
 *   does not: the first so many are the same whenever their turns come.
 * - Samples (claim.h) are random's runs alone.  They are drawn from one distribution, and their
 *   share does not depend on what they show.
 */
#include "explore/strategy_int.h"

#include "base/rng.h"
#include "explore/claim.h"
#include "explore/strategy.h"
#include "explore/tally.h"

#include <assert.h>

#define STEADY 4
#define DPOR_STEPS_MAX 1000 /* of longer runs dpor compares each step with too many others */

struct member {
    struct ob_strategy *strategy; /* owned */
    uint64_t runs, new_classes;   /* begun; of them, those that showed something new */
    uint64_t next;                /* with those that other shards have */
    bool over;                    /* it has no run left */
};

enum { RANDOM, URW, POS, PCT3, PCT2, BOUNDED, DPOR, MEMBER_COUNT };

static const struct {
    enum ob_strategy_kind kind;
    unsigned argument;
} line_up[MEMBER_COUNT] = {
    [RANDOM] = {OB_STRATEGY_RANDOM, 0}, [URW] = {OB_STRATEGY_URW, 0},
    [POS] = {OB_STRATEGY_POS, 0},       [PCT3] = {OB_STRATEGY_PCT, 3},
    [PCT2] = {OB_STRATEGY_PCT, 2},      [BOUNDED] = {OB_STRATEGY_BOUNDED, OB_PORTFOLIO_BOUND},
    [DPOR] = {OB_STRATEGY_DPOR, 0},
};

/* Many bugs show in the first runs of whoever finds them at all: those that most interleavings
 * have, in one or two by lot; those of one fault and no preemption, and those of one preemption
 * near the end, in the first few of the enumeration and of dpor.  These two have their turns early,
 * since what they find they always find in the same run, and luck does not make up for a delay.
 * Two lots and the second run of each of the two do not fit into four runs, so each opening delays
 * one of the three, and which it is is by lot: whatever a strategy finds in two runs is found in
 * four with two seeds of three.  The very first run of the two is the same as a rule, and made
 * once. */
#define OPENING_RUNS 14
static const unsigned char openings[][OPENING_RUNS] = {
    {URW, URW, DPOR, BOUNDED, BOUNDED, DPOR, URW, BOUNDED, BOUNDED, DPOR, POS, RANDOM, PCT3, PCT2},
    {URW, URW, DPOR, DPOR, DPOR, BOUNDED, URW, DPOR, BOUNDED, BOUNDED, POS, RANDOM, PCT3, PCT2},
    {URW, DPOR, BOUNDED, DPOR, DPOR, BOUNDED, URW, URW, BOUNDED, DPOR, POS, RANDOM, PCT3, PCT2},
};
#define OPENING_COUNT (sizeof openings / sizeof *openings)

struct portfolio {
    struct ob_search search;
    struct member members[MEMBER_COUNT];
    const unsigned char *opening;
    size_t present; /* whose run it is */
    bool may_share; /* it may be the enumeration's first one too */
    bool shares;    /* it is, as far as it goes */
    struct ob_tally classes;
};

static void clear(void *state)
{
    struct portfolio *portfolio = state;
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        ob_strategy_free(portfolio->members[i].strategy);
    ob_tally_clear(&portfolio->classes);
}

static void open_members(struct portfolio *portfolio)
{
    const struct ob_search *search = &portfolio->search;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        struct ob_strategy *strategy = ob_strategy_new(
            line_up[i].kind, ob_rng_derive(search->seed, i + 1), search->client_count);
        ob_strategy_set_argument(strategy, line_up[i].argument);
        ob_strategy_set_steps_max(strategy, search->steps_max);
        ob_strategy_set_shard(strategy, &search->shard);
        if (search->watches_commits)
            ob_strategy_watch_commits(strategy);
        portfolio->members[i].strategy = strategy;
    }
    struct ob_rng rng;
    ob_rng_seed(&rng, ob_rng_derive(search->seed, MEMBER_COUNT + 1));
    portfolio->opening = openings[ob_rng_below(&rng, OPENING_COUNT)];
}

/* Whether the first has waited longer for its share than the second.  A share is in proportion to
 * (new + 1) / (runs + 1), so that nobody's ends. */
static bool is_before(const struct member *first, const struct member *second)
{
    double due = (double)(first->new_classes + 1) / (double)(first->runs + 1);
    double other = (double)(second->new_classes + 1) / (double)(second->runs + 1);
    return due / (double)(first->runs + 1) > other / (double)(second->runs + 1);
}

/* Whose turn it is. */
static size_t choose_member(const struct portfolio *portfolio)
{
    uint64_t run = portfolio->search.run;
    if (run < OPENING_RUNS && !portfolio->members[portfolio->opening[run]].over)
        return portfolio->opening[run];
    if (run % STEADY == 0)
        return RANDOM;
    size_t best = URW;
    for (size_t i = URW + 1; i < MEMBER_COUNT; i++)
        if (!portfolio->members[i].over &&
            is_before(&portfolio->members[i], &portfolio->members[best]))
            best = i;
    return best;
}

/* The next run of the member's that is to be made.  False: it has none left. */
static bool prepare(struct member *member)
{
    do {
        if (!ob_strategy_next(member->strategy, member->next++))
            return false;
    } while (ob_strategy_skips(member->strategy));
    return true;
}

static bool next(void *state)
{
    struct portfolio *portfolio = state;
    struct ob_search *search = &portfolio->search;
    if (search->run == 0)
        open_members(portfolio);
    for (;;) {
        portfolio->present = choose_member(portfolio);
        struct member *member = &portfolio->members[portfolio->present];
        search->sample = portfolio->present == RANDOM;
        search->present = member->strategy;
        struct member *bounded = &portfolio->members[BOUNDED];
        portfolio->may_share = member->runs == 0 && portfolio->present == DPOR &&
                               bounded->runs == 0 && ob_strategy_next(bounded->strategy, 0);
        if (prepare(member)) {
            member->runs++;
            return true;
        }
        member->over = true;
        search->within_bound |= ob_strategy_within_bound(member->strategy);
        search->bound = OB_PORTFOLIO_BOUND;
        search->exhausted |= ob_strategy_exhausted(member->strategy) && !search->changed;
        search->reduced |= search->exhausted && ob_strategy_reduces(member->strategy);
        if (search->exhausted)
            return false;
    }
}

static struct ob_chooser chooser_of(const struct portfolio *portfolio, size_t member)
{
    return ob_strategy_chooser(portfolio->members[member].strategy);
}

static void restart(void *state)
{
    struct portfolio *portfolio = state;
    struct ob_chooser chooser = chooser_of(portfolio, portfolio->present),
                      other = chooser_of(portfolio, BOUNDED);
    chooser.restart(chooser.self);
    portfolio->shares = portfolio->may_share;
    if (portfolio->shares)
        other.restart(other.self);
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct portfolio *portfolio = state;
    struct ob_chooser chooser = chooser_of(portfolio, portfolio->present),
                      other = chooser_of(portfolio, BOUNDED);
    size_t option = chooser.choose(chooser.self, point);
    if (portfolio->shares)
        portfolio->shares = other.choose(other.self, point) == option;
    return option;
}

static void learn(void *state, const struct ob_trace *trace, uint64_t digest)
{
    struct portfolio *portfolio = state;
    struct member *member = &portfolio->members[portfolio->present];
    ob_strategy_learn_as(member->strategy, trace, digest);
    portfolio->search.changed |= ob_strategy_changed(member->strategy);
    if (!ob_strategy_cut(member->strategy))
        member->new_classes += ob_tally_add(&portfolio->classes, digest);
    if (portfolio->shares) {
        struct member *bounded = &portfolio->members[BOUNDED];
        bounded->runs = bounded->next = 1;
        ob_strategy_learn_as(bounded->strategy, trace, digest);
    }
    member->over |= portfolio->present == DPOR && trace->step_count > DPOR_STEPS_MAX;
}

/* The deepest that has been kept, else any. */
static bool promise(const void *state, uint64_t run_count, struct ob_strategy_promise *out)
{
    const struct portfolio *portfolio = state;
    bool any = false;
    (void)run_count; /* members count their own */
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *member = &portfolio->members[i];
        struct ob_strategy_promise made;
        if (!member->strategy || !ob_strategy_promise(member->strategy, member->runs, &made))
            continue;
        bool deeper = ob_claim_confident(&made) &&
                      (!any || !ob_claim_confident(out) || made.depth > out->depth);
        if (!any || deeper)
            *out = made;
        any = true;
    }
    return any;
}

const struct ob_search_type ob_search_portfolio = {.size = sizeof(struct portfolio),
                                                   .shares_out = true,
                                                   .remembers = true,
                                                   .clear = clear,
                                                   .next = next,
                                                   .restart = restart,
                                                   .choose = choose,
                                                   .learn = learn,
                                                   .promise = promise};
