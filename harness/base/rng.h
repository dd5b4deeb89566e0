/*
 * rng.h - seeded random numbers: xoshiro256** (Blackman and Vigna, 2018), seeded through
 * splitmix64.  The only source of randomness in overbook; the same seed gives the same numbers on
 * every machine.
 */
#ifndef OB_BASE_RNG_H
#define OB_BASE_RNG_H

#include <stdint.h>

struct ob_rng {
    uint64_t state[4];
};

void ob_rng_seed(struct ob_rng *rng, uint64_t seed);
uint64_t ob_rng_next(struct ob_rng *rng);

/* Uniform in [0, bound), without modulo bias; bound > 0. */
uint64_t ob_rng_below(struct ob_rng *rng, uint64_t bound);

/* An independent seed for the index-th run of an exploration. */
uint64_t ob_rng_derive(uint64_t seed, uint64_t index);

#endif
