#include "explore/tally.h"

#include "base/alloc.h"

#include <stdlib.h>

void ob_tally_clear(struct ob_tally *tally)
{
    free(tally->slots);
    free(tally->again);
    *tally = (struct ob_tally){0};
}

/* Where the digest is, or belongs. */
static size_t place_of(const struct ob_tally *tally, uint64_t digest)
{
    size_t at = digest & (tally->capacity - 1);
    while (tally->slots[at] != 0 && tally->slots[at] != digest)
        at = (at + 1) & (tally->capacity - 1);
    return at;
}

static void grow(struct ob_tally *tally)
{
    struct ob_tally old = *tally;
    tally->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
    tally->slots = ob_alloc(tally->capacity * sizeof *tally->slots);
    tally->again = ob_alloc(tally->capacity * sizeof *tally->again);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i] == 0)
            continue;
        size_t at = place_of(tally, old.slots[i]);
        tally->slots[at] = old.slots[i];
        tally->again[at] = old.again[i];
    }
    free(old.slots);
    free(old.again);
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
    size_t at = place_of(tally, digest);
    bool is_new = tally->slots[at] == 0;
    tally->once += is_new;
    tally->once -= !is_new && !tally->again[at];
    tally->again[at] = !is_new;
    tally->slots[at] = digest;
    tally->count += is_new;
    return is_new;
}

uint64_t *ob_tally_list(const struct ob_tally *tally, bool again, size_t *count)
{
    uint64_t *list = ob_alloc(tally->count * sizeof *list);
    *count = 0;
    for (size_t i = 0; i < tally->capacity; i++)
        if (tally->slots[i] != 0 && tally->again[i] == again)
            list[(*count)++] = tally->slots[i];
    return list;
}
