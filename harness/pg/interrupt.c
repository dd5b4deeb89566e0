#include "pg/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

/* Signals may come to another thread, and then wake nobody here. */
#define LOOK_EVERY_MS 1000

static volatile sig_atomic_t interrupted;

void ob_pg_interrupt(void)
{
    interrupted = 1;
}

bool ob_pg_interrupted(void)
{
    return interrupted != 0;
}

static void cancel(PGconn *conn)
{
    PGcancel *how = PQgetCancel(conn);
    char text[256];
    if (how)
        (void)PQcancel(how, text, sizeof text);
    PQfreeCancel(how);
}

/* Returns when there is something to read, if only the connection's end.  A server that has not
 * begun with the statement yet forgets that it is to be cancelled, so it is told again. */
static void wait_readable(PGconn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
    int ready = 0;
    while (fd.fd >= 0 && (ready == 0 || (ready < 0 && errno == EINTR))) {
        ready = poll(&fd, 1, LOOK_EVERY_MS);
        if (ready <= 0 && ob_pg_interrupted())
            cancel(conn);
    }
}

PGresult *ob_pg_wait_result(PGconn *conn)
{
    PGresult *last = NULL;
    for (;;) {
        while (PQisBusy(conn)) {
            wait_readable(conn);
            if (PQconsumeInput(conn))
                continue;
            if (PQstatus(conn) != CONNECTION_BAD)
                break;     /* PQgetResult() tells */
            PQclear(last); /* the connection has said why, and PQgetResult() would add to that */
            return PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
        }
        PGresult *result = PQgetResult(conn);
        if (!result)
            return last;
        PQclear(last);
        last = result;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            return last;
    }
}

PGresult *ob_pg_wait_exec(PGconn *conn, const char *sql)
{
    return PQsendQuery(conn, sql) ? ob_pg_wait_result(conn) : NULL;
}
