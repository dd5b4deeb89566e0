/*
 * sql.c - what the clients of the sql target send: steps, with variables, guards and captures.  See
 * load_int.h.
 *
 * Followed through the steps, for each variant by itself: which variables have a value, and whether
 * a transaction is open.  A guarded step may be skipped, so after it both are possible; only what
 * is wrong in any case is refused.
 */
#include "scenario/load_int.h"

#include "scenario/bind.h"
#include "scenario/guard.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct known_variable {
    const char *name;
    uint64_t variants; /* in which it has been captured by now */
};

struct reader {
    struct ob_load *load;
    const struct ob_scenario_client *client;
    struct ob_sql_step *steps; /* on the heap until all are known */
    size_t step_count, step_capacity;
    struct known_variable variables[OB_SCENARIO_VARIABLES_MAX]; /* those built in come first */
    size_t variable_count, built_in_count;
    uint64_t open, closed; /* variants in which a transaction is certainly open, certainly not */
};

static const struct {
    const char *key;
    enum ob_sql_step_kind kind;
} kinds[] = {
    {"begin", OB_SQL_BEGIN},   {"commit", OB_SQL_COMMIT}, {"rollback", OB_SQL_ROLLBACK},
    {"sql", OB_SQL_STATEMENT}, {"clock", OB_SQL_CLOCK},   {"event", OB_SQL_EVENT},
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static struct known_variable *find_variable(struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->variable_count; i++) {
        if (strcmp(r->variables[i].name, name) == 0)
            return &r->variables[i];
    }
    return NULL;
}

static bool refuse_variable(struct reader *r, const char *name, struct ob_place place)
{
    const char *names[OB_SCENARIO_VARIABLES_MAX + 1] = {NULL};
    for (size_t i = 0; i < r->variable_count; i++)
        names[i] = r->variables[i].name;
    const struct ob_choice choice = {"variable", names,
                                     "capture it by an earlier step, or give it by vars"};
    return ob_load_refuse_unknown(r->load, place, name, &choice);
}

/* Whether the variable has a value by now in all these variants. */
static bool use_variable(struct reader *r, const char *name, uint64_t variants,
                         struct ob_place place)
{
    const struct known_variable *known = find_variable(r, name);
    if (!known)
        return refuse_variable(r, name, place);
    uint64_t missing = variants & ~known->variants;
    if (missing == 0)
        return true;
    const char *variant = r->load->scenario->variants[__builtin_ctzll(missing)].name;
    return ob_load_refuse(r->load, place, "capture it by an earlier step, or give it by vars",
                          "the variable %s has no value here in variant \"%s\"",
                          ob_load_quote(r->load, name), variant);
}

/* From here on the variable has a value in these variants. */
static bool learn_variable(struct reader *r, const struct ob_node *node, uint64_t variants)
{
    size_t size = ob_bind_identifier(node->key);
    if (size == 0 || node->key[size] != '\0')
        return ob_load_refuse(r->load, node->key_place, "use letters, digits and _",
                              "%s cannot be a variable's name", ob_load_quote(r->load, node->key));
    struct known_variable *known = find_variable(r, node->key);
    if (known && known < r->variables + r->built_in_count)
        return ob_load_refuse(r->load, node->key_place, "choose another name",
                              "the variable \"%s\" is built in", node->key);
    if (!known && r->variable_count == OB_SCENARIO_VARIABLES_MAX)
        return ob_load_refuse(r->load, node->key_place, "use variables again",
                              "more than %zu variables", OB_SCENARIO_VARIABLES_MAX);
    if (!known) {
        known = &r->variables[r->variable_count++];
        *known = (struct known_variable){.name = node->key};
    }
    known->variants |= variants;
    return true;
}

static bool read_vars(struct reader *r, const struct ob_node *map, struct ob_scenario_client *out)
{
    if (!map)
        return true;
    if (!ob_load_expect(r->load, map, OB_NODE_MAP, "\"vars\""))
        return false;
    struct ob_variable *vars = ob_arena_alloc(&r->load->scenario->arena, map->count * sizeof *vars);
    out->variables = vars;
    out->variable_count = map->count;
    for (const struct ob_node *node = map->first; node; node = node->next, vars++) {
        if (!ob_load_expect(r->load, node, OB_NODE_SCALAR, "a variable's value") ||
            !learn_variable(r, node, UINT64_MAX))
            return false;
        *vars = (struct ob_variable){.name = node->key,
                                     .value = ob_tree_is_null(node) ? NULL : node->text};
    }
    return true;
}

static bool read_captures(struct reader *r, const struct ob_node *map, struct ob_sql_step *step)
{
    if (!map)
        return true;
    if (!ob_load_expect(r->load, map, OB_NODE_MAP, "\"capture\""))
        return false;
    struct ob_capture *captures =
        ob_arena_alloc(&r->load->scenario->arena, map->count * sizeof *captures);
    step->captures = captures;
    step->capture_count = map->count;
    for (const struct ob_node *node = map->first; node; node = node->next, captures++) {
        captures->variable = node->key;
        if (!ob_load_text(r->load, node, "a column", &captures->column) ||
            !learn_variable(r, node, step->variants))
            return false;
    }
    return true;
}

static bool read_guard(struct reader *r, const struct ob_node *node, uint64_t variants,
                       struct ob_guard *out)
{
    const char *text;
    if (!ob_load_text(r->load, node, "a guard", &text))
        return false;
    if (!ob_guard_parse(text, &r->load->scenario->arena, out))
        return ob_load_refuse(r->load, node->place,
                              "for example \"n = 0\", \"status <> 'free'\", \"id is not null\"",
                              "%s is not a guard", ob_load_quote(r->load, text));
    return use_variable(r, out->variable, variants, node->place) &&
           (!out->value_is_variable || use_variable(r, out->value, variants, node->place));
}

static bool read_guards(struct reader *r, const struct ob_node *when, struct ob_sql_step *step)
{
    if (!when)
        return true;
    const struct ob_node *first = when;
    size_t count = 1;
    if (when->kind != OB_NODE_SCALAR) {
        if (!ob_load_expect(r->load, when, OB_NODE_LIST, "\"when\""))
            return false;
        first = when->first;
        count = when->count;
    }
    struct ob_guard *guards = ob_arena_alloc(&r->load->scenario->arena, count * sizeof *guards);
    step->guards = guards;
    step->guard_count = count;
    for (size_t i = 0; i < count; i++, first = first->next) {
        if (!read_guard(r, first, step->variants, &guards[i]))
            return false;
    }
    return true;
}

/* Follows the transactions: what must be wrong in some variant is refused. */
static bool follow_transaction(struct reader *r, const struct ob_sql_step *step)
{
    bool certain = step->guard_count == 0;
    uint64_t in = step->variants;
    if (step->kind == OB_SQL_BEGIN) {
        if (certain && (in & r->open) != 0)
            return ob_load_refuse(r->load, step->place, "commit or roll back first",
                                  "begin within a transaction");
        r->closed &= ~in;
        r->open |= certain ? in : 0;
    } else if (step->kind == OB_SQL_COMMIT || step->kind == OB_SQL_ROLLBACK) {
        if ((in & r->closed) != 0)
            return ob_load_refuse(r->load, step->place, "begin first, or leave the step out",
                                  "no transaction to end here");
        r->open &= ~in;
        r->closed |= certain ? in : 0;
    }
    return true;
}

static bool add_step(struct reader *r, const struct ob_sql_step *step)
{
    r->steps = ob_grow(r->steps, &r->step_capacity, r->step_count + 1, sizeof *r->steps);
    r->steps[r->step_count++] = *step;
    return follow_transaction(r, step);
}

/* Adds a statement with this text; map has its captures. */
static bool add_statement(struct reader *r, const struct ob_node *map, const struct ob_node *sql,
                          const struct ob_sql_step *base)
{
    const char *text;
    struct ob_bound bound;
    struct ob_bind_problem problem;
    struct ob_sql_step step = *base;
    if (!ob_load_text(r->load, sql, "\"sql\"", &text))
        return false;
    if (!ob_bind_parse(text, &r->load->scenario->arena, &bound, &problem))
        return ob_load_refuse(r->load, sql->place, problem.hint, "%s", problem.text);
    for (size_t i = 0; i < bound.variable_count; i++) {
        if (!use_variable(r, bound.variables[i], step.variants, sql->place))
            return false;
    }
    step.sql = bound.sql;
    step.variables = bound.variables;
    step.variable_count = bound.variable_count;
    return read_captures(r, ob_tree_get(map, "capture"), &step) &&
           ob_load_touches(r->load, ob_tree_get(map, "touches"), &step) && add_step(r, &step);
}

/* "sql" is a text, or a mapping of variant to text: then each becomes a step of that variant alone.
 */
static bool read_statement(struct reader *r, const struct ob_node *map, const struct ob_node *sql,
                           struct ob_sql_step *step)
{
    if (sql->kind == OB_NODE_SCALAR)
        return add_statement(r, map, sql, step);
    if (!ob_load_expect(r->load, sql, OB_NODE_MAP, "\"sql\""))
        return false;
    uint64_t wanted = step->variants;
    for (const struct ob_node *node = sql->first; node; node = node->next) {
        size_t variant;
        if (!ob_load_variant(r->load, node->key, node->key_place, &variant))
            return false;
        step->variants = UINT64_C(1) << variant;
        if ((wanted & step->variants) == 0)
            return ob_load_refuse(r->load, node->key_place, "leave it out, or change \"only\"",
                                  "the step is not part of variant \"%s\"", node->key);
        if (!add_statement(r, map, node, step))
            return false;
    }
    return true;
}

static bool read_clock(struct reader *r, const struct ob_node *map, struct ob_sql_step *step)
{
    struct ob_action action;
    if (!ob_load_action(r->load, "clock", map, &action))
        return false;
    const struct ob_setting *setting = &action.settings[0];
    step->advances = setting->kind == OB_VALUE_DURATION;
    step->time_us = setting->number;
    return add_step(r, step);
}

/* A plain scalar that JSON reads as a number, a truth value or null is one; everything else is a
 * text. */
static json_t *json_of(const struct ob_node *node)
{
    json_t *value = NULL;
    if (ob_tree_is_null(node))
        return json_null();
    if (node->plain)
        value = json_loads(node->text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(node->text);
}

static bool read_data(struct reader *r, const struct ob_node *map, const struct ob_sql_step *step,
                      json_t *data)
{
    if (!map)
        return true;
    if (!ob_load_expect(r->load, map, OB_NODE_MAP, "\"data\""))
        return false;
    for (const struct ob_node *node = map->first; node; node = node->next) {
        if (!ob_load_expect(r->load, node, OB_NODE_SCALAR, "a value of the data"))
            return false;
        if (node->text[0] == ':' && !use_variable(r, node->text + 1, step->variants, node->place))
            return false;
        json_object_set_new(data, node->key, json_of(node));
    }
    return true;
}

static bool read_event(struct reader *r, const struct ob_node *map, const struct ob_node *event,
                       struct ob_sql_step *step)
{
    bool read = false;
    json_t *data = json_object();
    if (ob_load_name(r->load, event, "event", &step->event_kind) &&
        read_data(r, ob_tree_get(map, "data"), step, data)) {
        char *text = json_dumps(data, JSON_COMPACT);
        step->event_data = ob_arena_strdup(&r->load->scenario->arena, text);
        free(text);
        read = add_step(r, step);
    }
    json_decref(data);
    return read;
}

/* Which kind of step the mapping is: the one key that says it. */
static bool read_kind(struct reader *r, const struct ob_node *map, struct ob_sql_step *step,
                      const struct ob_node **value)
{
    *value = NULL;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct ob_node *node = ob_tree_get(map, kinds[i].key);
        if (!node)
            continue;
        if (*value)
            return ob_load_refuse(r->load, node->key_place, "make two steps of it",
                                  "a step cannot be \"%s\" and \"%s\"", (*value)->key, node->key);
        step->kind = kinds[i].kind;
        *value = node;
    }
    if (!*value)
        return ob_load_refuse(r->load, map->place, "for example {sql: SELECT 1}",
                              "a step needs one of begin, commit, rollback, sql, clock and event");
    return true;
}

/* Whether "capture", "touches" and "data" stand with the steps that they are for. */
static bool check_company(struct reader *r, const struct ob_node *map,
                          const struct ob_sql_step *step)
{
    const struct ob_node *capture = ob_tree_get(map, "capture");
    const struct ob_node *data = ob_tree_get(map, "data");
    const struct ob_node *touches = ob_tree_get(map, "touches");
    if (capture && step->kind != OB_SQL_STATEMENT)
        return ob_load_refuse(r->load, capture->key_place, "only a statement has rows",
                              "\"capture\" goes with \"sql\" only");
    if (touches && step->kind != OB_SQL_STATEMENT)
        return ob_load_refuse(r->load, touches->key_place, "only a statement touches anything",
                              "\"touches\" goes with \"sql\" only");
    if (data && step->kind != OB_SQL_EVENT)
        return ob_load_refuse(r->load, data->key_place, "only an event has data",
                              "\"data\" goes with \"event\" only");
    return true;
}

static bool read_by_kind(struct reader *r, const struct ob_node *map, const struct ob_node *value,
                         struct ob_sql_step *step)
{
    switch (step->kind) {
    case OB_SQL_STATEMENT:
        return read_statement(r, map, value, step);
    case OB_SQL_CLOCK:
        return read_clock(r, value, step);
    case OB_SQL_EVENT:
        return read_event(r, map, value, step);
    default:
        if (!ob_tree_is_null(value))
            return ob_load_refuse(r->load, value->place, "leave the value out",
                                  "\"%s\" takes no value", value->key);
        return add_step(r, step);
    }
}

static bool read_mapping(struct reader *r, const struct ob_node *map, struct ob_sql_step *step)
{
    const struct ob_node *value;
    if (!read_kind(r, map, step, &value) || !check_company(r, map, step))
        return false;
    if (!ob_load_only(r->load, map, &step->variants))
        return false;
    step->variants &= r->client->variants;
    if (step->variants == 0)
        return ob_load_refuse(r->load, map->place, "look at the client's \"only\" and the step's",
                              "the step is part of no variant");
    return read_guards(r, ob_tree_get(map, "when"), step) && read_by_kind(r, map, value, step);
}

static bool read_word(struct reader *r, const struct ob_node *node, struct ob_sql_step *step)
{
    static const char *const words[] = {"begin", "commit", "rollback", NULL};
    static const struct ob_choice choice = {"step", words, "write a statement as {sql: SELECT 1}"};
    if (!ob_load_expect(r->load, node, OB_NODE_SCALAR, "a step"))
        return false;
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(node->text, words[i]) == 0) {
            step->kind = kinds[i].kind;
            return add_step(r, step);
        }
    }
    return ob_load_refuse_unknown(r->load, node->place, node->text, &choice);
}

static bool read_step(struct reader *r, const struct ob_node *node)
{
    struct ob_sql_step step = {
        .variants = r->client->variants,
        .place = node->place,
    };
    if (node->kind != OB_NODE_MAP)
        return read_word(r, node, &step);
    return ob_load_keys(r->load, node, &ob_step_keys, NULL) && read_mapping(r, node, &step);
}

static bool read_steps(struct reader *r, const struct ob_node *list)
{
    if (!ob_load_expect(r->load, list, OB_NODE_LIST, "\"steps\""))
        return false;
    for (const struct ob_node *node = list->first; node; node = node->next) {
        if (!read_step(r, node))
            return false;
    }
    if (r->open == 0)
        return true;
    const char *variant = r->load->scenario->variants[__builtin_ctzll(r->open)].name;
    return ob_load_refuse(r->load, list->place, "end with commit or rollback",
                          "the steps end within a transaction in variant \"%s\"", variant);
}

bool ob_load_client_steps(struct ob_load *load, const struct ob_node *node,
                          struct ob_scenario_client *client)
{
    struct reader r = {.load = load, .client = client, .closed = UINT64_MAX};
    for (; ob_variable_words[r.built_in_count]; r.built_in_count++)
        r.variables[r.variable_count++] =
            (struct known_variable){ob_variable_words[r.built_in_count], UINT64_MAX};
    bool read = read_vars(&r, ob_tree_get(node, "vars"), client) &&
                read_steps(&r, ob_tree_get(node, "steps"));
    if (read) {
        assert(r.step_count > 0);
        size_t size = r.step_count * sizeof *r.steps;
        client->steps = memcpy(ob_arena_alloc(&load->scenario->arena, size), r.steps, size);
        client->step_count = r.step_count;
    }
    free(r.steps);
    return read;
}
