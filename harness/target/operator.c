/*
 * operator.c - what whoever runs the service does while it is in use: the flag, and migrations.
 *
 * A migration is made as booking-migrate makes it, with the same statements: each step is a
 * transaction, before the first the rows are listed that a constraint would refuse, and a lock that
 * does not come in time is asked for again later.  Time is virtual, so what stands in a migration
 * of a lock_timeout is left out and the schedule says, as a fault, that the time was over: the
 * attempt then gives up where it would have to wait.
 */
#include "target/reference_int.h"

#include "base/buf.h"
#include "base/parse.h"

#include <assert.h>
#include <fiu.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS_MAX 5
#define LOCK_NOT_AVAILABLE "55P03"

/* The statement, in a row of its own in the migrations, that time_out_at_once() is about. */
#define LOCK_TIMEOUT "SET LOCAL lock_timeout"
#define LOCK_MODE " EXCLUSIVE MODE;"

static int64_t number(const struct ob_action *action, const char *key)
{
    const struct ob_setting *found = ob_setting_find(action->settings, action->setting_count, key);
    assert(found);
    return found->number;
}

static void tell(struct ob_actor *actor, const char *action, enum booking_status status,
                 json_t *data)
{
    const struct booking_answer answer = {.status = status, .reason = ""};
    ob_reference_answer(actor, action, &answer, data);
}

void ob_reference_set_flag(struct ob_actor *actor, const struct ob_action *action)
{
    int percent = (int)number(action, "percent");
    struct booking_error err;
    ob_reference_request(actor, "flag", json_pack("{s:i}", "percent", percent));
    enum booking_db_result ended = booking_flag_set(actor->db, percent, &err);
    tell(actor, "flag", ended == BOOKING_DB_OK ? BOOKING_OK : BOOKING_ERROR, json_object());
}

/* --- migrations */

/* A number that the database tells; false where it does not. */
static bool ask_version(struct ob_actor *actor, int *version)
{
    PGresult *result;
    bool told =
        actor->db->ops->exec(actor->db, "SELECT max(version) AS n FROM booking.schema_version", 0,
                             NULL, &result) == BOOKING_DB_OK;
    uint64_t value = 0;
    told = told && ob_parse_u64(PQgetvalue(result, 0, 0), 1, INT_MAX, &value);
    *version = (int)value;
    PQclear(result);
    return told;
}

/* Puts what the constraints would refuse into the history, a row each. */
static void list_dirty_rows(struct ob_actor *actor)
{
    PGresult *result;
    json_t *rows = json_array();
    if (actor->db->ops->exec(actor->db,
                             "SELECT kind || ': ' || detail FROM booking.dirty"
                             " ORDER BY kind, first_id, second_id, detail",
                             0, NULL, &result) == BOOKING_DB_OK)
        for (int i = 0; i < PQntuples(result); i++)
            json_array_append_new(rows, json_string(PQgetvalue(result, i, 0)));
    PQclear(result);
    ob_reference_event(actor->reference, "dirty", json_pack("{s:o}", "rows", rows));
}

/* Takes the timeouts out of the text; over: it is over as soon as there is anything to wait for. */
static char *without_timeouts(const char *text, bool over)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t size = end ? (size_t)(end - text) + 1 : strlen(text);
        const char *mode = strstr(text, LOCK_MODE);
        bool locks = strncmp(text, "LOCK TABLE", strlen("LOCK TABLE")) == 0;
        if (locks && over && mode && mode < text + size) {
            ob_buf_add(&out, text, (size_t)(mode - text));
            ob_buf_puts(&out, " EXCLUSIVE MODE NOWAIT;\n");
        } else if (strncmp(text, LOCK_TIMEOUT, strlen(LOCK_TIMEOUT)) != 0) {
            ob_buf_add(&out, text, size);
        }
        text += size;
    }
    return ob_buf_take(&out);
}

struct attempt {
    bool done;
    char sqlstate[6], detail[256]; /* where it is not */
};

static void note_error(struct attempt *attempt, const PGresult *error)
{
    const char *state = PQresultErrorField(error, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(attempt->sqlstate, sizeof attempt->sqlstate, "%s", state ? state : "");
    snprintf(attempt->detail, sizeof attempt->detail, "%s", message ? message : "");
}

static struct attempt attempt_step(struct ob_actor *actor, const char *text)
{
    struct attempt attempt = {0};
    struct booking_db *db = actor->db;
    PGresult *result = NULL, *error = NULL;
    if (db->ops->begin(db, BOOKING_READ_COMMITTED) != BOOKING_DB_OK)
        return attempt;
    enum booking_db_result ended = ob_gated_script(actor->gated, text, &result);
    if (ended == BOOKING_DB_OK)
        ended = db->ops->commit(db, &error);
    else if (ended == BOOKING_DB_ERROR)
        db->ops->rollback(db);
    attempt.done = ended == BOOKING_DB_OK;
    if (ended == BOOKING_DB_ERROR)
        note_error(&attempt, error ? error : result);
    PQclear(result);
    PQclear(error);
    return attempt;
}

/* One step, up or down; tried again where its lock did not come. */
static bool make_step(struct ob_actor *actor, int version, bool up)
{
    struct attempt attempt = {0};
    char *text = booking_migrate_text(version, up);
    assert(text);
    for (int i = 0; i < ATTEMPTS_MAX && !attempt.done && !actor->gated->stopped; i++) {
        char *sql = without_timeouts(text, fiu_fail("migrate/lock-timeout") != 0);
        ob_reference_request(actor, "migrate",
                             json_pack("{s:i, s:s}", "step", version, "way", up ? "up" : "down"));
        attempt = attempt_step(actor, sql);
        bool again = strcmp(attempt.sqlstate, LOCK_NOT_AVAILABLE) == 0;
        tell(actor, "migrate",
             attempt.done ? BOOKING_OK
             : again      ? BOOKING_RETRY_LATER
                          : BOOKING_ERROR,
             json_pack("{s:i, s:s, s:s}", "step", version, "sqlstate", attempt.sqlstate, "detail",
                       attempt.detail));
        free(sql);
        if (!again)
            break;
        int64_t due_us = ob_client_now_us(actor->client) + actor->app.pause_us;
        ob_gated_wait(actor->client, "wait before asking for the lock again", NULL, NULL, due_us);
    }
    free(text);
    return attempt.done;
}

void ob_reference_migrate(struct ob_actor *actor, const struct ob_action *action)
{
    int version = 0, target = (int)number(action, "version");
    if (!actor->gated || !ask_version(actor, &version))
        return;
    if (target > version && target > BOOKING_SCHEMA_OPEN)
        list_dirty_rows(actor);
    while (version != target && version <= BOOKING_SCHEMA_LATEST) {
        bool up = target > version;
        if (!make_step(actor, up ? version + 1 : version, up))
            return;
        version += up ? 1 : -1;
    }
}
