#include "explore/strategy.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"
#include "explore/strategy_int.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
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

    struct ob_shard shard;
    uint64_t number;   /* of the present run, among those of all shards */
    uint64_t owned;    /* runs of a tree that were the shard's */
    bool cut, foreign; /* the present run: ended early, another shard's */
};

static const char *const words[] = {
#define OB_STRATEGY_WORD(name, word, letter, min, usual, max, about) word,
    OB_STRATEGIES(OB_STRATEGY_WORD)
#undef OB_STRATEGY_WORD
};

static const char *const abouts[] = {
#define OB_STRATEGY_ABOUT(name, word, letter, min, usual, max, about) about,
    OB_STRATEGIES(OB_STRATEGY_ABOUT)
#undef OB_STRATEGY_ABOUT
};

static const struct ob_strategy_argument arguments[] = {
#define OB_STRATEGY_ARGUMENT(name, word, letter, min, usual, max, about) {letter, min, usual, max},
    OB_STRATEGIES(OB_STRATEGY_ARGUMENT)
#undef OB_STRATEGY_ARGUMENT
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

const struct ob_strategy_argument *ob_strategy_argument(enum ob_strategy_kind kind)
{
    assert(kind < OB_STRATEGY_COUNT);
    return &arguments[kind];
}

void ob_strategy_name(enum ob_strategy_kind kind, unsigned argument,
                      char name[OB_STRATEGY_NAME_SIZE])
{
    if (ob_strategy_argument(kind)->letter[0] == '\0')
        snprintf(name, OB_STRATEGY_NAME_SIZE, "%s", words[kind]);
    else
        snprintf(name, OB_STRATEGY_NAME_SIZE, "%s:%u", words[kind], argument);
}

static enum ob_result refuse_unknown(const char *text, const char *word, struct ob_error *err)
{
    struct ob_buf known;
    ob_buf_init(&known, sizeof err->detail - 1);
    for (size_t i = 0; i < OB_STRATEGY_COUNT; i++)
        ob_buf_printf(&known, "%s%s%s%s", i > 0 ? ", " : "Known are ", words[i],
                      arguments[i].letter[0] != '\0' ? ":" : "", arguments[i].letter);
    ob_error_set(err, OB_USAGE, "unknown strategy \"%s\"", text);
    ob_error_detail(err, "%s.", known.data);
    const char *nearest = ob_parse_nearest(word, words, OB_STRATEGY_COUNT);
    if (nearest)
        ob_error_hint(err, "Did you mean \"%s\"?", nearest);
    ob_buf_clear(&known);
    return OB_USAGE;
}

/* text is what stands after the colon. */
static enum ob_result parse_argument(enum ob_strategy_kind kind, const char *text, unsigned *out,
                                     struct ob_error *err)
{
    const struct ob_strategy_argument *argument = &arguments[kind];
    uint64_t value;
    if (argument->letter[0] == '\0') {
        ob_error_set(err, OB_USAGE, "the strategy %s takes no number, and was given \"%s\"",
                     words[kind], text);
        ob_error_hint(err, "Leave out what begins with the colon.");
        return OB_USAGE;
    }
    if (!ob_parse_u64(text, argument->min, argument->max, &value)) {
        ob_error_set(err, OB_USAGE,
                     "the strategy %s:%s takes a whole number from %u to %u, not \"%s\"",
                     words[kind], argument->letter, argument->min, argument->max, text);
        ob_error_hint(err, "For example %s:%u.", words[kind], argument->usual);
        return OB_USAGE;
    }
    *out = (unsigned)value;
    return OB_OK;
}

enum ob_result ob_strategy_parse(const char *text, enum ob_strategy_kind *out, unsigned *argument,
                                 struct ob_error *err)
{
    size_t size = strcspn(text, ":");
    for (size_t i = 0; i < OB_STRATEGY_COUNT; i++) {
        if (strlen(words[i]) != size || strncmp(text, words[i], size) != 0)
            continue;
        unsigned value = arguments[i].usual;
        enum ob_result result = OB_OK;
        if (text[size] != '\0')
            result = parse_argument((enum ob_strategy_kind)i, text + size + 1, &value, err);
        if (result != OB_OK)
            return result;
        *out = (enum ob_strategy_kind)i;
        *argument = value;
        return OB_OK;
    }
    char *word = ob_asprintf("%.*s", (int)size, text);
    enum ob_result result = refuse_unknown(text, word, err);
    free(word);
    return result;
}

struct ob_strategy *ob_strategy_new(enum ob_strategy_kind kind, uint64_t seed, size_t client_count)
{
    static const struct ob_search_type *const types[OB_STRATEGY_COUNT] = {
        [OB_STRATEGY_RANDOM] = &ob_search_random,
        [OB_STRATEGY_ROUND_ROBIN] = &ob_search_turns,
        [OB_STRATEGY_EXHAUSTIVE] = &ob_search_exhaustive,
        [OB_STRATEGY_STRESS] = &ob_search_random,
        [OB_STRATEGY_PERMUTATIONS] = &ob_search_random, /* never asked: it has no runs of its own */
        [OB_STRATEGY_BOUNDED] = &ob_search_bounded,
        [OB_STRATEGY_PCT] = &ob_search_pct,
        [OB_STRATEGY_POS] = &ob_search_pos,
        [OB_STRATEGY_URW] = &ob_search_urw,
        [OB_STRATEGY_DPOR] = &ob_search_dpor,
        [OB_STRATEGY_PORTFOLIO] = &ob_search_portfolio,
    };
    assert(kind < OB_STRATEGY_COUNT && types[kind]);
    struct ob_strategy *strategy = ob_alloc(sizeof *strategy);
    strategy->kind = kind;
    strategy->type = types[kind];
    strategy->search = ob_alloc(strategy->type->size);
    *strategy->search = (struct ob_search){
        .seed = seed, .client_count = client_count, .argument = arguments[kind].usual};
    return strategy;
}

void ob_strategy_set_argument(struct ob_strategy *strategy, unsigned argument)
{
    const struct ob_strategy_argument *bounds = &arguments[strategy->kind];
    assert(argument >= bounds->min && argument <= bounds->max);
    strategy->search->argument = argument;
}

void ob_strategy_set_steps_max(struct ob_strategy *strategy, uint64_t steps_max)
{
    strategy->search->steps_max = steps_max;
}

void ob_strategy_watch_commits(struct ob_strategy *strategy)
{
    strategy->search->watches_commits = true;
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

void ob_strategy_set_shard(struct ob_strategy *strategy, const struct ob_shard *shard)
{
    strategy->shard = strategy->search->shard = *shard;
    if (strategy->type->is_tree)
        ob_prefix_init(&strategy->search->prefix, shard);
}

/* The runs of a tree, and a portfolio's, have no numbers that all shards know of, so each shard
 * takes every so manieth. */
static uint64_t number_of(const struct ob_strategy *strategy, uint64_t run)
{
    unsigned count = strategy->shard.count > 1 ? strategy->shard.count : 1;
    if (strategy->order || (!strategy->type->is_tree && !strategy->type->shares_out))
        return run;
    return strategy->order_count + strategy->owned * count + strategy->shard.index;
}

/* Of a portfolio's run only once it has been made. */
static bool is_foreign(const struct ob_strategy *strategy)
{
    if (!strategy->order && strategy->type->shares_out)
        return ob_strategy_foreign(strategy->search->present);
    if (strategy->order || !strategy->type->is_tree)
        return !ob_shard_owns(&strategy->shard, strategy->number);
    return ob_prefix_is_foreign(&strategy->search->prefix);
}

static bool is_learned_from(const struct ob_strategy *strategy)
{
    const struct ob_search_type *type = strategy->type;
    return !strategy->order && type->learns_from &&
           strategy->search->run < type->learns_from(strategy->search);
}

bool ob_strategy_remembers(const struct ob_strategy *strategy)
{
    const struct ob_search_type *type = strategy->type;
    return !strategy->order && (type->is_tree || type->remembers || is_learned_from(strategy));
}

/* Who makes the present run. */
static const struct ob_strategy *present_of(const struct ob_strategy *strategy)
{
    return strategy->search->present ? strategy->search->present : strategy;
}

bool ob_strategy_learns_steps(const struct ob_strategy *strategy)
{
    return present_of(strategy)->type->learns_steps;
}

bool ob_strategy_skips(const struct ob_strategy *strategy)
{
    const struct ob_search_type *type = strategy->type;
    if (!strategy->order && (type->is_tree || type->shares_out))
        return false; /* what it leads to is known only once it is made */
    return is_foreign(strategy) && !is_learned_from(strategy);
}

uint64_t ob_strategy_number(const struct ob_strategy *strategy)
{
    return strategy->number;
}

bool ob_strategy_next(struct ob_strategy *strategy, uint64_t run)
{
    strategy->order = strategy->orders ? strategy->orders->get(strategy->orders->self, run) : NULL;
    strategy->number = number_of(strategy, run);
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

void ob_strategy_present(const struct ob_strategy *strategy, char name[OB_STRATEGY_NAME_SIZE])
{
    const struct ob_strategy *present = present_of(strategy);
    ob_strategy_name(present->kind, present->search->argument, name);
}

bool ob_strategy_exhausted(const struct ob_strategy *strategy)
{
    return strategy->search->exhausted;
}

bool ob_strategy_within_bound(const struct ob_strategy *strategy)
{
    return strategy->search->within_bound;
}

unsigned ob_strategy_bound(const struct ob_strategy *strategy)
{
    return strategy->search->bound;
}

bool ob_strategy_promise(const struct ob_strategy *strategy, uint64_t run_count,
                         struct ob_strategy_promise *out)
{
    uint64_t runs = run_count > strategy->order_count ? run_count - strategy->order_count : 0;
    return strategy->type->promise && strategy->type->promise(strategy->search, runs, out);
}

double ob_strategy_share(const struct ob_strategy *strategy)
{
    const struct ob_search *search = strategy->search;
    if (strategy->order || !strategy->type->share)
        return 0;
    return search->exhausted || search->within_bound ? 1 : strategy->type->share(search);
}

double ob_strategy_estimate(const struct ob_strategy *strategy, uint64_t run_count)
{
    double share = run_count > strategy->order_count ? ob_strategy_share(strategy) : 0,
           all = (double)(run_count - strategy->order_count) / share;
    return share > 0 && isfinite(all) ? (double)strategy->order_count + all : 0;
}

bool ob_strategy_ends(enum ob_strategy_kind kind)
{
    return kind == OB_STRATEGY_EXHAUSTIVE || kind == OB_STRATEGY_BOUNDED ||
           kind == OB_STRATEGY_PERMUTATIONS || kind == OB_STRATEGY_DPOR;
}

bool ob_strategy_wants_footprints(enum ob_strategy_kind kind)
{
    return kind == OB_STRATEGY_DPOR || kind == OB_STRATEGY_PORTFOLIO;
}

bool ob_strategy_reduces(const struct ob_strategy *strategy)
{
    return strategy->kind == OB_STRATEGY_DPOR || strategy->search->reduced;
}

enum ob_strategy_kind ob_strategy_sampler(enum ob_strategy_kind kind)
{
    switch (kind) {
    case OB_STRATEGY_RANDOM:
    case OB_STRATEGY_PCT:
    case OB_STRATEGY_POS:
    case OB_STRATEGY_URW:
        return kind;
    case OB_STRATEGY_PORTFOLIO:
        return OB_STRATEGY_RANDOM;
    default:
        return OB_STRATEGY_COUNT;
    }
}

bool ob_strategy_is_sample(const struct ob_strategy *strategy)
{
    bool all = ob_strategy_sampler(strategy->kind) == strategy->kind;
    return !strategy->order && (all || strategy->search->sample);
}

bool ob_strategy_walks(enum ob_strategy_kind kind)
{
    return kind == OB_STRATEGY_EXHAUSTIVE || kind == OB_STRATEGY_BOUNDED ||
           kind == OB_STRATEGY_DPOR;
}

void ob_strategy_learn(struct ob_strategy *strategy, const struct ob_trace *trace)
{
    ob_strategy_learn_as(strategy, trace, ob_trace_digest(trace));
}

void ob_strategy_learn_as(struct ob_strategy *strategy, const struct ob_trace *trace,
                          uint64_t digest)
{
    if (!strategy->order && strategy->type->learn)
        strategy->type->learn(strategy->search, trace, digest);
    strategy->foreign = is_foreign(strategy);
    strategy->owned += !strategy->order && !strategy->foreign;
}

bool ob_strategy_cut(const struct ob_strategy *strategy)
{
    if (!strategy->order && strategy->search->present)
        return ob_strategy_cut(strategy->search->present);
    return !strategy->order && (strategy->search->cut || strategy->cut);
}

bool ob_strategy_foreign(const struct ob_strategy *strategy)
{
    return strategy->foreign;
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
    strategy->cut = false;
    ob_prefix_restart(&strategy->search->prefix);
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
    struct ob_prefix *prefix = &strategy->search->prefix;
    ob_prefix_reach(prefix, point);
    if (prefix->whole && ob_prefix_is_foreign(prefix)) {
        strategy->cut = true;
        return OB_CANNOT_FOLLOW;
    }
    size_t option = strategy->type->choose(strategy->search, point);
    ob_prefix_add(prefix, point, option);
    return option;
}

struct ob_chooser ob_strategy_chooser(struct ob_strategy *strategy)
{
    return (struct ob_chooser){.self = strategy, .restart = restart, .choose = choose};
}
