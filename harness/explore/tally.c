#include "explore/tally.h"

#include "base/alloc.h"

#include <stdlib.h>

void ob_tally_clear(struct ob_tally *tally)
{
    free(tally->slots);
    *tally = (struct ob_tally){0};
}

static bool insert(uint64_t *slots, size_t capacity, uint64_t digest)
{
    size_t at = digest & (capacity - 1);
    while (slots[at] != 0 && slots[at] != digest)
        at = (at + 1) & (capacity - 1);
    bool is_new = slots[at] == 0;
    slots[at] = digest;
    return is_new;
}

static void grow(struct ob_tally *tally)
{
    size_t capacity = tally->capacity == 0 ? 64 : tally->capacity * 2;
    uint64_t *slots = ob_alloc(capacity * sizeof *slots);
    for (size_t i = 0; i < tally->capacity; i++)
        if (tally->slots[i] != 0)
            insert(slots, capacity, tally->slots[i]);
    free(tally->slots);
    tally->slots = slots;
    tally->capacity = capacity;
}

bool ob_tally_add(struct ob_tally *tally, uint64_t digest)
{
    digest += digest == 0; /* 0 marks an empty slot */
    if (tally->count >= OB_TALLY_MAX) {
        tally->full = true;
        return false;
    }
    if (tally->count * 2 >= tally->capacity)
        grow(tally);
    bool is_new = insert(tally->slots, tally->capacity, digest);
    tally->count += is_new;
    return is_new;
}
