/*
 * tally.h - how many different digests were seen, in bounded memory.
 *
 * Exact up to OB_TALLY_MAX different ones; past that the count stays and is a lower bound.  Those
 * seen once tell how much was not seen at all (Good, Biometrika 1953): the next one is new with a
 * probability of about their share in all that were added.
 */
#ifndef OB_EXPLORE_TALLY_H
#define OB_EXPLORE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_TALLY_MAX ((size_t)1 << 19)

struct ob_tally {
    uint64_t *slots; /* open addressing, 0: empty; owned */
    bool *again;     /* of each slot: it was seen more than once; owned */
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    size_t once; /* of them, those that were seen once only */
    bool full;   /* more was seen than could be counted */
};

void ob_tally_clear(struct ob_tally *tally);

/* True when the digest is new. */
bool ob_tally_add(struct ob_tally *tally, uint64_t digest);

/* Those that were seen once, or more often, in no order; the caller's to free. */
uint64_t *ob_tally_list(const struct ob_tally *tally, bool again, size_t *count);

#endif
