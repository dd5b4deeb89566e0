/*
 * reset.c - the clean state of a database, and the way back to it between runs.
 *
 * A hot path.  Tables that were empty are emptied by DELETE, since TRUNCATE makes new files; tables
 * that had rows are put back only when a digest says that they changed; sequences are set back; all
 * in one call of a function made for this database.  Now and then a VACUUM keeps the tables to
 * their first page.
 *
 * That is enough for clients that do not depend on the order in which rows happen to lie.  Where
 * they may (the world is exact), the digest sees each row's place, every table that was written is
 * emptied and vacuumed at once, which gives its pages back, and is then filled again in the first
 * order: the n-th row of the first run has the same place in every other.
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
 * whether it has rows, quoted name as a string. */
#define OB_PG_TABLES                                                                               \
    "SELECT format('%I.%I', n.nspname, c.relname),"                                                \
    " (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a"      \
    "  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')," \
    " (SELECT string_agg('t.' || quote_ident(a.attname), ', ' ORDER BY a.attnum)"                  \
    "  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"       \
    "  AND a.atttypid NOT IN ('xid'::regtype, 'xid8'::regtype, 'tid'::regtype, 'cid'::regtype)),"  \
    " (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM (SELECT FROM ONLY "   \
    "%I.%I LIMIT 1) one', n.nspname, c.relname), false, true, '')))[1]::text,"                     \
    " quote_literal(format('%I.%I', n.nspname, c.relname))"                                        \
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
#define OB_PG_CHANGED "*" /* what the function answers when the schema has changed */

/* What is made for a database. */
struct script {
    struct ob_buf copies, digests; /* of the clean rows */
    struct ob_buf reset, refill;   /* bodies of functions */
    struct ob_buf empty;           /* all tables that have rows */
};

static void script_init(struct script *script)
{
    ob_buf_init(&script->copies, OB_PG_SQL_MAX);
    ob_buf_init(&script->digests, OB_PG_SQL_MAX);
    ob_buf_init(&script->reset, OB_PG_SQL_MAX);
    ob_buf_init(&script->refill, OB_PG_SQL_MAX);
    ob_buf_init(&script->empty, OB_PG_SQL_MAX);
}

static void script_clear(struct script *script)
{
    ob_buf_clear(&script->copies);
    ob_buf_clear(&script->digests);
    ob_buf_clear(&script->reset);
    ob_buf_clear(&script->refill);
    ob_buf_clear(&script->empty);
}

static bool script_failed(const struct script *script)
{
    return ob_buf_failed(&script->copies) || ob_buf_failed(&script->digests) ||
           ob_buf_failed(&script->reset) || ob_buf_failed(&script->refill) ||
           ob_buf_failed(&script->empty);
}

/* The digest of a table's rows, with their places where those matter. */
static void add_digest(struct ob_buf *sql, const char *seen, bool exact)
{
    char *columns = ob_asprintf("%s%s", exact ? "t.ctid, " : "", seen);
    ob_buf_printf(sql, OB_PG_ROWS_DIGEST, columns);
    free(columns);
}

/* An exact world's empty tables have no page until something was written, if only to be rolled
 * back. */
static void add_empty_table(struct script *script, const char *name, const char *literal,
                            bool exact)
{
    if (exact)
        ob_buf_printf(&script->reset,
                      "IF pg_relation_size(%s) > 0 THEN DELETE FROM ONLY %s;"
                      " written := written || ', ' || %s; END IF;\n",
                      literal, name, literal);
    else
        ob_buf_printf(&script->reset, "DELETE FROM ONLY %s;\n", name);
}

static void add_table(struct script *script, const PGresult *tables, int row, bool exact)
{
    const char *name = PQgetvalue(tables, row, 0), *columns = PQgetvalue(tables, row, 1);
    const char *seen = PQgetvalue(tables, row, 2), *literal = PQgetvalue(tables, row, 4);
    if (strcmp(PQgetvalue(tables, row, 3), "0") == 0) {
        add_empty_table(script, name, literal, exact);
        return;
    }
    ob_buf_printf(&script->empty, "DELETE FROM ONLY %s;\n", name);
    ob_buf_printf(&script->copies, "CREATE TABLE overbook.clean_%d AS SELECT %s FROM ONLY %s;\n",
                  row, columns, name);
    ob_buf_printf(&script->digests, "INSERT INTO overbook.clean SELECT %d, count(*), ", row);
    add_digest(&script->digests, seen, exact);
    ob_buf_printf(&script->digests, " FROM ONLY %s t;\n", name);
    ob_buf_printf(&script->reset,
                  "IF NOT EXISTS (SELECT FROM overbook.clean c, (SELECT count(*) AS n, ");
    add_digest(&script->reset, seen, exact);
    ob_buf_printf(&script->reset,
                  " AS h FROM ONLY %s t) now WHERE c.id = %d AND c.n = now.n AND c.h = now.h)"
                  " THEN DELETE FROM ONLY %s; written := written || ', ' || %s;"
                  " refill := true; END IF;\n",
                  name, row, name, literal);
    ob_buf_printf(&script->refill,
                  "IF NOT EXISTS (SELECT FROM ONLY %s) THEN INSERT INTO %s (%s) OVERRIDING SYSTEM"
                  " VALUE SELECT %s FROM overbook.clean_%d; END IF;\n",
                  name, name, columns, columns, row);
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

static char *all_tables(const PGresult *tables)
{
    struct ob_buf sql;
    ob_buf_init(&sql, OB_PG_SQL_MAX);
    for (int row = 0; row < PQntuples(tables); row++)
        ob_buf_printf(&sql, "%s%s", row == 0 ? "" : ", ", PQgetvalue(tables, row, 0));
    return ob_buf_take(&sql);
}

/* Defines the functions.  Where it need not be exact, one call does it all. */
static enum ob_result define_reset(struct ob_pg_world *world, const struct script *script,
                                   struct ob_error *err)
{
    static const char function[] =
        "CREATE FUNCTION overbook.%s(OUT written text, OUT refill bool) LANGUAGE plpgsql AS"
        " $reset$ BEGIN written := ''; refill := false;\n%s%s%sEND $reset$;\n";
    const char *schema = "IF (SELECT is_called FROM overbook.ddl) THEN written := '" OB_PG_CHANGED
                         "'; RETURN; END IF;\n";
    struct ob_buf sql;
    ob_buf_init(&sql, 4 * OB_PG_SQL_MAX);
    ob_buf_puts(&sql, "CREATE SCHEMA IF NOT EXISTS overbook; CREATE SEQUENCE overbook.ddl;\n"
                      "CREATE TABLE overbook.clean (id int, n bigint, h numeric);\n");
    ob_buf_puts(&sql, script->copies.data);
    ob_buf_printf(&sql, function, "refill", "", script->refill.data, "");
    ob_buf_printf(&sql, function, "reset", world->exact ? schema : "", script->reset.data,
                  world->exact ? "" : "IF refill THEN PERFORM overbook.refill(); END IF;\n");
    enum ob_result result =
        ob_buf_failed(&sql) || script_failed(script)
            ? ob_error_set(err, OB_LIMIT, "the database has too many tables to be reset")
            : ob_pg_exec(world->control, sql.data, NULL, err);
    ob_buf_clear(&sql);
    return result;
}

static enum ob_result vacuum(struct ob_pg_world *world, const char *tables, struct ob_error *err)
{
    if (tables[0] == '\0')
        return OB_OK;
    char *sql = ob_asprintf("VACUUM %s", tables);
    enum ob_result result = ob_pg_exec(world->control, sql, NULL, err);
    free(sql);
    return result;
}

/* Empty tables get their rows, in the first order, and are in the state of every later refill. */
static enum ob_result refill(struct ob_pg_world *world, const char *tables, struct ob_error *err)
{
    enum ob_result result = ob_pg_exec(world->control, "SELECT overbook.refill()", NULL, err);
    return result == OB_OK ? vacuum(world, tables, err) : result;
}

static enum ob_result remember(struct ob_pg_world *world, const struct script *script,
                               struct ob_error *err)
{
    enum ob_result result = define_reset(world, script, err);
    if (result == OB_OK) /* neither triggers nor foreign keys while rows are put back */
        result = ob_pg_exec(world->control, "SET session_replication_role = replica", NULL, err);
    if (result == OB_OK && world->exact)
        result = ob_pg_exec(world->control, script->empty.data, NULL, err);
    if (result == OB_OK && world->exact)
        result = vacuum(world, world->vacuum, err);
    if (result == OB_OK && world->exact)
        result = refill(world, world->vacuum, err);
    if (result == OB_OK)
        result = ob_pg_exec(world->control, script->digests.data, NULL, err);
    if (result == OB_OK && world->exact)
        result = ob_pg_keep_clean(world, err);
    return result == OB_OK ? ob_pg_control_bound(world, err) : result;
}

enum ob_result ob_pg_world_ready(struct ob_pg_world *world, struct ob_error *err)
{
    PGresult *tables = NULL, *sequences = NULL;
    struct script script;
    script_init(&script);
    enum ob_result result = ob_pg_gates_install(world, err);
    if (result == OB_OK)
        result = select_rows(world, OB_PG_TABLES, &tables, err);
    if (result == OB_OK)
        result = select_rows(world, OB_PG_SEQUENCES, &sequences, err);
    if (result == OB_OK) {
        for (int row = 0; row < PQntuples(tables); row++)
            add_table(&script, tables, row, world->exact);
        add_sequences(&script.reset, sequences, world->clock);
        free(world->vacuum);
        free(world->digest_sql);
        world->vacuum = all_tables(tables);
        world->digest_sql = digest_query(tables);
        result = remember(world, &script, err);
    }
    for (size_t i = 0; i < world->session_count && result == OB_OK; i++)
        if (!world->sessions[i].conn)
            result = ob_pg_session_open(world, i, err);
    script_clear(&script);
    PQclear(tables);
    PQclear(sequences);
    return result;
}

enum ob_result ob_pg_roll_back_prepared(struct ob_pg_world *world, struct ob_error *err)
{
    PGresult *left = NULL;
    enum ob_result result =
        select_rows(world,
                    "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts"
                    " WHERE database = current_database() ORDER BY 1",
                    &left, err);
    for (int row = 0; result == OB_OK && row < PQntuples(left); row++)
        result = ob_pg_exec(world->control, PQgetvalue(left, row, 0), NULL, err);
    PQclear(left);
    return result;
}

/* What all clients have left, which is then forgotten. */
static struct ob_pg_left take_left(struct ob_pg_world *world)
{
    struct ob_pg_left all = {0};
    for (size_t i = 0; i < world->session_count; i++) {
        all.schema |= world->left[i].schema;
        all.garbage |= world->left[i].garbage;
        all.prepared |= world->left[i].prepared;
        world->left[i] = (struct ob_pg_left){0};
    }
    return all;
}

/* *changed: the schema is not what it was, and nothing was put back. */
static enum ob_result reset_rows(struct ob_pg_world *world, bool garbage, bool *changed,
                                 struct ob_error *err)
{
    PGresult *answer = NULL;
    enum ob_result result =
        ob_pg_control_prepared(world, "SELECT * FROM overbook.reset()", 0, NULL, &answer, err);
    *changed = world->exact && result == OB_SQL && strncmp(err->sqlstate, "42", 2) == 0;
    if (result != OB_OK)
        return result;
    const char *written = PQgetvalue(answer, 0, 0);
    *changed = strcmp(written, OB_PG_CHANGED) == 0;
    if (!world->exact && ++world->resets >= OB_PG_VACUUM_EVERY) {
        world->resets = 0;
        result = vacuum(world, world->vacuum, err);
    }
    if (world->exact && !*changed && written[0] != '\0') {
        written += strlen(", ");
        result = vacuum(world, garbage ? world->vacuum : written, err);
        if (result == OB_OK && strcmp(PQgetvalue(answer, 0, 1), "t") == 0)
            result = refill(world, written, err);
    } else if (world->exact && !*changed && garbage) {
        result = vacuum(world, world->vacuum, err);
    }
    PQclear(answer);
    return result;
}

enum ob_result ob_pg_world_reset(struct ob_pg_world *world, int64_t start_us, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < world->session_count && result == OB_OK; i++)
        result = ob_pg_session_reset(world, i, err);
    struct ob_pg_left left = take_left(world);
    if (result == OB_OK && left.prepared)
        result = ob_pg_roll_back_prepared(world, err);
    bool changed = result == OB_OK && world->exact && left.schema;
    if (result == OB_OK && !changed)
        result = reset_rows(world, left.garbage, &changed, err);
    if (changed)
        result = ob_pg_rebuild(world, err);
    if (result == OB_OK)
        result = ob_pg_control_clock(world, start_us, err);
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
    if (world->exact && result == OB_SQL && strncmp(err->sqlstate, "42", 2) == 0) {
        *out = 0; /* a table or a column is gone: one state like another */
        result = OB_OK;
    }
    PQclear(answer);
    return result;
}
