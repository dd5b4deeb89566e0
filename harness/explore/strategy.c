#include "explore/strategy.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/parse.h"
#include "base/rng.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A choice of the depth-first search: the option taken, of so many, and what it was about and the
 * run had been until then. */
struct node {
    size_t option, option_count;
    uint64_t seen;
};

struct ob_strategy {
    enum ob_strategy_kind kind;
    uint64_t seed;
    size_t client_count;
    uint64_t run;
    bool exhausted;

    /* The orders that come first. */
    const struct ob_orders *orders; /* borrowed; NULL when they are over */
    uint64_t order_count;           /* of those that have been */
    const struct ob_order *order;   /* the present one; NULL when they are over */
    struct ob_order_follower follower;

    /* random, stress */
    struct ob_rng rng;
    uint64_t fault_odds; /* a fault happens once in so many times that it could */

    /* exhaustive: the path of the present run; its end is where the runs so far branch off */
    struct node *path;
    size_t path_count, path_capacity, depth;
    bool changed; /* a prefix did not lead where it led before: nothing can be claimed */
};

static const char *const words[] = {
#define OB_STRATEGY_WORD(name, word, about) word,
    OB_STRATEGIES(OB_STRATEGY_WORD)
#undef OB_STRATEGY_WORD
};

static const char *const abouts[] = {
#define OB_STRATEGY_ABOUT(name, word, about) about,
    OB_STRATEGIES(OB_STRATEGY_ABOUT)
#undef OB_STRATEGY_ABOUT
};

const char *ob_strategy_word(enum ob_strategy_kind kind)
{
    assert(kind < OB_STRATEGY_COUNT);
    return words[kind];
}

const char *ob_strategy_about(enum ob_strategy_kind kind)
{
    assert(kind < OB_STRATEGY_COUNT);
    return abouts[kind];
}

enum ob_result ob_strategy_parse(const char *text, enum ob_strategy_kind *out, struct ob_error *err)
{
    for (size_t i = 0; i < OB_STRATEGY_COUNT; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum ob_strategy_kind)i;
            return OB_OK;
        }
    }
    ob_error_set(err, OB_USAGE, "unknown strategy \"%s\"", text);
    ob_error_detail(err, "Known are random, round-robin, exhaustive, stress and permutations.");
    const char *nearest = ob_parse_nearest(text, words, OB_STRATEGY_COUNT);
    if (nearest)
        ob_error_hint(err, "Did you mean \"%s\"?", nearest);
    return OB_USAGE;
}

struct ob_strategy *ob_strategy_new(enum ob_strategy_kind kind, uint64_t seed, size_t client_count)
{
    struct ob_strategy *strategy = ob_alloc(sizeof *strategy);
    strategy->kind = kind;
    strategy->seed = seed;
    strategy->client_count = client_count;
    return strategy;
}

void ob_strategy_begin_with(struct ob_strategy *strategy, const struct ob_orders *orders)
{
    strategy->orders = orders;
}

void ob_strategy_free(struct ob_strategy *strategy)
{
    if (!strategy)
        return;
    free(strategy->path);
    free(strategy);
}

/* Goes back to the deepest choice that has an option left, and takes that. False: there is none. */
static bool backtrack(struct ob_strategy *strategy)
{
    while (strategy->path_count > 0) {
        struct node *node = &strategy->path[strategy->path_count - 1];
        if (node->option + 1 < node->option_count) {
            node->option++;
            return true;
        }
        strategy->path_count--;
    }
    return false;
}

bool ob_strategy_next(struct ob_strategy *strategy, uint64_t run)
{
    strategy->order = strategy->orders ? strategy->orders->get(strategy->orders->self, run) : NULL;
    if (strategy->order) {
        strategy->order_count = run + 1;
        return true;
    }
    strategy->orders = NULL;
    run -= strategy->order_count;
    strategy->run = run;
    if (strategy->kind == OB_STRATEGY_PERMUTATIONS)
        return false;
    if (strategy->kind == OB_STRATEGY_ROUND_ROBIN)
        return run < strategy->client_count;
    if (strategy->kind != OB_STRATEGY_EXHAUSTIVE || run == 0)
        return true;
    if (strategy->depth != strategy->path_count)
        strategy->changed = true;
    strategy->path_count = strategy->depth;
    bool more = backtrack(strategy);
    strategy->exhausted = !more && !strategy->changed;
    return more;
}

bool ob_strategy_exhausted(const struct ob_strategy *strategy)
{
    return strategy->exhausted;
}

bool ob_strategy_changed(const struct ob_strategy *strategy)
{
    return strategy->changed;
}

const struct ob_order_follower *ob_strategy_order(const struct ob_strategy *strategy)
{
    return strategy->order ? &strategy->follower : NULL;
}

static void restart(void *self)
{
    struct ob_strategy *strategy = self;
    strategy->depth = 0;
    if (strategy->order)
        ob_order_begin(&strategy->follower, strategy->order);
    ob_rng_seed(&strategy->rng, ob_rng_derive(strategy->seed, strategy->run));
    /* Rare faults reach late points, frequent ones early points: each run has its own odds. */
    strategy->fault_odds = (uint64_t)2 << ob_rng_below(&strategy->rng, 6);
}

static size_t choose_random(struct ob_strategy *strategy, const struct ob_choice_point *point)
{
    if (point->kind == OB_CHOICE_FAULT)
        return ob_rng_below(&strategy->rng, strategy->fault_odds) != 0
                   ? 0
                   : 1 + ob_rng_below(&strategy->rng, point->option_count - 1);
    return point->option_count == 1 ? 0 : ob_rng_below(&strategy->rng, point->option_count);
}

static size_t choose_in_turn(const struct ob_strategy *strategy,
                             const struct ob_choice_point *point)
{
    if (point->kind != OB_CHOICE_STEP)
        return 0;
    size_t wanted = point->previous == OB_NO_CLIENT ? strategy->run : point->previous + 1;
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] >= wanted)
            return i;
    return 0;
}

static uint64_t digest_of(const struct ob_choice_point *point)
{
    uint64_t hash = ob_hash_u64(OB_HASH_START, point->seen);
    hash = ob_hash_u64(hash, point->kind);
    for (size_t i = 0; point->clients && i < point->option_count; i++)
        hash = ob_hash_u64(hash, point->clients[i]);
    if (point->kind == OB_CHOICE_FAULT) {
        hash = ob_hash_u64(hash, point->client);
        hash = ob_hash_u64(hash, point->point);
        hash = ob_hash_u64(hash, point->hit);
    }
    return ob_hash_end(hash);
}

static size_t choose_depth_first(struct ob_strategy *strategy, const struct ob_choice_point *point)
{
    uint64_t seen = digest_of(point);
    if (strategy->depth == strategy->path_count) {
        strategy->path = ob_grow(strategy->path, &strategy->path_capacity, strategy->path_count + 1,
                                 sizeof *strategy->path);
        strategy->path[strategy->path_count++] =
            (struct node){.option = 0, .option_count = point->option_count, .seen = seen};
    }
    const struct node *node = &strategy->path[strategy->depth++];
    if (node->option_count != point->option_count || node->seen != seen)
        strategy->changed = true;
    return node->option < point->option_count ? node->option : 0;
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct ob_strategy *strategy = self;
    if (strategy->order)
        return ob_order_choose(&strategy->follower, point);
    if (point->kind == OB_CHOICE_PROGRAM)
        return 0; /* a strategy of its own looks for orders of what the clients do themselves */
    switch (strategy->kind) {
    case OB_STRATEGY_ROUND_ROBIN:
        return choose_in_turn(strategy, point);
    case OB_STRATEGY_EXHAUSTIVE:
        return choose_depth_first(strategy, point);
    case OB_STRATEGY_RANDOM:
    case OB_STRATEGY_STRESS:
    case OB_STRATEGY_PERMUTATIONS:
    default:
        return choose_random(strategy, point);
    }
}

struct ob_chooser ob_strategy_chooser(struct ob_strategy *strategy)
{
    return (struct ob_chooser){.self = strategy, .restart = restart, .choose = choose};
}
