/*
 * invariants.c - what must hold, and what is expected of each variant.  See load_int.h.
 */
#include "scenario/load_int.h"

#include "scenario/bind.h"

#include <string.h>

/* A query, as one statement without variables. */
static bool read_sql(struct ob_load *load, const struct ob_setting *sql, const char **out)
{
    struct ob_bound bound;
    struct ob_bind_problem problem;
    if (!ob_bind_parse(sql->text, &load->scenario->arena, &bound, &problem))
        return ob_load_refuse(load, sql->place, problem.hint, "%s", problem.text);
    if (bound.variable_count > 0)
        return ob_load_refuse(load, sql->place, "join the tables, or history, instead",
                              "such a query has no variables, but uses %s",
                              ob_load_quote(load, bound.variables[0]));
    *out = bound.sql;
    return true;
}

/* Whether the name alone tells what is checked. */
static bool check_built_in(struct ob_load *load, const struct ob_invariant_ref *invariant)
{
    const struct ob_word *word = ob_word_find(ob_invariant_words, invariant->name);
    bool built_in = word && ob_key_is_for(word->targets, load->scenario->target);
    if (built_in && invariant->sql)
        return ob_load_refuse(load, invariant->place, "choose another name, or leave sql out",
                              "the invariant \"%s\" is built in", invariant->name);
    if (built_in || invariant->sql)
        return true;
    if (word)
        return ob_load_refuse(load, invariant->place, "give it a query of its own by sql",
                              "the invariant \"%s\" is built in for target reference only",
                              invariant->name);
    const struct ob_choice choice = {"invariant", ob_load_words(load, ob_invariant_words),
                                     "write a new one as {name: …, sql: …}"};
    return ob_load_refuse_unknown(load, invariant->place, invariant->name, &choice);
}

static bool read_invariant(struct ob_load *load, const struct ob_node *node,
                           struct ob_invariant_ref *out)
{
    *out = (struct ob_invariant_ref){.variants = ob_load_all_variants(load), .place = node->place};
    if (node->kind == OB_NODE_SCALAR)
        return ob_load_name(load, node, "invariant", &out->name) && check_built_in(load, out);
    struct ob_settings settings;
    if (!ob_load_keys(load, node, &ob_invariant_keys, NULL) ||
        !ob_load_settings(load, &ob_invariant_keys, node, node->place, &settings))
        return false;
    const struct ob_setting *sql = ob_setting_find(settings.items, settings.count, "sql");
    out->name = ob_setting_find(settings.items, settings.count, "name")->text;
    out->after_commit =
        ob_setting_find(settings.items, settings.count, "after-commit")->number != 0;
    return ob_load_only(load, node, &out->variants) && (!sql || read_sql(load, sql, &out->sql)) &&
           check_built_in(load, out);
}

bool ob_load_invariants(struct ob_load *load, const struct ob_node *list)
{
    struct ob_scenario *scenario = load->scenario;
    if (!ob_load_expect(load, list, OB_NODE_LIST, "\"invariants\""))
        return false;
    struct ob_invariant_ref *refs = ob_arena_alloc(&scenario->arena, list->count * sizeof *refs);
    scenario->invariants = refs;
    for (const struct ob_node *node = list->first; node; node = node->next) {
        struct ob_invariant_ref *ref = &refs[scenario->invariant_count];
        if (!read_invariant(load, node, ref))
            return false;
        for (size_t i = 0; i < scenario->invariant_count; i++) {
            if (strcmp(refs[i].name, ref->name) == 0)
                return ob_load_refuse(load, ref->place, "leave one out",
                                      "the invariant \"%s\" is there twice", ref->name);
        }
        scenario->invariant_count++;
    }
    return true;
}

/* --- what some run must reach */

static bool check_sometimes(struct ob_load *load, const struct ob_sometimes_ref *ref)
{
    bool built_in = ob_word_find(ob_sometimes_words, ref->name) != NULL;
    if (built_in && ref->sql)
        return ob_load_refuse(load, ref->place, "choose another name, or leave sql out",
                              "\"%s\" is built in", ref->name);
    if (built_in || ref->sql)
        return true;
    const struct ob_choice choice = {"name", ob_load_words(load, ob_sometimes_words),
                                     "write a new one as {name: …, sql: …}"};
    return ob_load_refuse_unknown(load, ref->place, ref->name, &choice);
}

static bool read_sometimes(struct ob_load *load, const struct ob_node *node,
                           struct ob_sometimes_ref *out)
{
    *out = (struct ob_sometimes_ref){.variants = ob_load_all_variants(load), .place = node->place};
    if (node->kind == OB_NODE_SCALAR)
        return ob_load_name(load, node, "what is reached", &out->name) &&
               check_sometimes(load, out);
    struct ob_settings settings;
    if (!ob_load_keys(load, node, &ob_sometimes_keys, NULL) ||
        !ob_load_settings(load, &ob_sometimes_keys, node, node->place, &settings))
        return false;
    const struct ob_setting *sql = ob_setting_find(settings.items, settings.count, "sql");
    out->name = ob_setting_find(settings.items, settings.count, "name")->text;
    return (!sql || read_sql(load, sql, &out->sql)) && check_sometimes(load, out) &&
           ob_load_only(load, node, &out->variants);
}

bool ob_load_sometimes(struct ob_load *load, const struct ob_node *list)
{
    struct ob_scenario *scenario = load->scenario;
    if (!list)
        return true;
    if (!ob_load_expect(load, list, OB_NODE_LIST, "\"sometimes\""))
        return false;
    if (list->count > OB_SCENARIO_SOMETIMES_MAX)
        return ob_load_refuse(load, list->place, "leave some out", "more than %zu under sometimes",
                              OB_SCENARIO_SOMETIMES_MAX);
    struct ob_sometimes_ref *refs = ob_arena_alloc(&scenario->arena, list->count * sizeof *refs);
    scenario->sometimes = refs;
    for (const struct ob_node *node = list->first; node; node = node->next) {
        struct ob_sometimes_ref *ref = &refs[scenario->sometimes_count];
        if (!read_sometimes(load, node, ref))
            return false;
        for (size_t i = 0; i < scenario->sometimes_count; i++) {
            if (strcmp(refs[i].name, ref->name) == 0)
                return ob_load_refuse(load, ref->place, "leave one out", "\"%s\" is there twice",
                                      ref->name);
        }
        scenario->sometimes_count++;
    }
    return true;
}

/* --- what is expected */

/* All four numbers, or none of them. */
static bool read_smallest(struct ob_load *load, const struct ob_settings *settings,
                          struct ob_place place, struct ob_smallest *out)
{
    const struct {
        const char *key;
        int64_t *number;
    } numbers[] = {{"clients", &out->clients},
                   {"faults", &out->faults},
                   {"steps", &out->steps},
                   {"preemptions", &out->preemptions}};
    size_t count = sizeof numbers / sizeof *numbers, given = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ob_setting *setting =
            ob_setting_find(settings->items, settings->count, numbers[i].key);
        if (!setting)
            continue;
        *numbers[i].number = setting->number;
        given++;
    }
    out->known = given == count;
    if (given == 0 || out->known)
        return true;
    return ob_load_refuse(load, place,
                          "give clients, faults, steps and preemptions, or none of them",
                          "the smallest run is not told whole");
}

/* An invariant that this scenario checks in that variant, and the smallest run that breaks it. */
static bool read_violated(struct ob_load *load, const struct ob_node *map, struct ob_variant *out)
{
    struct ob_settings settings;
    struct ob_scenario *scenario = load->scenario;
    if (!ob_load_keys(load, map, &ob_expectation_keys, NULL) ||
        !ob_load_settings(load, &ob_expectation_keys, map, map->place, &settings))
        return false;
    const struct ob_setting *violated = ob_setting_find(settings.items, settings.count, "violates");
    const char **names =
        ob_arena_alloc(&scenario->arena, (scenario->invariant_count + 1) * sizeof *names);
    const uint64_t variant = UINT64_C(1) << (out - scenario->variants);
    size_t count = 0;
    for (size_t i = 0; i < scenario->invariant_count; i++) {
        if ((scenario->invariants[i].variants & variant) == 0)
            continue;
        names[count] = scenario->invariants[i].name;
        if (strcmp(names[count], violated->text) == 0) {
            out->violates = names[count];
            return read_smallest(load, &settings, map->place, &out->smallest);
        }
        count++;
    }
    const struct ob_choice choice = {"invariant", names, "add it to \"invariants\""};
    return ob_load_refuse_unknown(load, violated->place, violated->text, &choice);
}

/* "holds", "any", or {violates: invariant}. */
static bool read_expectation(struct ob_load *load, const struct ob_node *node,
                             struct ob_variant *out)
{
    static const char *const words[] = {"holds", "any", NULL};
    static const struct ob_choice choice = {"expectation", words,
                                            "write holds, {violates: INVARIANT}, or any"};
    if (node->kind != OB_NODE_SCALAR)
        return read_violated(load, node, out);
    out->any = strcmp(node->text, words[1]) == 0;
    return out->any || strcmp(node->text, words[0]) == 0 ||
           ob_load_refuse_unknown(load, node->place, node->text, &choice);
}

bool ob_load_expectations(struct ob_load *load, const struct ob_node *node,
                          struct ob_variant *variants, bool named)
{
    if (!named)
        return read_expectation(load, node, variants);
    if (!ob_load_expect(load, node, OB_NODE_MAP, "\"expect\""))
        return false;
    for (const struct ob_node *each = node->first; each; each = each->next) {
        size_t index;
        if (!ob_load_variant(load, each->key, each->key_place, &index) ||
            !read_expectation(load, each, &variants[index]))
            return false;
    }
    for (size_t i = 0; i < load->scenario->variant_count; i++) {
        if (!ob_tree_get(node, variants[i].name))
            return ob_load_refuse(load, node->place, "add holds, or {violates: INVARIANT}",
                                  "nothing is expected of variant \"%s\"", variants[i].name);
    }
    return true;
}
