#include "memo.h"

#include <stdlib.h>
#include <string.h>

struct ob_memo_choice {
    struct ob_choice_point point; /* its arrays are not its own */
    size_t option;
    size_t clients[OB_CLIENTS_MAX];
    enum ob_op_kind kinds[OB_CLIENTS_MAX];
};

/* A point at which somebody chose, or where a run ended. */
struct ob_memo_node {
    bool is_end;
    struct ob_memo_end end;
    struct ob_choice_point point;
    struct ob_memo_node **children; /* by option; NULL: nobody took it */
};

void ob_memo_init(struct ob_memo *memo)
{
    *memo = (struct ob_memo){0};
    ob_arena_init(&memo->arena);
}

void ob_memo_clear(struct ob_memo *memo)
{
    ob_arena_clear(&memo->arena);
    free(memo->choices);
    *memo = (struct ob_memo){0};
}

bool ob_memo_find(const struct ob_memo *memo, const struct ob_chooser *chooser,
                  struct ob_memo_end *out)
{
    const struct ob_memo_node *node = memo->root;
    chooser->restart(chooser->self);
    while (node && !node->is_end) {
        size_t option = chooser->choose(chooser->self, &node->point);
        node = option < node->point.option_count ? node->children[option] : NULL;
    }
    if (node)
        *out = node->end;
    return node;
}

/* --- a run that is made */

static void restart(void *self)
{
    struct ob_memo *memo = self;
    memo->count = 0;
    memo->inner.restart(memo->inner.self);
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct ob_memo *memo = self;
    size_t count = point->option_count;
    memo->choices = ob_grow(memo->choices, &memo->capacity, memo->count + 1, sizeof *memo->choices);
    struct ob_memo_choice *choice = &memo->choices[memo->count++];
    choice->point = *point;
    if (point->clients)
        memcpy(choice->clients, point->clients, count * sizeof *point->clients);
    if (point->kinds)
        memcpy(choice->kinds, point->kinds, count * sizeof *point->kinds);
    choice->option = memo->inner.choose(memo->inner.self, point);
    return choice->option;
}

struct ob_chooser ob_memo_chooser(struct ob_memo *memo, const struct ob_chooser *chooser)
{
    memo->inner = *chooser;
    memo->count = 0;
    return (struct ob_chooser){.self = memo, .restart = restart, .choose = choose};
}

/* --- the tree */

static void *copy(struct ob_arena *arena, const void *data, size_t size)
{
    return memcpy(ob_arena_alloc(arena, size), data, size);
}

static struct ob_memo_node *make_node(struct ob_memo *memo, const struct ob_memo_choice *choice)
{
    struct ob_arena *arena = &memo->arena;
    struct ob_memo_node *node = ob_arena_alloc(arena, sizeof *node);
    size_t count = choice->point.option_count;
    node->point = choice->point;
    node->point.trace = NULL;
    if (node->point.clients)
        node->point.clients = copy(arena, choice->clients, count * sizeof *choice->clients);
    if (node->point.kinds)
        node->point.kinds = copy(arena, choice->kinds, count * sizeof *choice->kinds);
    node->children = ob_arena_alloc(arena, count * sizeof(struct ob_memo_node *));
    return node;
}

/* Whether a strategy would be told the same. */
static bool is_same(const struct ob_choice_point *known, const struct ob_memo_choice *choice)
{
    const struct ob_choice_point *now = &choice->point;
    if (known->kind != now->kind || known->option_count != now->option_count ||
        !known->clients != !now->clients || !known->kinds != !now->kinds)
        return false;
    for (size_t i = 0; i < known->option_count; i++)
        if ((known->clients && known->clients[i] != choice->clients[i]) ||
            (known->kinds && known->kinds[i] != choice->kinds[i]))
            return false;
    return known->flying == now->flying && known->waiting == now->waiting &&
           known->previous == now->previous && known->client == now->client &&
           known->point == now->point && known->hit == now->hit && known->seen == now->seen;
}

bool ob_memo_add(struct ob_memo *memo, const struct ob_memo_end *end)
{
    struct ob_memo_node **at = &memo->root;
    for (size_t i = 0; i < memo->count; i++) {
        const struct ob_memo_choice *choice = &memo->choices[i];
        if (!*at)
            *at = make_node(memo, choice);
        if ((*at)->is_end || !is_same(&(*at)->point, choice))
            return false;
        at = &(*at)->children[choice->option];
    }
    if (*at)
        return (*at)->is_end && (*at)->end.digest == end->digest &&
               (*at)->end.breaks == end->breaks;
    *at = ob_arena_alloc(&memo->arena, sizeof **at);
    (*at)->is_end = true;
    (*at)->end = *end;
    memo->run_count++;
    return true;
}
