/*
 * rebuild.c - a database whose schema a run has changed is made anew.
 *
 * A reset puts rows back and knows nothing of a table, an index or a constraint that a client has
 * made or dropped, nor of a materialized view that it refreshed.  So a copy of the clean database
 * is kept beside it, and when a run changed more than rows, the database is dropped and copied from
 * there, byte for byte; all connections are made again.  That costs many times what a reset does,
 * so it must be known whether it is needed.  Where the role may have one, an event trigger notes
 * whatever changes the schema, in functions too, in a sequence: that waits for nobody, and nobody
 * for it.  A rollback does not take it back, so that is one copy too many, never one too few.  The
 * commands' tags tell the rest, and without the trigger all that clients send themselves.
 *
 * Temporary objects end with their session and are nobody else's: they do not count.
 */
#include "pg/world_int.h"

#include "base/alloc.h"
#include "pg/marker.h"

#include <stdlib.h>
#include <string.h>

/* What belongs to a column of a temporary table, its default say, is not called temporary by the
 * older versions, but its name begins with the schema. */
static const char note_ddl[] =
    "CREATE FUNCTION overbook.note_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER"
    " SET search_path = pg_catalog AS $note$ BEGIN"
    " IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands()"
    "  WHERE schema_name IS DISTINCT FROM 'pg_temp') THEN PERFORM setval('overbook.ddl', 1); END "
    "IF;"
    " END $note$;"
    "CREATE FUNCTION overbook.note_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER"
    " SET search_path = pg_catalog AS $note$ BEGIN"
    " IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects()"
    "  WHERE NOT is_temporary AND address_names[1] IS DISTINCT FROM 'pg_temp')"
    "  THEN PERFORM setval('overbook.ddl', 1); END IF;"
    " END $note$;"
    "CREATE EVENT TRIGGER overbook_ddl ON ddl_command_end EXECUTE FUNCTION overbook.note_ddl();"
    "CREATE EVENT TRIGGER overbook_drop ON sql_drop EXECUTE FUNCTION overbook.note_drop();"
    "ALTER EVENT TRIGGER overbook_ddl ENABLE ALWAYS;"
    "ALTER EVENT TRIGGER overbook_drop ENABLE ALWAYS;"
    "SELECT pg_catalog.setval('overbook.ddl', 1, false)";

/* Tags of commands that leave no more than rows behind. */
static const char *const harmless[] = {
    "BEGIN",   "CLOSE",   "COMMIT",   "COPY",     "DEALLOCATE", "DECLARE",    "DELETE", "DISCARD",
    "EXECUTE", "EXPLAIN", "FETCH",    "INSERT",   "LISTEN",     "LOCK",       "MERGE",  "MOVE",
    "NOTIFY",  "PREPARE", "RELEASE",  "RESET",    "ROLLBACK",   "SAVEPOINT",  "SELECT", "SET",
    "SHOW",    "START",   "TRUNCATE", "UNLISTEN", "UPDATE",     "CHECKPOINT",
};

/* Tags of commands that no event trigger tells of. */
static const char *const untold[] = {
    "ANALYZE",
    "CLUSTER",
    "REINDEX",
    "VACUUM",
    "ALTER DATABASE",
    "CREATE EVENT TRIGGER",
    "ALTER EVENT TRIGGER",
    "DROP EVENT TRIGGER",
};

/* Whether tag begins with one of the words. */
static bool begins_with_one(const char *tag, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(words[i]);
        if (strncmp(tag, words[i], size) == 0 && (tag[size] == ' ' || tag[size] == '\0'))
            return true;
    }
    return false;
}

void ob_pg_note_result(struct ob_pg_world *world, size_t client, const PGresult *result)
{
    struct ob_pg_left *left = &world->left[client];
    const char *tag = result ? PQcmdStatus((PGresult *)result) : "ROLLBACK";
    if (tag[0] == '\0' || strcmp(tag, "ROLLBACK") == 0)
        left->garbage = true; /* an error, or the end of a transaction that came to nothing */
    if (tag[0] == '\0')
        return;
    if (strcmp(tag, "PREPARE TRANSACTION") == 0)
        left->prepared = true;
    if (world->sees_ddl ? begins_with_one(tag, untold, sizeof untold / sizeof *untold)
                        : !begins_with_one(tag, harmless, sizeof harmless / sizeof *harmless))
        left->schema = true;
}

enum ob_result ob_pg_keep_clean(struct ob_pg_world *world, struct ob_error *err)
{
    struct ob_error refused;
    world->database = ob_strdup(PQdb(world->control));
    world->clean = ob_asprintf("%s" OB_PG_CLEAN_SUFFIX, world->database);
    world->sees_ddl = ob_pg_exec(world->control, note_ddl, NULL, &refused) == OB_OK;
    enum ob_result result = ob_pg_marker_copy(world->control, world->clean, world->database, err);
    if (result != OB_OK)
        ob_error_context(err, "could not keep a copy of the clean database");
    return result;
}

static enum ob_result open_keeper(struct ob_pg_world *world, struct ob_error *err)
{
    if (world->keeper)
        return OB_OK;
    char *conninfo = ob_pg_marker_conninfo(world->control, world->clean);
    enum ob_result result = ob_pg_connect(conninfo, "overbook keeper", "", &world->keeper, err);
    if (result == OB_OK)
        result = ob_pg_marker_adopt(world->keeper, world->clean, err);
    free(conninfo);
    return result;
}

enum ob_result ob_pg_rebuild(struct ob_pg_world *world, struct ob_error *err)
{
    enum ob_result result = open_keeper(world, err);
    for (size_t i = 0; i < world->session_count; i++)
        ob_pg_session_close(&world->sessions[i]);
    if (result == OB_OK) {
        ob_pg_control_close(world);
        result = ob_pg_marker_copy(world->keeper, world->database, world->clean, err);
    }
    if (result == OB_OK)
        result = ob_pg_control_open(world, err);
    if (result == OB_OK)
        result = ob_pg_exec(world->control, "SET session_replication_role = replica", NULL, err);
    if (result == OB_OK)
        result = ob_pg_control_bound(world, err);
    for (size_t i = 0; i < world->session_count && result == OB_OK; i++)
        result = ob_pg_session_open(world, i, err);
    if (result != OB_OK)
        ob_error_context(err, "could not make the database anew");
    return result;
}

void ob_pg_drop_clean(struct ob_pg_world *world)
{
    PQfinish(world->keeper);
    world->keeper = NULL;
    if (!world->clean || PQstatus(world->control) != CONNECTION_OK)
        return;
    char *quoted = PQescapeIdentifier(world->control, world->clean, strlen(world->clean));
    char *sql = ob_asprintf("DROP DATABASE %s WITH (FORCE)", quoted);
    PQclear(PQexec(world->control, sql)); /* whoever drops the database tries again */
    free(sql);
    PQfreemem(quoted);
}
