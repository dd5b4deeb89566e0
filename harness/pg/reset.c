/*
 * reset.c - the clean state of a database, and the way back to it between runs.
 *
 * A hot path.  Tables that were empty are emptied by DELETE, since TRUNCATE makes new files; tables
 * that had rows are put back only when a digest says that they changed; sequences are set back; all
 * in one call of a function made for this database.  Now and then a VACUUM keeps the tables to
 * their first page, so that rows lie in the order in which they were inserted, run after run.
 */
#include "pg/world_int.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OB_PG_VACUUM_EVERY 16
#define OB_PG_SQL_MAX ((size_t)4 << 20)

/* Quoted name, quoted columns that can be inserted, quoted columns that a digest may see,
 * whether it has rows. */
#define OB_PG_TABLES                                                                               \
    "SELECT format('%I.%I', n.nspname, c.relname),"                                                \
    " (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a"      \
    "  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')," \
    " (SELECT string_agg('t.' || quote_ident(a.attname), ', ' ORDER BY a.attnum)"                  \
    "  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"       \
    "  AND a.atttypid NOT IN ('xid'::regtype, 'xid8'::regtype, 'tid'::regtype, 'cid'::regtype)),"  \
    " (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM (SELECT FROM ONLY "   \
    "%I.%I LIMIT 1) one', n.nspname, c.relname), false, true, '')))[1]::text"                      \
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"                               \
    " WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%'"           \
    " AND n.nspname NOT IN ('information_schema', 'overbook') ORDER BY 1"

#define OB_PG_SEQUENCES                                                                          \
    "SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value)::text," \
    " (last_value IS NOT NULL)::text FROM pg_sequences WHERE schemaname <> 'overbook' ORDER BY 1"

static enum ob_result select_rows(struct ob_pg_world *world, const char *sql, PGresult **out,
                                  struct ob_error *err)
{
    PGresult *result = PQexec(world->control, sql);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        *out = result;
        return OB_OK;
    }
    enum ob_result code =
        ob_pg_error(world->control, result, "could not read the database's tables", err);
    PQclear(result);
    return code;
}

#define OB_PG_ROWS_DIGEST "coalesce(sum(hashtextextended(ROW(%s)::text, 0)), 0)"

static void add_table(struct ob_buf *body, struct ob_buf *copies, const PGresult *tables, int row)
{
    const char *name = PQgetvalue(tables, row, 0), *columns = PQgetvalue(tables, row, 1);
    const char *seen = PQgetvalue(tables, row, 2);
    if (strcmp(PQgetvalue(tables, row, 3), "0") == 0) {
        ob_buf_printf(body, "DELETE FROM ONLY %s;\n", name);
        return;
    }
    ob_buf_printf(copies, "CREATE TABLE overbook.clean_%d AS SELECT %s FROM ONLY %s;\n", row,
                  columns, name);
    ob_buf_printf(copies, "INSERT INTO overbook.clean SELECT %d, count(*), ", row);
    ob_buf_printf(copies, OB_PG_ROWS_DIGEST, seen);
    ob_buf_printf(copies, " FROM ONLY %s t;\n", name);
    ob_buf_printf(body, "IF NOT EXISTS (SELECT FROM overbook.clean c, (SELECT count(*) AS n, ");
    ob_buf_printf(body, OB_PG_ROWS_DIGEST, seen);
    ob_buf_printf(body,
                  " AS h FROM ONLY %s t) now WHERE c.id = %d AND c.n = now.n AND c.h = now.h)"
                  " THEN DELETE FROM ONLY %s; INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE"
                  " SELECT %s FROM overbook.clean_%d; END IF;\n",
                  name, row, name, name, columns, columns, row);
}

static void add_sequences(struct ob_buf *body, const PGresult *sequences, const char *clock)
{
    for (int row = 0; row < PQntuples(sequences); row++) {
        const char *name = PQgetvalue(sequences, row, 0);
        if (clock && strcmp(name, clock) == 0)
            continue;
        ob_buf_printf(body, "PERFORM setval('%s', %s, %s);\n", name, PQgetvalue(sequences, row, 1),
                      PQgetvalue(sequences, row, 2));
    }
}

static char *digest_query(const PGresult *tables)
{
    struct ob_buf sql;
    ob_buf_init(&sql, OB_PG_SQL_MAX);
    ob_buf_puts(&sql, "SELECT hashtextextended(coalesce(string_agg(h::text, ',' ORDER BY id), ''),"
                      " 0) FROM (SELECT -1 AS id, 0::numeric AS h");
    for (int row = 0; row < PQntuples(tables); row++) {
        ob_buf_printf(&sql, " UNION ALL SELECT %d, ", row);
        ob_buf_printf(&sql, OB_PG_ROWS_DIGEST, PQgetvalue(tables, row, 2));
        ob_buf_printf(&sql, " FROM ONLY %s t", PQgetvalue(tables, row, 0));
    }
    ob_buf_puts(&sql, ") all_tables");
    return ob_buf_take(&sql);
}

static char *vacuum_command(const PGresult *tables)
{
    struct ob_buf sql;
    ob_buf_init(&sql, OB_PG_SQL_MAX);
    for (int row = 0; row < PQntuples(tables); row++)
        ob_buf_printf(&sql, "%s%s", row == 0 ? "VACUUM " : ", ", PQgetvalue(tables, row, 0));
    return ob_buf_take(&sql);
}

static enum ob_result define_reset(struct ob_pg_world *world, const PGresult *tables,
                                   const PGresult *sequences, struct ob_error *err)
{
    struct ob_buf sql, body;
    ob_buf_init(&sql, OB_PG_SQL_MAX);
    ob_buf_init(&body, OB_PG_SQL_MAX);
    ob_buf_puts(&sql, "CREATE SCHEMA IF NOT EXISTS overbook;\n"
                      "CREATE TABLE overbook.clean (id int, n bigint, h numeric);\n");
    for (int row = 0; row < PQntuples(tables); row++)
        add_table(&body, &sql, tables, row);
    add_sequences(&body, sequences, world->clock);
    ob_buf_printf(&sql,
                  "CREATE FUNCTION overbook.reset() RETURNS void LANGUAGE plpgsql AS"
                  " $reset$ BEGIN\n%sEND $reset$;\n",
                  body.data);
    enum ob_result result =
        ob_buf_failed(&sql) || ob_buf_failed(&body)
            ? ob_error_set(err, OB_LIMIT, "the database has too many tables to be reset")
            : ob_pg_exec(world->control, sql.data, NULL, err);
    ob_buf_clear(&body);
    ob_buf_clear(&sql);
    return result;
}

enum ob_result ob_pg_world_ready(struct ob_pg_world *world, struct ob_error *err)
{
    PGresult *tables = NULL, *sequences = NULL;
    enum ob_result result = select_rows(world, OB_PG_TABLES, &tables, err);
    if (result == OB_OK)
        result = select_rows(world, OB_PG_SEQUENCES, &sequences, err);
    if (result == OB_OK)
        result = define_reset(world, tables, sequences, err);
    if (result == OB_OK) /* neither triggers nor foreign keys while rows are put back */
        result = ob_pg_exec(world->control, "SET session_replication_role = replica", NULL, err);
    if (result == OB_OK) {
        free(world->vacuum);
        free(world->digest_sql);
        world->vacuum = vacuum_command(tables);
        world->digest_sql = digest_query(tables);
    }
    for (size_t i = 0; i < world->session_count && result == OB_OK; i++)
        if (!world->sessions[i].conn)
            result = ob_pg_session_open(world, i, err);
    PQclear(tables);
    PQclear(sequences);
    return result;
}

enum ob_result ob_pg_world_reset(struct ob_pg_world *world, int64_t start_us, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < world->session_count && result == OB_OK; i++)
        result = ob_pg_session_reset(world, i, err);
    PGresult *answer = NULL;
    if (result == OB_OK)
        result = ob_pg_control_prepared(world, "SELECT overbook.reset()", 0, NULL, &answer, err);
    PQclear(answer);
    if (result == OB_OK)
        result = ob_pg_control_clock(world, start_us, err);
    if (result == OB_OK && ++world->resets >= OB_PG_VACUUM_EVERY && world->vacuum[0] != '\0') {
        world->resets = 0;
        result = ob_pg_exec(world->control, world->vacuum, NULL, err);
    }
    if (result != OB_OK)
        ob_error_context(err, "could not reset the database");
    return result;
}

enum ob_result ob_pg_world_digest(struct ob_pg_world *world, uint64_t *out, struct ob_error *err)
{
    PGresult *answer = NULL;
    enum ob_result result = ob_pg_control_prepared(world, world->digest_sql, 0, NULL, &answer, err);
    if (result == OB_OK)
        *out = (uint64_t)strtoll(PQgetvalue(answer, 0, 0), NULL, 10);
    PQclear(answer);
    return result;
}
