/*
 * reference.c - what the clients of the reference target do: verbs with their keys, before the race
 * ("given") and in it.  See load_int.h.
 */
#include "scenario/load_int.h"

#include <assert.h>
#include <string.h>

/* Finds the verb that a scalar names; NULL when it is refused. */
static const struct ob_verb *read_verb(struct ob_load *load, const char *text,
                                       struct ob_place place)
{
    const struct ob_verb *verb = ob_verb_find(text);
    if (!verb) {
        size_t count = 0;
        const char *names[32] = {NULL};
        for (const struct ob_verb *each = ob_verbs; each->set.name; each++) {
            assert(count + 1 < sizeof names / sizeof *names);
            names[count++] = each->set.name;
        }
        const struct ob_choice choice = {"verb", names, "write one of these verbs"};
        ob_load_refuse_unknown(load, place, text, &choice);
    }
    return verb;
}

/* Reads the verb's settings out of map, whose keys have been checked. */
static bool read_settings(struct ob_load *load, const struct ob_verb *verb,
                          const struct ob_node *map, struct ob_action *out)
{
    struct ob_settings settings;
    if (!ob_load_settings(load, &verb->set, map, map->place, &settings))
        return false;
    if (verb->one_of && settings.count != 1)
        return ob_load_refuse(load, map->place, "for example {clock: {advance: 15min}}",
                              "%s needs one of \"%s\" and \"%s\"", verb->set.name,
                              verb->set.keys[0].name, verb->set.keys[1].name);
    *out = (struct ob_action){
        .verb = verb->set.name,
        .settings = settings.items,
        .setting_count = settings.count,
        .place = map->place,
    };
    return true;
}

bool ob_load_action(struct ob_load *load, const char *name, const struct ob_node *map,
                    struct ob_action *out)
{
    const struct ob_verb *verb = ob_verb_find(name);
    assert(verb);
    return ob_load_keys(load, map, &verb->set, NULL) && read_settings(load, verb, map, out);
}

/* An action that stands in a list: "pay", {pay: } or {pay: {amount: 5}}. */
static bool read_item(struct ob_load *load, const struct ob_node *item, struct ob_action *out)
{
    const struct ob_node nothing = {.kind = OB_NODE_MAP, .place = item->place};
    const struct ob_node *map = &nothing;
    const struct ob_verb *verb;
    if (item->kind == OB_NODE_MAP) {
        if (item->count != 1)
            return ob_load_refuse(load, item->place, "write {verb: {key: value}}",
                                  "an action is one verb, not %zu keys", item->count);
        verb = read_verb(load, item->first->key, item->first->key_place);
        if (!ob_tree_is_null(item->first))
            map = item->first;
    } else {
        if (!ob_load_expect(load, item, OB_NODE_SCALAR, "an action"))
            return false;
        verb = read_verb(load, item->text, item->place);
    }
    return verb && ob_load_action(load, verb->set.name, map, out);
}

bool ob_load_entry_keys(struct ob_load *load, const struct ob_node *entry,
                        const struct ob_key_set *set)
{
    const struct ob_node *does = entry->kind == OB_NODE_MAP ? ob_tree_get(entry, "does") : NULL;
    if (!does || does->kind != OB_NODE_SCALAR)
        return ob_load_keys(load, entry, set, NULL);
    const struct ob_verb *verb = read_verb(load, does->text, does->place);
    return verb && ob_load_keys(load, entry, set, &verb->set);
}

static size_t action_count(const struct ob_node *entry)
{
    const struct ob_node *does = ob_tree_get(entry, "does");
    return does->kind == OB_NODE_LIST ? does->count : 1;
}

/* Reads the actions, action_count() of them, of an entry whose keys have been checked. */
static bool read_actions(struct ob_load *load, const struct ob_node *entry, struct ob_action *out)
{
    const struct ob_node *does = ob_tree_get(entry, "does");
    if (does->kind == OB_NODE_SCALAR)
        return read_settings(load, ob_verb_find(does->text), entry, out);
    if (!ob_load_expect(load, does, OB_NODE_LIST, "\"does\""))
        return false;
    for (const struct ob_node *item = does->first; item; item = item->next) {
        if (!read_item(load, item, out++))
            return false;
    }
    return true;
}

bool ob_load_client_actions(struct ob_load *load, const struct ob_node *node,
                            struct ob_scenario_client *client)
{
    size_t count = action_count(node);
    struct ob_action *actions = ob_arena_alloc(&load->scenario->arena, count * sizeof *actions);
    if (!read_actions(load, node, actions))
        return false;
    client->actions = actions;
    client->action_count = count;
    return true;
}

/* The party of an entry of "given": a client, a guest, or a guest that is new. */
static bool read_as(struct ob_load *load, const struct ob_node *entry, struct ob_setting *out)
{
    const struct ob_node *node = ob_tree_get(entry, "as");
    load->self = OB_LOAD_NOBODY;
    if (!node)
        return true;
    if (!ob_load_value(load, ob_key_find(&ob_given_keys, "as"), node, out))
        return false;
    size_t index = 0;
    while (index < load->party_count && strcmp(load->parties[index], out->text) != 0)
        index++;
    if (index == load->scenario->client_count + OB_LOAD_GUESTS_MAX)
        return ob_load_refuse(load, node->place, "let fewer do more",
                              "more than %zu names beside the clients'", OB_LOAD_GUESTS_MAX);
    if (index == load->party_count)
        load->parties[load->party_count++] = out->text;
    out->kind = OB_VALUE_PARTY;
    out->number = (int64_t)index;
    load->self = index;
    return true;
}

/* Adds the party to an action that has been read. */
static bool add_as(struct ob_load *load, const struct ob_setting *as, struct ob_action *action)
{
    if (load->self == OB_LOAD_NOBODY) {
        if (ob_verb_find(action->verb)->nobodys)
            return true;
        return ob_load_refuse(load, action->place, "add \"as:\" and a name",
                              "nobody is named who does \"%s\"", action->verb);
    }
    size_t count = action->setting_count;
    struct ob_setting *settings =
        ob_arena_alloc(&load->scenario->arena, (count + 1) * sizeof *settings);
    for (size_t i = 0; i < count; i++)
        settings[i] = action->settings[i];
    settings[count] = *as;
    action->settings = settings;
    action->setting_count = count + 1;
    return true;
}

static bool read_given(struct ob_load *load, const struct ob_node *entry, struct ob_action *out)
{
    struct ob_setting as;
    if (!read_as(load, entry, &as) || !read_actions(load, entry, out))
        return false;
    for (size_t i = 0; i < action_count(entry); i++) {
        if (!add_as(load, &as, &out[i]))
            return false;
    }
    return true;
}

/* The guests' names, once all are known. */
static void keep_guests(struct ob_load *load)
{
    struct ob_scenario *scenario = load->scenario;
    size_t count = load->party_count - scenario->client_count;
    const char **guests = ob_arena_alloc(&scenario->arena, count * sizeof *guests);
    for (size_t i = 0; i < count; i++)
        guests[i] = load->parties[scenario->client_count + i];
    scenario->guests = guests;
    scenario->guest_count = count;
}

bool ob_load_given(struct ob_load *load, const struct ob_node *list)
{
    size_t count = 0;
    if (!ob_load_expect(load, list, OB_NODE_LIST, "\"given\""))
        return false;
    for (const struct ob_node *entry = list->first; entry; entry = entry->next) {
        if (!ob_load_entry_keys(load, entry, &ob_given_keys))
            return false;
        count += action_count(entry);
    }
    struct ob_action *given = ob_arena_alloc(&load->scenario->arena, count * sizeof *given);
    load->scenario->given = given;
    load->scenario->given_count = count;
    for (const struct ob_node *entry = list->first; entry; entry = entry->next) {
        if (!read_given(load, entry, given))
            return false;
        given += action_count(entry);
    }
    keep_guests(load);
    return true;
}

static bool makes_hold(const struct ob_action *action)
{
    return strcmp(action->verb, "hold") == 0 || strcmp(action->verb, "series") == 0 ||
           strcmp(action->verb, "book") == 0;
}

/* Whether the party gets a hold by one of the first count actions of "given". */
static bool holds_before(const struct ob_scenario *scenario, size_t count, int64_t party)
{
    for (size_t i = 0; i < count; i++) {
        const struct ob_action *action = &scenario->given[i];
        const struct ob_setting *as =
            ob_setting_find(action->settings, action->setting_count, "as");
        if (makes_hold(action) && as && as->number == party)
            return true;
    }
    return false;
}

/* The variants in which the party asks for a hold during the race. */
static uint64_t holds_racing(const struct ob_scenario *scenario, int64_t party)
{
    if ((uint64_t)party >= scenario->client_count)
        return 0;
    const struct ob_scenario_client *client = &scenario->clients[party];
    for (size_t i = 0; i < client->action_count; i++) {
        if (makes_hold(&client->actions[i]))
            return client->variants;
    }
    return 0;
}

static bool refuse_holdless(struct ob_load *load, const struct ob_setting *of, const char *when)
{
    return ob_load_refuse(load, of->place, "let them hold or book a slot first, or name another",
                          "%s has no hold %s", ob_load_quote(load, of->text), when);
}

static bool check_client_holds(struct ob_load *load, const struct ob_scenario_client *client)
{
    const struct ob_scenario *scenario = load->scenario;
    for (size_t i = 0; i < client->action_count; i++) {
        const struct ob_action *action = &client->actions[i];
        const struct ob_setting *of =
            ob_setting_find(action->settings, action->setting_count, "of");
        if (!of || holds_before(scenario, scenario->given_count, of->number))
            continue;
        uint64_t variants = holds_racing(scenario, of->number);
        if (variants == 0)
            return refuse_holdless(load, of, "that this could be about");
        if ((client->variants & ~variants) != 0)
            return refuse_holdless(load, of, "in every variant in which this happens");
    }
    return true;
}

bool ob_load_check_holds(struct ob_load *load)
{
    const struct ob_scenario *scenario = load->scenario;
    for (size_t i = 0; i < scenario->given_count; i++) {
        const struct ob_action *action = &scenario->given[i];
        const struct ob_setting *of =
            ob_setting_find(action->settings, action->setting_count, "of");
        if (of && !holds_before(scenario, i, of->number))
            return refuse_holdless(load, of, "before this");
    }
    for (size_t i = 0; i < scenario->client_count; i++) {
        if (!check_client_holds(load, &scenario->clients[i]))
            return false;
    }
    return true;
}
