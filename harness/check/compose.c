/*
 * compose.c - many invariants as one statement, because a run's check is paid for in round trips.
 *
 * Each item's SQL becomes a subquery, on lines of its own so that a comment at its end ends there.
 * A quote or comment that is left open would swallow the items after it: the server refuses the
 * whole, and asking each item by itself then tells which one it was.
 */
#include "check/check_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Behind the quote that ends what begins at text[0], a doubled one being part of it. */
static const char *skip_quoted(const char *text, bool escapes)
{
    char quote = *text++;
    for (; *text; text++) {
        if (escapes && *text == '\\' && text[1])
            text++;
        else if (*text == quote && text[1] == quote)
            text++;
        else if (*text == quote)
            return text + 1;
    }
    return text;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Behind $tag$ … $tag$; when text begins no such string, behind the dollar. */
static const char *skip_dollar(const char *text)
{
    const char *tag_end = text + 1;
    while (is_word(*tag_end))
        tag_end++;
    if (*tag_end != '$' || isdigit((unsigned char)text[1]))
        return text + 1;
    size_t tag_size = (size_t)(tag_end + 1 - text);
    for (const char *at = tag_end + 1; *at; at++) {
        if (strncmp(at, text, tag_size) == 0)
            return at + tag_size;
    }
    return text + strlen(text);
}

/* Behind a comment; PostgreSQL's block comments nest. */
static const char *skip_comment(const char *text)
{
    if (*text == '-')
        return text + strcspn(text, "\n");
    size_t depth = 0;
    do {
        bool opens = text[0] == '/' && text[1] == '*', closes = text[0] == '*' && text[1] == '/';
        depth = depth + opens - closes;
        text += opens || closes ? 2 : 1;
    } while (depth > 0 && *text);
    return text;
}

static bool begins_comment(const char *text)
{
    return (text[0] == '-' && text[1] == '-') || (text[0] == '/' && text[1] == '*');
}

/* Behind a word and the string that it is the prefix of (E'…' has escapes). */
static const char *skip_word(const char *text)
{
    const char *begin = text;
    while (is_word(*text) || *text == '$')
        text++;
    if (*text == '\'' && text - begin == 1)
        return skip_quoted(text, *begin == 'E' || *begin == 'e');
    return text;
}

static const char *skip_token(const char *text)
{
    if (is_word(*text))
        return skip_word(text);
    if (*text == '\'' || *text == '"')
        return skip_quoted(text, false);
    if (*text == '$')
        return skip_dollar(text);
    return text + 1;
}

size_t ob_check_sql_size(const char *sql)
{
    const char *semicolon = NULL;
    for (const char *at = sql; *at;) {
        if (begins_comment(at)) {
            at = skip_comment(at);
        } else if (isspace((unsigned char)*at)) {
            at++;
        } else if (*at == ';') {
            semicolon = semicolon ? semicolon : at;
            at++;
        } else {
            semicolon = NULL;
            at = skip_token(at);
        }
    }
    return semicolon ? (size_t)(semicolon - sql) : strlen(sql);
}

void ob_check_compose(struct ob_check_statement *statement, const struct ob_check_item *items,
                      const size_t *indexes, size_t index_count)
{
    *statement = (struct ob_check_statement){0};
    if (index_count == 0)
        return;
    for (size_t i = 0; i < index_count; i++)
        statement->reads_history |= strcasestr(items[indexes[i]].sql, "history") != NULL;
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    if (statement->reads_history)
        ob_buf_puts(&out, "WITH history AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"
                          " AS h(seq int, step int, client text, kind text, data jsonb))\n");
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
