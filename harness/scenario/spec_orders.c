/*
 * spec_orders.c - the orders in which the steps of a spec can be launched.
 *
 * An order is a sequence of sessions in which each comes as often as it has steps.  Depth first,
 * the lowest session first, is the order of such sequences as words, so the next one is the next
 * word of the same letters: no stack, and no more memory than one order.
 */
#include "scenario/spec.h"

#include <assert.h>
#include <stdlib.h>

struct ob_spec_orders {
    const struct ob_spec *spec;
    bool begun;
    size_t *sessions; /* whose step comes at each place */
    size_t *launched; /* workspace: for each session, its steps so far */
    struct ob_spec_launch *launches;
};

struct ob_spec_orders *ob_spec_orders_new(const struct ob_spec *spec)
{
    struct ob_spec_orders *orders = ob_alloc(sizeof *orders);
    orders->spec = spec;
    orders->sessions = ob_alloc(spec->step_count * sizeof *orders->sessions);
    orders->launched = ob_alloc(spec->session_count * sizeof *orders->launched);
    orders->launches = ob_alloc(spec->step_count * sizeof *orders->launches);
    for (size_t i = 0; i < spec->step_count; i++)
        orders->sessions[i] = spec->steps[i].session;
    return orders;
}

static void swap(size_t *left, size_t *right)
{
    size_t kept = *left;
    *left = *right;
    *right = kept;
}

/* The next word, or false after the last. */
static bool go_on(size_t *letters, size_t count)
{
    size_t fall = count - 1; /* the letters from here on do not rise */
    while (fall > 0 && letters[fall - 1] >= letters[fall])
        fall--;
    if (fall == 0)
        return false;
    size_t larger = count - 1;
    while (letters[larger] <= letters[fall - 1])
        larger--;
    swap(&letters[larger], &letters[fall - 1]);
    for (size_t low = fall, high = count - 1; low < high; low++, high--)
        swap(&letters[low], &letters[high]);
    return true;
}

bool ob_spec_orders_next(struct ob_spec_orders *orders, struct ob_spec_permutation *out)
{
    const struct ob_spec *spec = orders->spec;
    assert(spec->step_count > 0);
    if (orders->begun && !go_on(orders->sessions, spec->step_count))
        return false;
    orders->begun = true;
    for (size_t i = 0; i < spec->session_count; i++)
        orders->launched[i] = 0;
    for (size_t i = 0; i < spec->step_count; i++) {
        size_t session = orders->sessions[i];
        size_t step = spec->sessions[session].first_step + orders->launched[session]++;
        orders->launches[i] = (struct ob_spec_launch){.step = step};
    }
    *out = (struct ob_spec_permutation){.launches = orders->launches,
                                        .launch_count = spec->step_count};
    return true;
}

void ob_spec_orders_free(struct ob_spec_orders *orders)
{
    if (!orders)
        return;
    free(orders->sessions);
    free(orders->launched);
    free(orders->launches);
    free(orders);
}
