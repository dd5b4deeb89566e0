#include "explore/path.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>

void ob_path_clear(struct ob_path *path)
{
    free(path->nodes);
    *path = (struct ob_path){0};
}

uint64_t ob_path_digest(const struct ob_choice_point *point)
{
    uint64_t hash = ob_hash_u64(OB_HASH_START, point->seen);
    hash = ob_hash_u64(hash, point->kind);
    hash = ob_hash_u64(hash, point->option_count);
    for (size_t i = 0; point->clients && i < point->option_count; i++)
        hash = ob_hash_u64(hash, point->clients[i]);
    if (point->kind == OB_CHOICE_FAULT) {
        hash = ob_hash_u64(hash, point->client);
        hash = ob_hash_u64(hash, point->point);
        hash = ob_hash_u64(hash, point->hit);
    }
    return ob_hash_end(hash);
}

static uint32_t stay_of(const struct ob_choice_point *point)
{
    if (point->kind != OB_CHOICE_STEP)
        return OB_PATH_NO_STAY;
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] == point->previous &&
            !(point->flying & ((ob_client_set)1 << point->previous)))
            return (uint32_t)i;
    return OB_PATH_NO_STAY;
}

bool ob_path_choose(struct ob_path *path, const struct ob_choice_point *point, size_t *option)
{
    assert(point->option_count < OB_PATH_NO_STAY);
    uint64_t seen = ob_path_digest(point);
    if (path->depth == path->count) {
        uint32_t stay = stay_of(point);
        path->nodes = ob_grow(path->nodes, &path->capacity, path->count + 1, sizeof *path->nodes);
        path->nodes[path->count++] =
            (struct ob_path_node){.option = path->stays && stay != OB_PATH_NO_STAY ? stay : 0,
                                  .option_count = (uint32_t)point->option_count,
                                  .stay = stay,
                                  .seen = seen};
    }
    const struct ob_path_node *node = &path->nodes[path->depth++];
    *option = node->option < point->option_count ? node->option : 0;
    return node->option_count == point->option_count && node->seen == seen;
}

bool ob_path_settle(struct ob_path *path)
{
    bool whole = path->depth == path->count;
    path->count = path->depth;
    return whole;
}
