/*
 * strategy_int.h - what the strategies' own files share.
 *
 *   strategy.c      names, orders that come first, handing over to a search
 *   random.c        random, stress
 *   turns.c         round-robin
 *   exhaustive.c    exhaustive
 *   bounded.c       bounded:N
 *   pct.c           pct:D
 *   pos.c, urw.c    pos, urw
 *   dpor.c          dpor, on event and races
 *   portfolio.c     portfolio, on the others
 *
 * and beside them lot, path, census, conflict and share, which more than one of them needs.
 *
 * A search is a strategy without the orders that may come before it: its runs count from 0, and
 * what the clients do is settled before it is asked.
 */
#ifndef OB_EXPLORE_STRATEGY_INT_H
#define OB_EXPLORE_STRATEGY_INT_H

#include "engine/choice.h"
#include "explore/shard.h"

#include <stdbool.h>

#define OB_PCT_DEPTH_MAX 16

struct ob_strategy_promise;

/* What all searches have; first in the state of each. */
struct ob_search {
    /* Filled by strategy.c. */
    uint64_t seed;
    size_t client_count;
    unsigned argument;
    uint64_t steps_max;   /* no run without faults has more steps than this; 0: not known */
    bool watches_commits; /* something is checked after each */
    uint64_t run;         /* the present one */
    struct ob_shard shard;
    struct ob_prefix prefix; /* a tree's: of the present run */

    /* Filled by the search. */
    bool exhausted;    /* every schedule has been run */
    bool within_bound; /* bounded: every schedule within the bound has been, */
    unsigned bound;    /* of so many preemptions */
    bool reduced;      /* portfolio: of schedules that only differ in what cannot matter, one */
    bool cut;          /* dpor: the present run would only show what others have shown */
    bool changed;      /* a prefix did not lead where it led before: nothing can be claimed */
    bool sample;       /* portfolio: the present run is one */
    struct ob_strategy *present; /* portfolio: who makes it */
};

/* Any function but choose may be NULL. */
struct ob_search_type {
    size_t size;                /* of the state, which begins as zeroes */
    void (*clear)(void *state); /* what the state owns */
    bool shares_out;            /* its members have the shards, and say which runs are theirs */
    bool remembers; /* what it was asked in a run matters afterwards, as in all of a tree */
    bool is_tree;   /* each run goes on from the ones before it; else by its number alone, */
    /* but for the first so many, from which it learns: NULL: none. */
    uint64_t (*learns_from)(const void *state);
    /* Prepares run number search->run, asked for in order; false when there is none left. */
    bool (*next)(void *state);
    void (*restart)(void *state); /* as the chooser's */
    size_t (*choose)(void *state, const struct ob_choice_point *point);
    bool learns_steps; /* learn looks at what the steps touched */
    /* What came of the run; digest: of its trace. */
    void (*learn)(void *state, const struct ob_trace *trace, uint64_t digest);
    /* After a run of a search that ends: how much of all that it does has been done, in (0, 1]. */
    double (*share)(const void *state);
    /* After so many runs: as ob_strategy_promise. */
    bool (*promise)(const void *state, uint64_t run_count, struct ob_strategy_promise *out);
};

extern const struct ob_search_type ob_search_random, ob_search_turns, ob_search_exhaustive,
    ob_search_bounded, ob_search_pct, ob_search_pos, ob_search_urw, ob_search_dpor,
    ob_search_portfolio;

#endif
