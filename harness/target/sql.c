/*
 * sql.c - the target "sql": clients that run the statements written in the scenario.
 *
 * A client is a small interpreter: statements with :variables as parameters, captures of the first
 * row, guards that skip a step.  An error rolls back and ends the client, or begins it again where
 * the scenario allows retries and the error is one that a retry can help.  So does a lost session,
 * where the scenario wants it.
 */
#include "target/target_int.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"
#include "pg/interrupt.h"
#include "target/gated.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Installed beside the user's tables, so that time is the schedule's. */
#define CLOCK_SETUP                                                                    \
    "CREATE SCHEMA IF NOT EXISTS overbook;\n"                                          \
    "CREATE SEQUENCE overbook.clock MINVALUE 0;\n"                                     \
    "CREATE FUNCTION overbook.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$\n" \
    " SELECT 'epoch'::timestamptz + last_value * interval '1 microsecond'"             \
    " FROM overbook.clock$$"

struct value {
    const char *name;
    char *text; /* owned; NULL: null */
};

struct sql_client {
    const struct ob_sql_target *target;
    const struct ob_scenario_client *scenario;
    enum booking_isolation isolation;

    /* Workspace of a run. */
    struct ob_client *client;
    struct ob_gated_db gated;
    struct booking_db_faulty faulty;
    struct value values[OB_SCENARIO_VARIABLES_MAX];
    size_t value_count;
    bool in_transaction;
    bool all_declared;            /* all statements of the transaction were */
    struct ob_footprint declared; /* of the present call; owned, memory kept */
};

struct ob_sql_target {
    size_t variant;
    size_t client_count;
    struct sql_client clients[OB_CLIENTS_MAX];
};

enum ended { ENDED_STEP, ENDED_RETRY, ENDED_CLIENT };

static void set_value(struct sql_client *self, const char *name, const char *text)
{
    size_t i = 0;
    while (i < self->value_count && strcmp(self->values[i].name, name) != 0)
        i++;
    if (i == self->value_count) {
        assert(self->value_count < OB_SCENARIO_VARIABLES_MAX);
        self->values[self->value_count++] = (struct value){.name = name};
    }
    free(self->values[i].text);
    self->values[i].text = text ? ob_strdup(text) : NULL;
}

static const char *get_value(const struct sql_client *self, const char *name)
{
    for (size_t i = 0; i < self->value_count; i++)
        if (strcmp(self->values[i].name, name) == 0)
            return self->values[i].text;
    return NULL; /* a variable that a skipped step would have captured */
}

static void clear_values(struct sql_client *self)
{
    for (size_t i = 0; i < self->value_count; i++)
        free(self->values[i].text);
    self->value_count = 0;
}

static void set_now(struct sql_client *self)
{
    int64_t now_us = ob_client_now_us(self->client);
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm tm;
    char date[32], text[48];
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof text, "%s.%06" PRId64 "Z", date, now_us % 1000000);
    set_value(self, "now", text);
}

static void set_initial_values(struct sql_client *self)
{
    clear_values(self);
    set_value(self, "client", self->scenario->name);
    for (size_t i = 0; i < self->scenario->variable_count; i++)
        set_value(self, self->scenario->variables[i].name, self->scenario->variables[i].value);
}

/* -1, 0 or 1; numbers as numbers, everything else as text. */
static int compare_values(const char *a, const char *b)
{
    int order;
    if (ob_parse_compare_decimals(a, b, &order))
        return order;
    order = strcmp(a, b);
    return (order > 0) - (order < 0);
}

static bool guard_holds(const struct sql_client *self, const struct ob_guard *guard)
{
    const char *a = get_value(self, guard->variable);
    if (guard->compare == OB_IS_NULL || guard->compare == OB_IS_NOT_NULL)
        return (a == NULL) == (guard->compare == OB_IS_NULL);
    const char *b = guard->value_is_variable ? get_value(self, guard->value) : guard->value;
    if (!a || !b)
        return false;
    int order = compare_values(a, b);
    switch (guard->compare) {
    case OB_EQ:
        return order == 0;
    case OB_NE:
        return order != 0;
    case OB_LT:
        return order < 0;
    case OB_LE:
        return order <= 0;
    case OB_GT:
        return order > 0;
    case OB_GE:
        return order >= 0;
    case OB_IS_NULL:
    case OB_IS_NOT_NULL:
    default:
        return false;
    }
}

/* Fails the run: a column to capture is not there. */
static void refuse_column(struct sql_client *self, const struct ob_sql_step *step,
                          const char *column, const PGresult *result)
{
    size_t count = (size_t)PQnfields(result);
    const char **names = ob_alloc(count * sizeof *names);
    struct ob_buf text;
    ob_buf_init(&text, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        names[i] = PQfname(result, (int)i);
        ob_buf_printf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    struct ob_error err;
    ob_error_set(&err, OB_SQL, "client %s, step %zu: the result has no column \"%s\"",
                 self->scenario->name, (size_t)(step - self->scenario->steps) + 1, column);
    ob_error_detail(&err, count > 0 ? "It has %s." : "It has none%s.", text.data);
    const char *nearest = ob_parse_nearest(column, names, count);
    if (nearest)
        ob_error_hint(&err, "Did you mean \"%s\"?", nearest);
    ob_client_fail(self->client, &err);
    ob_buf_clear(&text);
    free(names);
}

static enum ended capture(struct sql_client *self, const struct ob_sql_step *step,
                          const PGresult *result)
{
    for (size_t i = 0; i < step->capture_count; i++) {
        const struct ob_capture *wanted = &step->captures[i];
        int column = PQfnumber(result, wanted->column);
        if (column < 0) {
            refuse_column(self, step, wanted->column, result);
            return ENDED_CLIENT;
        }
        bool there = PQntuples(result) > 0 && !PQgetisnull(result, 0, column);
        set_value(self, wanted->variable, there ? PQgetvalue(result, 0, column) : NULL);
    }
    return ENDED_STEP;
}

/* Adds an event; a string ":name" in its data becomes the variable's value. */
static void add_event(struct sql_client *self, const struct ob_sql_step *step)
{
    json_t *data = json_loads(step->event_data, 0, NULL);
    const char *key;
    json_t *item;
    void *next;
    json_object_foreach_safe(data, next, key, item)
    {
        const char *text = json_string_value(item);
        if (!text || text[0] != ':')
            continue;
        const char *value = get_value(self, text + 1);
        json_object_set_new(data, key, value ? json_string(value) : json_null());
    }
    char *text = json_dumps(data, JSON_COMPACT);
    ob_client_event(self->client, step->event_kind, text);
    free(text);
    json_decref(data);
}

/* --- what is declared to be touched */

static const enum ob_level levels[] = {
    [BOOKING_READ_COMMITTED] = OB_LEVEL_STATEMENT,
    [BOOKING_REPEATABLE_READ] = OB_LEVEL_TRANSACTION,
    [BOOKING_SERIALIZABLE] = OB_LEVEL_SERIALIZABLE,
};

/* The next call touches nothing, but for what is added. */
static void declare_nothing(struct sql_client *self)
{
    ob_footprint_reset(&self->declared);
    self->declared.level = levels[self->isolation];
    self->gated.touches = &self->declared;
}

static void declare(struct sql_client *self, const struct ob_sql_step *step)
{
    static const unsigned ways[] = {
        [OB_DECLARED_READ] = OB_TOUCH_READ,
        [OB_DECLARED_SHARE] = OB_TOUCH_READ | OB_TOUCH_SHARE,
        [OB_DECLARED_WRITE] = OB_TOUCH_READ | OB_TOUCH_WRITE,
    };
    self->all_declared &= step->declares;
    self->gated.touches = NULL;
    if (!step->declares)
        return;
    declare_nothing(self);
    for (size_t i = 0; i < step->touch_count; i++) {
        const struct ob_declared *touch = &step->touches[i];
        if (touch->key)
            ob_footprint_add_key(&self->declared, touch->relation, touch->key, ways[touch->way]);
        else
            ob_footprint_add(&self->declared, ob_resource(touch->relation), ways[touch->way]);
    }
}

/* The end of a transaction touches nothing that its statements did not declare, if all of them
 * did. */
static void prepare_end(struct sql_client *self)
{
    if (self->all_declared)
        declare_nothing(self);
    else
        self->gated.touches = NULL;
}

static void roll_back(struct sql_client *self)
{
    if (!self->in_transaction)
        return;
    self->in_transaction = false;
    prepare_end(self);
    self->faulty.db.ops->rollback(&self->faulty.db);
}

/* After a call that failed: what it means for the client. */
static enum ended fail(struct sql_client *self, enum booking_db_result result,
                       const PGresult *answer)
{
    if (self->gated.stopped)
        return ENDED_CLIENT;
    if (result == BOOKING_DB_LOST) {
        self->in_transaction = false;
        ob_client_event(self->client, "lost", "{}");
        self->faulty.db.ops->reconnect(&self->faulty.db);
        return self->scenario->retry_lost ? ENDED_RETRY : ENDED_CLIENT;
    }
    const char *state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    char data[32];
    snprintf(data, sizeof data, "{\"sqlstate\":\"%s\"}", state ? state : "");
    ob_client_event(self->client, "error", data);
    roll_back(self);
    bool retry = state && (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0);
    return retry ? ENDED_RETRY : ENDED_CLIENT;
}

static enum ended statement(struct sql_client *self, const struct ob_sql_step *step)
{
    const char *params[OB_SCENARIO_VARIABLES_MAX];
    assert(step->variable_count <= OB_SCENARIO_VARIABLES_MAX);
    for (size_t i = 0; i < step->variable_count; i++)
        params[i] = get_value(self, step->variables[i]);
    PGresult *answer = NULL;
    struct booking_db *db = &self->faulty.db;
    declare(self, step);
    enum booking_db_result result =
        db->ops->exec(db, step->sql, (int)step->variable_count, params, &answer);
    enum ended ended =
        result == BOOKING_DB_OK ? capture(self, step, answer) : fail(self, result, answer);
    PQclear(answer);
    return ended;
}

static enum ended transaction_command(struct sql_client *self, enum ob_sql_step_kind kind)
{
    struct booking_db *db = &self->faulty.db;
    PGresult *error = NULL;
    enum booking_db_result result;
    prepare_end(self);
    if (kind == OB_SQL_BEGIN)
        result = db->ops->begin(db, self->isolation);
    else if (kind == OB_SQL_COMMIT)
        result = db->ops->commit(db, &error);
    else
        result = db->ops->rollback(db);
    self->in_transaction = kind == OB_SQL_BEGIN && result == BOOKING_DB_OK;
    self->all_declared = true;
    enum ended ended = result == BOOKING_DB_OK ? ENDED_STEP : fail(self, result, error);
    PQclear(error);
    return ended;
}

static enum ended set_clock(struct sql_client *self, const struct ob_sql_step *step)
{
    int64_t now_us = ob_client_now_us(self->client);
    const struct ob_op op = {
        .kind = OB_OP_CLOCK,
        .text = "set the clock",
        .time_us = step->advances ? now_us + step->time_us : step->time_us,
    };
    struct ob_reply reply;
    ob_client_do(self->client, &op, &reply);
    self->gated.stopped = reply.status == OB_REPLY_STOPPED;
    return reply.status == OB_REPLY_DONE ? ENDED_STEP : ENDED_CLIENT;
}

static enum ended do_step(struct sql_client *self, const struct ob_sql_step *step)
{
    switch (step->kind) {
    case OB_SQL_STATEMENT:
        set_now(self);
        return statement(self, step);
    case OB_SQL_CLOCK:
        return set_clock(self, step);
    case OB_SQL_EVENT:
        set_now(self);
        add_event(self, step);
        return ENDED_STEP;
    case OB_SQL_BEGIN:
    case OB_SQL_COMMIT:
    case OB_SQL_ROLLBACK:
    default:
        return transaction_command(self, step->kind);
    }
}

static enum ended do_steps(struct sql_client *self)
{
    for (size_t i = 0; i < self->scenario->step_count; i++) {
        const struct ob_sql_step *step = &self->scenario->steps[i];
        bool taken = (step->variants >> self->target->variant & 1) &&
                     ob_client_begins(self->client, (uint32_t)i);
        for (size_t g = 0; g < step->guard_count && taken; g++)
            taken = guard_holds(self, &step->guards[g]);
        if (!taken)
            continue;
        enum ended ended = do_step(self, step);
        if (ended != ENDED_STEP)
            return ended;
    }
    roll_back(self); /* a transaction that the scenario leaves open ends with its client */
    return ENDED_STEP;
}

static void body(struct ob_client *client, void *arg)
{
    struct sql_client *self = arg;
    self->client = client;
    self->in_transaction = false;
    self->all_declared = true;
    ob_gated_db_init(&self->gated, client);
    booking_db_faulty_init(&self->faulty, &self->gated.db);
    for (unsigned attempt = 0; attempt <= self->scenario->retries; attempt++) {
        set_initial_values(self);
        if (do_steps(self) != ENDED_RETRY)
            break;
    }
    clear_values(self);
}

enum ob_result ob_target_set_up(struct ob_target *target, PGconn *conn, const char *sql,
                                const char *whose, struct ob_error *err)
{
    if (sql[0] == '\0')
        return OB_OK;
    ob_script_add_setup(target->options->script, sql, 0, NULL);
    PGresult *result = ob_pg_wait_exec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
    if (!done) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        ob_error_set(err, OB_SQL, "the setup of %s failed", whose);
        ob_error_detail(err, "%s", PQresultErrorMessage(result));
        ob_error_hint(err, "Try it with psql in an empty database.");
        snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state ? state : "");
    }
    PQclear(result);
    if (!done && strcmp(err->sqlstate, "57014") == 0 && ob_pg_interrupted())
        return ob_error_set(err, OB_INTERRUPTED, "interrupted");
    return done ? OB_OK : OB_SQL;
}

enum ob_result ob_target_set_clock_up(struct ob_target *target, PGconn *conn, struct ob_error *err)
{
    char set[80];
    snprintf(set, sizeof set, "SELECT setval('" OB_TARGET_CLOCK "', %" PRId64 ")",
             target->start_us);
    enum ob_result result = ob_target_set_up(target, conn, CLOCK_SETUP, "the clock", err);
    if (result == OB_OK)
        result = ob_target_set_up(target, conn, set, "the clock", err);
    if (target->options->script)
        target->options->script->clock_count = target->options->script->setup_count;
    return result;
}

/* The steps of a client at the most, the ROLLBACK at its end included; 0, where it may begin again:
 * then there is a bound, and one so far off that nothing would follow from it. */
static uint64_t steps_of(const struct ob_scenario_client *client, size_t variant)
{
    uint64_t count = 1;
    for (size_t i = 0; i < client->step_count; i++)
        count +=
            client->steps[i].kind != OB_SQL_EVENT && (client->steps[i].variants >> variant & 1);
    return client->retries == 0 ? count : 0;
}

static uint64_t steps_max(const struct ob_target *target)
{
    uint64_t total = 0;
    for (size_t i = 0; i < target->client_count; i++) {
        const struct ob_scenario_client *client =
            &target->scenario->clients[target->scenario_index[i]];
        uint64_t count = steps_of(client, target->variant);
        if (count == 0)
            return 0;
        total += count;
    }
    return total;
}

static enum ob_result install(struct ob_target *target, PGconn *conn, void **self,
                              struct ob_error *err)
{
    const struct ob_scenario *scenario = target->scenario;
    const struct ob_variant *variant = &scenario->variants[target->variant];
    enum ob_result result = ob_target_set_clock_up(target, conn, err);
    if (result == OB_OK)
        result = ob_target_set_up(target, conn, scenario->setup, scenario->name, err);
    if (result == OB_OK)
        result = ob_target_set_up(target, conn, variant->setup, variant->name, err);
    if (result != OB_OK)
        return result;
    struct ob_sql_target *sql = ob_alloc(sizeof *sql);
    sql->variant = target->variant;
    sql->client_count = target->client_count;
    for (size_t i = 0; i < target->client_count; i++) {
        struct sql_client *client = &sql->clients[i];
        client->target = sql;
        client->scenario = &scenario->clients[target->scenario_index[i]];
        client->isolation = ob_gated_isolation(
            client->scenario->isolation_given ? client->scenario->isolation : variant->isolation);
        target->clients[i] =
            (struct ob_run_client){.name = client->scenario->name, .body = body, .arg = client};
    }
    target->rig.steps_max = steps_max(target);
    *self = sql;
    return OB_OK;
}

static const char *text_of(const struct ob_sql_step *step)
{
    switch (step->kind) {
    case OB_SQL_BEGIN:
        return "BEGIN";
    case OB_SQL_COMMIT:
        return "COMMIT";
    case OB_SQL_ROLLBACK:
        return "ROLLBACK";
    case OB_SQL_CLOCK:
        return "clock";
    case OB_SQL_EVENT:
        return step->event_kind;
    case OB_SQL_STATEMENT:
    default:
        return step->sql;
    }
}

/* Its steps, as far as they are of the variant. */
static size_t parts(void *self, size_t client, struct ob_part **out)
{
    const struct ob_sql_target *sql = self;
    const struct ob_scenario_client *scenario = sql->clients[client].scenario;
    struct ob_part *found = ob_alloc(scenario->step_count * sizeof *found);
    uint32_t transaction = 0, transactions = 0;
    size_t count = 0;
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct ob_sql_step *step = &scenario->steps[i];
        bool ends = step->kind == OB_SQL_COMMIT || step->kind == OB_SQL_ROLLBACK;
        if (!(step->variants >> sql->variant & 1))
            continue;
        if (step->kind == OB_SQL_BEGIN)
            transaction = ++transactions;
        found[count++] = (struct ob_part){.number = (uint32_t)i,
                                          .transaction = transaction,
                                          .bracket = ends || step->kind == OB_SQL_BEGIN,
                                          .text = text_of(step)};
        transaction = ends ? 0 : transaction;
    }
    *out = found;
    return count;
}

static void free_target(void *self)
{
    struct ob_sql_target *sql = self;
    for (size_t i = 0; i < sql->client_count; i++)
        ob_footprint_clear(&sql->clients[i].declared);
    free(sql);
}

const struct ob_target_ops ob_target_sql = {
    .clock = OB_TARGET_CLOCK,
    .keeps_session_state = true,
    .exact = ob_target_is_exact,
    .install = install,
    .parts = parts,
    .free = free_target,
};
