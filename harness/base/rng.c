/* rng.c - see rng.h. */
#include "base/rng.h"

#include <assert.h>

#define OB_SPLITMIX_STEP UINT64_C(0x9e3779b97f4a7c15)

/* The output function of splitmix64 (Steele, Lea and Flood, 2014): a bijection. */
static uint64_t splitmix(uint64_t state)
{
    state = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ (state >> 27)) * UINT64_C(0x94d049bb133111eb);
    return state ^ (state >> 31);
}

static uint64_t rotate_left(uint64_t value, unsigned count)
{
    return (value << count) | (value >> (64 - count));
}

void ob_rng_seed(struct ob_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += OB_SPLITMIX_STEP;
        rng->state[i] = splitmix(seed);
    }
}

uint64_t ob_rng_next(struct ob_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t ob_rng_below(struct ob_rng *rng, uint64_t bound)
{
    assert(bound > 0);
    /* Without the first 2^64 mod bound numbers, the rest is a whole number of bounds. */
    uint64_t first = -bound % bound;
    uint64_t number;
    do
        number = ob_rng_next(rng);
    while (number < first);
    return number % bound;
}

uint64_t ob_rng_derive(uint64_t seed, uint64_t index)
{
    /* Bijective in index, so no two runs of an exploration share a seed. */
    return splitmix(splitmix(seed + OB_SPLITMIX_STEP) + (index + 1) * OB_SPLITMIX_STEP);
}
