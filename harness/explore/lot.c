#include "explore/lot.h"

void ob_lot_begin(struct ob_lot *lot, uint64_t seed, uint64_t run)
{
    ob_rng_seed(&lot->rng, ob_rng_derive(seed, run));
    lot->fault_odds = (uint64_t)2 << ob_rng_below(&lot->rng, 6);
}

size_t ob_lot_fault(struct ob_lot *lot, const struct ob_choice_point *point)
{
    if (ob_rng_below(&lot->rng, lot->fault_odds) != 0)
        return 0;
    return 1 + ob_rng_below(&lot->rng, point->option_count - 1);
}
