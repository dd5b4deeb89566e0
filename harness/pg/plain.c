#include "pg/plain.h"

#include "base/alloc.h"
#include "pg/interrupt.h"
#include "pg/rows.h"
#include "pg/waits.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct plain_session {
    PGconn *conn;   /* owned */
    bool answering; /* the first result has come */
    struct ob_pg_said *said;
    size_t said_count, said_capacity;
    size_t told; /* of these, how many the reader has taken */
};

struct ob_pg_plain {
    char *conninfo;  /* owned */
    PGconn *control; /* owned; the spec's own statements */
    PGconn *asking;  /* owned; who waits for whom */
    struct plain_session sessions[OB_CLIENTS_MAX];
    size_t session_count; /* of the present spec */
    size_t opened;        /* connections, which later specs use again */
};

static struct ob_pg_said *say(struct plain_session *session, enum ob_pg_said_kind kind)
{
    session->said = ob_grow(session->said, &session->said_capacity, session->said_count + 1,
                            sizeof *session->said);
    struct ob_pg_said *said = &session->said[session->said_count++];
    *said = (struct ob_pg_said){.kind = kind};
    return said;
}

static void forget(struct plain_session *session)
{
    for (size_t i = 0; i < session->said_count; i++) {
        free(session->said[i].text);
        PQclear(session->said[i].result);
        PQfreemem(session->said[i].notify);
    }
    session->said_count = session->told = 0;
}

static void hear_notice(void *arg, const char *message)
{
    say(arg, OB_PG_SAID_NOTICE)->text = ob_strdup(message);
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static enum ob_result connect_one(const char *conninfo, PGconn **out, struct ob_error *err)
{
    *out = PQconnectdb(conninfo);
    if (PQstatus(*out) == CONNECTION_OK)
        return OB_OK;
    ob_error_set(err, OB_SERVER, "could not connect to the database");
    ob_error_detail(err, "%s", PQerrorMessage(*out));
    ob_error_hint(err, "Is the server there, does it let you in, and has it a free connection?");
    return OB_SERVER;
}

static enum ob_result complain(PGconn *conn, const char *what, struct ob_error *err)
{
    ob_error_set(err, OB_SERVER, "%s", what);
    ob_error_detail(err, "%s", PQerrorMessage(conn));
    return OB_SERVER;
}

static enum ob_result prepare_asking(PGconn *conn, struct ob_error *err)
{
    PGresult *set = PQexec(conn, "SET plan_cache_mode = force_generic_plan; SET jit = off");
    PGresult *prepared = PQprepare(conn, "waits", OB_PG_WAITS, 0, NULL);
    bool done =
        PQresultStatus(set) == PGRES_COMMAND_OK && PQresultStatus(prepared) == PGRES_COMMAND_OK;
    PQclear(set);
    PQclear(prepared);
    return done ? OB_OK : complain(conn, "could not prepare the question who waits", err);
}

enum ob_result ob_pg_plain_open(const char *conninfo, struct ob_pg_plain **out,
                                struct ob_error *err)
{
    struct ob_pg_plain *plain = ob_alloc(sizeof *plain);
    plain->conninfo = ob_strdup(conninfo);
    enum ob_result result = connect_one(conninfo, &plain->control, err);
    if (result == OB_OK)
        result = connect_one(conninfo, &plain->asking, err);
    if (result == OB_OK)
        result = prepare_asking(plain->asking, err);
    PQsetNoticeProcessor(plain->control, ignore_notice, NULL);
    if (result == OB_OK)
        *out = plain;
    else
        ob_pg_plain_close(plain);
    return result;
}

void ob_pg_plain_close(struct ob_pg_plain *plain)
{
    if (!plain)
        return;
    for (size_t i = 0; i < plain->opened; i++) {
        forget(&plain->sessions[i]);
        free(plain->sessions[i].said);
        PQfinish(plain->sessions[i].conn);
    }
    PQfinish(plain->asking);
    PQfinish(plain->control);
    free(plain->conninfo);
    free(plain);
}

static bool exec_done(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
}

/* Whether a connection can serve as a new one. */
static bool made_new(PGconn *conn)
{
    PGTransactionStatusType status = PQtransactionStatus(conn);
    bool open = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
    if (status != PQTRANS_IDLE && !(open && exec_done(conn, "ROLLBACK")))
        return false;
    bool done = exec_done(conn, "DISCARD ALL");
    for (PGnotify *notify; done && (notify = PQnotifies(conn)) != NULL;)
        PQfreemem(notify);
    return done;
}

static void renew(PGconn **conn)
{
    if (!*conn)
        return;
    PQsetNoticeProcessor(*conn, ignore_notice, NULL);
    if (made_new(*conn))
        return;
    PQfinish(*conn);
    *conn = NULL;
}

/* Every connection, also those that the present spec does not use: it must find no locks, open
 * transactions or names of an earlier one's. */
static void renew_all(struct ob_pg_plain *plain)
{
    renew(&plain->control);
    for (size_t i = 0; i < plain->opened; i++) {
        renew(&plain->sessions[i].conn);
        forget(&plain->sessions[i]);
    }
}

static enum ob_result name_session(PGconn *conn, const char *application, const char *name,
                                   struct ob_error *err)
{
    const char *const params[] = {application, name};
    PGresult *result =
        PQexecParams(conn,
                     "SELECT set_config('application_name',"
                     " coalesce($1, current_setting('application_name')) || '/' || $2, false)",
                     2, NULL, params, NULL, NULL, 0);
    bool done = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return done ? OB_OK : complain(conn, "setting of application name failed", err);
}

/* A connection that can serve as a new one, with a name. */
static enum ob_result provide(const struct ob_pg_plain *plain, PGconn **conn,
                              const char *application, const char *name, struct ob_error *err)
{
    enum ob_result result = *conn ? OB_OK : connect_one(plain->conninfo, conn, err);
    return result == OB_OK ? name_session(*conn, application, name, err) : result;
}

enum ob_result ob_pg_plain_begin(struct ob_pg_plain *plain, const char *application,
                                 const char *const *names, size_t count, struct ob_error *err)
{
    assert(count <= OB_CLIENTS_MAX);
    renew_all(plain);
    enum ob_result result = provide(plain, &plain->control, application, "control connection", err);
    PQsetNoticeProcessor(plain->control, ignore_notice, NULL);
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        struct plain_session *session = &plain->sessions[i];
        result = provide(plain, &session->conn, application, names[i], err);
        if (i >= plain->opened)
            plain->opened = i + 1;
        PQsetNoticeProcessor(session->conn, hear_notice, session);
    }
    plain->session_count = count;
    return result;
}

static PGconn *conn_of(const struct ob_pg_plain *plain, size_t client)
{
    assert(client == OB_NO_CLIENT || client < plain->session_count);
    return client == OB_NO_CLIENT ? plain->control : plain->sessions[client].conn;
}

PGresult *ob_pg_plain_exec(struct ob_pg_plain *plain, size_t client, const char *sql)
{
    PGconn *conn = conn_of(plain, client);
    if (PQtransactionStatus(conn) == PQTRANS_ACTIVE)
        return PQexec(conn, sql); /* ends the COPY that the last one has begun */
    return ob_pg_wait_exec(conn, sql);
}

const char *ob_pg_plain_message(const struct ob_pg_plain *plain, size_t client)
{
    return PQerrorMessage(conn_of(plain, client));
}

const struct ob_pg_said *ob_pg_plain_peek(const struct ob_pg_plain *plain, size_t client)
{
    const struct plain_session *session = &plain->sessions[client];
    return session->told < session->said_count ? &session->said[session->told] : NULL;
}

const struct ob_pg_said *ob_pg_plain_next(struct ob_pg_plain *plain, size_t client)
{
    const struct ob_pg_said *said = ob_pg_plain_peek(plain, client);
    plain->sessions[client].told += said != NULL;
    return said;
}

/* Of a server that has died, one connection may be closed before another. */
bool ob_pg_plain_is_there(const struct ob_pg_plain *plain)
{
    return PQstatus(plain->asking) == CONNECTION_OK && PQping(plain->conninfo) == PQPING_OK;
}

size_t ob_pg_plain_client_of(const struct ob_pg_plain *plain, int pid)
{
    for (size_t i = 0; i < plain->session_count; i++)
        if (PQbackendPID(plain->sessions[i].conn) == pid)
            return i;
    return OB_NO_CLIENT;
}

/* --- the engine's ports */

static enum ob_io port_send(void *self, size_t client, const struct ob_op *op, struct ob_error *err)
{
    struct ob_pg_plain *plain = self;
    struct plain_session *session = &plain->sessions[client];
    assert(op->kind == OB_OP_QUERY && session->told == session->said_count);
    forget(session);
    session->answering = false;
    if (PQsendQuery(session->conn, op->text))
        return OB_IO_PENDING;
    complain(session->conn, OB_PG_PLAIN_SEND_FAILED, err);
    return OB_IO_FAILED;
}

static bool readable(PGconn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
    return fd.fd < 0 || poll(&fd, 1, 0) != 0;
}

/* True once the first result is complete.  Whatever libpq reads here, it reads in the same steps as
 * isolationtester does, so that notices and results come in the same order. */
static enum ob_io await_answer(struct plain_session *session, struct ob_error *err)
{
    if (!PQconsumeInput(session->conn)) {
        complain(session->conn, "PQconsumeInput failed", err);
        return OB_IO_FAILED;
    }
    if (PQisBusy(session->conn))
        return OB_IO_PENDING;
    session->answering = true;
    say(session, OB_PG_SAID_ANSWER);
    return OB_IO_DONE;
}

static void hear_notifications(struct plain_session *session)
{
    (void)PQconsumeInput(session->conn);
    for (PGnotify *notify; (notify = PQnotifies(session->conn)) != NULL;) {
        say(session, OB_PG_SAID_NOTIFY)->notify = notify;
        (void)PQconsumeInput(session->conn);
    }
}

static void fill_reply(const struct plain_session *session, struct ob_reply *reply)
{
    *reply = (struct ob_reply){.status = OB_REPLY_DONE, .sqlstate = "00000"};
    for (size_t i = 0; i < session->said_count; i++) {
        const PGresult *result = session->said[i].result;
        if (!result)
            continue;
        /* Of several results the last one counts, as elsewhere. */
        bool has_rows = PQresultStatus(result) == PGRES_TUPLES_OK;
        reply->digest = has_rows ? ob_pg_rows_digest(result) : 0;
        reply->row_count = ob_pg_rows_count(result);
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (state)
            snprintf(reply->sqlstate, sizeof reply->sqlstate, "%s", state);
    }
}

static bool copies(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* No data goes either way, and the statement ends with an error. */
static void end_copy(PGconn *conn)
{
    char *line = NULL;
    (void)PQputCopyEnd(conn, "no data is copied here");
    while (PQgetCopyData(conn, &line, 0) > 0)
        PQfreemem(line);
}

static enum ob_io port_poll(void *self, size_t client, struct ob_reply *reply, struct ob_error *err)
{
    struct ob_pg_plain *plain = self;
    struct plain_session *session = &plain->sessions[client];
    if (ob_pg_interrupted()) {
        ob_error_set(err, OB_INTERRUPTED, "interrupted");
        return OB_IO_FAILED;
    }
    if (!session->answering) {
        enum ob_io io = await_answer(session, err);
        if (io != OB_IO_DONE)
            return io;
    }
    while (!PQisBusy(session->conn) || readable(session->conn)) {
        PGresult *result = PQgetResult(session->conn);
        if (!result) {
            hear_notifications(session);
            fill_reply(session, reply);
            return OB_IO_DONE;
        }
        say(session, OB_PG_SAID_RESULT)->result = result;
        if (copies(result))
            end_copy(session->conn);
    }
    return OB_IO_PENDING;
}

static void port_wait(void *self, ob_client_set clients, int64_t limit_us)
{
    struct ob_pg_plain *plain = self;
    struct pollfd fds[OB_CLIENTS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < plain->session_count; i++)
        if (clients & ((ob_client_set)1 << i))
            fds[count++] =
                (struct pollfd){.fd = PQsocket(plain->sessions[i].conn), .events = POLLIN};
    struct timespec limit = {.tv_sec = (time_t)(limit_us / 1000000),
                             .tv_nsec = (long)(limit_us % 1000000) * 1000};
    (void)ppoll(fds, count, &limit, NULL); /* early or late, the caller looks for itself */
}

/* A prepared transaction that is waited for has no session here: it may be ended by a step that is
 * still to come, or a timeout ends the wait. */
static enum ob_result port_waits(void *self, ob_client_set clients, struct ob_waits *out,
                                 struct ob_error *err)
{
    struct ob_pg_plain *plain = self;
    int pids[OB_CLIENTS_MAX];
    for (size_t i = 0; i < plain->session_count; i++)
        pids[i] = PQbackendPID(plain->sessions[i].conn);
    char text[OB_PG_PIDS_SIZE];
    const char *const params[] = {ob_pg_waits_pids(pids, plain->session_count, clients, text)};
    PGresult *result = PQexecPrepared(plain->asking, "waits", 1, params, NULL, NULL, 0);
    enum ob_result code = OB_OK;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        ob_pg_waits_read(result, pids, plain->session_count, OB_PG_CLIENT_HOLDERS, out);
    else
        code = complain(plain->asking, "lock wait query failed", err);
    PQclear(result);
    return code;
}

static enum ob_result port_arm(void *self, size_t client, bool armed, struct ob_error *err)
{
    (void)self, (void)client, (void)armed, (void)err;
    return OB_OK;
}

static bool port_checked(void *self, size_t client)
{
    (void)self, (void)client;
    return true;
}

/* All timers are the server's own. */
static bool port_has_timeout(void *self, size_t client)
{
    (void)self, (void)client;
    return true;
}

static enum ob_result port_set_clock(void *self, int64_t time_us, struct ob_error *err)
{
    (void)self, (void)time_us, (void)err;
    return OB_OK;
}

static void port_cancel(void *self, size_t client)
{
    struct ob_pg_plain *plain = self;
    struct plain_session *session = &plain->sessions[client];
    char text[256];
    PGcancel *cancel = PQgetCancel(session->conn);
    say(session, OB_PG_SAID_CANCELLED);
    if (cancel)
        (void)PQcancel(cancel, text, sizeof text); /* too late is fine: it has been answered then */
    PQfreeCancel(cancel);
}

static void port_discard(void *self, void *native)
{
    (void)self, (void)native;
}

static int64_t port_monotonic_us(void *self)
{
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct ob_ports ob_pg_plain_ports(struct ob_pg_plain *plain)
{
    return (struct ob_ports){
        .self = plain,
        .send = port_send,
        .poll = port_poll,
        .wait = port_wait,
        .waits = port_waits,
        .arm_deadlock = port_arm,
        .deadlock_checked = port_checked,
        .has_timeout = port_has_timeout,
        .set_clock = port_set_clock,
        .cancel = port_cancel,
        .discard = port_discard,
        .monotonic_us = port_monotonic_us,
    };
}
