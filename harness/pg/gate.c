/*
 * gate.c - stopping a client's statement between its snapshot and its run.
 *
 * A gate is two advisory locks (probe/gate.c), of which the control connection holds one: the
 * statement says that it has come, and waits for that one.  Where the probe is not, a trigger on
 * each table does what the probe would do.
 */
#include "pg/world_int.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define GATE_SQLSTATE "OBF02"
#define GATE_CLASS "1868722532" /* "obgd" */

/* The numbers come as an array: the keys to take, and those to free. */
#define MOVE                                                                                       \
    "SELECT (SELECT count(pg_catalog.pg_advisory_lock(" GATE_CLASS ", k)) FROM unnest($1::int4[])" \
    " k), (SELECT count(pg_catalog.pg_advisory_unlock(" GATE_CLASS ", k)) FROM"                    \
    " unnest($2::int4[]) k)"

/* INFO is sent whatever client_min_messages says. */
static const char function[] =
    "CREATE SCHEMA IF NOT EXISTS overbook;"
    "CREATE OR REPLACE FUNCTION overbook.gate() RETURNS trigger LANGUAGE plpgsql AS $gate$"
    "DECLARE number text := pg_catalog.current_setting('overbook.gate', true); key int4;"
    "BEGIN"
    " IF number IS NULL OR number = '' THEN RETURN NULL; END IF;"
    " key := 2 * number::int4;"
    " IF pg_catalog.pg_try_advisory_lock_shared(" GATE_CLASS ", key) THEN"
    "  PERFORM pg_catalog.pg_advisory_unlock_shared(" GATE_CLASS ", key);"
    "  key := key + 1;"
    " END IF;"
    " RAISE INFO USING ERRCODE = '" GATE_SQLSTATE "', MESSAGE = 'gate';"
    " PERFORM pg_catalog.pg_advisory_lock(" GATE_CLASS ", key);"
    " PERFORM pg_catalog.pg_advisory_unlock(" GATE_CLASS ", key);"
    " RETURN NULL;"
    "END $gate$;";

/* The name comes before all others, and so does the trigger. */
static const char triggers[] =
    "DO $do$ DECLARE found regclass; BEGIN"
    " FOR found IN SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
    "  ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
    "  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'overbook')"
    "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname ="
    "  '!overbook')"
    " LOOP EXECUTE pg_catalog.format('CREATE TRIGGER \"!overbook\" BEFORE INSERT OR UPDATE OR"
    " DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION overbook.gate()', found); END LOOP;"
    " END $do$";

enum ob_result ob_pg_gates_install(struct ob_pg_world *world, struct ob_error *err)
{
    if (!world->gates || world->has_probe)
        return OB_OK;
    enum ob_result result = ob_pg_exec(world->control, function, NULL, err);
    if (result == OB_OK)
        result = ob_pg_exec(world->control, triggers, NULL, err);
    if (result != OB_SQL)
        return result;
    ob_error_context(err, "could not put gates into the tables");
    ob_error_hint(err, "The scenario wants gates: use a server with overbook's probe, or a role "
                       "that may create triggers.");
    return err->code = OB_REFUSED;
}

bool ob_pg_gate_receive(struct ob_pg_session *session, const PGresult *notice)
{
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    if (!state || strcmp(state, GATE_SQLSTATE) != 0)
        return false;
    session->at_gate = true;
    return true;
}

static int held_key(const struct ob_pg_world *world, size_t client)
{
    return 2 * (int)client + world->sessions[client].second_key;
}

static enum ob_result move(struct ob_pg_world *world, const char *take, const char *free,
                           struct ob_error *err)
{
    const char *params[] = {take, free};
    PGresult *answer = NULL;
    enum ob_result result = ob_pg_control_prepared(world, MOVE, 2, params, &answer, err);
    PQclear(answer);
    return result;
}

enum ob_result ob_pg_gates(void *self, bool closed, struct ob_error *err)
{
    struct ob_pg_world *world = self;
    if (world->gates_closed == closed)
        return OB_OK;
    struct ob_buf keys;
    ob_buf_init(&keys, 1024);
    for (size_t i = 0; i < world->session_count; i++)
        ob_buf_printf(&keys, "%s%d", i == 0 ? "{" : ",", held_key(world, i));
    ob_buf_puts(&keys, "}");
    enum ob_result result =
        closed ? move(world, keys.data, "{}", err) : move(world, "{}", keys.data, err);
    ob_buf_clear(&keys);
    if (result == OB_OK)
        world->gates_closed = closed;
    return result;
}

enum ob_result ob_pg_gate_pass(void *self, size_t client, struct ob_error *err)
{
    struct ob_pg_world *world = self;
    struct ob_pg_session *session = &world->sessions[client];
    char free[16], take[16];
    snprintf(free, sizeof free, "{%d}", held_key(world, client));
    session->second_key = !session->second_key;
    snprintf(take, sizeof take, "{%d}", held_key(world, client));
    return move(world, take, free, err);
}
