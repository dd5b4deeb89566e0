/* rollout.c - see rollout.h. */
#include "scenario/rollout_int.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "scenario/load_int.h"

#include <stdlib.h>
#include <string.h>

const char *const ob_rollout_code_words[] = {
    [OB_CODE_OLD] = "old", [OB_CODE_MIXED] = "mixed", [OB_CODE_NEW] = "new", NULL};

static const char *const order_words[] = {"safe", "unsafe", NULL};

static const struct ob_key plan_keys[] = {
    {.name = "name",
     .type = OB_KEY_NAME,
     .required = true,
     .about = "The plan's name, with which those of its scenarios begin."},
    {.name = "about", .type = OB_KEY_TEXT, .required = true, .about = "What gets into use."},
    {.name = "from", .type = OB_KEY_OTHER, .required = true, .about = "The present phase."},
    {.name = "orders",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "Ways to get there: a mapping of name to steps."},
    {.name = "traffic",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "What goes on meanwhile: a mapping of name to what is given and who races."},
    {.name = "invariants",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "What must hold: a list as in a scenario."},
    {.name = "faults", .type = OB_KEY_OTHER, .about = "As in a scenario, of each move and phase."},
    {.name = "explore", .type = OB_KEY_OTHER, .about = "As in a scenario."},
    {.name = NULL},
};
static const struct ob_key_set plan_set = {"plan", plan_keys};

static const struct ob_key phase_keys[] = {
    {.name = "schema",
     .type = OB_KEY_NUMBER,
     .required = true,
     .min = 1,
     .max = 999,
     .about = "The schema's version."},
    {.name = "code",
     .type = OB_KEY_WORD,
     .words = ob_rollout_code_words,
     .fallback = "old",
     .about = "Which code the workers run."},
    {.name = "flag",
     .type = OB_KEY_NUMBER,
     .min = 0,
     .max = 100,
     .fallback = "0",
     .about = "The percentage of customers on the fixed path."},
    {.name = NULL},
};
static const struct ob_key_set phase_set = {"phase", phase_keys};

static const struct ob_key order_keys[] = {
    {.name = "about", .type = OB_KEY_TEXT, .about = "Who would go this way."},
    {.name = "expect",
     .type = OB_KEY_WORD,
     .words = order_words,
     .fallback = "safe",
     .about = "What is expected of it."},
    {.name = "steps", .type = OB_KEY_OTHER, .required = true, .about = "The moves: a list."},
    {.name = NULL},
};
static const struct ob_key_set order_set = {"order", order_keys};

static const struct ob_key step_keys[] = {
    {.name = "migrate",
     .type = OB_KEY_NUMBER,
     .min = 1,
     .max = 999,
     .about = "The version that the schema goes to."},
    {.name = "deploy",
     .type = OB_KEY_WORD,
     .words = ob_rollout_code_words,
     .about = "The code that the workers run from then on."},
    {.name = "flag",
     .type = OB_KEY_NUMBER,
     .min = 0,
     .max = 100,
     .about = "The flag's percentage from then on."},
    {.name = NULL},
};
static const struct ob_key_set step_set = {"step", step_keys};

/* --- phases and moves */

static bool is_phase(const struct ob_rollout_phase *a, const struct ob_rollout_phase *b)
{
    return a->schema == b->schema && a->flag == b->flag && a->code == b->code;
}

static void name_phase(struct ob_rollout *rollout, struct ob_rollout_phase *phase)
{
    static const char *const codes[] = {[OB_CODE_OLD] = "old code",
                                        [OB_CODE_MIXED] = "old and new code",
                                        [OB_CODE_NEW] = "new code"};
    struct ob_arena *arena = &rollout->plan->arena;
    phase->name = ob_arena_printf(arena, "schema %d, %s, flag %d %%", phase->schema,
                                  codes[phase->code], phase->flag);
    phase->variants[0] = ob_arena_printf(arena, "s%d-%s-%d", phase->schema,
                                         ob_rollout_code_words[phase->code], phase->flag);
    phase->variants[1] = ob_arena_printf(arena, "%s-other", phase->variants[0]);
    phase->variant_count = phase->code == OB_CODE_MIXED ? 2 : 1;
}

/* The index of that phase, which is added when it is new. */
static size_t find_phase(struct ob_rollout *rollout, const struct ob_rollout_phase *phase)
{
    for (size_t i = 0; i < rollout->phase_count; i++)
        if (is_phase(&rollout->phases[i], phase))
            return i;
    rollout->phases = ob_grow(rollout->phases, &rollout->phase_capacity, rollout->phase_count + 1,
                              sizeof *rollout->phases);
    struct ob_rollout_phase *added = &rollout->phases[rollout->phase_count];
    *added = *phase;
    name_phase(rollout, added);
    return rollout->phase_count++;
}

const struct ob_rollout_move *ob_rollout_find_move(const struct ob_rollout *rollout, size_t from,
                                                   size_t to)
{
    for (size_t i = 0; i < rollout->move_count; i++)
        if (rollout->moves[i].from == from && rollout->moves[i].to == to)
            return &rollout->moves[i];
    return NULL;
}

bool ob_rollout_asks(const struct ob_rollout *rollout, size_t phase, const char *invariant)
{
    const struct ob_scenario *scenario = rollout->traffic.items[0];
    size_t variant = ob_scenario_variant(scenario, rollout->phases[phase].variants[0]);
    for (size_t i = 0; i < scenario->invariant_count; i++)
        if (strcmp(scenario->invariants[i].name, invariant) == 0)
            return (scenario->invariants[i].variants >> variant & 1) != 0;
    return false;
}

static void add_move(struct ob_rollout *rollout, size_t from, size_t to)
{
    struct ob_arena *arena = &rollout->plan->arena;
    const struct ob_rollout_phase *a = &rollout->phases[from], *b = &rollout->phases[to];
    struct ob_rollout_move move = {.from = from, .to = to};
    if (ob_rollout_find_move(rollout, from, to))
        return;
    if (a->schema != b->schema) {
        move.name = ob_arena_printf(arena, "migrate to %d", b->schema);
        move.variant = ob_arena_printf(arena, "%s-schema-%d", a->variants[0], b->schema);
    } else if (a->flag != b->flag) {
        move.name = ob_arena_printf(arena, "flag to %d %%", b->flag);
        move.variant = ob_arena_printf(arena, "%s-flag-%d", a->variants[0], b->flag);
    } else {
        move.name = ob_arena_printf(arena, "deploy %s", ob_rollout_code_words[b->code]);
    }
    rollout->moves = ob_grow(rollout->moves, &rollout->move_capacity, rollout->move_count + 1,
                             sizeof *rollout->moves);
    rollout->moves[rollout->move_count++] = move;
}

/* --- reading */

static bool read_phase(struct ob_load *load, const struct ob_node *node,
                       struct ob_rollout_phase *out)
{
    struct ob_settings settings;
    if (!ob_load_keys(load, node, &phase_set, NULL) ||
        !ob_load_settings(load, &phase_set, node, node->place, &settings))
        return false;
    out->schema = (int)ob_setting_find(settings.items, settings.count, "schema")->number;
    out->flag = (int)ob_setting_find(settings.items, settings.count, "flag")->number;
    out->code =
        (enum ob_rollout_code)ob_setting_find(settings.items, settings.count, "code")->number;
    return true;
}

/* What the step makes of the phase. */
static bool read_step(struct ob_load *load, const struct ob_node *node,
                      struct ob_rollout_phase *phase)
{
    struct ob_settings settings;
    const struct ob_rollout_phase before = *phase;
    if (!ob_load_keys(load, node, &step_set, NULL) ||
        !ob_load_settings(load, &step_set, node, node->place, &settings))
        return false;
    if (settings.count != 1)
        return ob_load_refuse(load, node->place, "make two steps of it",
                              "a step is one of migrate, deploy and flag");
    const struct ob_setting *setting = &settings.items[0];
    if (strcmp(setting->key, "migrate") == 0)
        phase->schema = (int)setting->number;
    else if (strcmp(setting->key, "flag") == 0)
        phase->flag = (int)setting->number;
    else
        phase->code = (enum ob_rollout_code)setting->number;
    if (is_phase(&before, phase))
        return ob_load_refuse(load, node->place, "leave it out", "this step changes nothing");
    return true;
}

static bool read_steps(struct ob_load *load, const struct ob_node *list, struct ob_rollout *rollout,
                       struct ob_rollout_order *order)
{
    struct ob_rollout_phase phase = rollout->phases[0];
    if (!ob_load_expect(load, list, OB_NODE_LIST, "\"steps\""))
        return false;
    order->phases =
        ob_arena_alloc(&rollout->plan->arena, (list->count + 1) * sizeof *order->phases);
    order->phase_count = 1;
    for (const struct ob_node *node = list->first; node; node = node->next) {
        if (!read_step(load, node, &phase))
            return false;
        size_t from = order->phases[order->phase_count - 1], to = find_phase(rollout, &phase);
        order->phases[order->phase_count++] = to;
        add_move(rollout, from, to);
        add_move(rollout, to, from);
    }
    return true;
}

static bool read_order(struct ob_load *load, const struct ob_node *node, struct ob_rollout *rollout,
                       struct ob_rollout_order *out)
{
    struct ob_settings settings;
    const struct ob_node key = {.place = node->key_place, .text = node->key};
    if (!ob_load_name(load, &key, "order", &out->name) ||
        !ob_load_keys(load, node, &order_set, NULL) ||
        !ob_load_settings(load, &order_set, node, node->place, &settings))
        return false;
    const struct ob_setting *about = ob_setting_find(settings.items, settings.count, "about");
    out->about = about ? about->text : "";
    out->safe = ob_setting_find(settings.items, settings.count, "expect")->number == 0;
    return read_steps(load, ob_tree_get(node, "steps"), rollout, out);
}

static bool read_orders(struct ob_load *load, const struct ob_node *map, struct ob_rollout *rollout)
{
    if (!ob_load_expect(load, map, OB_NODE_MAP, "\"orders\""))
        return false;
    rollout->orders = ob_arena_alloc(&rollout->plan->arena, map->count * sizeof *rollout->orders);
    for (const struct ob_node *node = map->first; node; node = node->next)
        if (!read_order(load, node, rollout, &rollout->orders[rollout->order_count++]))
            return false;
    return true;
}

static bool read_plan(struct ob_load *load, const struct ob_node *root, struct ob_rollout *rollout)
{
    struct ob_settings settings;
    struct ob_rollout_phase present = {0};
    if (!ob_load_keys(load, root, &plan_set, NULL) ||
        !ob_load_settings(load, &plan_set, root, root->place, &settings))
        return false;
    rollout->name = ob_setting_find(settings.items, settings.count, "name")->text;
    rollout->about = ob_setting_find(settings.items, settings.count, "about")->text;
    if (!read_phase(load, ob_tree_get(root, "from"), &present))
        return false;
    (void)find_phase(rollout, &present);
    return read_orders(load, ob_tree_get(root, "orders"), rollout) &&
           ob_load_expect(load, ob_tree_get(root, "traffic"), OB_NODE_MAP, "\"traffic\"");
}

static enum ob_result load_traffic(struct ob_rollout *rollout, size_t count, const char *data,
                                   size_t size, struct ob_error *err)
{
    struct ob_scenario_list *list = &rollout->traffic;
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        list->items = ob_grow(list->items, &list->capacity, list->count + 1, sizeof(void *));
        result = ob_rollout_scenario(rollout, i, data, size, &list->items[list->count], err);
        list->count += result == OB_OK;
    }
    return result;
}

static struct ob_rollout *new_rollout(const char *file)
{
    struct ob_rollout *rollout = ob_alloc(sizeof *rollout);
    rollout->plan = ob_alloc(sizeof *rollout->plan);
    ob_arena_init(&rollout->plan->arena);
    rollout->plan->file = ob_arena_strdup(&rollout->plan->arena, file);
    rollout->plan->target = OB_TARGET_REFERENCE;
    return rollout;
}

enum ob_result ob_rollout_parse(const char *file, const char *data, size_t size,
                                struct ob_rollout **out, struct ob_error *err)
{
    const struct ob_node *root;
    struct ob_rollout *rollout = new_rollout(file);
    struct ob_load load = {.scenario = rollout->plan, .err = err, .self = OB_LOAD_NOBODY};
    enum ob_result result = ob_tree_parse(file, data, size, &rollout->plan->arena, &root, err);
    bool is_plan = result == OB_OK && root->kind == OB_NODE_MAP && ob_tree_get(root, "orders");
    if (is_plan && !read_plan(&load, root, rollout))
        result = err->code;
    if (is_plan && result == OB_OK)
        result = load_traffic(rollout, ob_tree_get(root, "traffic")->count, data, size, err);
    if (!is_plan || result != OB_OK) {
        ob_rollout_free(rollout);
        rollout = NULL;
    }
    if (result == OB_OK)
        *out = rollout;
    return result;
}

enum ob_result ob_rollout_load(const char *path, struct ob_rollout **out, struct ob_error *err)
{
    struct ob_buf data;
    ob_buf_init(&data, OB_LOAD_BUF_MAX);
    enum ob_result result = ob_load_read(path, &data, err);
    if (result == OB_OK)
        result = ob_rollout_parse(path, data.data, data.size, out, err);
    ob_buf_clear(&data);
    return result;
}

void ob_rollout_free(struct ob_rollout *rollout)
{
    if (!rollout)
        return;
    ob_scenario_list_clear(&rollout->traffic);
    ob_scenario_free(rollout->plan);
    free(rollout->phases);
    free(rollout->moves);
    free(rollout);
}
