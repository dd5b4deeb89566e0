/*
 * session.c - a client's connection.
 *
 * An operation is answered when the server is ready for the next one (ReadyForQuery), not when its
 * result has come: a statement outside a transaction commits in between.
 *
 * Deadlock control, on servers where the role may set it: deadlock_timeout is an hour, so that no
 * check ever runs by chance.  An armed session has 1 ms, and log_lock_waits with
 * client_min_messages = log make the server say "still waiting" to the client itself when a check
 * has passed: an event to wait for, not a time.
 */
#include "pg/world_int.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "pg/interrupt.h"
#include "pg/rows.h"
#include "pg/setting.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Within a transaction the settings are local to it, and its end brings the old ones back. */
#define OB_PG_ARM(set)                                                                           \
    set " deadlock_timeout = '1ms'; " set " log_lock_waits = on; " set " client_min_messages = " \
        "log"
#define OB_PG_DISARM(set) set " client_min_messages = notice; " set " deadlock_timeout = '1h'"

/* libpq would print them on standard error. */
static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

enum ob_result ob_pg_connect(const char *conninfo, const char *name, const char *options,
                             PGconn **out, struct ob_error *err)
{
    const char *const keywords[] = {"dbname", "fallback_application_name", "options", NULL};
    const char *const values[] = {conninfo, name, options, NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 1);
    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    if (PQstatus(conn) == CONNECTION_OK) {
        *out = conn;
        return OB_OK;
    }
    ob_error_set(err, OB_SERVER, "could not connect to the database");
    ob_error_detail(err, "%s", PQerrorMessage(conn));
    ob_error_hint(err,
                  "Is the server running, and may this role connect? \"overbook doctor\" tells.");
    PQfinish(conn);
    return OB_SERVER;
}

/* Severity LOG from ProcSleep, in English since armed sessions have lc_messages = C: "process N
 * still waiting for …" when a check has passed, and "process N acquired …", after which another
 * wait of the same statement has a check of its own.  One that finds a deadlock is told by its
 * error. */
static void receive_notice(void *arg, const PGresult *notice)
{
    struct ob_pg_session *session = arg;
    if (ob_pg_footprint_receive(session, notice) || ob_pg_gate_receive(session, notice))
        return;
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (!function || !severity || !message || strcmp(function, "ProcSleep") != 0 ||
        strcmp(severity, "LOG") != 0)
        return;
    if (strstr(message, " still waiting for "))
        session->checked = true;
    else if (strstr(message, " acquired "))
        session->checked = false;
}

static bool is_superuser(const struct ob_pg_session *session)
{
    const char *is = PQparameterStatus(session->conn, "is_superuser");
    return is && strcmp(is, "on") == 0;
}

/* It has taken another role, which may not set deadlock_timeout: that stays as it is until a
 * transaction ends. */
static bool cannot_arm(const struct ob_pg_session *session)
{
    return session->superuser && !is_superuser(session);
}

enum ob_result ob_pg_session_open(struct ob_pg_world *world, size_t client, struct ob_error *err)
{
    struct ob_pg_session *session = &world->sessions[client];
    struct ob_buf options;
    ob_buf_init(&options, 1024);
    ob_buf_puts(&options, "-c search_path=public -c timezone=UTC -c datestyle=ISO -c "
                          "statement_timeout=0 -c lock_timeout=0");
    if (world->controls_deadlock)
        ob_buf_puts(&options, " -c deadlock_timeout=1h -c lc_messages=C");
    if (world->tells) /* as a setting of the start, which no RESET nor DISCARD takes back */
        ob_buf_puts(&options, " -c overbook.footprints=on");
    if (world->has_probe && world->clock)
        ob_buf_printf(&options, " -c overbook.clock=%s", world->clock);
    if (world->gates)
        ob_buf_printf(&options, " -c overbook.gate=%zu", client);
    if (world->fixed_plans)
        ob_buf_puts(&options, " -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off"
                              " -c max_parallel_workers_per_gather=0");
    if (world->setting)
        ob_pg_setting_add(world->setting, &options);
    char name[32];
    snprintf(name, sizeof name, "overbook client %zu", client);
    enum ob_result result = ob_pg_connect(world->conninfo, name, options.data, &session->conn, err);
    ob_buf_clear(&options);
    if (result != OB_OK)
        return result;
    PQsetNoticeReceiver(session->conn, receive_notice, session);
    session->pid = PQbackendPID(session->conn);
    session->superuser = is_superuser(session);
    session->serializable = world->serializable;
    session->ending = OB_PG_STAYING;
    session->checked = false;
    session->deadlock = session->deadlock_outside = OB_PG_DEADLOCK_OFF;
    return OB_OK;
}

void ob_pg_session_close(struct ob_pg_session *session)
{
    PQclear(session->answer);
    PQclear(session->rows);
    ob_footprint_clear(&session->footprint);
    PQfinish(session->conn);
    *session = (struct ob_pg_session){0};
}

enum ob_result ob_pg_session_roll_back(struct ob_pg_world *world, size_t client,
                                       struct ob_error *err)
{
    struct ob_pg_session *session = &world->sessions[client];
    PGTransactionStatusType status = PQtransactionStatus(session->conn);
    if (status != PQTRANS_INTRANS && status != PQTRANS_INERROR)
        return OB_OK;
    ob_pg_note_result(world, client, NULL);
    enum ob_result result = ob_pg_exec(session->conn, "ROLLBACK", NULL, err);
    session->deadlock = session->deadlock_outside;
    return result;
}

/* Out of a transaction, its settings as they were when it was opened. */
static enum ob_result clean(struct ob_pg_world *world, size_t client, struct ob_error *err)
{
    struct ob_pg_session *session = &world->sessions[client];
    enum ob_result result = ob_pg_session_roll_back(world, client, err);
    const char *restore = world->keeps_session_state ? "DISCARD ALL" : OB_PG_DISARM("SET");
    if (result == OB_OK &&
        (world->keeps_session_state || session->deadlock_outside != OB_PG_DEADLOCK_OFF)) {
        result = ob_pg_exec(session->conn, restore, NULL, err);
        session->deadlock = session->deadlock_outside = OB_PG_DEADLOCK_OFF;
    }
    return result;
}

enum ob_result ob_pg_session_reset(struct ob_pg_world *world, size_t client, struct ob_error *err)
{
    struct ob_pg_session *session = &world->sessions[client];
    session->has_timeout = session->signals = false;
    session->serializable = world->serializable;
    PGTransactionStatusType status = PQtransactionStatus(session->conn);
    bool usable = status != PQTRANS_ACTIVE && status != PQTRANS_UNKNOWN &&
                  session->ending == OB_PG_STAYING && PQconsumeInput(session->conn);
    enum ob_result result = usable ? clean(world, client, err) : OB_SERVER;
    if (result != OB_SERVER)
        return result;
    ob_pg_note_result(world, client, NULL);
    ob_pg_session_close(session);
    return ob_pg_session_open(world, client, err);
}

/* The client's session has ended, by a timeout of the server's or by an administrator: a fresh
 * one takes its place and the client is told.  When there is no fresh one to be had, the server
 * itself is gone. */
static enum ob_io replace_lost(struct ob_pg_world *world, size_t client, struct ob_reply *reply,
                               struct ob_error *err)
{
    struct ob_pg_session *session = &world->sessions[client];
    const char *state =
        session->answer ? PQresultErrorField(session->answer, PG_DIAG_SQLSTATE) : NULL;
    *reply = (struct ob_reply){.status = OB_REPLY_LOST, .committed = true}; /* perhaps */
    snprintf(reply->sqlstate, sizeof reply->sqlstate, "%s", state ? state : "");
    ob_pg_note_result(world, client, NULL);
    ob_pg_session_close(session);
    if (ob_pg_session_open(world, client, err) == OB_OK)
        return OB_IO_DONE;
    ob_error_context(err, "lost a client's session");
    return OB_IO_FAILED;
}

/* Sessions begin without a lock_timeout or statement_timeout, and cannot get one unnamed.  A
 * deadlock_timeout is another matter: it is set anew before it counts. */
static bool names_timeout(const char *sql)
{
    static const char lock[] = "lock_timeout", dead[] = "dead";
    const size_t size = sizeof dead - 1;
    for (const char *found = sql; (found = strcasestr(found, lock)); found += sizeof lock - 1)
        if ((size_t)(found - sql) < size || strncasecmp(found - size, dead, size) != 0)
            return true;
    return strcasestr(sql, "statement_timeout");
}

/* Also where its command would not tell: within a function. */
static bool sets_deadlock(const char *sql)
{
    return strcasestr(sql, "deadlock_timeout") &&
           (strcasestr(sql, "set ") || strcasestr(sql, "set_config"));
}

/* Ends what another session does, some time after. */
static bool names_signal(const char *sql)
{
    return strcasestr(sql, "pg_cancel_backend") || strcasestr(sql, "pg_terminate_backend");
}

/* In a BEGIN or SET, or as the value of a setting. */
static void note_level(struct ob_pg_session *session, const char *sql)
{
    session->serializable |= strcasestr(sql, "serializable") != NULL;
}

bool ob_pg_session_serializable(void *self, size_t client)
{
    const struct ob_pg_world *world = self;
    return world->sessions[client].serializable;
}

bool ob_pg_session_has_timeout(void *self, size_t client)
{
    struct ob_pg_world *world = self;
    bool signalled = false; /* whom, and when it arrives, nobody knows */
    for (size_t i = 0; i < world->session_count; i++)
        signalled |= world->sessions[i].signals;
    return signalled || world->sessions[client].has_timeout;
}

enum ob_io ob_pg_session_send(void *self, size_t client, const struct ob_op *op,
                              struct ob_error *err)
{
    struct ob_pg_world *world = self;
    struct ob_pg_session *session = &world->sessions[client];
    assert(client < world->session_count && !session->answer);
    ob_pg_footprint_begin(world, session);
    session->at_gate = false;
    session->checked = session->deadlock == OB_PG_DEADLOCK_OFF ||
                       (session->deadlock == OB_PG_DEADLOCK_UNKNOWN && !cannot_arm(session));
    session->has_timeout |= names_timeout(op->text);
    session->signals |= names_signal(op->text);
    note_level(session, op->text);
    for (int i = 0; i < op->param_count; i++)
        note_level(session, op->params[i] ? op->params[i] : "");
    session->sets_deadlock = sets_deadlock(op->text);
    (void)err;
    /* A failed send leaves the connection bad, which the next poll finds. */
    if (op->kind == OB_OP_KILL) {
        ob_pg_note_result(world, client, NULL);
        session->ending = OB_PG_ROLLING_BACK;
        (void)PQsendQuery(session->conn, "ROLLBACK");
        return OB_IO_PENDING;
    }
    if (op->kind == OB_OP_QUERY) {
        (void)PQsendQuery(session->conn, op->text);
        return OB_IO_PENDING;
    }
    (void)PQsendQueryParams(session->conn, op->text, op->param_count, NULL, op->params, NULL, NULL,
                            0);
    return OB_IO_PENDING;
}

/* A transaction's end undoes the settings made in it; a rollback to a savepoint, a chained
 * transaction, the client's own SET and RESET and a function (set_config) may have. */
static void note_settings(struct ob_pg_session *session, const char *command)
{
    bool sets = strcmp(command, "SET") == 0 || strcmp(command, "RESET") == 0;
    if (session->sets_deadlock || (sets && !cannot_arm(session)) ||
        strcmp(command, "DISCARD ALL") == 0)
        session->deadlock = session->deadlock_outside = OB_PG_DEADLOCK_UNKNOWN;
    else if (PQtransactionStatus(session->conn) == PQTRANS_IDLE)
        session->deadlock = session->deadlock_outside;
    else if (strcmp(command, "ROLLBACK") == 0 || strcmp(command, "COMMIT") == 0)
        session->deadlock = OB_PG_DEADLOCK_UNKNOWN;
}

static void fill_reply(struct ob_pg_session *session, struct ob_reply *reply)
{
    PGresult *result = session->answer;
    session->answer = NULL;
    *reply = (struct ob_reply){.status = OB_REPLY_DONE, .native = result};
    ExecStatusType status = PQresultStatus(result);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(reply->sqlstate, sizeof reply->sqlstate, "%s", state ? state : "00000");
    reply->message = state ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (status == PGRES_TUPLES_OK)
        reply->digest = ob_pg_rows_digest(result);
    reply->row_count = ob_pg_rows_count(result);
    reply->open = PQtransactionStatus(session->conn) != PQTRANS_IDLE;
    reply->committed = PQtransactionStatus(session->conn) == PQTRANS_IDLE &&
                       strcmp(PQcmdStatus(result), "ROLLBACK") != 0;
    ob_pg_footprint_end(session, reply->sqlstate);
    /* A function may have set the level. */
    session->serializable |= session->footprint.level == OB_LEVEL_SERIALIZABLE;
    note_settings(session, PQcmdStatus(result));
}

/* What a session's end does in the database is done without ending it, which would cost a new
 * connection: its transaction is rolled back, then all that it holds and has set is let go. */
static enum ob_io poll_ending(struct ob_pg_world *world, size_t client, struct ob_reply *reply,
                              struct ob_error *err)
{
    struct ob_pg_session *session = &world->sessions[client];
    if (!PQconsumeInput(session->conn))
        return replace_lost(world, client, reply, err);
    while (!PQisBusy(session->conn)) {
        PGresult *result = PQgetResult(session->conn);
        PQclear(result);
        if (result)
            continue;
        if (session->ending == OB_PG_ROLLING_BACK) {
            session->ending = OB_PG_DISCARDING;
            (void)PQsendQuery(session->conn, "DISCARD ALL");
            return OB_IO_PENDING;
        }
        session->ending = OB_PG_STAYING;
        session->deadlock = session->deadlock_outside = OB_PG_DEADLOCK_OFF;
        *reply = (struct ob_reply){.status = OB_REPLY_LOST};
        return OB_IO_DONE;
    }
    return OB_IO_PENDING;
}

/* COPY through the connection: what the server wants to have is refused, what it gives is thrown
 * away.  True while more is to come. */
static bool copies(PGconn *conn, const PGresult *result)
{
    char *line = NULL;
    int size = 1;
    if (PQresultStatus(result) == PGRES_COPY_IN)
        PQputCopyEnd(conn, "clients of overbook send no data");
    if (PQresultStatus(result) != PGRES_COPY_OUT)
        return false;
    while (size > 0) {
        size = PQgetCopyData(conn, &line, 1);
        PQfreemem(line);
        line = NULL;
    }
    return size == 0;
}

enum ob_io ob_pg_session_poll(void *self, size_t client, struct ob_reply *reply,
                              struct ob_error *err)
{
    struct ob_pg_world *world = self;
    struct ob_pg_session *session = &world->sessions[client];
    if (session->ending != OB_PG_STAYING)
        return poll_ending(world, client, reply, err);
    if (!PQconsumeInput(session->conn))
        return replace_lost(world, client, reply, err);
    while (!PQisBusy(session->conn)) {
        PGresult *result = PQgetResult(session->conn);
        if (!result) {
            if (PQstatus(session->conn) == CONNECTION_BAD)
                return replace_lost(world, client, reply, err);
            assert(session->answer);
            if (world->keeps_rows)
                ob_pg_keep_rows(session, session->answer);
            fill_reply(session, reply);
            return OB_IO_DONE;
        }
        bool more = copies(session->conn, result);
        ob_pg_note_result(world, client, result);
        session->several = session->answer != NULL;
        if (session->several) /* of several statements any may have changed the settings */
            session->deadlock = session->deadlock_outside = OB_PG_DEADLOCK_UNKNOWN;
        PQclear(session->answer); /* of several results the last one counts, as in PQexec */
        session->answer = result;
        if (more)
            return OB_IO_PENDING;
    }
    if (!session->at_gate || !world->gates_closed)
        return OB_IO_PENDING;
    session->at_gate = false;
    return OB_IO_GATE;
}

void ob_pg_session_wait(void *self, ob_client_set clients, int64_t limit_us)
{
    struct ob_pg_world *world = self;
    struct pollfd fds[OB_CLIENTS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < world->session_count; i++)
        if (clients & ((ob_client_set)1 << i))
            fds[count++] =
                (struct pollfd){.fd = PQsocket(world->sessions[i].conn), .events = POLLIN};
    struct timespec limit = {.tv_sec = (time_t)(limit_us / 1000000),
                             .tv_nsec = (long)(limit_us % 1000000) * 1000};
    (void)ppoll(fds, count, &limit, NULL); /* early or late, the caller looks for itself */
}

enum ob_result ob_pg_session_arm(void *self, size_t client, bool armed, struct ob_error *err)
{
    struct ob_pg_world *world = self;
    struct ob_pg_session *session = &world->sessions[client];
    enum ob_pg_deadlock wanted = armed ? OB_PG_DEADLOCK_ON : OB_PG_DEADLOCK_OFF;
    if (!world->controls_deadlock || session->deadlock == wanted || cannot_arm(session))
        return OB_OK;
    PGTransactionStatusType status = PQtransactionStatus(session->conn);
    if (status == PQTRANS_INERROR)
        return OB_OK; /* nothing in a failed transaction waits for a lock */
    bool inside = status == PQTRANS_INTRANS;
    const char *local = armed ? OB_PG_ARM("SET LOCAL") : OB_PG_DISARM("SET LOCAL");
    const char *outside = armed ? OB_PG_ARM("SET") : OB_PG_DISARM("SET");
    enum ob_result result = ob_pg_exec(session->conn, inside ? local : outside, NULL, err);
    if (PQstatus(session->conn) == CONNECTION_BAD)
        return OB_OK; /* lost: the operation that comes now will find out */
    if (result != OB_OK)
        return result;
    session->deadlock = wanted;
    if (!inside)
        session->deadlock_outside = wanted;
    return OB_OK;
}

/* What the server has said until now is read first, so that it is no older than an answer of the
 * control connection's. */
bool ob_pg_session_checked(void *self, size_t client)
{
    struct ob_pg_world *world = self;
    struct ob_pg_session *session = &world->sessions[client];
    if (!world->controls_deadlock)
        return true;
    if (PQconsumeInput(session->conn))
        (void)PQisBusy(session->conn);
    return session->checked;
}

void ob_pg_session_cancel(void *self, size_t client)
{
    struct ob_pg_world *world = self;
    PGcancel *cancel = PQgetCancel(world->sessions[client].conn);
    char text[256];
    if (cancel)
        (void)PQcancel(cancel, text, sizeof text); /* too late is fine: it has been answered then */
    PQfreeCancel(cancel);
}
