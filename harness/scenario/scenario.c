/*
 * scenario.c - a scenario file as a whole, see scenario.h.
 *
 * Order: the target, since keys depend on it; variants; the clients' names; what was before; what
 * the clients do; and then what is only compared with these.
 */
#include "scenario/load_int.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "scenario/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ob_setting *find(const struct ob_settings *settings, const char *key)
{
    return ob_setting_find(settings->items, settings->count, key);
}

static const char *text_of(const struct ob_settings *settings, const char *key)
{
    const struct ob_setting *setting = find(settings, key);
    return setting ? setting->text : "";
}

static int64_t number_of(const struct ob_settings *settings, const char *key)
{
    const struct ob_setting *setting = find(settings, key);
    return setting ? setting->number : 0;
}

static void *new_items(struct ob_load *load, size_t count, size_t size)
{
    return ob_arena_alloc(&load->scenario->arena, count * size);
}

/* The target comes first, whatever else is wrong; a file without one goes on as if for the
 * reference, so that a misspelt key is named, and fails at the latest for want of its target. */
static bool read_target(struct ob_load *load, const struct ob_node *root)
{
    struct ob_setting setting;
    const struct ob_node *node = ob_tree_get(root, "target");
    if (!node)
        return true;
    if (!ob_load_value(load, ob_key_find(&ob_scenario_keys, "target"), node, &setting))
        return false;
    load->scenario->target = (enum ob_target_kind)setting.number;
    return true;
}

static bool read_head(struct ob_load *load, const struct ob_node *root)
{
    struct ob_settings settings;
    struct ob_scenario *scenario = load->scenario;
    if (!ob_load_expect(load, root, OB_NODE_MAP, "a scenario") || !read_target(load, root) ||
        !ob_load_keys(load, root, &ob_scenario_keys, NULL) ||
        !ob_load_settings(load, &ob_scenario_keys, root, root->place, &settings))
        return false;
    scenario->name = text_of(&settings, "name");
    scenario->about = text_of(&settings, "about");
    scenario->setup = text_of(&settings, "setup");
    scenario->start_us = number_of(&settings, "start");
    return true;
}

/* The settings that have no field of their own: either schema or constraint is among them. */
static bool keep_reference_settings(struct ob_load *load, const struct ob_settings *settings,
                                    struct ob_variant *out)
{
    struct ob_setting *kept = new_items(load, 3, sizeof *kept);
    const struct ob_setting *flag = find(settings, "flag"), *schema = find(settings, "schema");
    const struct ob_setting *constraint = find(settings, "constraint");
    const bool fixed = flag->number > 0;
    if (schema && constraint)
        return ob_load_refuse(load, schema->place, "leave one of them out",
                              "a schema's version says whether the constraint is there");
    kept[0] = *flag;
    kept[1] = schema       ? *schema
              : constraint ? *constraint
                           : (struct ob_setting){.key = "constraint",
                                                 .kind = OB_VALUE_BOOLEAN,
                                                 .text = fixed ? "true" : "false",
                                                 .number = fixed,
                                                 .place = flag->place};
    kept[2] = *find(settings, "hold-for");
    out->settings = kept;
    out->setting_count = 3;
    return true;
}

/* Reads a variant; map is NULL for one without settings. */
static bool read_variant(struct ob_load *load, const char *name, const struct ob_node *map,
                         struct ob_place place, struct ob_variant *out)
{
    struct ob_settings settings;
    if (map && !ob_load_keys(load, map, &ob_variant_keys, NULL))
        return false;
    if (!ob_load_settings(load, &ob_variant_keys, map, place, &settings))
        return false;
    *out = (struct ob_variant){
        .name = name,
        .isolation = (enum ob_isolation)number_of(&settings, "isolation"),
        .gates = number_of(&settings, "gates") != 0,
        .setup = text_of(&settings, "setup"),
        .source = text_of(&settings, "source"),
        .place = place,
    };
    return load->scenario->target != OB_TARGET_REFERENCE ||
           keep_reference_settings(load, &settings, out);
}

static bool read_variants(struct ob_load *load, const struct ob_node *root, struct ob_variant **out)
{
    struct ob_scenario *scenario = load->scenario;
    const struct ob_node *map = ob_tree_get(root, "variants");
    if (map && !ob_load_expect(load, map, OB_NODE_MAP, "\"variants\""))
        return false;
    if (map && map->count > OB_SCENARIO_VARIANTS_MAX)
        return ob_load_refuse(load, map->place, "split the scenario", "more than %zu variants",
                              OB_SCENARIO_VARIANTS_MAX);
    scenario->variant_count = map ? map->count : 1;
    struct ob_variant *variants = new_items(load, scenario->variant_count, sizeof *variants);
    scenario->variants = variants;
    *out = variants;
    if (!map)
        return read_variant(load, "default", NULL, root->place, variants);
    for (const struct ob_node *node = map->first; node; node = node->next, variants++) {
        const char *name;
        const struct ob_node key = {.place = node->key_place, .text = node->key};
        const struct ob_node *settings = ob_tree_is_null(node) ? NULL : node;
        if (!ob_load_name(load, &key, "variant", &name) ||
            !read_variant(load, name, settings, node->key_place, variants))
            return false;
    }
    return true;
}

static bool read_path(struct ob_load *load, const struct ob_node *node, uint64_t variants,
                      struct ob_scenario_client *out)
{
    const char *word;
    static const struct ob_choice choice = {"path", ob_path_words, "write legacy or fixed"};
    if (!ob_load_text(load, node, "\"path\"", &word))
        return false;
    if (strcmp(word, "legacy") == 0)
        out->legacy |= variants;
    else if (strcmp(word, "fixed") == 0)
        out->fixed |= variants;
    else
        return ob_load_refuse_unknown(load, node->place, word, &choice);
    return true;
}

/* "path" is a word, or a mapping of variant to word. */
static bool read_paths(struct ob_load *load, const struct ob_node *node,
                       struct ob_scenario_client *out)
{
    if (!node || node->kind == OB_NODE_SCALAR)
        return !node || read_path(load, node, ob_load_all_variants(load), out);
    if (!ob_load_expect(load, node, OB_NODE_MAP, "\"path\""))
        return false;
    for (const struct ob_node *each = node->first; each; each = each->next) {
        size_t variant;
        if (!ob_load_variant(load, each->key, each->key_place, &variant) ||
            !read_path(load, each, UINT64_C(1) << variant, out))
            return false;
    }
    return true;
}

/* What clients of the reference have beside what they do: customer is always among the settings. */
static bool read_worker(struct ob_load *load, const struct ob_node *node,
                        const struct ob_settings *settings, struct ob_scenario_client *out)
{
    const struct ob_setting *customer = find(settings, "customer");
    struct ob_setting *kept = new_items(load, 1, sizeof *kept);
    *kept =
        customer
            ? *customer
            : (struct ob_setting){
                  .key = "customer", .kind = OB_VALUE_TEXT, .text = out->name, .place = out->place};
    out->settings = kept;
    out->setting_count = 1;
    return read_paths(load, ob_tree_get(node, "path"), out);
}

/* A client's own keys, without what it does. */
static bool read_client(struct ob_load *load, const struct ob_node *node,
                        struct ob_scenario_client *out)
{
    struct ob_settings settings;
    if (!ob_load_entry_keys(load, node, &ob_client_keys) ||
        !ob_load_settings(load, &ob_client_keys, node, node->place, &settings))
        return false;
    const struct ob_setting *isolation = find(&settings, "isolation");
    *out = (struct ob_scenario_client){
        .name = text_of(&settings, "name"),
        .isolation = isolation ? (enum ob_isolation)isolation->number : OB_READ_COMMITTED,
        .isolation_given = isolation != NULL,
        .retries = (unsigned)number_of(&settings, "retries"),
        .retry_lost = number_of(&settings, "retry-lost") != 0,
        .place = node->place,
    };
    return (load->scenario->target != OB_TARGET_REFERENCE ||
            read_worker(load, node, &settings, out)) &&
           ob_load_only(load, node, &out->variants);
}

/* Adds the client's name to the parties. */
static bool add_party(struct ob_load *load, const struct ob_scenario_client *client)
{
    for (size_t i = 0; i < load->party_count; i++) {
        if (strcmp(load->parties[i], client->name) == 0)
            return ob_load_refuse(load, client->place, "give each client a name of its own",
                                  "there are two clients \"%s\"", client->name);
    }
    load->parties[load->party_count++] = client->name;
    return true;
}

static bool check_variants_have_clients(struct ob_load *load)
{
    uint64_t taken = 0;
    const struct ob_scenario *scenario = load->scenario;
    for (size_t i = 0; i < scenario->client_count; i++)
        taken |= scenario->clients[i].variants;
    for (size_t i = 0; i < scenario->variant_count; i++) {
        if ((taken & UINT64_C(1) << i) == 0)
            return ob_load_refuse(load, scenario->variants[i].place,
                                  "look at \"only\" of the clients",
                                  "variant \"%s\" has no clients", scenario->variants[i].name);
    }
    return true;
}

static bool read_clients(struct ob_load *load, const struct ob_node *list,
                         struct ob_scenario_client *clients)
{
    size_t count = 0;
    for (const struct ob_node *node = list->first; node; node = node->next) {
        if (!read_client(load, node, &clients[count]) || !add_party(load, &clients[count]))
            return false;
        count++;
    }
    return check_variants_have_clients(load);
}

static bool read_race(struct ob_load *load, const struct ob_node *root)
{
    struct ob_scenario *scenario = load->scenario;
    if (scenario->target == OB_TARGET_SPEC)
        return ob_load_spec(load, ob_tree_get(root, "spec"));
    const struct ob_node *list = ob_tree_get(root, "clients");
    const struct ob_node *given = ob_tree_get(root, "given");
    if (!ob_load_expect(load, list, OB_NODE_LIST, "\"clients\""))
        return false;
    if (list->count > OB_SCENARIO_CLIENTS_MAX)
        return ob_load_refuse(load, list->place, "let fewer do more", "more than %zu clients",
                              OB_SCENARIO_CLIENTS_MAX);
    struct ob_scenario_client *clients = new_items(load, list->count, sizeof *clients);
    scenario->clients = clients;
    scenario->client_count = list->count;
    if (!read_clients(load, list, clients) || (given && !ob_load_given(load, given)))
        return false;
    const struct ob_node *node = list->first;
    for (load->self = 0; load->self < list->count; load->self++, node = node->next) {
        struct ob_scenario_client *client = &clients[load->self];
        bool read = scenario->target == OB_TARGET_REFERENCE
                        ? ob_load_client_actions(load, node, client)
                        : ob_load_client_steps(load, node, client);
        if (!read)
            return false;
    }
    return ob_load_check_holds(load);
}

static bool read_fault_point(struct ob_load *load, const struct ob_node *node, size_t count,
                             const char **points)
{
    const char *name;
    if (!ob_load_text(load, node, "a fault point", &name))
        return false;
    const struct ob_word *word = ob_word_find(ob_fault_words, name);
    const struct ob_choice choice = {"fault point", ob_load_words(load, ob_fault_words),
                                     "write one of these points"};
    if (!word)
        return ob_load_refuse_unknown(load, node->place, name, &choice);
    if (!ob_key_is_for(word->targets, load->scenario->target))
        return ob_load_refuse(load, node->place, "leave it out",
                              "the fault point \"%s\" is not for target %s", name,
                              ob_target_words[load->scenario->target]);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(points[i], name) == 0)
            return ob_load_refuse(load, node->place, "leave one out",
                                  "the fault point \"%s\" is there twice", name);
    }
    points[count] = name;
    return true;
}

static bool read_faults(struct ob_load *load, const struct ob_node *map)
{
    struct ob_settings settings;
    struct ob_scenario *scenario = load->scenario;
    if (!map)
        return true;
    if (!ob_load_keys(load, map, &ob_faults_keys, NULL) ||
        !ob_load_settings(load, &ob_faults_keys, map, map->place, &settings))
        return false;
    const struct ob_node *list = ob_tree_get(map, "points");
    if (!ob_load_expect(load, list, OB_NODE_LIST, "\"points\""))
        return false;
    const char **points = new_items(load, list->count, sizeof *points);
    for (const struct ob_node *node = list->first; node; node = node->next) {
        if (!read_fault_point(load, node, scenario->fault_point_count, points))
            return false;
        scenario->fault_point_count++;
    }
    scenario->fault_points = points;
    scenario->fault_budget = (unsigned)number_of(&settings, "budget");
    return true;
}

static bool read_explore(struct ob_load *load, const struct ob_node *map)
{
    struct ob_settings settings = {0};
    if (map && (!ob_load_keys(load, map, &ob_explore_keys, NULL) ||
                !ob_load_settings(load, &ob_explore_keys, map, map->place, &settings)))
        return false;
    const struct ob_setting *strategy = find(&settings, "strategy");
    if (strategy && load->scenario->target != OB_TARGET_SPEC &&
        strcmp(strategy->text, "permutations") == 0)
        return ob_load_refuse(load, strategy->place, "choose another strategy",
                              "only the target spec has permutations");
    load->scenario->explore = (struct ob_explore_wish){
        .strategy = text_of(&settings, "strategy"),
        .runs = (uint64_t)number_of(&settings, "runs"),
        .schedule = text_of(&settings, "schedule"),
    };
    return true;
}

static bool read_scenario(struct ob_load *load, const struct ob_node *root)
{
    struct ob_variant *variants = NULL;
    return read_head(load, root) && read_variants(load, root, &variants) && read_race(load, root) &&
           read_faults(load, ob_tree_get(root, "faults")) &&
           read_explore(load, ob_tree_get(root, "explore")) &&
           ob_load_invariants(load, ob_tree_get(root, "invariants")) &&
           ob_load_sometimes(load, ob_tree_get(root, "sometimes")) &&
           ob_load_expectations(load, ob_tree_get(root, "expect"), variants,
                                ob_tree_get(root, "variants") != NULL);
}

enum ob_result ob_load_parse(const struct ob_load_source *source, struct ob_scenario **out,
                             struct ob_error *err)
{
    const struct ob_node *root;
    struct ob_scenario *scenario = ob_alloc(sizeof *scenario);
    struct ob_load load = {.scenario = scenario, .err = err, .self = OB_LOAD_NOBODY};
    ob_arena_init(&scenario->arena);
    ob_buf_init(&load.spec_text, 2 * OB_LOAD_BUF_MAX);
    scenario->file = ob_arena_strdup(&scenario->arena, source->file);
    enum ob_result result =
        ob_tree_parse(source->file, source->data, source->size, &scenario->arena, &root, err);
    if (result == OB_OK && ((source->expand && !source->expand(source->arg, &load, &root)) ||
                            !read_scenario(&load, root)))
        result = err->code;
    if (result == OB_OK) {
        /* What the file says decides, and what its spec does. */
        if (scenario->spec)
            ob_buf_add(&load.spec_text, source->data, source->size);
        ob_sha256(scenario->spec ? load.spec_text.data : source->data,
                  scenario->spec ? load.spec_text.size : source->size, scenario->hash);
        *out = scenario;
    } else {
        ob_scenario_free(scenario);
    }
    ob_buf_clear(&load.spec_text);
    return result;
}

enum ob_result ob_scenario_parse(const char *file, const char *data, size_t size,
                                 struct ob_scenario **out, struct ob_error *err)
{
    const struct ob_load_source source = {.file = file, .data = data, .size = size};
    return ob_load_parse(&source, out, err);
}

/* Reads the whole stream, or as much as shows that it is too large. */
static void read_stream(FILE *stream, struct ob_buf *out)
{
    char chunk[OB_LOAD_CHUNK_SIZE];
    size_t size;
    while (out->size <= OB_SCENARIO_SIZE_MAX && (size = fread(chunk, 1, sizeof chunk, stream)) > 0)
        ob_buf_add(out, chunk, size);
}

enum ob_result ob_load_read(const char *path, struct ob_buf *out, struct ob_error *err)
{
    FILE *stream = NULL;
    enum ob_result result = ob_file_open(path, &stream, err);
    if (result != OB_OK)
        return result;
    read_stream(stream, out);
    if (ferror(stream)) {
        result = ob_error_set(err, OB_INPUT, "could not read \"%s\": %m", path);
        ob_error_hint(err, "give a file");
    }
    fclose(stream);
    return result;
}

enum ob_result ob_scenario_load(const char *path, struct ob_scenario **out, struct ob_error *err)
{
    if (ob_scenario_is_spec(path))
        return ob_scenario_load_spec(path, NULL, 0, out, err);
    struct ob_buf data;
    ob_buf_init(&data, OB_LOAD_BUF_MAX);
    enum ob_result result = ob_load_read(path, &data, err);
    if (result == OB_OK)
        result = ob_scenario_parse(path, data.data, data.size, out, err);
    ob_buf_clear(&data);
    return result;
}

void ob_scenario_free(struct ob_scenario *scenario)
{
    if (!scenario)
        return;
    ob_spec_free(scenario->spec);
    ob_arena_clear(&scenario->arena);
    free(scenario);
}

size_t ob_scenario_variant(const struct ob_scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->variant_count; i++) {
        if (strcmp(scenario->variants[i].name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

const struct ob_setting *ob_setting_find(const struct ob_setting *settings, size_t count,
                                         const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].key, key) == 0)
            return &settings[i];
    }
    return NULL;
}
