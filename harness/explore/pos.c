/*
 * pos.c - partial order sampling (Yuan, Yang and Gu, CAV 2018).
 *
 * Each step gets a priority by lot when its client is about to make it, and the best one goes next.
 * After it all those are drawn again that conflict with it: so the order of two steps that matter
 * to each other is drawn afresh, and steps that do not matter to it are not in the way.  The less
 * is known of what steps touch (conflict.h), the nearer this comes to a choice by lot of each step.
 *
 * A step that cannot be made yet is drawn for when it first can: the same, since nobody has seen
 * its priority before.
 *
 * Faults: see lot.h.
 */
#include "explore/strategy_int.h"

#include "explore/conflict.h"
#include "explore/lot.h"

#include <string.h>

struct pos {
    struct ob_search search;
    struct ob_lots lots;
    bool drawn[OB_CLIENTS_MAX]; /* the step that the client is about to make has a priority */
    uint64_t priorities[OB_CLIENTS_MAX];
};

static void restart(void *state)
{
    struct pos *pos = state;
    ob_lots_begin(&pos->lots, pos->search.seed, pos->search.run);
    memset(pos->drawn, 0, sizeof pos->drawn);
}

static size_t best_of(struct pos *pos, const struct ob_choice_point *point)
{
    size_t best = 0;
    for (size_t i = 0; i < point->option_count; i++) {
        size_t client = point->clients[i];
        if (!pos->drawn[client])
            pos->priorities[client] = ob_rng_next(&pos->lots.steps);
        pos->drawn[client] = true;
        if (pos->priorities[client] > pos->priorities[point->clients[best]])
            best = i;
    }
    return best;
}

/* Forgets the priorities of the step that is made and of those that it conflicts with. */
static void forget(struct pos *pos, const struct ob_choice_point *point, size_t option)
{
    struct ob_step_kind made = ob_step_kind_of(point, option);
    for (size_t i = 0; i < point->option_count; i++)
        if (i == option || ob_steps_conflict(made, ob_step_kind_of(point, i)))
            pos->drawn[point->clients[i]] = false;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct pos *pos = state;
    if (point->kind == OB_CHOICE_FAULT)
        return ob_lot_fault(&pos->lots.faults, point);
    if (point->kind == OB_CHOICE_WAKE)
        return ob_rng_below(&pos->lots.steps, point->option_count);
    size_t option = best_of(pos, point);
    forget(pos, point, option);
    return option;
}

const struct ob_search_type ob_search_pos = {
    .size = sizeof(struct pos), .restart = restart, .choose = choose};
