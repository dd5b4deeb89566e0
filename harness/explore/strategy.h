/*
 * strategy.h - who decides in an exploration: one chooser for each strategy.
 *
 * The choices of run number i depend on the strategy, the seed and i only (exhaustive: on the runs
 * before it), never on time or on another run's luck.  So any run can be made again by its number.
 */
#ifndef OB_EXPLORE_STRATEGY_H
#define OB_EXPLORE_STRATEGY_H

#include "base/error.h"
#include "engine/choice.h"
#include "engine/trace.h"
#include "explore/order.h"

#include <stdbool.h>
#include <stdint.h>

struct ob_strategy;

/* name, what it does */
#define OB_STRATEGIES(X)                                                                     \
    X(RANDOM, "random", "every choice by lot")                                               \
    X(ROUND_ROBIN, "round-robin", "each client in turn, from each client once: the control") \
    X(EXHAUSTIVE, "exhaustive", "every schedule, depth first")                               \
    X(STRESS, "stress", "no schedule: threads race for real, the baseline")                  \
    X(PERMUTATIONS, "permutations", "the orders that the scenario gives")

enum ob_strategy_kind {
#define OB_STRATEGY_ENUM(name, word, about) OB_STRATEGY_##name,
    OB_STRATEGIES(OB_STRATEGY_ENUM)
#undef OB_STRATEGY_ENUM
        OB_STRATEGY_COUNT
};

const char *ob_strategy_word(enum ob_strategy_kind kind);
const char *ob_strategy_about(enum ob_strategy_kind kind);

/* Reads "random", "exhaustive" …; OB_USAGE with a suggestion otherwise. */
OB_MUSTCHECK enum ob_result ob_strategy_parse(const char *text, enum ob_strategy_kind *out,
                                              struct ob_error *err);

struct ob_strategy *ob_strategy_new(enum ob_strategy_kind kind, uint64_t seed, size_t client_count);

/* The first runs are these orders, one after the other, and the strategy's own come after them.
 * Borrowed. */
void ob_strategy_begin_with(struct ob_strategy *strategy, const struct ob_orders *orders);

void ob_strategy_free(struct ob_strategy *strategy);

/* Prepares run number run (from 0, in order).  False when there is none left: all has been
 * explored. */
bool ob_strategy_next(struct ob_strategy *strategy, uint64_t run);

struct ob_chooser ob_strategy_chooser(struct ob_strategy *strategy);

/* The order that the present run follows; NULL when it follows none. */
const struct ob_order_follower *ob_strategy_order(const struct ob_strategy *strategy);

/* True when every schedule has been run and each was what the ones before it had promised. */
bool ob_strategy_exhausted(const struct ob_strategy *strategy);

/* Exhaustive: the same choices did not lead again to where they had led, so nothing is known of the
 * schedules that were passed over. */
bool ob_strategy_changed(const struct ob_strategy *strategy);

#endif
