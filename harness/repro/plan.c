#include "repro/plan.h"

#include "base/alloc.h"
#include "explore/follower.h"

#include <stdlib.h>
#include <string.h>

size_t ob_plan_fault(const struct ob_choice_point *point, const struct ob_schedule *schedule)
{
    for (size_t i = 0; i < schedule->fault_count; i++) {
        const struct ob_fault *fault = &schedule->faults[i];
        if (fault->point == point->point && fault->client == point->client &&
            fault->part == point->part && fault->nth == point->nth)
            return fault->way < point->option_count ? fault->way : 0;
    }
    return 0;
}

/* --- plans */

static void restart_plan(void *self)
{
    struct ob_plan *plan = self;
    memset(plan->made, 0, plan->schedule->step_count * sizeof *plan->made);
    plan->next_wake = 0;
}

static size_t planned_wake(struct ob_plan *plan, const struct ob_choice_point *point)
{
    const struct ob_schedule *schedule = plan->schedule;
    size_t option = OB_CANNOT_FOLLOW;
    if (plan->next_wake < schedule->wake_count)
        option = ob_follow_client(point, schedule->wakes[plan->next_wake++]);
    return option == OB_CANNOT_FOLLOW ? 0 : option;
}

static size_t planned_step(struct ob_plan *plan, const struct ob_choice_point *point)
{
    for (size_t i = 0; i < plan->schedule->step_count; i++) {
        size_t option =
            plan->made[i] ? OB_CANNOT_FOLLOW : ob_follow_client(point, plan->schedule->clients[i]);
        if (option == OB_CANNOT_FOLLOW)
            continue;
        plan->made[i] = true;
        return option;
    }
    size_t option = ob_follow_client(point, point->previous);
    return option == OB_CANNOT_FOLLOW ? 0 : option;
}

static size_t choose_planned(void *self, const struct ob_choice_point *point)
{
    struct ob_plan *plan = self;
    switch (point->kind) {
    case OB_CHOICE_PROGRAM:
        return plan->schedule->program;
    case OB_CHOICE_FAULT:
        return ob_plan_fault(point, plan->schedule);
    case OB_CHOICE_WAKE:
        return planned_wake(plan, point);
    case OB_CHOICE_STEP:
    default:
        return planned_step(plan, point);
    }
}

void ob_plan_init(struct ob_plan *plan, const struct ob_schedule *schedule)
{
    *plan = (struct ob_plan){.schedule = schedule};
    plan->made = ob_alloc(schedule->step_count * sizeof *plan->made);
}

void ob_plan_clear(struct ob_plan *plan)
{
    free(plan->made);
    *plan = (struct ob_plan){0};
}

struct ob_chooser ob_plan_chooser(struct ob_plan *plan)
{
    return (struct ob_chooser){.self = plan, .restart = restart_plan, .choose = choose_planned};
}

/* --- turns */

static void restart_turns(void *self)
{
    (void)self;
}

static size_t choose_turn(void *self, const struct ob_choice_point *point)
{
    const struct ob_turns *turns = self;
    if (point->kind == OB_CHOICE_PROGRAM)
        return turns->program;
    if (point->kind != OB_CHOICE_STEP)
        return 0;
    for (size_t i = 0; i < turns->count; i++) {
        size_t option = ob_follow_client(point, turns->order[i]);
        if (option != OB_CANNOT_FOLLOW)
            return option;
    }
    return 0;
}

struct ob_chooser ob_turns_chooser(struct ob_turns *turns)
{
    return (struct ob_chooser){.self = turns, .restart = restart_turns, .choose = choose_turn};
}
