/*
 * pct.c - probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010).
 *
 * Clients have priorities by lot, and the best one that can goes next.  At d - 1 moments, drawn
 * from the k at which there is a choice, the client that is about to go falls below all others. A
 * bug that needs d orders of steps shows in each run with a probability of at least
 * 1 / (n k^(d-1)) for n clients.
 *
 * What makes that true here:
 * - A moment counts only where two clients or more can move, and the one about to go falls before
 *   its step and not after it: elsewhere a fall would change nothing.
 * - Who goes on of those who waited is chosen like a step, and counts as one.
 * - The bug needs no fault, and the run has none (lot.h).
 * - k is an upper bound.  Where the target knows none, k is the most that was seen (census.h), and
 *   nothing is promised.
 */
#include "explore/strategy_int.h"

#include "explore/census.h"
#include "explore/lot.h"
#include "explore/strategy.h"

struct pct {
    struct ob_search search;
    struct ob_lots lots;
    struct ob_census census;
    bool faults_offered; /* a fault could have happened */
    bool exceeded;       /* a run without faults had more choices than steps_max */

    /* Of the present run. */
    uint64_t priorities[OB_CLIENTS_MAX]; /* the highest goes first */
    uint64_t falls[OB_PCT_DEPTH_MAX];    /* the moments, from 1; at the i-th one falls to i + 1 */
    size_t fall_count;
};

static bool next(void *state)
{
    struct pct *pct = state;
    ob_census_next(&pct->census, pct->search.run);
    return true;
}

/* A permutation of depth … depth + n - 1. */
static void draw_priorities(struct pct *pct)
{
    for (size_t i = 0; i < pct->search.client_count; i++) {
        size_t other = ob_rng_below(&pct->lots.steps, i + 1);
        pct->priorities[i] = pct->priorities[other];
        pct->priorities[other] = pct->search.argument + i;
    }
}

static bool is_drawn(const struct pct *pct, uint64_t moment)
{
    for (size_t i = 0; i < pct->fall_count; i++)
        if (pct->falls[i] == moment)
            return true;
    return false;
}

/* Different ones, in no order. */
static void draw_falls(struct pct *pct)
{
    uint64_t most = pct->search.steps_max > 0 ? pct->search.steps_max : pct->census.known.decisions;
    uint64_t wanted = pct->search.argument - 1;
    pct->fall_count = 0;
    while (pct->fall_count < (wanted < most ? wanted : most)) {
        uint64_t moment = 1 + ob_rng_below(&pct->lots.steps, most);
        if (!is_drawn(pct, moment))
            pct->falls[pct->fall_count++] = moment;
    }
}

static uint64_t learns_from(const void *state)
{
    const struct pct *pct = state;
    return pct->search.steps_max > 0 ? 0 : OB_CENSUS_RUNS;
}

static void restart(void *state)
{
    struct pct *pct = state;
    ob_lots_begin(&pct->lots, pct->search.seed, pct->search.run);
    ob_census_restart(&pct->census);
    draw_priorities(pct);
    draw_falls(pct);
}

static size_t best_of(const struct pct *pct, const struct ob_choice_point *point)
{
    size_t best = 0;
    for (size_t i = 1; i < point->option_count; i++)
        if (pct->priorities[point->clients[i]] > pct->priorities[point->clients[best]])
            best = i;
    return best;
}

static size_t choose_step(struct pct *pct, const struct ob_choice_point *point)
{
    size_t best = best_of(pct, point);
    uint64_t moment = pct->census.now.decisions + 1;
    for (size_t i = 0; i < pct->fall_count && point->option_count > 1; i++) {
        if (pct->falls[i] != moment)
            continue;
        pct->priorities[point->clients[best]] = i + 1;
        best = best_of(pct, point);
    }
    return best;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct pct *pct = state;
    if (point->kind == OB_CHOICE_FAULT) {
        pct->faults_offered = true;
        return ob_lot_fault(&pct->lots.faults, point);
    }
    size_t option = choose_step(pct, point);
    ob_census_step(&pct->census, point, option);
    if (pct->lots.faults.fault_odds == 0 && pct->census.now.decisions > pct->search.steps_max)
        pct->exceeded = true;
    return option;
}

static bool promise(const void *state, uint64_t run_count, struct ob_strategy_promise *out)
{
    const struct pct *pct = state;
    if (pct->search.steps_max == 0 || pct->exceeded)
        return false;
    *out = (struct ob_strategy_promise){
        .depth = pct->search.argument,
        .clients = pct->search.client_count,
        .steps = pct->search.steps_max,
        .runs = pct->faults_offered ? ob_lots_faultless(run_count) : run_count,
    };
    return true;
}

const struct ob_search_type ob_search_pct = {.size = sizeof(struct pct),
                                             .remembers = true,
                                             .learns_from = learns_from,
                                             .next = next,
                                             .restart = restart,
                                             .choose = choose,
                                             .promise = promise};
