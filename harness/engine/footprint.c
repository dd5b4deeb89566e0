#include "engine/footprint.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

uint64_t ob_resource(const char *name)
{
    return ob_hash_end(ob_hash_text(OB_HASH_START, name));
}

void ob_footprint_add(struct ob_footprint *footprint, uint64_t resource, unsigned ways)
{
    size_t at = 0;
    while (at < footprint->count && footprint->touches[at].resource < resource)
        at++;
    if (at < footprint->count && footprint->touches[at].resource == resource) {
        footprint->touches[at].ways |= ways;
        return;
    }
    footprint->touches = ob_grow(footprint->touches, &footprint->capacity, footprint->count + 1,
                                 sizeof *footprint->touches);
    memmove(&footprint->touches[at + 1], &footprint->touches[at],
            (footprint->count - at) * sizeof *footprint->touches);
    footprint->touches[at] = (struct ob_touch){resource, ways};
    footprint->count++;
}

void ob_footprint_add_key(struct ob_footprint *footprint, const char *relation, const char *key,
                          unsigned ways)
{
    uint64_t whole = ob_hash_text(OB_HASH_START, relation);
    ob_footprint_add(footprint, ob_hash_end(whole), ways << OB_TOUCH_WITHIN);
    ob_footprint_add(footprint, ob_hash_end(ob_hash_text(ob_hash_text(whole, "/"), key)), ways);
}

void ob_footprint_join(struct ob_footprint *footprint, const struct ob_footprint *other)
{
    footprint->known &= other->known;
    if (other->level > footprint->level)
        footprint->level = other->level;
    for (size_t i = 0; i < other->count; i++)
        ob_footprint_add(footprint, other->touches[i].resource, other->touches[i].ways);
}

void ob_footprint_reset(struct ob_footprint *footprint)
{
    footprint->known = true;
    footprint->level = OB_LEVEL_STATEMENT;
    footprint->count = 0;
}

void ob_footprint_clear(struct ob_footprint *footprint)
{
    free(footprint->touches);
    *footprint = (struct ob_footprint){0};
}

struct ob_footprint ob_footprint_copy(struct ob_arena *arena, const struct ob_footprint *from)
{
    struct ob_footprint copy = *from;
    size_t size = from->count * sizeof *from->touches;
    copy.capacity = 0;
    copy.touches = size > 0 ? ob_arena_alloc(arena, size) : NULL;
    if (size > 0)
        memcpy(copy.touches, from->touches, size);
    return copy;
}
