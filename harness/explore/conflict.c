#include "explore/conflict.h"

struct ob_step_kind ob_step_kind_of(const struct ob_choice_point *point, size_t option)
{
    if (!point->kinds)
        return (struct ob_step_kind){0};
    return (struct ob_step_kind){.known = true, .kind = point->kinds[option]};
}

/* BEGIN reads nothing, locks nothing and takes no snapshot: the first statement does (PostgreSQL's
 * manual, SET TRANSACTION). */
static bool touches_nothing(struct ob_step_kind step)
{
    return step.known && step.kind == OB_OP_BEGIN;
}

bool ob_steps_conflict(struct ob_step_kind a, struct ob_step_kind b)
{
    return !touches_nothing(a) && !touches_nothing(b);
}
