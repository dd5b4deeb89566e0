/* schema.c - see schema.h.  Every function returns a new reference. */
#include "scenario/schema.h"

#include "base/alloc.h"
#include "scenario/vocabulary.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef json_t *builder(enum ob_target_kind target);

static json_t *object_of(const struct ob_key_set *set, enum ob_target_kind target);

/* Unquoted numbers and truth values are texts to the loader too, where a text is wanted. */
static json_t *text_type(void)
{
    return json_pack("{s:[s, s, s], s:i}", "type", "string", "number", "boolean", "minLength", 1);
}

static json_t *name_type(void)
{
    return json_pack("{s:s, s:s, s:i}", "type", "string", "pattern",
                     ob_key_types[OB_KEY_NAME].pattern, "maxLength", 64);
}

static json_t *any_of(json_t *first, json_t *second)
{
    return json_pack("{s:[o, o]}", "anyOf", first, second);
}

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items", items);
}

/* A mapping whose keys are the file's own. */
static json_t *map_of(json_t *values)
{
    return json_pack("{s:s, s:i, s:o}", "type", "object", "minProperties", 1,
                     "additionalProperties", values);
}

static json_t *null_type(enum ob_target_kind target)
{
    (void)target;
    return json_pack("{s:s}", "type", "null");
}

/* What may also be null. */
static json_t *scalar_type(void)
{
    return json_pack("{s:[s, s, s, s]}", "type", "string", "number", "boolean", "null");
}

static json_t *constant(const char *value, const char *about)
{
    return json_pack("{s:s, s:s}", "const", value, "description", about);
}

static json_t *words_of(const struct ob_word *words, enum ob_target_kind target)
{
    json_t *choices = json_array();
    for (; words->name; words++) {
        if (ob_key_is_for(words->targets, target))
            json_array_append_new(choices, constant(words->name, words->about));
    }
    return json_pack("{s:o}", "oneOf", choices);
}

static json_t *names_or_one(enum ob_target_kind target)
{
    (void)target;
    return any_of(name_type(), list_of(name_type()));
}

/* An action of a list: the verb alone where it needs no key, or {verb: {key: value}}. */
static json_t *action(enum ob_target_kind target)
{
    json_t *choices = json_array();
    for (const struct ob_verb *verb = ob_verbs; verb->set.name; verb++) {
        json_t *keys = object_of(&verb->set, target);
        bool bare = !verb->one_of && !json_object_get(keys, "required");
        if (verb->one_of)
            json_object_update_new(keys,
                                   json_pack("{s:i, s:i}", "minProperties", 1, "maxProperties", 1));
        json_t *properties =
            json_pack("{s:o}", verb->set.name, bare ? any_of(keys, null_type(target)) : keys);
        json_array_append_new(choices,
                              json_pack("{s:s, s:s, s:o, s:[s], s:b}", "type", "object",
                                        "description", verb->about, "properties", properties,
                                        "required", verb->set.name, "additionalProperties", 0));
        if (bare)
            json_array_append_new(choices, constant(verb->set.name, verb->about));
    }
    return json_pack("{s:o}", "anyOf", choices);
}

/* A client, or an entry of "given", that does one verb, the verb's keys beside its own. */
static json_t *entry_doing(const struct ob_key_set *set, const struct ob_verb *verb,
                           enum ob_target_kind target)
{
    json_t *entry = object_of(set, target);
    json_t *keys = object_of(&verb->set, target);
    json_t *properties = json_object_get(entry, "properties");
    json_object_update(properties, json_object_get(keys, "properties"));
    json_object_set_new(properties, "does", constant(verb->set.name, verb->about));
    json_t *required = json_object_get(entry, "required");
    if (json_object_get(keys, "required"))
        json_array_extend(required, json_object_get(keys, "required"));
    if (set == &ob_given_keys && !verb->nobodys)
        json_array_append_new(required, json_string("as"));
    if (verb->one_of)
        json_object_set_new(entry, "oneOf",
                            json_pack("[{s:[s]}, {s:[s]}]", "required", verb->set.keys[0].name,
                                      "required", verb->set.keys[1].name));
    json_decref(keys);
    return entry;
}

static json_t *entry_of(const struct ob_key_set *set, enum ob_target_kind target)
{
    json_t *choices = json_array();
    for (const struct ob_verb *verb = ob_verbs; verb->set.name; verb++)
        json_array_append_new(choices, entry_doing(set, verb, target));
    json_t *with_list = object_of(set, target);
    json_object_set_new(json_object_get(with_list, "properties"), "does",
                        list_of(json_pack("{s:s}", "$ref", "#/definitions/action")));
    json_array_append_new(choices, with_list);
    return json_pack("{s:o}", "anyOf", choices);
}

static json_t *variants(enum ob_target_kind target)
{
    json_t *map = map_of(any_of(object_of(&ob_variant_keys, target), null_type(target)));
    json_object_set_new(map, "propertyNames", name_type());
    json_object_set_new(map, "maxProperties", json_integer(OB_SCENARIO_VARIANTS_MAX));
    return map;
}

static json_t *given(enum ob_target_kind target)
{
    return list_of(entry_of(&ob_given_keys, target));
}

static json_t *clients(enum ob_target_kind target)
{
    json_t *list = list_of(target == OB_TARGET_REFERENCE ? entry_of(&ob_client_keys, target)
                                                         : object_of(&ob_client_keys, target));
    json_object_set_new(list, "maxItems", json_integer(OB_SCENARIO_CLIENTS_MAX));
    return list;
}

static json_t *faults(enum ob_target_kind target)
{
    return object_of(&ob_faults_keys, target);
}

static json_t *points(enum ob_target_kind target)
{
    json_t *list = list_of(words_of(ob_fault_words, target));
    json_object_set_new(list, "uniqueItems", json_true());
    return list;
}

static json_t *explore(enum ob_target_kind target)
{
    return object_of(&ob_explore_keys, target);
}

/* The sql target has no built-in ones, so there each has its query. */
static json_t *invariants(enum ob_target_kind target)
{
    json_t *map = object_of(&ob_invariant_keys, target);
    if (target == OB_TARGET_REFERENCE)
        return list_of(any_of(words_of(ob_invariant_words, target), map));
    json_array_append_new(json_object_get(map, "required"), json_string("sql"));
    return list_of(map);
}

static json_t *sometimes(enum ob_target_kind target)
{
    json_t *list = list_of(
        any_of(words_of(ob_sometimes_words, target), object_of(&ob_sometimes_keys, target)));
    json_object_set_new(list, "maxItems", json_integer(OB_SCENARIO_SOMETIMES_MAX));
    return list;
}

static json_t *expectation(enum ob_target_kind target)
{
    return any_of(any_of(constant("holds", "Every invariant holds in every schedule explored."),
                         constant("any", "Nothing is expected: the verdict is only told.")),
                  object_of(&ob_expectation_keys, target));
}

static json_t *expect(enum ob_target_kind target)
{
    return any_of(expectation(target), map_of(expectation(target)));
}

static json_t *steps(enum ob_target_kind target)
{
    static const char *const kinds[] = {"begin", "commit", "rollback", "sql", "clock", "event"};
    json_t *step = object_of(&ob_step_keys, target);
    json_t *one_kind = json_array();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        json_array_append_new(one_kind, json_pack("{s:[s]}", "required", kinds[i]));
    json_object_set_new(step, "oneOf", one_kind);
    return list_of(any_of(json_pack("{s:[s, s, s]}", "enum", kinds[0], kinds[1], kinds[2]), step));
}

static json_t *sql(enum ob_target_kind target)
{
    (void)target;
    return any_of(text_type(), map_of(text_type()));
}

static json_t *path(enum ob_target_kind target)
{
    (void)target;
    json_t *words = json_array();
    for (size_t i = 0; ob_path_words[i]; i++)
        json_array_append_new(words, json_string(ob_path_words[i]));
    json_t *word = json_pack("{s:O}", "enum", words);
    return any_of(word, map_of(json_pack("{s:o}", "enum", words)));
}

static json_t *clock_step(enum ob_target_kind target)
{
    json_t *map = object_of(&ob_verb_find("clock")->set, target);
    json_object_update_new(map, json_pack("{s:i, s:i}", "minProperties", 1, "maxProperties", 1));
    return map;
}

static json_t *scalars(enum ob_target_kind target)
{
    (void)target;
    return map_of(scalar_type());
}

static json_t *capture(enum ob_target_kind target)
{
    (void)target;
    return map_of(text_type());
}

static json_t *text_or_texts(enum ob_target_kind target)
{
    (void)target;
    return any_of(text_type(), list_of(text_type()));
}

static json_t *touches(enum ob_target_kind target)
{
    return object_of(&ob_touches_keys, target);
}

/* "does" is filled in by entry_of(). */
static json_t *replaced(enum ob_target_kind target)
{
    return null_type(target);
}

static json_t *other_type(const char *key, enum ob_target_kind target)
{
    static const struct {
        const char *key;
        builder *build;
    } builders[] = {
        {"variants", variants},
        {"given", given},
        {"clients", clients},
        {"faults", faults},
        {"points", points},
        {"explore", explore},
        {"invariants", invariants},
        {"sometimes", sometimes},
        {"expect", expect},
        {"steps", steps},
        {"does", replaced},
        {"sql", sql},
        {"path", path},
        {"clock", clock_step},
        {"vars", scalars},
        {"data", scalars},
        {"capture", capture},
        {"when", text_or_texts},
        {"touches", touches},
        {"read", text_or_texts},
        {"share", text_or_texts},
        {"write", text_or_texts},
        {"only", names_or_one},
        {"begin", null_type},
        {"commit", null_type},
        {"rollback", null_type},
    };
    size_t i = 0;
    while (strcmp(builders[i].key, key) != 0) {
        i++;
        assert(i < sizeof builders / sizeof *builders);
    }
    return builders[i].build(target);
}

static json_t *word_type(const struct ob_key *key)
{
    json_t *words = json_array();
    for (size_t i = 0; key->words[i]; i++)
        json_array_append_new(words, json_string(key->words[i]));
    return json_pack("{s:o}", "enum", words);
}

/* The plain words, so that an editor can complete them, or one with its number. */
static json_t *strategy_type(const struct ob_key *key)
{
    json_t *numbered =
        json_pack("{s:s, s:s}", "type", "string", "pattern", ob_key_types[OB_KEY_STRATEGY].pattern);
    return any_of(word_type(key), numbered);
}

static json_t *value_type(const struct ob_key *key, enum ob_target_kind target)
{
    switch (key->type) {
    case OB_KEY_OTHER:
        return other_type(key->name, target);
    case OB_KEY_WORD:
        return word_type(key);
    case OB_KEY_STRATEGY:
        return strategy_type(key);
    case OB_KEY_NUMBER:
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)key->min,
                         "maximum", (json_int_t)key->max);
    case OB_KEY_BOOLEAN:
        return json_pack("{s:s}", "type", "boolean");
    case OB_KEY_NAME:
    case OB_KEY_PARTY:
        return name_type();
    case OB_KEY_TEXT:
        return text_type();
    default:
        return json_pack("{s:s, s:s}", "type", "string", "pattern",
                         ob_key_types[key->type].pattern);
    }
}

/* The default as a value of the key's type. */
static json_t *default_of(const struct ob_key *key)
{
    bool bare = key->type == OB_KEY_NUMBER || key->type == OB_KEY_BOOLEAN;
    return bare ? json_loads(key->fallback, JSON_DECODE_ANY, NULL) : json_string(key->fallback);
}

static json_t *object_of(const struct ob_key_set *set, enum ob_target_kind target)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const struct ob_key *key = set->keys; key->name; key++) {
        if (!ob_key_is_for(key->targets, target))
            continue;
        json_t *value = value_type(key, target);
        json_object_set_new(value, "description", json_string(key->about));
        if (key->fallback)
            json_object_set_new(value, "default", default_of(key));
        json_object_set_new(properties, key->name, value);
        if (key->required)
            json_array_append_new(required, json_string(key->name));
    }
    json_t *object = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                               "additionalProperties", 0);
    if (json_array_size(required) > 0)
        json_object_set(object, "required", required);
    json_decref(required);
    return object;
}

static json_t *is_target(const char *word)
{
    return json_pack("{s:{s:{s:s}}, s:[s]}", "properties", "target", "const", word, "required",
                     "target");
}

static json_t *reference_to(const char *definition)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/definitions/%s", definition));
}

char *ob_scenario_schema(void)
{
    json_t *schema =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o}}", "$schema",
                  "http://json-schema.org/draft-07/schema#", "title", "overbook scenario",
                  "description", "A race that overbook runs; docs/scenario-format.md tells more.",
                  "if", is_target("sql"), "then", reference_to("sql"), "else",
                  json_pack("{s:o, s:o, s:o}", "if", is_target("spec"), "then",
                            reference_to("spec"), "else", reference_to("reference")),
                  "definitions", "action", action(OB_TARGET_REFERENCE), "reference",
                  object_of(&ob_scenario_keys, OB_TARGET_REFERENCE), "sql",
                  object_of(&ob_scenario_keys, OB_TARGET_SQL), "spec",
                  object_of(&ob_scenario_keys, OB_TARGET_SPEC));
    char *text = json_dumps(schema, JSON_INDENT(1));
    json_decref(schema);
    assert(text);
    char *file = ob_asprintf("%s\n", text);
    free(text);
    return file;
}
