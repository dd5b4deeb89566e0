/*
 * order.h - an order of operations that the scenario gives, followed as it is written.
 *
 * The order says which client's operation is launched when.  An operation is over when it has been
 * answered and none of those that it is to be told after is still going on; until then its client
 * launches no other.  Where the next one is due and its client is not free, the order cannot be
 * followed: nothing else is done in its place.
 */
#ifndef OB_EXPLORE_ORDER_H
#define OB_EXPLORE_ORDER_H

#include "base/buf.h"
#include "engine/choice.h"

struct ob_launch {
    const char *name; /* of the operation, for messages */
    size_t client;
    size_t what;         /* a number for each operation; one that is launched twice has the same */
    const size_t *after; /* operations that must be over first, if they go on */
    size_t after_count;
};

struct ob_order {
    size_t program; /* of the run: with it the clients post exactly these operations */
    const struct ob_launch *launches;
    size_t count;
};

/* The orders of a scenario. */
struct ob_orders {
    void *self;
    /* Number number from 0, asked for in turn; until the next call.  NULL: there are no more. */
    const struct ob_order *(*get)(void *self, uint64_t number);
    /* Somebody wrote them down, so that one which cannot be followed is a mistake.  Else they are
     * all that there could be, and such a one is none. */
    bool listed;
};

struct ob_order_follower {
    const struct ob_order *order; /* borrowed */
    size_t next;
    size_t going_on[OB_CLIENTS_MAX]; /* each client's launch that is not over, or SIZE_MAX */
};

void ob_order_begin(struct ob_order_follower *follower, const struct ob_order *order);
size_t ob_order_choose(struct ob_order_follower *follower, const struct ob_choice_point *point);

/* Why the order could not be followed, in one sentence without its end. */
void ob_order_explain(const struct ob_order_follower *follower, const char *const *client_names,
                      struct ob_buf *out);

#endif
