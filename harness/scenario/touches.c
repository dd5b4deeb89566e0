/*
 * touches.c - what a statement of the sql target is declared to touch.  See load_int.h.
 */
#include "scenario/load_int.h"

#include <string.h>

/* The names of ob_touches_keys, each in the place of its way. */
static const char *const way_words[] = {
    [OB_DECLARED_READ] = "read", [OB_DECLARED_SHARE] = "share", [OB_DECLARED_WRITE] = "write"};
#define WAY_COUNT (sizeof way_words / sizeof *way_words)

static size_t count_of(const struct ob_node *node)
{
    return node->kind == OB_NODE_SCALAR ? 1 : node->count;
}

/* "TABLE" or "TABLE/KEY"; a table without a schema is in public, as on the clients' search path. */
static bool read_name(struct ob_load *load, const struct ob_node *node, struct ob_declared *out)
{
    struct ob_arena *arena = &load->scenario->arena;
    const char *text;
    if (!ob_load_text(load, node, "what is touched", &text))
        return false;
    size_t size = strcspn(text, "/");
    if (size == 0 || (text[size] == '/' && text[size + 1] == '\0'))
        return ob_load_refuse(load, node->place, "for example slot, or slot/1 for a row of it",
                              "%s is no TABLE nor TABLE/KEY", ob_load_quote(load, text));
    const char *table = ob_arena_strndup(arena, text, size);
    out->relation = strchr(table, '.') ? table : ob_arena_printf(arena, "public.%s", table);
    out->key = text[size] == '/' ? text + size + 1 : NULL;
    return true;
}

static bool read_names(struct ob_load *load, const struct ob_node *node, enum ob_declared_way way,
                       struct ob_declared **out)
{
    if (node->kind != OB_NODE_SCALAR &&
        !ob_load_expect(load, node, OB_NODE_LIST, "what is touched"))
        return false;
    const struct ob_node *item = node->kind == OB_NODE_SCALAR ? node : node->first;
    for (size_t i = 0; i < count_of(node); i++, item = item->next, (*out)++) {
        (*out)->way = way;
        if (!read_name(load, item, *out))
            return false;
    }
    return true;
}

bool ob_load_touches(struct ob_load *load, const struct ob_node *map, struct ob_sql_step *step)
{
    if (!map)
        return true;
    if (!ob_load_expect(load, map, OB_NODE_MAP, "\"touches\"") ||
        !ob_load_keys(load, map, &ob_touches_keys, NULL))
        return false;
    for (const struct ob_node *node = map->first; node; node = node->next)
        step->touch_count += count_of(node);
    struct ob_declared *touches =
        ob_arena_alloc(&load->scenario->arena, step->touch_count * sizeof *touches);
    step->declares = true;
    step->touches = touches;
    for (size_t way = 0; way < WAY_COUNT; way++) {
        const struct ob_node *node = ob_tree_get(map, way_words[way]);
        if (node && !read_names(load, node, (enum ob_declared_way)way, &touches))
            return false;
    }
    return true;
}
