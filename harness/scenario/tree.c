/*
 * tree.c - see tree.h.  libyaml's events are put together here, and not its documents, so that each
 * limit is kept before anything grows beyond it.  libyaml counts lines and columns from 0, in
 * characters.
 */
#include "scenario/tree.h"

#include "base/buf.h"
#include "base/parse.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* A list or mapping whose end has not come. */
struct open_node {
    struct ob_node *node;
    const struct ob_node **tail; /* where its next child goes */
    const char *key;             /* of a mapping: the key whose value comes next */
    struct ob_place key_place;
};

struct builder {
    const char *file;
    struct ob_arena *arena;
    struct ob_error *err;
    const struct ob_node *root;
    struct open_node stack[OB_TREE_DEPTH_MAX];
    size_t depth;
    size_t documents;
};

static struct ob_place place_of(yaml_mark_t mark)
{
    return (struct ob_place){.line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

OB_PRINTF(4, 5)
static bool refuse(struct builder *b, struct ob_place place, const char *hint, const char *fmt, ...)
{
    char text[sizeof b->err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ob_error_set(b->err, OB_INPUT, "%s:%d:%d: %s", b->file, place.line, place.column, text);
    ob_error_hint(b->err, "%s", hint);
    return false;
}

/* The place of a byte, for what is found before there are marks. */
static struct ob_place place_at(const char *data, size_t offset)
{
    struct ob_place place = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset; i++) {
        if (data[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static bool check_bytes(struct builder *b, const char *data, size_t size)
{
    size_t bad;
    const struct ob_place start = {.line = 1, .column = 1};
    if (size > OB_SCENARIO_SIZE_MAX)
        return refuse(b, start, "split it into several scenarios", "larger than %zu bytes",
                      OB_SCENARIO_SIZE_MAX);
    if (!ob_parse_utf8(data, size, &bad))
        return refuse(b, place_at(data, bad), "save the file as UTF-8", "not UTF-8");
    const char *nul = memchr(data, '\0', size);
    if (nul)
        return refuse(b, place_at(data, (size_t)(nul - data)), "a scenario is a text file",
                      "contains a NUL byte");
    return true;
}

/* Takes the scalar as the next key of the mapping. */
static bool take_key(struct builder *b, struct open_node *open, const struct ob_node *scalar)
{
    if (ob_tree_get(open->node, scalar->text))
        return refuse(b, scalar->place, "write each key of a mapping once",
                      "the key %s is there twice", ob_tree_quote(b->arena, scalar->text));
    open->key = scalar->text;
    open->key_place = scalar->place;
    return true;
}

/* Puts the node into what is open, or makes it the root. */
static bool attach(struct builder *b, struct ob_node *node)
{
    if (b->depth == 0) {
        b->root = node;
        return true;
    }
    struct open_node *open = &b->stack[b->depth - 1];
    assert(open->node);
    if (open->node->kind == OB_NODE_MAP && !open->key) {
        if (node->kind == OB_NODE_SCALAR)
            return take_key(b, open, node);
        return refuse(b, node->place, "put text in braces or brackets into quotes",
                      "a key must be a word, not a list or a mapping");
    }
    if (open->node->count == OB_TREE_CHILDREN_MAX)
        return refuse(b, node->place, "split the scenario", "more than %zu entries",
                      OB_TREE_CHILDREN_MAX);
    node->key = open->key;
    node->key_place = open->key_place;
    open->key = NULL;
    *open->tail = node;
    open->tail = &node->next;
    open->node->count++;
    return true;
}

static bool add_scalar(struct builder *b, const yaml_event_t *event)
{
    struct ob_place place = place_of(event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return refuse(b, place, "leave out the \"\\0\"", "the text contains a NUL character");
    struct ob_node *node = ob_arena_alloc(b->arena, sizeof *node);
    *node = (struct ob_node){
        .kind = OB_NODE_SCALAR,
        .place = place,
        .text = ob_arena_strdup(b->arena, text),
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
    };
    return attach(b, node);
}

static bool open_collection(struct builder *b, const yaml_event_t *event, enum ob_node_kind kind)
{
    struct ob_place place = place_of(event->start_mark);
    if (b->depth == OB_TREE_DEPTH_MAX)
        return refuse(b, place, "no part of a scenario is that deep",
                      "more than %d lists and mappings within each other", OB_TREE_DEPTH_MAX);
    struct ob_node *node = ob_arena_alloc(b->arena, sizeof *node);
    *node = (struct ob_node){.kind = kind, .place = place};
    if (!attach(b, node))
        return false;
    b->stack[b->depth++] = (struct open_node){.node = node, .tail = &node->first};
    return true;
}

/* Refuses what an event carries beside its value. */
static bool check_properties(struct builder *b, const yaml_event_t *event,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct ob_place place = place_of(event->start_mark);
    if (anchor)
        return refuse(b, place, "write the value out", "anchors and aliases are not supported");
    if (tag)
        return refuse(b, place, "leave the tag out", "tags are not supported");
    return true;
}

static bool add_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++ > 0)
            return refuse(b, place_of(event->start_mark), "put each scenario into its own file",
                          "a second document begins");
        return true;
    case YAML_ALIAS_EVENT:
        return check_properties(b, event, event->data.alias.anchor, NULL);
    case YAML_SCALAR_EVENT:
        return check_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag) &&
               add_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return check_properties(b, event, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag) &&
               open_collection(b, event, OB_NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        return check_properties(b, event, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag) &&
               open_collection(b, event, OB_NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return true;
    default:
        return true;
    }
}

/* Says what libyaml found wrong.  Its reader has no marks, but an offset. */
static bool refuse_syntax(struct builder *b, const yaml_parser_t *parser, const char *data)
{
    struct ob_place place = parser->error == YAML_READER_ERROR
                                ? place_at(data, parser->problem_offset)
                                : place_of(parser->problem_mark);
    refuse(b, place, "look for a missing quote, bracket or colon, or for uneven indentation",
           "not valid YAML: %s", parser->problem ? parser->problem : "out of memory");
    if (parser->context)
        ob_error_detail(b->err, "%s", parser->context);
    return false;
}

static bool build(struct builder *b, yaml_parser_t *parser, const char *data)
{
    bool more = true;
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return refuse_syntax(b, parser, data);
        more = event.type != YAML_STREAM_END_EVENT;
        bool added = add_event(b, &event);
        yaml_event_delete(&event);
        if (!added)
            return false;
    }
    if (!b->root)
        return refuse(b, (struct ob_place){1, 1}, "begin with \"name:\"", "the file is empty");
    return true;
}

enum ob_result ob_tree_parse(const char *file, const char *data, size_t size,
                             struct ob_arena *arena, const struct ob_node **out,
                             struct ob_error *err)
{
    struct builder b = {.file = file, .arena = arena, .err = err};
    if (!check_bytes(&b, data, size))
        return err->code;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return ob_error_set(err, OB_INTERNAL, "could not start the YAML parser: out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
    bool built = build(&b, &parser, data);
    yaml_parser_delete(&parser);
    if (!built)
        return err->code;
    *out = b.root;
    return OB_OK;
}

const struct ob_node *ob_tree_get(const struct ob_node *map, const char *key)
{
    assert(map->kind == OB_NODE_MAP);
    const struct ob_node *child = map->first;
    while (child && strcmp(child->key, key) != 0)
        child = child->next;
    return child;
}

bool ob_tree_is_null(const struct ob_node *node)
{
    return node->kind == OB_NODE_SCALAR && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}

const char *ob_tree_quote(struct ob_arena *arena, const char *text)
{
    struct ob_buf buf;
    ob_buf_init(&buf, OB_QUOTE_SIZE_MAX + sizeof "\"…\"");
    ob_buf_putc(&buf, '"');
    const char *end = text;
    for (; *end != '\0' && end - text < OB_QUOTE_SIZE_MAX; end++)
        ob_buf_putc(&buf, (unsigned char)*end < ' ' || *end == '\x7f' ? ' ' : *end);
    /* Never half a character: what was cut goes back to the last one's beginning. */
    while (((unsigned char)*end & 0xc0) == 0x80) {
        buf.data[--buf.size] = '\0';
        end--;
    }
    if (*end != '\0')
        ob_buf_puts(&buf, "…");
    ob_buf_putc(&buf, '"');
    const char *quoted = ob_arena_strdup(arena, buf.data);
    ob_buf_clear(&buf);
    return quoted;
}
