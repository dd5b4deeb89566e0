/*
 * bounded.c - every schedule of at most so many preemptions, depth first, those of fewer first
 * (iterative context bounding: Musuvathi and Qadeer, PLDI 2007).
 *
 * To go on with another client is a preemption only where the one that moved last could have gone
 * on.  Faults cost nothing: all are tried at each level.
 *
 * Each run below the bound leaves its path behind: the next level has the runs that branch off from
 * there by one preemption more, and within each of them all choices that are no preemption are
 * searched depth first.  So no schedule is run twice, and memory is needed for the runs of fewer
 * preemptions than the bound, of which there are far fewer than of all.
 *
 * A path's latest preemptions come first.  What a client does last is to write and to commit, and a
 * bug often is what others do between its looking and that; what it begins with seldom matters.
 *
 * How many runs there are in all: a level has as many branches as its checkpoints have preemptions,
 * which is known when it begins, and within a branch the share that is done is that of any tree
 * (share.h).  A level to come is taken to be as much larger than the one before it as if clients
 * never waited: where one preemption can be placed in x ways, two can in about x² / 2, three in
 * x³ / 6.
 */
#include "explore/strategy_int.h"

#include "base/alloc.h"
#include "explore/path.h"
#include "explore/share.h"

#include <stdlib.h>
#include <string.h>

/* A run's path, from which those of the next level branch off. */
struct checkpoint {
    struct checkpoint *next;
    size_t fresh;    /* what comes before is another checkpoint's to branch off from */
    size_t count;    /* of those that are left: the last one is where to branch off, */
    uint32_t option; /* by this option or a later one */
    struct ob_path_node nodes[];
};

struct queue {
    struct checkpoint *first, *last;
};

/* Ways to branch off by a preemption, and how many of them have been taken. */
struct branches {
    uint64_t count, taken;
};

struct bounded {
    struct ob_search search;
    struct ob_path path;
    size_t fixed;            /* what comes before in the path is not searched */
    size_t fresh;            /* what comes before was part of an earlier run's path too */
    unsigned level;          /* preemptions of the present run */
    struct queue now, later; /* of this level and of the next one */
    struct branches this_level, next_level;
    uint64_t runs_before; /* of the levels before this one */
    bool beyond;          /* there are schedules of more preemptions than the bound */
};

static void push(struct queue *queue, struct checkpoint *checkpoint)
{
    if (queue->last)
        queue->last->next = checkpoint;
    else
        queue->first = checkpoint;
    queue->last = checkpoint;
}

static void pop(struct queue *queue)
{
    struct checkpoint *first = queue->first;
    queue->first = first->next;
    if (!queue->first)
        queue->last = NULL;
    free(first);
}

static void clear(void *state)
{
    struct bounded *bounded = state;
    while (bounded->now.first)
        pop(&bounded->now);
    while (bounded->later.first)
        pop(&bounded->later);
    ob_path_clear(&bounded->path);
}

static bool preempts(const struct ob_path_node *node, uint32_t option)
{
    return node->stay != OB_PATH_NO_STAY && option != node->stay;
}

/* In how many ways another run could branch off by a preemption where this one is new. */
static uint64_t count_preemptions(const struct bounded *bounded)
{
    uint64_t count = 0;
    for (size_t i = bounded->fresh; i < bounded->path.count; i++)
        if (bounded->path.nodes[i].stay != OB_PATH_NO_STAY)
            count += bounded->path.nodes[i].option_count - 1;
    return count;
}

/* Keeps what the run has for the next level. */
static void keep(struct bounded *bounded)
{
    const struct ob_path *path = &bounded->path;
    uint64_t preemptions = count_preemptions(bounded);
    if (preemptions == 0)
        return;
    bounded->next_level.count += preemptions;
    if (bounded->level == bounded->search.argument) {
        bounded->beyond = true;
        return;
    }
    size_t size = path->count * sizeof *path->nodes;
    struct checkpoint *checkpoint = ob_alloc(sizeof *checkpoint + size);
    checkpoint->fresh = bounded->fresh;
    checkpoint->count = path->count;
    memcpy(checkpoint->nodes, path->nodes, size);
    push(&bounded->later, checkpoint);
}

/* Goes back to the deepest choice that has an option left which is no preemption. */
static bool backtrack(struct bounded *bounded)
{
    struct ob_path *path = &bounded->path;
    while (path->count > bounded->fixed) {
        struct ob_path_node *node = &path->nodes[path->count - 1];
        if (node->stay == OB_PATH_NO_STAY && node->option + 1 < node->option_count) {
            node->option++;
            bounded->fresh = path->count;
            return true;
        }
        path->count--;
    }
    return false;
}

/* Makes the path that branches off at the checkpoint's last choice. */
static void branch(struct bounded *bounded, const struct checkpoint *from)
{
    struct ob_path *path = &bounded->path;
    path->count = from->count;
    path->nodes = ob_grow(path->nodes, &path->capacity, path->count, sizeof *path->nodes);
    memcpy(path->nodes, from->nodes, path->count * sizeof *path->nodes);
    path->nodes[path->count - 1].option = from->option;
    bounded->fixed = bounded->fresh = path->count;
}

/* Takes the checkpoint's next preemption.  False: it has none left. */
static bool take(struct bounded *bounded, struct checkpoint *from)
{
    for (; from->count > from->fresh; from->count--, from->option = 0) {
        const struct ob_path_node *node = &from->nodes[from->count - 1];
        while (from->option < node->option_count && !preempts(node, from->option))
            from->option++;
        if (from->option < node->option_count) {
            branch(bounded, from);
            bounded->this_level.taken++;
            from->option++;
            return true;
        }
    }
    return false;
}

/* The next run that branches off by a preemption, of this level or of the next one. */
static bool preempt(struct bounded *bounded)
{
    for (;;) {
        while (bounded->now.first) {
            if (take(bounded, bounded->now.first))
                return true;
            pop(&bounded->now);
        }
        if (!bounded->later.first)
            return false;
        bounded->now = bounded->later;
        bounded->later = (struct queue){0};
        bounded->this_level = bounded->next_level;
        bounded->next_level = (struct branches){0};
        bounded->runs_before = bounded->search.run;
        bounded->level++;
    }
}

static bool next(void *state)
{
    struct bounded *bounded = state;
    struct ob_search *search = &bounded->search;
    if (search->run == 0) {
        bounded->path.stays = true;
        bounded->this_level = (struct branches){.count = 1, .taken = 1};
        return true;
    }
    if (!ob_path_settle(&bounded->path))
        search->changed = true;
    keep(bounded);
    if (backtrack(bounded) || preempt(bounded))
        return true;
    search->within_bound = !search->changed;
    search->bound = search->argument;
    search->exhausted = search->within_bound && !bounded->beyond;
    return false;
}

static void restart(void *state)
{
    struct bounded *bounded = state;
    bounded->path.depth = 0;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct bounded *bounded = state;
    size_t option;
    if (!ob_path_choose(&bounded->path, point, &option))
        bounded->search.changed = true;
    return option;
}

/* Of the present branch. */
static double branch_share(const struct bounded *bounded)
{
    const struct ob_path *path = &bounded->path;
    struct ob_share done = ob_share_begin();
    for (size_t i = bounded->fixed; i < path->depth && i < path->count; i++)
        if (path->nodes[i].stay == OB_PATH_NO_STAY)
            ob_share_choice(&done, path->nodes[i].option, path->nodes[i].option_count);
    return ob_share_end(&done);
}

static double share(const void *state)
{
    const struct bounded *bounded = state;
    const struct branches *branches = &bounded->this_level;
    double runs = (double)bounded->search.run + 1, before = (double)bounded->runs_before;
    double done = ((double)branches->taken - 1 + branch_share(bounded)) / (double)branches->count;
    double level = (runs - before) / done, all = before + level;
    double found = (double)(bounded->next_level.count + count_preemptions(bounded));
    double factor = found / done / (double)branches->count;
    for (unsigned i = bounded->level; i < bounded->search.argument && level >= 0.5; i++) {
        level *= factor;
        factor *= (i + 1.0) / (i + 2.0);
        all += level;
    }
    return runs / all;
}

const struct ob_search_type ob_search_bounded = {.size = sizeof(struct bounded),
                                                 .is_tree = true,
                                                 .clear = clear,
                                                 .next = next,
                                                 .restart = restart,
                                                 .choose = choose,
                                                 .share = share};
