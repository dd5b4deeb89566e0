/* grid.h - rows of a query as a table for a terminal. */
#ifndef OB_REPORTS_GRID_H
#define OB_REPORTS_GRID_H

#include "base/buf.h"
#include "engine/query.h"

#include <stdbool.h>

/* Appends at most rows_max of the rows, and how many more there are. */
void ob_grid_put(const struct ob_rows *rows, size_t rows_max, size_t indent, bool unicode,
                 struct ob_buf *out);

#endif
