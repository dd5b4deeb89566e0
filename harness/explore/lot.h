/*
 * lot.h - the random numbers of one run, and faults drawn from them.
 *
 * Rare faults reach late points, frequent ones early points: so each run has odds of its own, from
 * one in 2 to one in 64.
 */
#ifndef OB_EXPLORE_LOT_H
#define OB_EXPLORE_LOT_H

#include "base/rng.h"
#include "engine/choice.h"

struct ob_lot {
    struct ob_rng rng;
    uint64_t fault_odds; /* a fault happens once in so many times that it could; 0: never */
};

void ob_lot_begin(struct ob_lot *lot, uint64_t seed, uint64_t run);

/* Whether the fault of this point happens, and in which way. */
size_t ob_lot_fault(struct ob_lot *lot, const struct ob_choice_point *point);

/* For what decides on steps by more than chance: the numbers of steps do not depend on how many
 * faults could happen, and every second run, from the first on, has none, so that what is promised
 * of schedules without faults is kept by them. */
struct ob_lots {
    struct ob_rng steps;
    struct ob_lot faults;
};

void ob_lots_begin(struct ob_lots *lots, uint64_t seed, uint64_t run);

/* How many of the first runs runs were without faults by themselves. */
uint64_t ob_lots_faultless(uint64_t runs);

#endif
