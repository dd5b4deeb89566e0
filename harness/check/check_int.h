/*
 * check_int.h - the parts of a check: the statement that asks all items at once, the history as its
 * parameter, and its answer as text for people.
 */
#ifndef OB_CHECK_CHECK_INT_H
#define OB_CHECK_CHECK_INT_H

#include "check/check.h"

#include "base/buf.h"

#define OB_BROKEN_ROWS_MAX 3   /* offending rows of one item that are told */
#define OB_BROKEN_SIZE_MAX 500 /* bytes of their text */

/* One statement over several items.  It answers rows (item, offending row as JSON): for each item
 * at most one row more than are told, in the order of the items. */
struct ob_check_statement {
    char *sql; /* owned; NULL when it has no items */
    bool reads_history;
};

/* The statement over the items at the indexes. */
void ob_check_compose(struct ob_check_statement *statement, const struct ob_check_item *items,
                      const size_t *indexes, size_t index_count);
void ob_check_statement_clear(struct ob_check_statement *statement);

/* The bytes of one SQL statement without the semicolon behind it, and what follows that. */
size_t ob_check_sql_size(const char *sql);

/* Appends the trace's events as a JSON array of {seq, step, client, kind, data}.
 * OB_INTERNAL: a name that is not UTF-8. */
OB_MUSTCHECK enum ob_result ob_check_history(const struct ob_trace *trace,
                                             const char *const *client_names, struct ob_buf *out,
                                             struct ob_error *err);

/* Appends one offending row, a JSON object, as text: the value of its only column, or "column
 * value, …". OB_INTERNAL: it is not an object. */
OB_MUSTCHECK enum ob_result ob_check_row(const char *json, struct ob_buf *out,
                                         struct ob_error *err);

/* Shortens the text to OB_BROKEN_SIZE_MAX bytes, at a character's edge, ending it in "…". */
void ob_check_shorten(struct ob_buf *text);

#endif
