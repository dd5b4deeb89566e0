#include "explore/race.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* An event's clock has, for each client, how many of its events happen before it or are it. */
struct order {
    const struct ob_events *events;
    size_t client_count;
    uint32_t *clocks; /* client_count for each event */
    uint32_t *number; /* of each event among those of its client, from 1 */
};

static uint32_t *clock_of(const struct order *order, size_t event)
{
    return order->clocks + event * order->client_count;
}

static bool happens_before(const struct order *order, size_t i, size_t k)
{
    return clock_of(order, k)[order->events->items[i].client] >= order->number[i];
}

static void join(const struct order *order, size_t to, size_t from)
{
    uint32_t *clock = clock_of(order, to);
    const uint32_t *other = clock_of(order, from);
    for (size_t i = 0; i < order->client_count; i++)
        if (other[i] > clock[i])
            clock[i] = other[i];
}

static bool woke(const struct ob_event_of_step *event, size_t client)
{
    return event->woken & ((ob_client_set)1 << client);
}

/* Whoever happens after an event between first and second that is none of the initials happens
 * after one of the initials too, so only those need to be looked at. */
static ob_client_set find_initials(const struct order *order, size_t first, size_t second)
{
    size_t initial[OB_CLIENTS_MAX], count = 0;
    ob_client_set set = 0;
    for (size_t i = first + 1; i <= second; i++) {
        bool after = i != second && happens_before(order, first, i);
        for (size_t k = 0; k < count && !after; k++)
            after = happens_before(order, initial[k], i);
        if (after)
            continue;
        initial[count++] = i;
        set |= (ob_client_set)1 << order->events->items[i].client;
    }
    return set;
}

/* Orders an event behind those before it, the latest first, so that one which is ordered through a
 * later one is known to be. */
static size_t order_event(const struct order *order, size_t event, size_t *races)
{
    const struct ob_event_of_step *items = order->events->items;
    size_t count = 0, client = items[event].client;
    uint32_t *clock = clock_of(order, event);
    clock[client] = order->number[event];
    for (size_t i = event; i-- > 0;) {
        if (items[i].client == client) {
            join(order, event, i);
            continue;
        }
        bool woken = woke(&items[i], client);
        if (happens_before(order, i, event) ||
            (!woken && !ob_events_dependent(&items[i], &items[event])))
            continue;
        join(order, event, i);
        if (!woken)
            races[count++] = i;
    }
    return count;
}

void ob_races_find(const struct ob_events *events, size_t client_count,
                   void (*found)(void *arg, const struct ob_race *race), void *arg)
{
    struct order order = {.events = events, .client_count = client_count};
    uint32_t counts[OB_CLIENTS_MAX] = {0};
    size_t *races = ob_alloc((events->count + 1) * sizeof *races);
    order.clocks = ob_alloc((events->count + 1) * client_count * sizeof *order.clocks);
    order.number = ob_alloc((events->count + 1) * sizeof *order.number);
    for (size_t i = 0; i < events->count; i++) {
        order.number[i] = ++counts[events->items[i].client];
        size_t count = order_event(&order, i, races);
        for (size_t k = 0; k < count; k++) {
            const struct ob_race race = {races[k], i, find_initials(&order, races[k], i)};
            found(arg, &race);
        }
    }
    free(order.number);
    free(order.clocks);
    free(races);
}
