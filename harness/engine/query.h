/*
 * query.h - asking the database about its state, outside any client: the port that checks go
 * through.
 */
#ifndef OB_ENGINE_QUERY_H
#define OB_ENGINE_QUERY_H

#include "base/alloc.h"
#include "base/error.h"

#include <stddef.h>

#define OB_LOCK_NOT_AVAILABLE "55P03" /* SQLSTATE */

/* The answer to a query, all text; cells[row * column_count + column], NULL for SQL's null. */
struct ob_rows {
    size_t row_count, column_count;
    const char *const *columns;
    const char *const *cells;
};

struct ob_query_port {
    void *self;
    /* Runs one statement with text parameters on the control connection; prepared once per text and
     * kept. *out lives in arena.  OB_SQL: the statement failed, with OB_LOCK_NOT_AVAILABLE because
     * of a lock that the message names.  OB_INTERRUPTED: the user did not wait for it. */
    enum ob_result (*query)(void *self, const char *sql, int param_count, const char *const *params,
                            struct ob_arena *arena, struct ob_rows *out, struct ob_error *err);
};

#endif
