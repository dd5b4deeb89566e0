#include "explore/order.h"

#include <string.h>

#define NOTHING SIZE_MAX

void ob_order_begin(struct ob_order_follower *follower, const struct ob_order *order)
{
    *follower = (struct ob_order_follower){.order = order};
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        follower->going_on[i] = NOTHING;
}

static bool goes_on(const struct ob_order_follower *follower, size_t what)
{
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        size_t launch = follower->going_on[i];
        if (launch != NOTHING && follower->order->launches[launch].what == what)
            return true;
    }
    return false;
}

static bool is_over(const struct ob_order_follower *follower, size_t client, ob_client_set waiting)
{
    const struct ob_launch *launch = &follower->order->launches[follower->going_on[client]];
    if (waiting >> client & 1)
        return false;
    for (size_t i = 0; i < launch->after_count; i++)
        if (goes_on(follower, launch->after[i]))
            return false;
    return true;
}

/* The end of one can be what another has to be told after. */
static void note_ends(struct ob_order_follower *follower, ob_client_set waiting)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
            if (follower->going_on[i] == NOTHING || !is_over(follower, i, waiting))
                continue;
            follower->going_on[i] = NOTHING;
            changed = true;
        }
    }
}

static size_t launch_next(struct ob_order_follower *follower, const struct ob_choice_point *point)
{
    const struct ob_order *order = follower->order;
    note_ends(follower, point->waiting);
    if (follower->next == order->count)
        return OB_CANNOT_FOLLOW;
    size_t client = order->launches[follower->next].client;
    if (follower->going_on[client] != NOTHING)
        return OB_CANNOT_FOLLOW;
    for (size_t i = 0; i < point->option_count; i++) {
        if (point->clients[i] != client)
            continue;
        follower->going_on[client] = follower->next++;
        return i;
    }
    return OB_CANNOT_FOLLOW;
}

size_t ob_order_choose(struct ob_order_follower *follower, const struct ob_choice_point *point)
{
    if (point->kind == OB_CHOICE_PROGRAM)
        return follower->order->program;
    return point->kind == OB_CHOICE_STEP ? launch_next(follower, point) : 0;
}

void ob_order_explain(const struct ob_order_follower *follower, const char *const *client_names,
                      struct ob_buf *out)
{
    const struct ob_order *order = follower->order;
    if (follower->next == order->count) {
        ob_buf_puts(out, "after its end somebody goes on");
        return;
    }
    const struct ob_launch *due = &order->launches[follower->next];
    size_t busy = follower->going_on[due->client];
    if (busy == NOTHING)
        ob_buf_printf(out, "\"%s\" is due, and \"%s\" is lost", due->name,
                      client_names[due->client]);
    else
        ob_buf_printf(out, "\"%s\" is due while \"%s\" is still in \"%s\"", due->name,
                      client_names[due->client], order->launches[busy].name);
}
