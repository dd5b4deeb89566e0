#include "explore/shard.h"

#include "base/digest.h"

#define SUBTREES 8 /* for each shard, about: they are of different sizes */

bool ob_shard_owns(const struct ob_shard *shard, uint64_t number)
{
    return shard->count <= 1 || number % shard->count == shard->index;
}

void ob_prefix_init(struct ob_prefix *prefix, const struct ob_shard *shard)
{
    *prefix = (struct ob_prefix){.shard = *shard};
    if (shard->count <= 1)
        return;
    while ((uint64_t)1 << prefix->depth < (uint64_t)SUBTREES * shard->count)
        prefix->depth++;
    ob_prefix_restart(prefix);
}

void ob_prefix_restart(struct ob_prefix *prefix)
{
    prefix->made = 0;
    prefix->whole = false;
    prefix->hash = OB_HASH_START;
}

void ob_prefix_reach(struct ob_prefix *prefix, const struct ob_choice_point *point)
{
    if (point->kind == OB_CHOICE_STEP && prefix->made >= prefix->depth)
        prefix->whole = true;
}

void ob_prefix_add(struct ob_prefix *prefix, const struct ob_choice_point *point, size_t option)
{
    if (prefix->whole || point->option_count < 2)
        return;
    prefix->made++;
    prefix->hash = ob_hash_u64(prefix->hash, option);
}

bool ob_prefix_is_foreign(const struct ob_prefix *prefix)
{
    return !ob_shard_owns(&prefix->shard, ob_hash_end(prefix->hash));
}
