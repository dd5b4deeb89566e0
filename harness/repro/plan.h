/*
 * plan.h - choosers for runs that are only meant: a schedule that is followed as far as it can be,
 * and clients one after the other.
 */
#ifndef OB_REPRO_PLAN_H
#define OB_REPRO_PLAN_H

#include "engine/choice.h"

/* FAULT: the way in which the schedule, one of a trace, has it at that place in what the client
 * does; 0 where it has none. */
size_t ob_plan_fault(const struct ob_choice_point *point, const struct ob_schedule *schedule);

/* Each step is the first of the plan's whose client can move, and each of the plan's is made once.
 * When none of them can be made the client that moved last goes on, else the first that can.
 * The plan's faults strike where they did in what their clients do. */
struct ob_plan {
    const struct ob_schedule *schedule; /* borrowed */
    bool *made;                         /* of each of its steps; owned */
    size_t next_wake;
};

void ob_plan_init(struct ob_plan *plan, const struct ob_schedule *schedule);
void ob_plan_clear(struct ob_plan *plan);
struct ob_chooser ob_plan_chooser(struct ob_plan *plan);

/* The first of this order who can move does, and no fault happens. */
struct ob_turns {
    size_t program;
    const size_t *order; /* borrowed */
    size_t count;
};

struct ob_chooser ob_turns_chooser(struct ob_turns *turns);

#endif
