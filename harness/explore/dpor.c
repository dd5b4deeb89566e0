/*
 * dpor.c - every order of steps that can matter to each other: source-DPOR with sleep sets
 * (Abdulla, Aronis, Jonsson and Sagonas, POPL 2014), depth first.
 *
 * After a run its events say which steps raced (event.h, race.h); where the other order has not
 * been tried, the choice before the first of the two gets another option.  Who has been tried at a
 * choice sleeps below the ones tried after it, until a step is made that depends on theirs.  A run
 * in which all who could move are asleep would show nothing new, and is cut short.
 *
 * Faults, and who is woken where several could be, are not steps that somebody else could have made
 * at another time: all their options are tried.  A step in which a fault happened is dependent on
 * all others, since a fault uses up what a run may have of them.
 */
#include "explore/strategy_int.h"

#include "base/alloc.h"
#include "explore/event.h"
#include "explore/path.h"
#include "explore/race.h"
#include "explore/share.h"

#include <assert.h>
#include <stdlib.h>

/* A choice of the path. */
struct node {
    bool is_step;
    uint64_t seen; /* what the choice was about, and what the run had been until then */

    /* A fault or a wake: the option taken, of so many. */
    uint32_t option, option_count;
    bool is_fault;

    /* A step.  Bits: clients. */
    size_t chosen;
    ob_client_set enabled, backtrack, done, sleep;
    size_t step; /* its number in the run */
    bool above;  /* the cut between shards: all that can be chosen is */
    /* Of each client that is done or sleeps, or is chosen: the event that it makes from here. */
    struct ob_event_of_step *events; /* owned; client_count of them */
};

struct dpor {
    struct ob_search search;
    struct node *nodes; /* owned, like all up to capacity */
    size_t count, capacity;
    size_t depth; /* choices made in the present run */
    size_t last;  /* the node of the last step, or SIZE_MAX */
    struct ob_events events;
};

static ob_client_set bit(size_t client)
{
    return (ob_client_set)1 << client;
}

static void clear(void *state)
{
    struct dpor *dpor = state;
    for (size_t i = 0; i < dpor->capacity; i++) {
        for (size_t k = 0; dpor->nodes[i].events && k < dpor->search.client_count; k++)
            ob_footprint_clear(&dpor->nodes[i].events[k].touches);
        free(dpor->nodes[i].events);
    }
    free(dpor->nodes);
    ob_events_clear(&dpor->events);
}

static void find_events(struct dpor *dpor, const struct ob_trace *trace)
{
    ob_events_of(trace, &dpor->events);
    if (dpor->search.watches_commits)
        ob_events_watch_commits(&dpor->events);
}

static struct node *add_node(struct dpor *dpor, const struct ob_choice_point *point)
{
    dpor->nodes = ob_grow(dpor->nodes, &dpor->capacity, dpor->count + 1, sizeof *dpor->nodes);
    struct node *node = &dpor->nodes[dpor->count++];
    *node = (struct node){.is_step = point->kind == OB_CHOICE_STEP,
                          .is_fault = point->kind == OB_CHOICE_FAULT,
                          .seen = ob_path_digest(point),
                          .option_count = (uint32_t)point->option_count,
                          .events = node->events};
    if (node->is_step && !node->events)
        node->events = ob_alloc(dpor->search.client_count * sizeof *node->events);
    return node;
}

/* Who sleeps below the last step: those who slept, or have been tried, where it was chosen, and
 * whose own step from there does not depend on it. */
static void fall_asleep(struct dpor *dpor, struct node *node, const struct ob_trace *trace)
{
    if (dpor->last == SIZE_MAX)
        return;
    const struct node *parent = &dpor->nodes[dpor->last];
    ob_client_set candidates = (parent->sleep | parent->done) & ~bit(parent->chosen);
    if (candidates == 0)
        return;
    find_events(dpor, trace);
    const struct ob_event_of_step *made = &dpor->events.items[trace->step_count - 1];
    for (size_t i = 0; i < dpor->search.client_count; i++) {
        if (!(candidates & bit(i)) || ob_events_dependent(&parent->events[i], made))
            continue;
        node->sleep |= bit(i);
        ob_event_copy(&node->events[i], &parent->events[i]);
    }
}

/* The client that moved last, where it can go on, else the first. */
static size_t first_choice(const struct ob_choice_point *point, ob_client_set awake)
{
    if (point->previous != OB_NO_CLIENT && (awake & bit(point->previous)))
        return point->previous;
    return (size_t)__builtin_ctzll(awake);
}

/* False: all who could move are asleep. */
static bool choose_first(struct dpor *dpor, const struct ob_choice_point *point)
{
    struct node *node = add_node(dpor, point);
    for (size_t i = 0; i < point->option_count; i++)
        node->enabled |= bit(point->clients[i]);
    node->step = point->trace->step_count;
    node->above = !dpor->search.prefix.whole;
    fall_asleep(dpor, node, point->trace);
    ob_client_set awake = node->enabled & ~node->sleep;
    if (awake == 0) {
        dpor->count--;
        return false;
    }
    node->chosen = first_choice(point, awake);
    node->backtrack = node->above ? node->enabled : bit(node->chosen);
    return true;
}

static size_t option_of(const struct ob_choice_point *point, size_t client)
{
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] == client)
            return i;
    return point->option_count;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct dpor *dpor = state;
    if (dpor->depth == dpor->count) {
        if (point->kind != OB_CHOICE_STEP) {
            add_node(dpor, point);
        } else if (!choose_first(dpor, point)) {
            dpor->search.cut = true;
            return OB_CANNOT_FOLLOW;
        }
    }
    struct node *node = &dpor->nodes[dpor->depth];
    size_t option = node->is_step && point->kind == OB_CHOICE_STEP ? option_of(point, node->chosen)
                                                                   : node->option;
    if (node->seen != ob_path_digest(point) || option >= point->option_count) {
        dpor->search.changed = true;
        option = 0;
    }
    if (node->is_step)
        dpor->last = dpor->depth;
    dpor->depth++;
    return option;
}

static void restart(void *state)
{
    struct dpor *dpor = state;
    dpor->depth = 0;
    dpor->last = SIZE_MAX;
    dpor->search.cut = false;
}

/* --- after a run */

static struct node *node_of_step(struct dpor *dpor, size_t step)
{
    for (size_t i = 0; i < dpor->count; i++)
        if (dpor->nodes[i].is_step && dpor->nodes[i].step == step)
            return &dpor->nodes[i];
    return NULL;
}

/* Where the first of the two was chosen, one of those is to be tried who can begin a run with the
 * second before it. */
static void take_back(void *arg, const struct ob_race *race)
{
    struct dpor *dpor = arg;
    struct node *node = node_of_step(dpor, race->first);
    if (!node || (race->initials & (node->backtrack | node->sleep | node->done)))
        return;
    ob_client_set able = race->initials & node->enabled;
    size_t second = dpor->events.items[race->second].client;
    if (able & bit(second))
        node->backtrack |= bit(second);
    else if (able != 0)
        node->backtrack |= able & -able;
    else
        node->backtrack |= node->enabled;
}

static void note_faults(struct dpor *dpor)
{
    size_t step = SIZE_MAX;
    for (size_t i = 0; i < dpor->count; i++) {
        if (dpor->nodes[i].is_step)
            step = dpor->nodes[i].step;
        else if (dpor->nodes[i].is_fault && dpor->nodes[i].option > 0 && step < dpor->events.count)
            ob_event_is_unknown(&dpor->events.items[step]);
    }
}

/* What a step brings about may show in one run and not in another: all of it counts.  Of the steps
 * that were chosen above the cut, or of those below it. */
static void note_events(struct dpor *dpor, bool above)
{
    for (size_t i = 0; i < dpor->count; i++) {
        struct node *node = &dpor->nodes[i];
        if (!node->is_step || node->above != above || node->step >= dpor->events.count)
            continue;
        const struct ob_event_of_step *event = &dpor->events.items[node->step];
        struct ob_event_of_step *known = &node->events[node->chosen];
        if (node->done & bit(node->chosen))
            ob_event_join(known, event);
        else
            ob_event_copy(known, event);
        node->done |= bit(node->chosen);
    }
}

/* How many of the run's steps were chosen above the cut. */
static size_t steps_above(const struct dpor *dpor, const struct ob_trace *trace)
{
    for (size_t i = 0; i < dpor->count; i++)
        if (dpor->nodes[i].is_step && !dpor->nodes[i].above)
            return dpor->nodes[i].step;
    return trace->step_count;
}

/* A step that woke somebody whose operation is not over has not shown yet all that it does; nor has
 * that operation's own (event.h). */
static void note_unfinished(struct dpor *dpor, const struct ob_trace *trace)
{
    ob_client_set waiting = trace->step_count > 0 ? trace->steps[trace->step_count - 1].blocked : 0;
    for (size_t i = 0; i < trace->step_count; i++)
        if (trace->steps[i].woken & waiting)
            ob_event_is_unknown(&dpor->events.items[i]);
}

/* Above the cut only that counts which each shard sees, or they would not walk the same tree there:
 * the run until the cut, as if it had ended there. */
static void learn_above(struct dpor *dpor, const struct ob_trace *trace)
{
    struct ob_trace part = *trace;
    part.step_count = steps_above(dpor, trace);
    if (part.step_count == 0)
        return;
    find_events(dpor, &part);
    note_faults(dpor);
    note_unfinished(dpor, &part);
    note_events(dpor, true);
}

static void learn(void *state, const struct ob_trace *trace, uint64_t digest)
{
    (void)digest;
    struct dpor *dpor = state;
    if (dpor->depth != dpor->count)
        dpor->search.changed = true;
    dpor->count = dpor->depth;
    learn_above(dpor, trace);
    find_events(dpor, trace);
    note_faults(dpor);
    note_events(dpor, false);
    ob_races_find(&dpor->events, dpor->search.client_count, take_back, dpor);
}

/* Takes the deepest choice back that has an option left.  False: there is none. */
static bool backtrack(struct dpor *dpor)
{
    for (; dpor->count > 0; dpor->count--) {
        struct node *node = &dpor->nodes[dpor->count - 1];
        if (!node->is_step && node->option + 1 < node->option_count) {
            node->option++;
            return true;
        }
        ob_client_set left = node->backtrack & ~node->done & ~node->sleep;
        if (node->is_step && left != 0) {
            node->chosen = (size_t)__builtin_ctzll(left);
            return true;
        }
    }
    return false;
}

static bool next(void *state)
{
    struct dpor *dpor = state;
    if (dpor->search.run == 0)
        return true;
    bool more = backtrack(dpor);
    dpor->search.exhausted = !more && !dpor->search.changed;
    return more;
}

/* What is known to be left to try; a race that is found later makes it more. */
static double share(const void *state)
{
    const struct dpor *dpor = state;
    struct ob_share done = ob_share_begin();
    for (size_t i = 0; i < dpor->count; i++) {
        const struct node *node = &dpor->nodes[i];
        ob_client_set wanted = (node->backtrack & ~node->sleep) | bit(node->chosen);
        ob_client_set others = node->done & wanted & ~bit(node->chosen);
        if (node->is_step)
            ob_share_choice(&done, (size_t)__builtin_popcountll(others),
                            (size_t)__builtin_popcountll(wanted));
        else
            ob_share_choice(&done, node->option, node->option_count);
    }
    return ob_share_end(&done);
}

const struct ob_search_type ob_search_dpor = {.size = sizeof(struct dpor),
                                              .is_tree = true,
                                              .learns_steps = true,
                                              .clear = clear,
                                              .next = next,
                                              .restart = restart,
                                              .choose = choose,
                                              .learn = learn,
                                              .share = share};
