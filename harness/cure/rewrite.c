/*
 * rewrite.c - see rewrite.h.  A statement is parsed into a tree, changed there, and written out
 * again.  Nodes that are new are parsed too, from statements in which they stand.  All memory of
 * trees is the arena's.
 */
#include "cure/rewrite.h"

#include <assert.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#define COLUMN "written"

typedef PgQuery__Node node;

/* --- trees and texts */

static void *arena_alloc(void *arena, size_t size)
{
    return ob_arena_alloc(arena, size > 0 ? size : 1);
}

static void arena_free(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

/* The one statement of a text; NULL: it is none, or several. */
static PgQuery__ParseResult *parse(struct ob_arena *arena, const char *sql)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
    PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql);
    PgQuery__ParseResult *tree = NULL;
    if (!parsed.error)
        tree = pg_query__parse_result__unpack(&allocator, parsed.parse_tree.len,
                                              (const uint8_t *)parsed.parse_tree.data);
    pg_query_free_protobuf_parse_result(parsed);
    return tree && tree->n_stmts == 1 && tree->stmts[0]->stmt ? tree : NULL;
}

static node *statement(PgQuery__ParseResult *tree)
{
    return tree->stmts[0]->stmt;
}

static const char *write_out(struct ob_arena *arena, const PgQuery__ParseResult *tree)
{
    size_t size = pg_query__parse_result__get_packed_size(tree);
    uint8_t *data = ob_arena_alloc(arena, size + 1);
    pg_query__parse_result__pack(tree, data);
    PgQueryDeparseResult written =
        pg_query_deparse_protobuf((PgQueryProtobuf){.len = size, .data = (char *)data});
    const char *text = written.error ? NULL : ob_arena_strdup(arena, written.query);
    pg_query_free_deparse_result(written);
    return text;
}

static PgQuery__SelectStmt *select_of(node *of)
{
    return of && of->node_case == PG_QUERY__NODE__NODE_SELECT_STMT ? of->select_stmt : NULL;
}

/* The tree of a SELECT; NULL: the statement is none. */
static PgQuery__ParseResult *parse_select(struct ob_arena *arena, const char *sql)
{
    PgQuery__ParseResult *tree = parse(arena, sql);
    return tree && select_of(statement(tree)) ? tree : NULL;
}

/* A condition as a node. */
static node *condition_of(struct ob_arena *arena, const char *condition)
{
    PgQuery__ParseResult *tree =
        parse_select(arena, ob_arena_printf(arena, "SELECT WHERE %s", condition));
    return tree ? select_of(statement(tree))->where_clause : NULL;
}

/* Both; either may be NULL. */
static node *both(struct ob_arena *arena, node *one, node *other)
{
    if (!one || !other)
        return one ? one : other;
    node *whole = condition_of(arena, "true AND true");
    assert(whole && whole->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR);
    whole->bool_expr->args[0] = one;
    whole->bool_expr->args[1] = other;
    return whole;
}

/* --- parameters */

static void renumber(ProtobufCMessage *message, int32_t first);

static void renumber_field(const ProtobufCFieldDescriptor *field, char *at, char *count,
                           int32_t first)
{
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        ProtobufCMessage *message = *(ProtobufCMessage **)at;
        if (message)
            renumber(message, first);
        return;
    }
    ProtobufCMessage **items = *(ProtobufCMessage ***)at;
    for (size_t i = 0; i < *(size_t *)count; i++)
        renumber(items[i], first);
}

/* Adds first to the number of each parameter within. */
static void renumber(ProtobufCMessage *message, int32_t first)
{
    char *base = (char *)message;
    if (message->descriptor == &pg_query__param_ref__descriptor) {
        ((PgQuery__ParamRef *)message)->number += first;
        return;
    }
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        char *quantifier = base + field->quantifier_offset;
        bool one_of = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
        if (!one_of || *(uint32_t *)quantifier == field->id)
            renumber_field(field, base + field->offset, quantifier, first);
    }
}

/* --- forms */

enum ob_sql_form ob_sql_form(const char *sql)
{
    struct ob_arena arena;
    ob_arena_init(&arena);
    PgQuery__ParseResult *tree = parse(&arena, sql);
    enum ob_sql_form form = OB_SQL_OTHER;
    if (tree) {
        PgQuery__SelectStmt *select = select_of(statement(tree));
        if (select && select->n_from_clause > 0 && select->n_locking_clause == 0)
            form = OB_SQL_READS;
        if (statement(tree)->node_case == PG_QUERY__NODE__NODE_INSERT_STMT)
            form = OB_SQL_INSERTS;
        if (statement(tree)->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT ||
            statement(tree)->node_case == PG_QUERY__NODE__NODE_DELETE_STMT)
            form = OB_SQL_CHANGES;
    }
    ob_arena_clear(&arena);
    return form;
}

/* Rows as they are in tables: not grouped, not united with others. */
static bool is_plain(const PgQuery__SelectStmt *select)
{
    return select->n_from_clause > 0 && select->n_group_clause == 0 && !select->having_clause &&
           select->n_distinct_clause == 0 && select->n_values_lists == 0 && !select->larg &&
           !select->with_clause && select->n_locking_clause == 0;
}

const char *ob_sql_lock_read(struct ob_arena *arena, const char *sql)
{
    PgQuery__ParseResult *tree = parse_select(arena, sql);
    PgQuery__SelectStmt *select = tree ? select_of(statement(tree)) : NULL;
    if (!select || !is_plain(select))
        return NULL;
    PgQuery__ParseResult *locking = parse_select(arena, "SELECT FROM t FOR UPDATE");
    select->locking_clause = select_of(statement(locking))->locking_clause;
    select->n_locking_clause = 1;
    select->n_target_list = select->n_sort_clause = select->n_window_clause = 0;
    return write_out(arena, tree);
}

/* What the column is called in the result. */
static const char *name_of(const PgQuery__ResTarget *target)
{
    const node *value = target->val;
    if (target->name && *target->name)
        return target->name;
    if (value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
        return "";
    const PgQuery__ColumnRef *column = value->column_ref;
    const node *last = column->fields[column->n_fields - 1];
    return last->node_case == PG_QUERY__NODE__NODE_STRING ? last->string->sval : "";
}

/* The column's place in the list; SIZE_MAX: it is not there. */
static size_t find_target(const PgQuery__SelectStmt *select, const char *column)
{
    for (size_t i = 0; i < select->n_target_list; i++)
        if (strcmp(name_of(select->target_list[i]->res_target), column) == 0)
            return i;
    return select->n_target_list == 1 ? 0 : SIZE_MAX;
}

const char *ob_sql_scalar(struct ob_arena *arena, const char *sql, const char *column, size_t first)
{
    PgQuery__ParseResult *tree = parse_select(arena, sql);
    PgQuery__SelectStmt *select = tree ? select_of(statement(tree)) : NULL;
    size_t place = select ? find_target(select, column) : SIZE_MAX;
    if (place == SIZE_MAX)
        return NULL;
    select->target_list[0] = select->target_list[place];
    select->n_target_list = 1;
    renumber(&tree->base, (int32_t)first);
    const char *text = write_out(arena, tree);
    return text ? ob_arena_printf(arena, "(%s)", text) : NULL;
}

/* --- writes */

/* VALUES of one row as a SELECT. */
static bool select_values(PgQuery__SelectStmt *select)
{
    if (select->n_values_lists == 0)
        return is_plain(select) || select->n_target_list > 0;
    if (select->n_values_lists != 1)
        return false;
    PgQuery__List *row = select->values_lists[0]->list;
    select->target_list = row->items;
    select->n_target_list = row->n_items;
    select->n_values_lists = 0;
    return true;
}

/* Each value becomes a column of its own. */
static bool name_values(struct ob_arena *arena, PgQuery__SelectStmt *select)
{
    for (size_t i = 0; i < select->n_target_list; i++) {
        if (select->target_list[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET)
            continue;
        if (select->target_list[i]->node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT)
            return false;
        PgQuery__ParseResult *column = parse_select(arena, "SELECT 1");
        node *target = select_of(statement(column))->target_list[0];
        target->res_target->val = select->target_list[i];
        select->target_list[i] = target;
    }
    return true;
}

static node **where_of(node *of)
{
    switch (of->node_case) {
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return &of->update_stmt->where_clause;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return &of->delete_stmt->where_clause;
    default:
        return NULL;
    }
}

static PgQuery__RangeVar *relation_of(node *of)
{
    switch (of->node_case) {
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return of->update_stmt->n_from_clause == 0 ? of->update_stmt->relation : NULL;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return of->delete_stmt->n_using_clause == 0 ? of->delete_stmt->relation : NULL;
    default:
        return NULL;
    }
}

/* The statement's own condition, made by hand where it has none. */
static node **open_where(struct ob_arena *arena, node *of)
{
    if (of->node_case != PG_QUERY__NODE__NODE_INSERT_STMT)
        return where_of(of);
    PgQuery__SelectStmt *select = select_of(of->insert_stmt->select_stmt);
    if (!select || select->larg || !select_values(select) || !name_values(arena, select))
        return NULL;
    return &select->where_clause;
}

/* A column more that is returned. */
static void return_written(struct ob_arena *arena, node *of)
{
    PgQuery__ParseResult *column = parse_select(arena, "SELECT 1 AS " COLUMN);
    node ***list;
    size_t *count;
    if (of->node_case == PG_QUERY__NODE__NODE_INSERT_STMT) {
        list = &of->insert_stmt->returning_list;
        count = &of->insert_stmt->n_returning_list;
    } else if (of->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT) {
        list = &of->update_stmt->returning_list;
        count = &of->update_stmt->n_returning_list;
    } else {
        list = &of->delete_stmt->returning_list;
        count = &of->delete_stmt->n_returning_list;
    }
    node **longer = ob_arena_alloc(arena, (*count + 1) * sizeof(void *));
    for (size_t i = 0; i < *count; i++)
        longer[i] = (*list)[i];
    longer[(*count)++] = select_of(statement(column))->target_list[0];
    *list = longer;
}

const char *ob_sql_write_where(struct ob_arena *arena, const char *sql, const char *condition)
{
    PgQuery__ParseResult *tree = parse(arena, sql);
    node *more = condition_of(arena, condition);
    if (!tree || !more)
        return NULL;
    node **where = open_where(arena, statement(tree));
    if (!where)
        return NULL;
    *where = both(arena, *where, more);
    return_written(arena, statement(tree));
    return write_out(arena, tree);
}

/* --- conditions on rows */

/* The one table that the SELECT reads, by its own name; NULL: it is more, or called otherwise. */
static const PgQuery__RangeVar *only_table(const PgQuery__SelectStmt *select)
{
    if (!is_plain(select) || select->n_from_clause != 1 || select->limit_count ||
        select->from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return NULL;
    const PgQuery__RangeVar *table = select->from_clause[0]->range_var;
    return table->alias ? NULL : table;
}

static bool same_table(const PgQuery__RangeVar *a, const PgQuery__RangeVar *b)
{
    return a && b && !a->alias && !b->alias && strcmp(a->relname, b->relname) == 0 &&
           strcmp(a->schemaname ? a->schemaname : "", b->schemaname ? b->schemaname : "") == 0;
}

/* The subselect's condition, if it is one that picks rows of that table. */
static node *picked_by(node *where, const PgQuery__RangeVar *table)
{
    if (!where || where->node_case != PG_QUERY__NODE__NODE_SUB_LINK ||
        where->sub_link->sub_link_type != PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK)
        return NULL;
    PgQuery__SelectStmt *select = select_of(where->sub_link->subselect);
    return select && same_table(only_table(select), table) ? select->where_clause : NULL;
}

const char *ob_sql_ask_row(struct ob_arena *arena, const char *sql)
{
    PgQuery__ParseResult *tree = parse(arena, sql);
    if (!tree || !where_of(statement(tree)))
        return NULL;
    node **where = where_of(statement(tree));
    node *condition = picked_by(*where, relation_of(statement(tree)));
    if (!condition)
        return NULL;
    *where = both(arena, *where, condition);
    return write_out(arena, tree);
}

const char *ob_sql_unchanged(struct ob_arena *arena, const char *read, const char *column,
                             const char *write, size_t first)
{
    PgQuery__ParseResult *reading = parse_select(arena, read), *writing = parse(arena, write);
    PgQuery__SelectStmt *select = reading ? select_of(statement(reading)) : NULL;
    size_t place = select ? find_target(select, column) : SIZE_MAX;
    if (!writing || place == SIZE_MAX ||
        !same_table(only_table(select), relation_of(statement(writing))))
        return NULL;
    const node *value = select->target_list[place]->res_target->val;
    if (value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
        return NULL;
    renumber(&reading->base, (int32_t)first);
    /* SELECT column FROM table WHERE condition, of which all but the middle is wanted. */
    node *where = select->where_clause;
    PgQuery__ParseResult *asked = parse_select(
        arena, ob_arena_printf(arena, "SELECT WHERE a IS NOT DISTINCT FROM $%zu", first));
    PgQuery__SelectStmt *condition = select_of(statement(asked));
    condition->where_clause->a_expr->lexpr = select->target_list[place]->res_target->val;
    condition->where_clause = both(arena, where, condition->where_clause);
    const char *text = write_out(arena, asked);
    return text ? text + strlen("SELECT WHERE ") : NULL;
}
