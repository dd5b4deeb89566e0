/*
 * conflict.h - whether the order of two steps of different clients may matter.
 *
 * Only what is known for certain makes them independent.  What a statement touches is not known
 * before it is made, so it may conflict with any other; afterwards event.h tells.
 */
#ifndef OB_EXPLORE_CONFLICT_H
#define OB_EXPLORE_CONFLICT_H

#include "engine/choice.h"

#include <stdbool.h>

/* What can be known of a step before it is made. */
struct ob_step_kind {
    bool known; /* else nothing is */
    enum ob_op_kind kind;
};

struct ob_step_kind ob_step_kind_of(const struct ob_choice_point *point, size_t option);

bool ob_steps_conflict(struct ob_step_kind a, struct ob_step_kind b);

#endif
