/* rows.h - what of a result goes into a trace. */
#ifndef OB_PG_ROWS_H
#define OB_PG_ROWS_H

#include <libpq-fe.h>
#include <stdint.h>

/* Equal for equal sets of rows, in whatever order they came; transaction ids are left out. */
uint64_t ob_pg_rows_digest(const PGresult *result);

/* The rows returned, or those affected where none are returned. */
uint32_t ob_pg_rows_count(const PGresult *result);

#endif
