/*
 * shard.h - the part of an exploration that is this call's, of so many that share it.
 *
 * Together the shards make the runs that one call would make, and none makes another's.  Runs that
 * are drawn by lot, or follow given orders, are dealt out by their numbers.  A tree of choices is
 * cut near its root: each shard walks what is above the cut, and a subtree is that shard's to which
 * the choices that lead there belong by their digest.  So nobody needs to know what others did.
 */
#ifndef OB_EXPLORE_SHARD_H
#define OB_EXPLORE_SHARD_H

#include "engine/choice.h"

#include <stdbool.h>
#include <stdint.h>

#define OB_SHARDS_MAX 1000

struct ob_shard {
    unsigned index; /* from 0 */
    unsigned count; /* 0 or 1: there are no others */
};

/* Whether the run of that number, from 0, is the shard's. */
bool ob_shard_owns(const struct ob_shard *shard, uint64_t number);

/* The choices with which a run began, down to the cut: before the first step after so many choices
 * among several options.  So all that belongs to a step is on its side of the cut. */
struct ob_prefix {
    struct ob_shard shard;
    unsigned depth; /* so many; 0: all is the shard's */
    unsigned made;
    bool whole; /* the run is below the cut */
    uint64_t hash;
};

/* With some eight subtrees for each shard where there are two options at a time. */
void ob_prefix_init(struct ob_prefix *prefix, const struct ob_shard *shard);
void ob_prefix_restart(struct ob_prefix *prefix);
void ob_prefix_reach(struct ob_prefix *prefix, const struct ob_choice_point *point);
void ob_prefix_add(struct ob_prefix *prefix, const struct ob_choice_point *point, size_t option);
bool ob_prefix_is_foreign(const struct ob_prefix *prefix); /* if it ended here */

#endif
