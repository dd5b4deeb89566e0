/*
 * plan.c - the schedule of the original, for clients that a cure has changed.
 *
 * What a cure adds goes with a step of the original: it is made in the same turn.  So is what the
 * run left out of a client that was changed: a run that was made small may lack the very statement,
 * or the BEGIN, that the cure is about.  Who does nothing in the run does nothing here.
 */
#include "cure/cure_int.h"

#include <string.h>

/* The scenario's client that is the n-th of the variant; SIZE_MAX: one of the target's own. */
static size_t client_of(const struct ob_cure_case *of, size_t n)
{
    for (size_t i = 0; i < of->scenario->client_count; i++)
        if ((of->scenario->clients[i].variants >> of->variant & 1) && n-- == 0)
            return i;
    return SIZE_MAX;
}

static bool is_changed(const struct ob_cure *cure, size_t client)
{
    return client != SIZE_MAX && cure->clients[client].steps;
}

static bool moves(const struct ob_trace *trace, size_t client)
{
    for (size_t i = 0; i < trace->step_count; i++)
        if (trace->steps[i].client == client)
            return true;
    return false;
}

/* Another flow of the reference does other things, so where it stopped early says nothing either.
 */
static bool acts_otherwise(const struct ob_cure_case *of, const struct ob_cure *cure, size_t n)
{
    return of->scenario->target == OB_TARGET_REFERENCE || is_changed(cure, client_of(of, n));
}

static void plan_omissions(const struct ob_cure_case *of, const struct ob_cure *cure,
                           struct ob_schedule *out)
{
    const struct ob_schedule *schedule = &of->trace->schedule;
    for (size_t i = 0; i < schedule->omission_count; i++) {
        const struct ob_omission *omission = &schedule->omissions[i];
        if (!acts_otherwise(of, cure, omission->client))
            ob_schedule_add_omission(out, *omission);
    }
    for (size_t i = 0; i < OB_CLIENTS_MAX && client_of(of, i) != SIZE_MAX; i++)
        if (acts_otherwise(of, cure, i) && !moves(of->trace, i))
            ob_schedule_add_omission(out, (struct ob_omission){.client = i, .rest = true});
}

static bool is_left_out(const struct ob_schedule *schedule, size_t client, uint32_t number)
{
    for (size_t i = 0; i < schedule->omission_count; i++) {
        const struct ob_omission *omission = &schedule->omissions[i];
        if (omission->client == client && !omission->rest && omission->at == number)
            return true;
    }
    return false;
}

/* Whether the client's step of that number had no turn: left out, or of another variant. */
static bool has_no_turn(const struct ob_cure_case *of, size_t n, size_t number)
{
    const struct ob_sql_step *step = &of->scenario->clients[client_of(of, n)].steps[number];
    return !(step->variants >> of->variant & 1) ||
           is_left_out(&of->trace->schedule, n, (uint32_t)number);
}

/* The step of the original in whose turn the client's step of that place is made; SIZE_MAX: in
 * none. What goes with a step that was left out goes with the next one, an end with the one before.
 */
static size_t turn_of(const struct ob_cure_case *of, const struct ob_cure *cure, size_t n,
                      size_t place)
{
    size_t client = client_of(of, n);
    const struct ob_sql_step *step = &cure->scenario->clients[client].steps[place];
    const struct ob_cure_step *origin = &cure->clients[client].steps[place];
    size_t number = origin->anchor, end = of->scenario->clients[client].step_count;
    bool ends = step->kind == OB_SQL_COMMIT || step->kind == OB_SQL_ROLLBACK;
    if (step->kind == OB_SQL_EVENT || !(step->variants >> of->variant & 1))
        return SIZE_MAX;
    while (number < end && has_no_turn(of, n, number))
        number = ends ? number - 1 : number + 1; /* before the first one: SIZE_MAX */
    return number < end ? number : SIZE_MAX;
}

/* How many steps are made in the turn of one. */
static size_t turns_of(const struct ob_cure_case *of, const struct ob_cure *cure,
                       const struct ob_step *step)
{
    static const enum ob_op_kind kinds[] = {
        [OB_SQL_BEGIN] = OB_OP_BEGIN,   [OB_SQL_STATEMENT] = OB_OP_STATEMENT,
        [OB_SQL_COMMIT] = OB_OP_COMMIT, [OB_SQL_ROLLBACK] = OB_OP_ROLLBACK,
        [OB_SQL_CLOCK] = OB_OP_CLOCK,   [OB_SQL_EVENT] = OB_OP_WAIT /* no step at all */,
    };
    size_t client = client_of(of, step->client), turns = 0;
    if (!is_changed(cure, client))
        return 1;
    const struct ob_scenario_client *original = &of->scenario->clients[client];
    if (step->part >= original->step_count || kinds[original->steps[step->part].kind] != step->kind)
        return 1; /* a rollback after an error, a gate */
    for (size_t i = 0; i < cure->scenario->clients[client].step_count; i++)
        turns += turn_of(of, cure, step->client, i) == step->part;
    return turns;
}

void ob_cure_plan(const struct ob_cure_case *of, const struct ob_cure *cure,
                  struct ob_schedule *out)
{
    const struct ob_schedule *schedule = &of->trace->schedule;
    ob_schedule_reset(out);
    out->program = schedule->program;
    for (size_t i = 0; i < of->trace->step_count; i++)
        for (size_t turns = turns_of(of, cure, &of->trace->steps[i]); turns > 0; turns--)
            ob_schedule_add_step(out, of->trace->steps[i].client);
    for (size_t i = 0; i < schedule->wake_count; i++)
        ob_schedule_add_wake(out, schedule->wakes[i]);
    for (size_t i = 0; i < schedule->fault_count; i++)
        ob_schedule_add_fault(out, schedule->faults[i]);
    plan_omissions(of, cure, out);
}
