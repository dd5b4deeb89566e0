/*
 * rewrite.h - SQL statements changed as a cure wants them, by PostgreSQL's own grammar
 * (libpg_query).
 *
 * Statements have parameters, $1, $2, …; what is put together of two has those of the first, then
 * those of the other.  A function that returns a text returns NULL where the statement has not the
 * form that it takes; texts live in the arena.
 */
#ifndef OB_CURE_REWRITE_H
#define OB_CURE_REWRITE_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stddef.h>

enum ob_sql_form {
    OB_SQL_READS,
    OB_SQL_INSERTS,
    OB_SQL_CHANGES /* UPDATE, DELETE */,
    OB_SQL_OTHER
};

enum ob_sql_form ob_sql_form(const char *sql);

/* Of a SELECT: the statement that locks the rows it reads, FOR UPDATE, and returns no columns. */
const char *ob_sql_lock_read(struct ob_arena *arena, const char *sql);

/* Of a SELECT with one column, or one that is so called: the same with no other column, for use as
 * an expression; its parameters are numbered from first + 1 on. */
const char *ob_sql_scalar(struct ob_arena *arena, const char *sql, const char *column,
                          size_t first);

/* Of an INSERT of one row, an UPDATE or a DELETE: the same, only where the condition holds; it
 * returns a row, with a column "written", for each that was written. */
const char *ob_sql_write_where(struct ob_arena *arena, const char *sql, const char *condition);

/* Of an UPDATE or DELETE whose rows are picked by a subselect from the same table: the same with
 * the subselect's condition asked of the row itself too. */
const char *ob_sql_ask_row(struct ob_arena *arena, const char *sql);

/* Of a SELECT of a plain column from one table: what is to be asked of a row of that table for it
 * to be as it was read, with that value in the parameter first; its own parameters are numbered
 * from first + 1 on.  NULL also when write is no UPDATE or DELETE of that table. */
const char *ob_sql_unchanged(struct ob_arena *arena, const char *read, const char *column,
                             const char *write, size_t first);

#endif
