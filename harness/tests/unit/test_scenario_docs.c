/*
 * What users and editors read says what the loader does: the documentation names every word and its
 * examples load, and the schema in docs is the one that the vocabulary makes.  With OVERBOOK_BLESS
 * set the schema is written anew.
 */
#include "scenario/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/vocabulary.h"
#include "scenario_support.h"

#define SCHEMA_FILE "docs/scenario.schema.json"
#define DOCS_FILE "docs/scenario-format.md"

static const struct ob_key_set *const sets[] = {
    &ob_scenario_keys,  &ob_variant_keys,   &ob_given_keys,       &ob_client_keys,
    &ob_step_keys,      &ob_touches_keys,   &ob_faults_keys,      &ob_explore_keys,
    &ob_invariant_keys, &ob_sometimes_keys, &ob_expectation_keys, NULL,
};

static void assert_named(const char *docs, const char *word)
{
    char quoted[128];
    snprintf(quoted, sizeof quoted, "`%s`", word);
    if (!strstr(docs, quoted))
        fail_msg("%s does not name %s", DOCS_FILE, quoted);
}

/* A key is told in a table, with its default where it has one. */
static void assert_told(const char *docs, const struct ob_key *key)
{
    char row[128], fallback[128];
    snprintf(row, sizeof row, "\n| `%s` |", key->name);
    const char *found = strstr(docs, row);
    if (!found)
        fail_msg("%s has no row \"| `%s` |\"", DOCS_FILE, key->name);
    for (size_t i = 0; key->words && key->words[i]; i++)
        assert_named(docs, key->words[i]);
    snprintf(fallback, sizeof fallback, "| `%s` | default %s |", key->name, key->fallback);
    if (key->fallback && !strstr(docs, fallback))
        fail_msg("%s has no row \"%s\"", DOCS_FILE, fallback);
}

static void assert_set_told(const char *docs, const struct ob_key_set *set)
{
    for (const struct ob_key *key = set->keys; key->name; key++)
        assert_told(docs, key);
}

static void the_documentation_tells_every_key(void **state)
{
    (void)state;
    struct ob_buf docs = read_file(DOCS_FILE);
    for (size_t i = 0; sets[i]; i++)
        assert_set_told(docs.data, sets[i]);
    for (const struct ob_verb *verb = ob_verbs; verb->set.name; verb++) {
        char row[128];
        snprintf(row, sizeof row, "\n| `%s` | ", verb->set.name);
        assert_non_null(strstr(docs.data, row));
        assert_set_told(docs.data, &verb->set);
    }
    ob_buf_clear(&docs);
}

static void the_documentation_names_every_word(void **state)
{
    (void)state;
    struct ob_buf docs = read_file(DOCS_FILE);
    for (const struct ob_word *word = ob_fault_words; word->name; word++)
        assert_named(docs.data, word->name);
    for (const struct ob_word *word = ob_invariant_words; word->name; word++)
        assert_named(docs.data, word->name);
    for (const struct ob_word *word = ob_sometimes_words; word->name; word++)
        assert_named(docs.data, word->name);
    for (size_t i = 0; ob_variable_words[i]; i++)
        assert_named(docs.data, ob_variable_words[i]);
    ob_buf_clear(&docs);
}

/* Loads a block of YAML; one that is not a whole scenario is put into one. */
static void load_example(const char *file, const char *text, size_t size)
{
    struct ob_error err;
    struct ob_scenario *scenario;
    struct ob_buf whole;
    ob_buf_init(&whole, 1 << 16);
    if (strncmp(text, "name:", 5) != 0)
        ob_buf_puts(&whole, "name: x\nabout: A race.\ntarget: reference\n"
                            "clients: [{name: ann, does: cleanup}]\nexpect: holds\n");
    ob_buf_add(&whole, text, size);
    if (ob_scenario_parse(file, whole.data, whole.size, &scenario, &err) != OB_OK)
        fail_msg("%s\n%s", err.message, whole.data);
    ob_scenario_free(scenario);
    ob_buf_clear(&whole);
}

static void the_examples_of_the_documentation_load(void **state)
{
    (void)state;
    static const char fence[] = "```yaml\n";
    static const struct {
        const char *file;
        size_t count;
    } files[] = {{DOCS_FILE, 5}, {"docs/invariants.md", 1}, {"README.md", 1}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t count = 0;
        struct ob_buf docs = read_file(files[i].file);
        for (const char *text = docs.data; (text = strstr(text, fence)); count++) {
            text += strlen(fence);
            const char *end = strstr(text, "```");
            assert_non_null(end);
            load_example(files[i].file, text, (size_t)(end - text));
            text = end + 3;
        }
        assert_int_equal(count, files[i].count);
        ob_buf_clear(&docs);
    }
}

/* As cli/ prints it, of the first example with "slott" in place of "slot". */
static void the_error_of_the_documentation_is_the_loader_s(void **state)
{
    (void)state;
    struct ob_error err;
    struct ob_scenario *scenario;
    struct ob_buf docs = read_file(DOCS_FILE), text;
    const char *example = strstr(docs.data, "```yaml\n") + strlen("```yaml\n");
    const char *slot = strstr(example, "slot: ") + strlen("slot");
    ob_buf_init(&text, 1 << 16);
    ob_buf_add(&text, example, (size_t)(slot - example));
    ob_buf_puts(&text, "t");
    ob_buf_add(&text, slot, (size_t)(strstr(slot, "```") - slot));
    assert_int_equal(ob_scenario_parse("two-holds.yaml", text.data, text.size, &scenario, &err),
                     OB_INPUT);
    ob_buf_reset(&text);
    ob_buf_printf(&text, "\noverbook: %s\n  %s\n  Hint: %s\n", err.message, err.detail, err.hint);
    if (!strstr(docs.data, text.data))
        fail_msg("%s does not have:%s", DOCS_FILE, text.data);
    ob_buf_clear(&text);
    ob_buf_clear(&docs);
}

static void the_schema_is_the_vocabulary_s(void **state)
{
    (void)state;
    char *made = ob_scenario_schema();
    if (getenv("OVERBOOK_BLESS")) {
        FILE *file = fopen(SCHEMA_FILE, "we");
        assert_non_null(file);
        assert_true(fputs(made, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    struct ob_buf kept = read_file(SCHEMA_FILE);
    if (strcmp(made, kept.data) != 0)
        fail_msg("%s is not what the vocabulary makes: run this with OVERBOOK_BLESS=1",
                 SCHEMA_FILE);
    ob_buf_clear(&kept);
    free(made);
}

static json_t *definition(json_t *schema, const char *name)
{
    json_t *found = json_object_get(json_object_get(schema, "definitions"), name);
    assert_non_null(found);
    return found;
}

/* The keys of an object in the schema are those of the set for the target, and no others are
 * allowed. */
static void assert_object(json_t *object, const struct ob_key_set *set, enum ob_target_kind target)
{
    size_t count = 0;
    json_t *properties = json_object_get(object, "properties");
    assert_true(json_is_false(json_object_get(object, "additionalProperties")));
    for (const struct ob_key *key = set->keys; key->name; key++) {
        json_t *property = json_object_get(properties, key->name);
        assert_int_equal(property != NULL, ob_key_is_for(key->targets, target));
        count += property != NULL;
        if (property)
            assert_string_equal(json_string_value(json_object_get(property, "description")),
                                key->about);
    }
    assert_int_equal(json_object_size(properties), count);
}

static void the_schema_has_the_keys_of_each_target(void **state)
{
    (void)state;
    json_error_t problem;
    char *text = ob_scenario_schema();
    json_t *schema = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    assert_non_null(schema);
    assert_object(definition(schema, "reference"), &ob_scenario_keys, OB_TARGET_REFERENCE);
    assert_object(definition(schema, "sql"), &ob_scenario_keys, OB_TARGET_SQL);
    assert_object(definition(schema, "spec"), &ob_scenario_keys, OB_TARGET_SPEC);
    json_t *properties = json_object_get(definition(schema, "sql"), "properties");
    json_t *client = json_object_get(json_object_get(properties, "clients"), "items");
    assert_object(client, &ob_client_keys, OB_TARGET_SQL);
    assert_object(json_object_get(properties, "faults"), &ob_faults_keys, OB_TARGET_SQL);
    json_decref(schema);
    free(text);
}

static bool is_one_of(const char *name, const struct ob_key_set *set)
{
    return ob_key_find(set, name) != NULL;
}

/* A client's keys and its verb's stand side by side, so none may be in both. */
static void no_verb_has_a_key_of_its_client(void **state)
{
    (void)state;
    for (const struct ob_verb *verb = ob_verbs; verb->set.name; verb++) {
        for (const struct ob_key *key = verb->set.keys; key->name; key++) {
            assert_false(is_one_of(key->name, &ob_client_keys));
            assert_false(is_one_of(key->name, &ob_given_keys));
        }
    }
}

/* A description in the schema and a detail in an error is one or more sentences. */
static void every_key_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; sets[i]; i++) {
        for (const struct ob_key *key = sets[i]->keys; key->name; key++) {
            size_t size = strlen(key->about);
            assert_true(size > 0 && key->about[size - 1] == '.');
            assert_int_equal(key->type == OB_KEY_WORD || key->type == OB_KEY_STRATEGY,
                             key->words != NULL);
            assert_true(key->type != OB_KEY_NUMBER || key->min < key->max);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documentation_tells_every_key),
        cmocka_unit_test(the_documentation_names_every_word),
        cmocka_unit_test(the_examples_of_the_documentation_load),
        cmocka_unit_test(the_error_of_the_documentation_is_the_loader_s),
        cmocka_unit_test(the_schema_is_the_vocabulary_s),
        cmocka_unit_test(the_schema_has_the_keys_of_each_target),
        cmocka_unit_test(no_verb_has_a_key_of_its_client),
        cmocka_unit_test(every_key_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
