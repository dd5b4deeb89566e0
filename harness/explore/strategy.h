/*
 * strategy.h - who decides in an exploration: one chooser for each strategy.
 *
 * The choices of run number i depend on the strategy, its argument, the seed and i only, never on
 * time or on another run's luck.  So any run can be made again by its number.  Where there is
 * something to learn, they depend on the runs before it too, which are the same each time:
 * exhaustive and bounded go on from them, pct and urw count the steps, and portfolio gives its runs
 * to those of its strategies that find something new.
 */
#ifndef OB_EXPLORE_STRATEGY_H
#define OB_EXPLORE_STRATEGY_H

#include "base/error.h"
#include "engine/choice.h"
#include "engine/trace.h"
#include "explore/order.h"
#include "explore/shard.h"

#include <stdbool.h>
#include <stdint.h>

struct ob_strategy;

#define OB_PORTFOLIO_BOUND 2 /* preemptions of the enumeration in a portfolio */

/* name, word, what its argument is called ("": it takes none), the least, the usual and the
 * greatest one, what it does */
#define OB_STRATEGIES(X)                                                                 \
    X(RANDOM, "random", "", 0, 0, 0, "every choice by lot")                              \
    X(ROUND_ROBIN, "round-robin", "", 0, 0, 0,                                           \
      "each client in turn, from each client once: the control")                         \
    X(EXHAUSTIVE, "exhaustive", "", 0, 0, 0, "every schedule, depth first")              \
    X(STRESS, "stress", "", 0, 0, 0, "no schedule: threads race for real, the baseline") \
    X(PERMUTATIONS, "permutations", "", 0, 0, 0, "the orders that the scenario gives")   \
    X(BOUNDED, "bounded", "N", 0, 2, 1000,                                               \
      "every schedule of at most N preemptions, those of fewer first")                   \
    X(PCT, "pct", "D", 1, 2, 16,                                                         \
      "priorities by lot that change D - 1 times: finds bugs of depth D")                \
    X(POS, "pos", "", 0, 0, 0, "priorities by lot, drawn again where steps conflict")    \
    X(URW, "urw", "", 0, 0, 0, "by lot, the longer a client's way the likelier it goes") \
    X(DPOR, "dpor", "", 0, 0, 0, "every order of steps that can matter to each other")   \
    X(PORTFOLIO, "portfolio", "", 0, 0, 0,                                               \
      "random, urw, pct, pos, bounded and dpor by turns: the default")

enum ob_strategy_kind {
#define OB_STRATEGY_ENUM(name, word, letter, min, usual, max, about) OB_STRATEGY_##name,
    OB_STRATEGIES(OB_STRATEGY_ENUM)
#undef OB_STRATEGY_ENUM
        OB_STRATEGY_COUNT
};

/* What its argument is called and may be; letter is "" where it takes none. */
struct ob_strategy_argument {
    const char *letter;
    unsigned min, usual, max;
};

const char *ob_strategy_word(enum ob_strategy_kind kind);
const char *ob_strategy_about(enum ob_strategy_kind kind);
const struct ob_strategy_argument *ob_strategy_argument(enum ob_strategy_kind kind);

#define OB_STRATEGY_NAME_SIZE 32

/* Writes "pct:3", or the word alone where there is no argument to it. */
void ob_strategy_name(enum ob_strategy_kind kind, unsigned argument,
                      char name[OB_STRATEGY_NAME_SIZE]);

/* Reads "random", "pct:3" …; *argument is the usual one where none is given.  OB_USAGE otherwise,
 * with what would do. */
OB_MUSTCHECK enum ob_result ob_strategy_parse(const char *text, enum ob_strategy_kind *out,
                                              unsigned *argument, struct ob_error *err);

/* With its usual argument. */
struct ob_strategy *ob_strategy_new(enum ob_strategy_kind kind, uint64_t seed, size_t client_count);

/* Before the first run: another argument. */
void ob_strategy_set_argument(struct ob_strategy *strategy, unsigned argument);

/* Before the first run: no run without faults has more steps than this; 0: not known. */
void ob_strategy_set_steps_max(struct ob_strategy *strategy, uint64_t steps_max);

/* Before the first run: something is checked after each commit, so that dpor may not take the order
 * of two commits for one that cannot matter. */
void ob_strategy_watch_commits(struct ob_strategy *strategy);

/* Before the first run: only the runs of this shard count. */
void ob_strategy_set_shard(struct ob_strategy *strategy, const struct ob_shard *shard);

/* The first runs are these orders, one after the other, and the strategy's own come after them.
 * Borrowed. */
void ob_strategy_begin_with(struct ob_strategy *strategy, const struct ob_orders *orders);

void ob_strategy_free(struct ob_strategy *strategy);

/* Prepares run number run (from 0, in order).  False when there is none left: all has been
 * explored. */
bool ob_strategy_next(struct ob_strategy *strategy, uint64_t run);

/* Of the run that is prepared: it is another shard's, and need not be made. */
bool ob_strategy_skips(const struct ob_strategy *strategy);

/* Its number, from 0: no other run of any shard has it. */
uint64_t ob_strategy_number(const struct ob_strategy *strategy);

/* Whether, to be brought to where it is after the present run, it must be asked the same again; and
 * whether it learns from what the present run's steps touched, too. */
bool ob_strategy_remembers(const struct ob_strategy *strategy);
bool ob_strategy_learns_steps(const struct ob_strategy *strategy);

/* The name of who makes the present run: the strategy itself, or one of a portfolio's. */
void ob_strategy_present(const struct ob_strategy *strategy, char name[OB_STRATEGY_NAME_SIZE]);

/* After each run: what came of it. */
void ob_strategy_learn(struct ob_strategy *strategy, const struct ob_trace *trace);
/* The same with the trace's digest (ob_trace_digest), of which there may be no more than that and
 * what the steps touched. */
void ob_strategy_learn_as(struct ob_strategy *strategy, const struct ob_trace *trace,
                          uint64_t digest);

/* The run was ended early: it would only have shown what others have shown (dpor), or is another
 * shard's. */
bool ob_strategy_cut(const struct ob_strategy *strategy);

/* After it has been learned from: it does not count, since it is another shard's. */
bool ob_strategy_foreign(const struct ob_strategy *strategy);

struct ob_chooser ob_strategy_chooser(struct ob_strategy *strategy);

/* The order that the present run follows; NULL when it follows none. */
const struct ob_order_follower *ob_strategy_order(const struct ob_strategy *strategy);

/* True when every schedule has been run and each was what the ones before it had promised. */
bool ob_strategy_exhausted(const struct ob_strategy *strategy);

/* Bounded, portfolio: the same of every schedule within the bound, of so many preemptions. */
bool ob_strategy_within_bound(const struct ob_strategy *strategy);
unsigned ob_strategy_bound(const struct ob_strategy *strategy);

/* After a run of exhaustive, bounded or dpor: about how much of all that it does has been done, in
 * (0, 1]; and about how many runs it has in all, with those that followed an order.  Both are exact
 * when nothing is left (share.h), and 0 where nothing can be told. */
double ob_strategy_share(const struct ob_strategy *strategy);
double ob_strategy_estimate(const struct ob_strategy *strategy, uint64_t run_count);

/* What pct, also in a portfolio, promises: each of so many runs finds a bug that needs no faults,
 * if there is one of this depth, with a probability of at least 1 / (clients * steps^(depth - 1)).
 */
struct ob_strategy_promise {
    unsigned depth;
    size_t clients;
    uint64_t steps, runs;
};

/* False where nothing is promised: another strategy, or the most steps are not known.  run_count:
 * how many runs there have been. */
bool ob_strategy_promise(const struct ob_strategy *strategy, uint64_t run_count,
                         struct ob_strategy_promise *out);

/* Whether it ends when all is done that it does. */
bool ob_strategy_ends(enum ob_strategy_kind kind);

/* Whether its runs are the leaves of a tree, dealt out to shards by their beginnings. */
bool ob_strategy_walks(enum ob_strategy_kind kind);

/* Whether it learns from what steps touch, now and then at least. */
bool ob_strategy_wants_footprints(enum ob_strategy_kind kind);

/* Whether of schedules that only differ in the order of what cannot matter it runs one: dpor, and a
 * portfolio that has ended because dpor has. */
bool ob_strategy_reduces(const struct ob_strategy *strategy);

/* Whose runs are drawn by lot, so that those to come are like those that were: the strategy itself,
 * or one of a portfolio's; OB_STRATEGY_COUNT where none are. */
enum ob_strategy_kind ob_strategy_sampler(enum ob_strategy_kind kind);

/* Whether the present run is one of these, and follows no given order. */
bool ob_strategy_is_sample(const struct ob_strategy *strategy);

/* Exhaustive, bounded: the same choices did not lead again to where they had led, so nothing is
 * known of the schedules that were passed over. */
bool ob_strategy_changed(const struct ob_strategy *strategy);

#endif
