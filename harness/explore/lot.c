#include "explore/lot.h"

#define STREAM_STEPS 1
#define STREAM_FAULTS 2

void ob_lot_begin(struct ob_lot *lot, uint64_t seed, uint64_t run)
{
    ob_rng_seed(&lot->rng, ob_rng_derive(seed, run));
    lot->fault_odds = (uint64_t)2 << ob_rng_below(&lot->rng, 6);
}

size_t ob_lot_fault(struct ob_lot *lot, const struct ob_choice_point *point)
{
    if (lot->fault_odds == 0 || ob_rng_below(&lot->rng, lot->fault_odds) != 0)
        return 0;
    return 1 + ob_rng_below(&lot->rng, point->option_count - 1);
}

void ob_lots_begin(struct ob_lots *lots, uint64_t seed, uint64_t run)
{
    uint64_t own = ob_rng_derive(seed, run);
    ob_rng_seed(&lots->steps, ob_rng_derive(own, STREAM_STEPS));
    ob_lot_begin(&lots->faults, own, STREAM_FAULTS);
    if (run % 2 == 0)
        lots->faults.fault_odds = 0;
}

uint64_t ob_lots_faultless(uint64_t runs)
{
    return runs - runs / 2;
}
