/*
 * explore.h - many runs of one scenario under one strategy, and what they showed.
 */
#ifndef OB_EXPLORE_EXPLORE_H
#define OB_EXPLORE_EXPLORE_H

#include "base/journal.h"
#include "explore/finding.h"
#include "explore/rig.h"
#include "explore/statements.h"
#include "explore/strategy.h"
#include "explore/tally.h"

/* How far an exploration is. */
struct ob_explored {
    uint64_t runs;
    size_t findings;
    double share;   /* of all that it will do, about; 0: not known */
    bool shrinking; /* what was found; then runs are those made for that */
    bool curing;    /* a cure is tried on it; so are its runs */
};

struct ob_explore_options {
    enum ob_strategy_kind strategy;
    const unsigned *argument; /* of the strategy; NULL: the usual one */
    uint64_t seed;
    uint64_t runs_max; /* of all shards together */
    int64_t budget_us; /* machine time; INT64_MAX for none */
    /* One run, which follows this schedule, in the place of the strategy's; NULL: none.  What it
     * leaves out is for the caller to tell the rig. */
    const struct ob_schedule *pinned;
    bool orders_first;             /* the first runs are the orders that the scenario gives */
    bool keep_going;               /* go on after the first violation */
    struct ob_shard shard;         /* only the runs of this one */
    struct ob_journal *checkpoint; /* what there is in it is not made again; NULL: none */
    const char *until;             /* an invariant: go on until it is broken; NULL: until any is */
    /* Called after each run when not NULL; false stops the exploration. */
    bool (*progress)(void *arg, const struct ob_explored *explored);
    void *progress_arg;
    /* Called with each run that was made, when not NULL. */
    void (*seen)(void *arg, const struct ob_trace *trace);
    void *seen_arg;
};

struct ob_exploration {
    uint64_t runs, steps;
    uint64_t last_run; /* number of the last one, from 1, among those of all shards */
    uint64_t uncontrolled_runs;
    uint64_t outcomes, classes; /* different ones; classes: different traces, as long as no two
                                   steps are known to be independent */
    bool counts_are_bounds;     /* more were seen than could be told apart */
    /* Runs drawn by lot from one distribution, and how many outcomes and classes only one of these
     * runs showed: where sampled they say how much of that distribution is unseen. */
    uint64_t samples, outcomes_once, classes_once;
    const char *sampler; /* the strategy that drew them */
    bool sampled;
    bool exhausted;
    double estimate;   /* about how many runs a strategy that ends has in all; 0: not known */
    bool reduced;      /* ob_strategy_reduces */
    bool within_bound; /* bounded, portfolio: every schedule within the bound was run, */
    unsigned bound;    /* of so many preemptions */
    bool promised;     /* pct, portfolio: the promise below holds for this exploration */
    struct ob_strategy_promise promise;
    bool changed; /* an enumeration: the same choices led elsewhere, and the server chose nothing */
    bool stopped; /* progress said so */
    bool complete;                   /* no run was left that it was to make */
    uint64_t passed_over;            /* runs in which a given order could not be followed, */
    char passed_over_why[240];       /* the first of them, and why */
    uint64_t reached[OB_WANTED_MAX]; /* runs in which each of the wanted situations was reached */
    struct ob_finding *findings;
    size_t finding_count, finding_capacity;
    struct ob_statements statements; /* of all runs but replays */
    struct ob_tally outcome_tally, class_tally;
    struct ob_tally sampled_outcomes, sampled_classes; /* of the samples among the runs */
    /* A run that proved nothing ends the exploration: how, else OB_RUN_FINISHED. */
    enum ob_run_end inconclusive;
    char reason[240];
    int64_t total_us;
};

/* *out is always filled with what was found until then, and the caller's to clear. */
OB_MUSTCHECK enum ob_result ob_explore(struct ob_rig *rig, const struct ob_explore_options *options,
                                       struct ob_exploration *out, struct ob_error *err);
void ob_exploration_clear(struct ob_exploration *exploration);

#endif
