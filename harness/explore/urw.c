/*
 * urw.c - uniform random walk: a client goes next with a probability in proportion to the steps
 * that it still has.
 *
 * Where no step blocks and each client always makes the same number of steps, each interleaving is
 * as probable as any other: (remaining steps of the client) / (of all) is just the share of the
 * interleavings that begin with it.  How many steps a client has is what it made at the most in
 * runs so far (census.h); the first run knows nothing, and takes each client to have as many.
 *
 * Faults: see lot.h.
 */
#include "explore/strategy_int.h"

#include "explore/census.h"
#include "explore/lot.h"

struct urw {
    struct ob_search search;
    struct ob_lots lots;
    struct ob_census census;
};

static bool next(void *state)
{
    struct urw *urw = state;
    ob_census_next(&urw->census, urw->search.run);
    return true;
}

static uint64_t learns_from(const void *state)
{
    (void)state;
    return OB_CENSUS_RUNS;
}

static void restart(void *state)
{
    struct urw *urw = state;
    ob_lots_begin(&urw->lots, urw->search.seed, urw->search.run);
    ob_census_restart(&urw->census);
}

/* One that goes on past what was seen has a step left at least. */
static uint64_t steps_left(const struct ob_census *census, size_t client)
{
    uint64_t known = census->known.steps[client], done = census->now.steps[client];
    return known > done ? known - done : 1;
}

static size_t choose_step(struct urw *urw, const struct ob_choice_point *point)
{
    uint64_t total = 0;
    for (size_t i = 0; i < point->option_count; i++)
        total += steps_left(&urw->census, point->clients[i]);
    uint64_t drawn = ob_rng_below(&urw->lots.steps, total);
    size_t option = 0;
    for (uint64_t left; drawn >= (left = steps_left(&urw->census, point->clients[option]));
         option++)
        drawn -= left;
    return option;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct urw *urw = state;
    if (point->kind == OB_CHOICE_FAULT)
        return ob_lot_fault(&urw->lots.faults, point);
    if (point->kind == OB_CHOICE_WAKE)
        return ob_rng_below(&urw->lots.steps, point->option_count);
    size_t option = choose_step(urw, point);
    ob_census_step(&urw->census, point, option);
    return option;
}

const struct ob_search_type ob_search_urw = {.size = sizeof(struct urw),
                                             .learns_from = learns_from,
                                             .next = next,
                                             .restart = restart,
                                             .choose = choose};
