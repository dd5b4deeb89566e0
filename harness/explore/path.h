/*
 * path.h - the path of a depth-first search through a tree of choices.
 *
 * The tree is never in memory: a run follows the path and, past its end, makes it longer.  Each
 * choice keeps a digest of the run until then, so that a run which does not come to where the same
 * choices led before is noticed.
 */
#ifndef OB_EXPLORE_PATH_H
#define OB_EXPLORE_PATH_H

#include "engine/choice.h"

#include <stdbool.h>

#define OB_PATH_NO_STAY UINT32_MAX

/* A choice: the option taken, of so many. */
struct ob_path_node {
    uint32_t option, option_count;
    /* The option in which the client that moved last goes on; OB_PATH_NO_STAY where it cannot, so
     * that no other is a preemption, and where the choice is not of a client. */
    uint32_t stay;
    uint64_t seen; /* what the choice was about, and what the run had been until then */
};

struct ob_path {
    struct ob_path_node *nodes; /* owned */
    size_t count, capacity;
    size_t depth; /* choices made in the present run */
    bool stays;   /* past its end no client is preempted; else the first option is taken */
};

/* What a choice is about, and what the run has been until then. */
uint64_t ob_path_digest(const struct ob_choice_point *point);

void ob_path_clear(struct ob_path *path);

/* Makes the next choice of a run.  False when the choice is not the one that it was before; *option
 * is possible all the same. */
bool ob_path_choose(struct ob_path *path, const struct ob_choice_point *point, size_t *option);

/* After a run: cuts off what it did not reach.  False when that was anything. */
bool ob_path_settle(struct ob_path *path);

#endif
