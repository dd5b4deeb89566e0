/* load.c - see load_int.h.  Keys, words and refusals, which all parts of the loader have in common.
 */
#include "scenario/load_int.h"

#include "base/buf.h"
#include "base/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool ob_load_refuse(struct ob_load *load, struct ob_place place, const char *hint, const char *fmt,
                    ...)
{
    char text[sizeof load->err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ob_error_set(load->err, OB_INPUT, "%s:%d:%d: %s", load->scenario->file, place.line,
                 place.column, text);
    ob_error_hint(load->err, "%s", hint);
    return false;
}

const char *ob_load_quote(struct ob_load *load, const char *text)
{
    return ob_tree_quote(&load->scenario->arena, text);
}

bool ob_load_refuse_unknown(struct ob_load *load, struct ob_place place, const char *text,
                            const struct ob_choice *choice)
{
    size_t count = 0;
    struct ob_buf known;
    ob_buf_init(&known, sizeof load->err->detail);
    for (; choice->words[count]; count++)
        ob_buf_printf(&known, "%s%s", count > 0 ? ", " : "", choice->words[count]);
    const char *nearest = ob_parse_nearest(text, choice->words, count);
    ob_load_refuse(load, place, choice->cure, "unknown %s %s", choice->what,
                   ob_load_quote(load, text));
    ob_error_detail(load->err, "known: %s", count > 0 ? known.data : "none");
    if (nearest)
        ob_error_hint(load->err, "did you mean \"%s\"?", nearest);
    ob_buf_clear(&known);
    return false;
}

bool ob_load_expect(struct ob_load *load, const struct ob_node *node, enum ob_node_kind kind,
                    const char *what)
{
    static const char *const kinds[] = {"a single value", "a list", "a mapping"};
    static const char *const cures[] = {"write one value",
                                        "write it as [a, b] or as lines of \"- …\"",
                                        "write it as {key: value} or as lines of \"key: value\""};
    if (node->kind != kind)
        return ob_load_refuse(load, node->place, cures[kind], "%s must be %s, not %s", what,
                              kinds[kind], kinds[node->kind]);
    if (kind != OB_NODE_SCALAR && node->count == 0)
        return ob_load_refuse(load, node->place, cures[kind], "%s is empty", what);
    return true;
}

static void add_names(struct ob_load *load, const struct ob_key_set *set, const char **names,
                      size_t *count)
{
    for (const struct ob_key *key = set->keys; key->name; key++) {
        if (ob_key_is_for(key->targets, load->scenario->target))
            names[(*count)++] = key->name;
    }
}

static size_t key_count(const struct ob_key_set *set)
{
    size_t count = 0;
    while (set->keys[count].name)
        count++;
    return count;
}

static bool refuse_key(struct ob_load *load, const struct ob_node *node,
                       const struct ob_key_set *set, const struct ob_key_set *more)
{
    size_t count = 0;
    size_t capacity = key_count(set) + (more ? key_count(more) : 0) + 1;
    const char **names = ob_arena_alloc(&load->scenario->arena, capacity * sizeof *names);
    add_names(load, set, names, &count);
    if (more)
        add_names(load, more, names, &count);
    const struct ob_choice choice = {"key", names, "leave it out, or write a known one"};
    return ob_load_refuse_unknown(load, node->key_place, node->key, &choice);
}

static bool check_required(struct ob_load *load, const struct ob_node *map,
                           const struct ob_key_set *set)
{
    for (const struct ob_key *key = set->keys; key->name; key++) {
        if (key->required && ob_key_is_for(key->targets, load->scenario->target) &&
            !ob_tree_get(map, key->name)) {
            ob_load_refuse(load, map->place, "", "\"%s\" is missing from this %s", key->name,
                           set->name);
            ob_error_hint(load->err, "add \"%s:\"", key->name);
            ob_error_detail(load->err, "%s", key->about);
            return false;
        }
    }
    return true;
}

bool ob_load_keys(struct ob_load *load, const struct ob_node *node, const struct ob_key_set *set,
                  const struct ob_key_set *more)
{
    enum ob_target_kind target = load->scenario->target;
    if (node->kind != OB_NODE_MAP)
        return ob_load_expect(load, node, OB_NODE_MAP,
                              ob_arena_printf(&load->scenario->arena, "this %s", set->name));
    for (const struct ob_node *child = node->first; child; child = child->next) {
        const struct ob_key *key = ob_key_find(set, child->key);
        if (!key && more)
            key = ob_key_find(more, child->key);
        if (!key)
            return refuse_key(load, child, set, more);
        if (!ob_key_is_for(key->targets, target))
            return ob_load_refuse(load, child->key_place, "leave it out, or change the target",
                                  "\"%s\" is not for target %s", key->name,
                                  ob_target_words[target]);
    }
    return check_required(load, node, set) && (!more || check_required(load, node, more));
}

/* The party that a key means when the file does not say. */
static struct ob_setting self_setting(const struct ob_load *load, const struct ob_key *key,
                                      struct ob_place place)
{
    return (struct ob_setting){
        .key = key->name,
        .kind = OB_VALUE_PARTY,
        .text = load->parties[load->self],
        .number = (int64_t)load->self,
        .place = place,
    };
}

bool ob_load_settings(struct ob_load *load, const struct ob_key_set *set, const struct ob_node *map,
                      struct ob_place place, struct ob_settings *out)
{
    *out = (struct ob_settings){0};
    out->items = ob_arena_alloc(&load->scenario->arena, key_count(set) * sizeof *out->items);
    for (const struct ob_key *key = set->keys; key->name; key++) {
        if (key->type == OB_KEY_OTHER || !ob_key_is_for(key->targets, load->scenario->target))
            continue;
        const struct ob_node fallback = {.place = place, .text = key->fallback, .plain = true};
        const struct ob_node *given = map ? ob_tree_get(map, key->name) : NULL;
        if (given || key->fallback) {
            if (!ob_load_value(load, key, given ? given : &fallback, &out->items[out->count]))
                return false;
            out->count++;
        } else if (key->type == OB_KEY_PARTY && load->self != OB_LOAD_NOBODY) {
            out->items[out->count++] = self_setting(load, key, place);
        }
    }
    return true;
}

bool ob_load_text(struct ob_load *load, const struct ob_node *node, const char *what,
                  const char **out)
{
    if (!ob_load_expect(load, node, OB_NODE_SCALAR, what))
        return false;
    if (ob_tree_is_null(node) || node->text[strspn(node->text, " \t\n")] == '\0')
        return ob_load_refuse(load, node->place, "write a value, or leave the key out",
                              "%s is empty", what);
    *out = node->text;
    return true;
}

uint64_t ob_load_all_variants(const struct ob_load *load)
{
    return UINT64_MAX >> (OB_SCENARIO_VARIANTS_MAX - load->scenario->variant_count);
}

bool ob_load_variant(struct ob_load *load, const char *name, struct ob_place place, size_t *out)
{
    const struct ob_scenario *scenario = load->scenario;
    size_t index = ob_scenario_variant(scenario, name);
    if (index == SIZE_MAX) {
        const char *names[OB_SCENARIO_VARIANTS_MAX + 1] = {NULL};
        for (size_t i = 0; i < scenario->variant_count; i++)
            names[i] = scenario->variants[i].name;
        const struct ob_choice choice = {"variant", names, "name it under \"variants\""};
        return ob_load_refuse_unknown(load, place, name, &choice);
    }
    *out = index;
    return true;
}

static bool add_variant(struct ob_load *load, const struct ob_node *node, uint64_t *set)
{
    size_t index = 0;
    const char *name = NULL;
    if (!ob_load_text(load, node, "a variant", &name) ||
        !ob_load_variant(load, name, node->place, &index))
        return false;
    *set |= UINT64_C(1) << index;
    return true;
}

bool ob_load_only(struct ob_load *load, const struct ob_node *map, uint64_t *out)
{
    const struct ob_node *node = ob_tree_get(map, "only");
    *out = 0;
    if (!node) {
        *out = ob_load_all_variants(load);
        return true;
    }
    if (node->kind == OB_NODE_SCALAR)
        return add_variant(load, node, out);
    if (!ob_load_expect(load, node, OB_NODE_LIST, "only"))
        return false;
    for (const struct ob_node *item = node->first; item; item = item->next) {
        if (!add_variant(load, item, out))
            return false;
    }
    return true;
}

const char *const *ob_load_words(struct ob_load *load, const struct ob_word *words)
{
    size_t count = 0;
    for (const struct ob_word *word = words; word->name; word++)
        count++;
    const char **names = ob_arena_alloc(&load->scenario->arena, (count + 1) * sizeof *names);
    count = 0;
    for (const struct ob_word *word = words; word->name; word++) {
        if (ob_key_is_for(word->targets, load->scenario->target))
            names[count++] = word->name;
    }
    return names;
}
