/* turns.c - each client in turn, without faults: one run beginning with each client. */
#include "explore/strategy_int.h"

static bool next(void *state)
{
    const struct ob_search *search = state;
    return search->run < search->client_count;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    const struct ob_search *search = state;
    if (point->kind != OB_CHOICE_STEP)
        return 0;
    size_t wanted = point->previous == OB_NO_CLIENT ? search->run : point->previous + 1;
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] >= wanted)
            return i;
    return 0;
}

const struct ob_search_type ob_search_turns = {
    .size = sizeof(struct ob_search), .next = next, .choose = choose};
