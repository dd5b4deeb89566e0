/*
 * race_spec.c - an isolation spec as a scenario: its sessions are the clients.  See load_int.h.
 *
 * Sessions keep their names, which become those of clients in traces and in the history; so they
 * must differ, and the spec must be UTF-8.
 */
#include "scenario/load_int.h"

#include "base/digest.h"
#include "scenario/spec.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INVARIANTS_MAX ((size_t)64)

/* Made for every spec that is run by itself. */
static const char not_stuck[] = "SELECT data->>'why' AS why FROM history WHERE kind = 'stuck'";

bool ob_scenario_is_spec(const char *path)
{
    size_t size = strlen(path), suffix = sizeof ".spec" - 1;
    return size > suffix && strcmp(path + size - suffix, ".spec") == 0;
}

/* Refuses the spec: "SPEC:LINE:COLUMN: what". */
static bool refuse_spec(struct ob_load *load)
{
    struct ob_error found = *load->err;
    ob_error_set(load->err, OB_INPUT, "%s: %s", found.detail, found.message);
    ob_error_hint(load->err, "%s", found.hint);
    return false;
}

static bool is_utf8(const char *text, size_t size)
{
    json_t *value = json_stringn(text, size);
    json_decref(value);
    return value != NULL;
}

static bool add_clients(struct ob_load *load, struct ob_place place)
{
    struct ob_scenario *scenario = load->scenario;
    const struct ob_spec *spec = scenario->spec;
    struct ob_scenario_client *clients =
        ob_arena_alloc(&scenario->arena, spec->session_count * sizeof *clients);
    for (size_t i = 0; i < spec->session_count; i++) {
        const char *name = spec->sessions[i].name;
        for (size_t k = 0; k < i; k++) {
            if (strcmp(clients[k].name, name) == 0)
                return ob_load_refuse(load, place, "give each session a name of its own",
                                      "%s has two sessions %s", scenario->spec_file,
                                      ob_load_quote(load, name));
        }
        clients[i] = (struct ob_scenario_client){
            .name = name, .variants = ob_load_all_variants(load), .place = place};
    }
    scenario->clients = clients;
    scenario->client_count = spec->session_count;
    return true;
}

bool ob_load_spec_file(struct ob_load *load, const char *path, struct ob_place place)
{
    struct ob_scenario *scenario = load->scenario;
    struct ob_buf *text = &load->spec_text;
    scenario->spec_file = ob_arena_strdup(&scenario->arena, path);
    if (ob_load_read(path, text, load->err) != OB_OK) {
        ob_error_context(load->err, "%s:%d:%d", scenario->file, place.line, place.column);
        return false;
    }
    if (!is_utf8(text->data, text->size))
        return ob_load_refuse(load, place, "write it as UTF-8", "%s is not UTF-8", path);
    if (ob_spec_parse(path, text->data, text->size, &scenario->spec, load->err) != OB_OK)
        return refuse_spec(load);
    return add_clients(load, place);
}

bool ob_load_spec(struct ob_load *load, const struct ob_node *node)
{
    const char *file = load->scenario->file, *slash = strrchr(file, '/');
    int folder = node->text[0] == '/' || !slash ? 0 : (int)(slash + 1 - file);
    const char *path = ob_arena_printf(&load->scenario->arena, "%.*s%s", folder, file, node->text);
    return ob_load_spec_file(load, path, node->place);
}

/* The file's name in small letters, with hyphens for whatever else there is. */
static const char *name_of(struct ob_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char *name = ob_arena_strdup(arena, base), *end = name;
    size_t size = strlen(base) - (sizeof ".spec" - 1);
    for (size_t i = 0; i < size && end - name < 64; i++) {
        unsigned char c = (unsigned char)base[i];
        if (c < 0x80 && isalnum(c))
            *end++ = (char)tolower(c);
        else if (end > name && end[-1] != '-')
            *end++ = '-';
    }
    while (end > name && end[-1] == '-')
        end--;
    *end = '\0';
    return name[0] != '\0' ? name : "spec";
}

/* "NAME: SQL" as a node of the list of invariants. */
static bool make_invariant(struct ob_load *load, const char *text, size_t index,
                           struct ob_node *out)
{
    struct ob_arena *arena = &load->scenario->arena;
    const struct ob_place place = {(int)index + 1, 1};
    const char *colon = strchr(text, ':');
    if (!colon)
        return ob_load_refuse(load, place, "write it as 'NAME: SELECT …'", "%s is no invariant",
                              ob_load_quote(load, text));
    struct ob_node *parts = ob_arena_alloc(arena, 2 * sizeof *parts);
    parts[0] = (struct ob_node){.key = "name",
                                .text = ob_arena_printf(arena, "%.*s", (int)(colon - text), text),
                                .place = place,
                                .key_place = place,
                                .next = &parts[1]};
    parts[1] = (struct ob_node){.key = "sql",
                                .text = colon + 1 + strspn(colon + 1, " \t\n"),
                                .place = place,
                                .key_place = place};
    *out = (struct ob_node){.kind = OB_NODE_MAP, .place = place, .first = parts, .count = 2};
    return true;
}

/* The caller's, and that nobody is stuck. */
static bool add_invariants(struct ob_load *load, const char *const *texts, size_t count)
{
    struct ob_scenario *scenario = load->scenario;
    struct ob_node nodes[INVARIANTS_MAX + 1];
    struct ob_node list = {.kind = OB_NODE_LIST, .first = nodes, .count = count + 1};
    const char *file = scenario->file;
    if (count > INVARIANTS_MAX)
        return ob_load_refuse(load, (struct ob_place){1, 1}, "write them in a file",
                              "more than %zu invariants", INVARIANTS_MAX);
    scenario->file = "--invariant";
    bool read = true;
    for (size_t i = 0; i < count && read; i++) {
        read = make_invariant(load, texts[i], i, &nodes[i]);
        nodes[i].next = &nodes[i + 1];
    }
    const char *last = ob_arena_printf(&scenario->arena, "not-stuck: %s", not_stuck);
    read =
        read && make_invariant(load, last, count, &nodes[count]) && ob_load_invariants(load, &list);
    scenario->file = file;
    return read;
}

static bool read_bare(struct ob_load *load, const char *path, const char *const *invariants,
                      size_t invariant_count)
{
    struct ob_scenario *scenario = load->scenario;
    struct ob_variant *variant = ob_arena_alloc(&scenario->arena, sizeof *variant);
    *variant = (struct ob_variant){.name = "default", .setup = "", .source = "", .place = {1, 1}};
    scenario->target = OB_TARGET_SPEC;
    scenario->name = name_of(&scenario->arena, path);
    scenario->about = ob_arena_printf(&scenario->arena, "The sessions of %s.", path);
    scenario->setup = "";
    scenario->start_us = INT64_C(1780304400000000); /* 2026-06-01T09:00:00Z */
    scenario->variants = variant;
    scenario->variant_count = 1;
    scenario->explore.strategy = scenario->explore.schedule = "";
    return ob_load_spec_file(load, path, (struct ob_place){1, 1}) &&
           add_invariants(load, invariants, invariant_count);
}

static bool is_same_file(const char *left, const char *right)
{
    struct stat a, b;
    return stat(left, &a) == 0 && stat(right, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The scenario beside the spec that names it; *out is NULL when there is none. */
static enum ob_result load_beside(const char *path, struct ob_scenario **out, struct ob_error *err)
{
    static const char *const suffixes[] = {"yaml", "yml"};
    enum ob_result result = OB_OK;
    *out = NULL;
    for (size_t i = 0; i < 2 && !*out && result == OB_OK; i++) {
        struct stat info;
        char *beside = ob_asprintf("%.*s%s", (int)(strlen(path) - 4), path, suffixes[i]);
        if (stat(beside, &info) == 0)
            result = ob_scenario_load(beside, out, err);
        if (*out && (!(*out)->spec_file || !is_same_file((*out)->spec_file, path))) {
            ob_scenario_free(*out);
            *out = NULL;
        }
        free(beside);
    }
    return result;
}

enum ob_result ob_scenario_load_spec(const char *path, const char *const *invariants,
                                     size_t invariant_count, struct ob_scenario **out,
                                     struct ob_error *err)
{
    struct ob_scenario *beside = NULL;
    if (invariant_count == 0) {
        enum ob_result result = load_beside(path, &beside, err);
        if (result != OB_OK || beside) {
            if (result == OB_OK)
                *out = beside;
            return result;
        }
    }
    struct ob_scenario *scenario = ob_alloc(sizeof *scenario);
    struct ob_load load = {.scenario = scenario, .err = err, .self = OB_LOAD_NOBODY};
    ob_arena_init(&scenario->arena);
    ob_buf_init(&load.spec_text, 2 * OB_SCENARIO_SIZE_MAX);
    scenario->file = ob_arena_strdup(&scenario->arena, path);
    bool read = read_bare(&load, path, invariants, invariant_count);
    if (read) {
        ob_sha256(load.spec_text.data, load.spec_text.size, scenario->hash);
        *out = scenario;
    } else {
        ob_scenario_free(scenario);
    }
    ob_buf_clear(&load.spec_text);
    return read ? OB_OK : err->code;
}
