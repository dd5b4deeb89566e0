#include "repro/plan.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static size_t option_of(const struct ob_choice_point *point, size_t client)
{
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] == client)
            return i;
    return SIZE_MAX;
}

/* --- plans */

static void restart_plan(void *self)
{
    struct ob_plan *plan = self;
    memset(plan->made, 0, plan->schedule->step_count * sizeof *plan->made);
    plan->next_wake = 0;
}

static size_t planned_fault(const struct ob_schedule *schedule, const struct ob_choice_point *point)
{
    for (size_t i = 0; i < schedule->fault_count; i++) {
        const struct ob_fault *fault = &schedule->faults[i];
        if (fault->point == point->point && fault->client == point->client &&
            fault->hit == point->hit && fault->way < point->option_count)
            return fault->way;
    }
    return 0;
}

static size_t planned_wake(struct ob_plan *plan, const struct ob_choice_point *point)
{
    const struct ob_schedule *schedule = plan->schedule;
    size_t option = SIZE_MAX;
    if (plan->next_wake < schedule->wake_count)
        option = option_of(point, schedule->wakes[plan->next_wake++]);
    return option == SIZE_MAX ? 0 : option;
}

static size_t planned_step(struct ob_plan *plan, const struct ob_choice_point *point)
{
    for (size_t i = 0; i < plan->schedule->step_count; i++) {
        size_t option = plan->made[i] ? SIZE_MAX : option_of(point, plan->schedule->clients[i]);
        if (option == SIZE_MAX)
            continue;
        plan->made[i] = true;
        return option;
    }
    size_t option = option_of(point, point->previous);
    return option == SIZE_MAX ? 0 : option;
}

static size_t choose_planned(void *self, const struct ob_choice_point *point)
{
    struct ob_plan *plan = self;
    switch (point->kind) {
    case OB_CHOICE_PROGRAM:
        return plan->schedule->program;
    case OB_CHOICE_FAULT:
        return planned_fault(plan->schedule, point);
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
        size_t option = option_of(point, turns->order[i]);
        if (option != SIZE_MAX)
            return option;
    }
    return 0;
}

struct ob_chooser ob_turns_chooser(struct ob_turns *turns)
{
    return (struct ob_chooser){.self = turns, .restart = restart_turns, .choose = choose_turn};
}
