/*
 * compose.c - many invariants as one statement, because a run's check is paid for in round trips.
 *
 * Each item's SQL becomes a subquery, on lines of its own so that a comment at its end ends there.
 * A quote or comment that is left open would swallow the items after it: the server refuses the
 * whole, and asking each item by itself then tells which one it was.
 */
#include "check/check_int.h"

#include "base/sql.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_COLUMNS "h(seq int, step int, client text, kind text, data jsonb)"

size_t ob_check_sql_size(const char *sql)
{
    const char *semicolon = NULL, *at = sql;
    enum ob_lexeme kind;
    for (size_t size; (size = ob_sql_lexeme(at, &kind)) > 0; at += size) {
        if (kind == OB_LEX_OTHER && *at == ';')
            semicolon = semicolon ? semicolon : at;
        else if (kind != OB_LEX_SPACE && kind != OB_LEX_COMMENT)
            semicolon = NULL;
    }
    return semicolon ? (size_t)(semicolon - sql) : strlen(sql);
}

static bool reads_history(const char *sql)
{
    return strcasestr(sql, "history") != NULL;
}

void ob_check_compose(struct ob_check_statement *statement, const struct ob_check_item *items,
                      const size_t *indexes, size_t index_count)
{
    *statement = (struct ob_check_statement){0};
    if (index_count == 0)
        return;
    for (size_t i = 0; i < index_count; i++)
        statement->reads_history |= reads_history(items[indexes[i]].sql);
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    if (statement->reads_history)
        ob_buf_puts(&out, "WITH history AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"
                          " AS " HISTORY_COLUMNS ")\n");
    for (size_t i = 0; i < index_count; i++) {
        const char *sql = items[indexes[i]].sql;
        ob_buf_printf(&out,
                      "%s(SELECT %zu AS item, row_to_json(ob_offending.*)::text AS offending\n"
                      "FROM (\n",
                      i > 0 ? "UNION ALL\n" : "", indexes[i]);
        ob_buf_add(&out, sql, ob_check_sql_size(sql));
        ob_buf_printf(&out, "\n) AS ob_offending LIMIT %d)\n", OB_BROKEN_ROWS_MAX + 1);
    }
    statement->sql = ob_buf_take(&out);
}

void ob_check_statement_clear(struct ob_check_statement *statement)
{
    free(statement->sql);
    *statement = (struct ob_check_statement){0};
}

enum ob_result ob_check_alone(const char *sql, const struct ob_trace *trace,
                              const char *const *client_names, bool *history, struct ob_buf *out,
                              struct ob_error *err)
{
    struct ob_buf events;
    ob_buf_init(&events, SIZE_MAX);
    *history = reads_history(sql);
    enum ob_result result = *history ? ob_check_history(trace, client_names, &events, err) : OB_OK;
    if (*history) {
        ob_buf_puts(out, "WITH history AS (SELECT * FROM jsonb_to_recordset(");
        ob_sql_put_literal(out, events.data);
        ob_buf_puts(out, "::jsonb)\n AS " HISTORY_COLUMNS ")\nSELECT * FROM (\n");
    }
    ob_buf_add(out, sql, ob_check_sql_size(sql));
    if (*history)
        ob_buf_puts(out, "\n) AS offending");
    ob_buf_clear(&events);
    return result;
}
