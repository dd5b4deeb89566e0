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
 *   lot.c           faults by lot, for all that sample
 *   path.c          the path of a depth-first search
 *   census.c        how many steps there are, as far as was seen
 *
 * A search is a strategy without the orders that may come before it: its runs count from 0, and
 * what the clients do is settled before it is asked.
 */
#ifndef OB_EXPLORE_STRATEGY_INT_H
#define OB_EXPLORE_STRATEGY_INT_H

#include "engine/choice.h"

#include <stdbool.h>

/* What all searches have; first in the state of each. */
struct ob_search {
    /* Filled by strategy.c. */
    uint64_t seed;
    size_t client_count;
    unsigned argument;
    uint64_t steps_max; /* no run has more steps than this; 0: not known */
    uint64_t run;       /* the present one */

    /* Filled by the search. */
    bool exhausted;        /* every schedule has been run */
    bool within_bound;     /* every schedule within the search's bound has been */
    bool changed;          /* a prefix did not lead where it led before: nothing can be claimed */
    uint64_t decisions;    /* pct: the guarantee holds for runs that have so many at the most */
    uint64_t counted_runs; /* pct: runs that it holds for */
};

/* Any function but choose may be NULL. */
struct ob_search_type {
    size_t size;                /* of the state, which begins as zeroes */
    void (*clear)(void *state); /* what the state owns */
    /* Prepares run number search->run, asked for in order; false when there is none left. */
    bool (*next)(void *state);
    void (*restart)(void *state); /* as the chooser's */
    size_t (*choose)(void *state, const struct ob_choice_point *point);
};

extern const struct ob_search_type ob_search_random, ob_search_turns, ob_search_exhaustive;

#endif
