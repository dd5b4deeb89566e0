/* random.c - every choice by lot.  Where threads race for real, only faults are left to choose. */
#include "explore/strategy_int.h"

#include "explore/lot.h"

struct random {
    struct ob_search search;
    struct ob_lot lot;
};

static void restart(void *state)
{
    struct random *random = state;
    ob_lot_begin(&random->lot, random->search.seed, random->search.run);
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct random *random = state;
    if (point->kind == OB_CHOICE_FAULT)
        return ob_lot_fault(&random->lot, point);
    return point->option_count == 1 ? 0 : ob_rng_below(&random->lot.rng, point->option_count);
}

const struct ob_search_type ob_search_random = {
    .size = sizeof(struct random), .restart = restart, .choose = choose};
