#include "explore/strategy.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "explore/strategy_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ob_strategy {
    enum ob_strategy_kind kind;

    /* The orders that come first. */
    const struct ob_orders *orders; /* borrowed; NULL when they are over */
    uint64_t order_count;           /* of those that have been */
    const struct ob_order *order;   /* the present one; NULL when they are over */
    struct ob_order_follower follower;

    const struct ob_search_type *type;
    struct ob_search *search; /* owned; with the state of its type behind it */
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
    static const struct ob_search_type *const types[] = {
        [OB_STRATEGY_RANDOM] = &ob_search_random,
        [OB_STRATEGY_ROUND_ROBIN] = &ob_search_turns,
        [OB_STRATEGY_EXHAUSTIVE] = &ob_search_exhaustive,
        [OB_STRATEGY_STRESS] = &ob_search_random,
        [OB_STRATEGY_PERMUTATIONS] = &ob_search_random, /* never asked: it has no runs of its own */
    };
    static_assert(sizeof types / sizeof *types == OB_STRATEGY_COUNT, "a search for each strategy");
    struct ob_strategy *strategy = ob_alloc(sizeof *strategy);
    strategy->kind = kind;
    strategy->type = types[kind];
    strategy->search = ob_alloc(strategy->type->size);
    *strategy->search = (struct ob_search){.seed = seed, .client_count = client_count};
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
    if (strategy->type->clear)
        strategy->type->clear(strategy->search);
    free(strategy->search);
    free(strategy);
}

bool ob_strategy_next(struct ob_strategy *strategy, uint64_t run)
{
    strategy->order = strategy->orders ? strategy->orders->get(strategy->orders->self, run) : NULL;
    if (strategy->order) {
        strategy->order_count = run + 1;
        return true;
    }
    strategy->orders = NULL;
    strategy->search->run = run - strategy->order_count;
    if (strategy->kind == OB_STRATEGY_PERMUTATIONS)
        return false;
    return !strategy->type->next || strategy->type->next(strategy->search);
}

bool ob_strategy_exhausted(const struct ob_strategy *strategy)
{
    return strategy->search->exhausted;
}

bool ob_strategy_changed(const struct ob_strategy *strategy)
{
    return strategy->search->changed;
}

const struct ob_order_follower *ob_strategy_order(const struct ob_strategy *strategy)
{
    return strategy->order ? &strategy->follower : NULL;
}

static void restart(void *self)
{
    struct ob_strategy *strategy = self;
    if (strategy->order)
        ob_order_begin(&strategy->follower, strategy->order);
    else if (strategy->type->restart)
        strategy->type->restart(strategy->search);
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct ob_strategy *strategy = self;
    if (strategy->order)
        return ob_order_choose(&strategy->follower, point);
    if (point->kind == OB_CHOICE_PROGRAM)
        return 0; /* a strategy of its own looks for orders of what the clients do themselves */
    return strategy->type->choose(strategy->search, point);
}

struct ob_chooser ob_strategy_chooser(struct ob_strategy *strategy)
{
    return (struct ob_chooser){.self = strategy, .restart = restart, .choose = choose};
}
