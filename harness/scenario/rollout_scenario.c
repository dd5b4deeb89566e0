/*
 * rollout_scenario.c - the scenario of a plan and one of its traffics.
 *
 * It is made as a tree of nodes, as if somebody had written it down: so it is read by the loader of
 * scenarios, and what is wrong in a plan's traffic is told with its place.
 */
#include "scenario/rollout_int.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "scenario/load_int.h"

#include <string.h>

struct growing {
    struct ob_arena *arena;
    struct ob_node *node;
    const struct ob_node **tail; /* where its next child goes */
};

static struct growing grow(struct ob_arena *arena, enum ob_node_kind kind, struct ob_place place)
{
    struct ob_node *node = ob_arena_alloc(arena, sizeof *node);
    *node = (struct ob_node){.kind = kind, .place = place, .text = ""};
    return (struct growing){.arena = arena, .node = node, .tail = &node->first};
}

/* A copy of the node becomes the next child.  Texts are copied too, since a plan need not live as
 * long as its scenarios. */
static void add(struct growing *to, const char *key, const struct ob_node *node)
{
    struct ob_node *child = ob_arena_alloc(to->arena, sizeof *child);
    *child = *node;
    child->key = key ? ob_arena_strdup(to->arena, key) : NULL;
    child->next = NULL;
    if (!child->key_place.line)
        child->key_place = child->place;
    *to->tail = child;
    to->tail = &child->next;
    to->node->count++;
}

static void add_text(struct growing *to, const char *key, const char *text)
{
    const struct ob_node node = {.kind = OB_NODE_SCALAR,
                                 .place = to->node->place,
                                 .text = ob_arena_strdup(to->arena, text),
                                 .plain = true};
    add(to, key, &node);
}

static void add_number(struct growing *to, const char *key, int number)
{
    add_text(to, key, ob_arena_printf(to->arena, "%d", number));
}

/* Adds what the mapping has of that key, if anything. */
static void add_child(struct growing *to, const struct ob_node *map, const char *key)
{
    const struct ob_node *child = ob_tree_get(map, key);
    if (child)
        add(to, key, child);
}

static struct growing copy_map(struct ob_arena *arena, const struct ob_node *map)
{
    struct growing copy = grow(arena, OB_NODE_MAP, map->place);
    for (const struct ob_node *child = map->first; child; child = child->next)
        add(&copy, child->key, child);
    return copy;
}

/* --- variants: the phases, then the moves */

/* What is asked of each variant: its phase and, of a move, the phase that it leads to. */
typedef void visitor(void *arg, const struct ob_rollout *rollout, const char *variant, size_t phase,
                     size_t number, const struct ob_rollout_move *move);

static void each_variant(const struct ob_rollout *rollout, visitor *visit, void *arg)
{
    for (size_t i = 0; i < rollout->phase_count; i++)
        for (size_t k = 0; k < rollout->phases[i].variant_count; k++)
            visit(arg, rollout, rollout->phases[i].variants[k], i, k, NULL);
    for (size_t i = 0; i < rollout->move_count; i++)
        if (rollout->moves[i].variant)
            visit(arg, rollout, rollout->moves[i].variant, rollout->moves[i].from, 0,
                  &rollout->moves[i]);
}

static void add_variant(void *arg, const struct ob_rollout *rollout, const char *variant,
                        size_t phase, size_t number, const struct ob_rollout_move *move)
{
    struct growing *variants = arg;
    struct growing settings = grow(variants->arena, OB_NODE_MAP, variants->node->place);
    (void)number;
    (void)move;
    add_number(&settings, "schema", rollout->phases[phase].schema);
    add_number(&settings, "flag", rollout->phases[phase].flag);
    add(variants, variant, settings.node);
}

static void expect_any(void *arg, const struct ob_rollout *rollout, const char *variant,
                       size_t phase, size_t number, const struct ob_rollout_move *move)
{
    (void)rollout;
    (void)phase;
    (void)number;
    (void)move;
    add_text(arg, variant, "any");
}

/* --- clients */

struct worker {
    struct growing path;
    size_t index;
};

/* Old code is everybody's, or every other client's. */
static void add_path(void *arg, const struct ob_rollout *rollout, const char *variant, size_t phase,
                     size_t number, const struct ob_rollout_move *move)
{
    struct worker *worker = arg;
    enum ob_rollout_code code = rollout->phases[phase].code;
    (void)move;
    if (code == OB_CODE_OLD || (code == OB_CODE_MIXED && worker->index % 2 == number))
        add_text(&worker->path, variant, "legacy");
}

static void add_clients(struct growing *clients, const struct ob_rollout *rollout,
                        const struct ob_node *list)
{
    size_t index = 0;
    for (const struct ob_node *node = list->first; node; node = node->next) {
        if (node->kind != OB_NODE_MAP) { /* for the loader to refuse */
            add(clients, NULL, node);
            continue;
        }
        struct growing client = copy_map(clients->arena, node);
        struct worker worker = {grow(clients->arena, OB_NODE_MAP, node->place), index++};
        each_variant(rollout, add_path, &worker);
        if (worker.path.node->count > 0 && !ob_tree_get(node, "path"))
            add(&client, "path", worker.path.node);
        add(clients, NULL, client.node);
    }
}

/* Whoever runs the service, under a name for each of his moves. */
static void add_operators(struct growing *clients, const struct ob_rollout *rollout)
{
    for (size_t i = 0; i < rollout->move_count; i++) {
        const struct ob_rollout_move *move = &rollout->moves[i];
        const struct ob_rollout_phase *from = &rollout->phases[move->from],
                                      *to = &rollout->phases[move->to];
        if (!move->variant)
            continue;
        bool migrates = from->schema != to->schema;
        struct growing client = grow(clients->arena, OB_NODE_MAP, clients->node->place);
        add_text(&client, "name", ob_arena_printf(clients->arena, "operator-%zu", i + 1));
        add_text(&client, "does", migrates ? "migrate" : "flag");
        add_number(&client, migrates ? "version" : "percent", migrates ? to->schema : to->flag);
        add_text(&client, "only", move->variant);
        add(clients, NULL, client.node);
    }
}

/* --- invariants */

struct asked {
    struct growing only;
    int from; /* the schema that has what it asks for */
};

static void add_asked(void *arg, const struct ob_rollout *rollout, const char *variant,
                      size_t phase, size_t number, const struct ob_rollout_move *move)
{
    struct asked *asked = arg;
    int lowest = rollout->phases[phase].schema;
    (void)number;
    if (move && rollout->phases[move->to].schema < lowest)
        lowest = rollout->phases[move->to].schema;
    if (lowest >= asked->from)
        add_text(&asked->only, NULL, variant);
}

/* "from" is a plan's own key of an invariant. */
static bool add_invariant(struct ob_load *load, struct growing *list,
                          const struct ob_rollout *rollout, const struct ob_node *node)
{
    static const struct ob_key from = {.name = "from", .type = OB_KEY_NUMBER, .min = 1, .max = 999};
    const struct ob_node *given = node->kind == OB_NODE_MAP ? ob_tree_get(node, "from") : NULL;
    struct ob_setting setting;
    if (!given) {
        add(list, NULL, node);
        return true;
    }
    if (!ob_load_value(load, &from, given, &setting))
        return false;
    struct asked asked = {grow(list->arena, OB_NODE_LIST, given->place), (int)setting.number};
    struct growing invariant = grow(list->arena, OB_NODE_MAP, node->place);
    for (const struct ob_node *child = node->first; child; child = child->next)
        if (child != given)
            add(&invariant, child->key, child);
    each_variant(rollout, add_asked, &asked);
    add(&invariant, "only", asked.only.node);
    if (asked.only.node->count > 0)
        add(list, NULL, invariant.node);
    return true;
}

static bool add_invariants(struct ob_load *load, struct growing *list,
                           const struct ob_rollout *rollout, const struct ob_node *given)
{
    if (!ob_load_expect(load, given, OB_NODE_LIST, "\"invariants\""))
        return false;
    for (const struct ob_node *node = given->first; node; node = node->next)
        if (!add_invariant(load, list, rollout, node))
            return false;
    return true;
}

/* --- all of it */

static const struct ob_key traffic_keys[] = {
    {.name = "about", .type = OB_KEY_TEXT, .required = true, .about = "What goes on."},
    {.name = "given", .type = OB_KEY_OTHER, .about = "As in a scenario."},
    {.name = "clients", .type = OB_KEY_OTHER, .required = true, .about = "As in a scenario."},
    {.name = NULL},
};
static const struct ob_key_set traffic_set = {"traffic", traffic_keys};

static const struct ob_node *traffic_of(const struct ob_node *root, size_t number)
{
    const struct ob_node *node = ob_tree_get(root, "traffic")->first;
    while (number-- > 0)
        node = node->next;
    return node;
}

static bool make_tree(struct ob_load *load, const struct ob_rollout *rollout,
                      const struct ob_node *plan, const struct ob_node *traffic,
                      const struct ob_node **out)
{
    struct ob_arena *arena = &load->scenario->arena;
    if (!ob_load_keys(load, traffic, &traffic_set, NULL) ||
        !ob_load_expect(load, ob_tree_get(traffic, "clients"), OB_NODE_LIST, "\"clients\""))
        return false;
    struct growing root = grow(arena, OB_NODE_MAP, traffic->place);
    struct growing variants = grow(arena, OB_NODE_MAP, plan->place);
    struct growing clients = grow(arena, OB_NODE_LIST, traffic->place);
    struct growing invariants = grow(arena, OB_NODE_LIST, plan->place);
    struct growing expect = grow(arena, OB_NODE_MAP, plan->place);
    each_variant(rollout, add_variant, &variants);
    each_variant(rollout, expect_any, &expect);
    add_clients(&clients, rollout, ob_tree_get(traffic, "clients"));
    add_operators(&clients, rollout);
    if (!add_invariants(load, &invariants, rollout, ob_tree_get(plan, "invariants")))
        return false;
    add_text(&root, "name", ob_arena_printf(arena, "%s-%s", rollout->name, traffic->key));
    add_child(&root, traffic, "about");
    add_text(&root, "target", "reference");
    add(&root, "variants", variants.node);
    add_child(&root, traffic, "given");
    add(&root, "clients", clients.node);
    add(&root, "invariants", invariants.node);
    add_child(&root, plan, "faults");
    add_child(&root, plan, "explore");
    add(&root, "expect", expect.node);
    *out = root.node;
    return true;
}

/* One file makes several scenarios, and a token is of one of them. */
static void sign(uint8_t hash[32], const char *name)
{
    struct ob_buf text;
    ob_buf_init(&text, SIZE_MAX);
    ob_buf_add(&text, hash, 32);
    ob_buf_puts(&text, name);
    ob_sha256(text.data, text.size, hash);
    ob_buf_clear(&text);
}

struct expansion {
    const struct ob_rollout *rollout;
    size_t traffic;
};

static bool expand(void *arg, struct ob_load *load, const struct ob_node **root)
{
    const struct expansion *expansion = arg;
    const struct ob_node *plan = *root;
    return make_tree(load, expansion->rollout, plan, traffic_of(plan, expansion->traffic), root);
}

enum ob_result ob_rollout_scenario(const struct ob_rollout *rollout, size_t traffic,
                                   const char *data, size_t size, struct ob_scenario **out,
                                   struct ob_error *err)
{
    struct expansion expansion = {rollout, traffic};
    const struct ob_load_source source = {.file = rollout->plan->file,
                                          .data = data,
                                          .size = size,
                                          .expand = expand,
                                          .arg = &expansion};
    enum ob_result result = ob_load_parse(&source, out, err);
    if (result == OB_OK)
        sign((*out)->hash, (*out)->name);
    return result;
}
