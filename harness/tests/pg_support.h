/*
 * pg_support.h - what the tests of the embedded server share: places of their own, and waiting for
 * the end of things.  Every wait is for an event, with a limit, and names the event that did not
 * come.
 */
#ifndef OB_TESTS_PG_SUPPORT_H
#define OB_TESTS_PG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/alloc.h"
#include "pg/server.h"
#include "pg/tree.h"

#define SUPPORT_MS_MAX 30000

/* A new directory that anybody may enter; removed, with all in it, by place_free(). */
static inline char *place_new(void)
{
    char *path = ob_strdup("/tmp/ob-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static inline void place_free(char *path)
{
    assert_true(ob_pg_tree_remove(path));
    free(path);
}

static inline bool exists(const char *path)
{
    struct stat state;
    return lstat(path, &state) == 0;
}

/* Writes dir/name, with the mode. */
static inline void put_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    char *path = ob_asprintf("%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

static inline void wait_readable(int fd, const char *event)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int count;
    do
        count = poll(&ready, 1, SUPPORT_MS_MAX);
    while (count < 0 && errno == EINTR);
    if (count <= 0)
        fail_msg("%s: this did not come", event);
}

static inline int open_process(pid_t pid)
{
    int fd = pidfd_open(pid, 0);
    assert_true(fd >= 0);
    return fd;
}

static inline void wait_ended(int process, const char *event)
{
    wait_readable(process, event);
    close(process);
}

/* Waits until path is no more, woken by each removal in the directory that it is in. */
static inline void wait_removed(const char *path)
{
    char data[4096];
    char *parent = ob_asprintf("%.*s", (int)(strrchr(path, '/') - path), path);
    int events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(events >= 0);
    assert_true(inotify_add_watch(events, parent, IN_DELETE | IN_MOVED_FROM) >= 0);
    while (exists(path)) {
        wait_readable(events, "the directory's removal");
        while (read(events, data, sizeof data) > 0)
            ;
    }
    close(events);
    free(parent);
}

/* Whether the system has a System V segment of that id. */
static inline bool segment_exists(int id)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *end;
        strtol(line, &end, 10);
        found = found || strtol(end, NULL, 10) == id;
    }
    fclose(file);
    return found;
}

/* Waits for the child and gives its status. */
static inline int wait_child(pid_t pid)
{
    int status = -1;
    wait_ended(open_process(pid), "the end of the child process");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The first value of the statement's first row, to be freed; "" when there is no row. */
static inline char *value_of(PGconn *conn, const char *sql)
{
    PGresult *answer = PQexec(conn, sql);
    if (PQresultStatus(answer) != PGRES_TUPLES_OK && PQresultStatus(answer) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    char *value = ob_strdup(PQntuples(answer) > 0 ? PQgetvalue(answer, 0, 0) : "");
    PQclear(answer);
    return value;
}

static inline void expect_answer(PGconn *conn, const char *sql, const char *expected)
{
    char *value = value_of(conn, sql);
    assert_string_equal(value, expected);
    free(value);
}

static inline void execute(PGconn *conn, const char *sql)
{
    free(value_of(conn, sql));
}

/* Ends the session for good, as a kill of its process would; the server is on this machine. */
static inline void end_session(PGconn *conn, PGconn *of)
{
    int process = open_process(PQbackendPID(of));
    char *sql = ob_asprintf("SELECT pg_terminate_backend(%d)", PQbackendPID(of));
    expect_answer(conn, sql, "t");
    wait_ended(process, "the end of a session that was terminated");
    free(sql);
}

/* A server that must start. */
static inline struct ob_pg_server *open_server(const struct ob_pg_server_options *options)
{
    struct ob_pg_server *server = NULL;
    struct ob_error err = {.message = ""};
    if (ob_pg_server_open(options, &server, &err) != OB_OK)
        fail_msg("%s\n%s\n%s", err.message, err.detail, err.hint);
    return server;
}

static inline PGconn *connect_to(const struct ob_pg_server *server, const char *dbname)
{
    char *conninfo = ob_pg_server_conninfo(server, dbname);
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    free(conninfo);
    return conn;
}

#endif
