/*
 * sql.h - SQL as text: where its tokens end, and how values and names are written in it.
 *
 * The rules are those of PostgreSQL's scanner (src/backend/parser/scan.l) with
 * standard_conforming_strings on.  For UTF-8, in which no byte of a longer character is ASCII.
 */
#ifndef OB_BASE_SQL_H
#define OB_BASE_SQL_H

#include "base/buf.h"

enum ob_lexeme {
    OB_LEX_SPACE,
    OB_LEX_COMMENT, /* up to the line's end, or in brackets, which nest */
    OB_LEX_WORD,    /* a name, a keyword or a number */
    OB_LEX_NAME,    /* "…" */
    OB_LEX_STRING,  /* '…', with what continues it on another line */
    OB_LEX_ESCAPED, /* E'…', the same */
    OB_LEX_UNICODE, /* U&'…' or U&"…" */
    OB_LEX_BITS,    /* B'…' or X'…' */
    OB_LEX_DOLLAR,  /* $tag$…$tag$ */
    OB_LEX_PARAM,   /* $1 */
    OB_LEX_OTHER,   /* one byte */
};

/* The size of the token that the text begins with; 0 at its end.  What is left open goes up to
 * there. */
size_t ob_sql_lexeme(const char *text, enum ob_lexeme *kind);

/* Appends the text as a literal; NULL is null. */
void ob_sql_put_literal(struct ob_buf *out, const char *text);

/* Appends the name in double quotes. */
void ob_sql_put_name(struct ob_buf *out, const char *name);

/* Appends the statement with literals in the places of its parameters $1 to $count. */
void ob_sql_put_statement(struct ob_buf *out, const char *sql, int count,
                          const char *const *params);

/* Appends SQL that means the same and has no "}" in it.  False: it has one that is no part of a
 * string, a quoted name or a comment, or is in a string with escapes of its own. */
bool ob_sql_put_without_brace(struct ob_buf *out, const char *sql);

#endif
