/*
 * server.h - the embedded PostgreSQL server: started on a fresh cluster, thrown away on close.
 *
 * Data directory, Unix socket and log live in one temporary directory that only overbook and the
 * server's account can enter.  There is no TCP.  The settings make it fast, quiet and repeatable,
 * and are of no use to anyone who wants to keep data.  A small process of its own, the keeper
 * (keeper.h), owns the server and takes it down however this process ends.
 *
 * Threads: open before any thread is started, since the keeper is forked from this process and
 * since root changes its effective user for moments while it opens.  Afterwards the functions that
 * take a const server may be called from any thread; ob_pg_server_close() from one, when the others
 * are done with it.
 */
#ifndef OB_PG_SERVER_H
#define OB_PG_SERVER_H

#include "base/error.h"
#include "pg/find.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A line of postgresql.conf; the value is written quoted, as it is. */
struct ob_pg_setting {
    const char *name, *value;
};

struct ob_pg_server_options {
    const struct ob_pg_install *install;  /* NULL: ob_pg_find() */
    int max_connections;                  /* 0: 100 */
    const struct ob_pg_setting *settings; /* win over overbook's own */
    size_t setting_count;
    int start_ms_max; /* until the server takes connections; 0: 60,000 */
};

struct ob_pg_server;

/* Starts a server and waits until it takes connections.  options may be NULL.  On failure
 * nothing is left: OB_SERVER when there is no server or it does not start (its log's last lines
 * are in the detail), OB_IO when the temporary directory cannot be made or filled, OB_INPUT for
 * a setting's impossible name. */
OB_MUSTCHECK enum ob_result ob_pg_server_open(const struct ob_pg_server_options *options,
                                              struct ob_pg_server **out, struct ob_error *err);

/* Stops the server at once and waits until its processes, its directory and its shared memory
 * are gone. False when something is left, which the next start sweeps away.  NULL is legal. */
bool ob_pg_server_close(struct ob_pg_server *server);

/* A connection string for the database, quoted as libpq wants it; the caller's to free.  The
 * databases "postgres" and "template1" are there from the start; the role is a superuser named
 * overbook. */
char *ob_pg_server_conninfo(const struct ob_pg_server *server, const char *dbname);

/* False once the postmaster or its keeper has ended. */
bool ob_pg_server_alive(const struct ob_pg_server *server);

/* Becomes readable at that moment; to be polled only.  The server's. */
int ob_pg_server_end_fd(const struct ob_pg_server *server);

pid_t ob_pg_server_postmaster_pid(const struct ob_pg_server *server);
pid_t ob_pg_server_keeper_pid(const struct ob_pg_server *server);
const struct ob_pg_install *ob_pg_server_install(const struct ob_pg_server *server);

/* The temporary directory, the cluster and the log in it; owned by the server. */
const char *ob_pg_server_dir(const struct ob_pg_server *server);
const char *ob_pg_server_data_dir(const struct ob_pg_server *server);
const char *ob_pg_server_log_path(const struct ob_pg_server *server);

/* The log's last lines, at most size - 1 bytes of them and never half a line unless one is
 * longer. */
void ob_pg_server_log_tail(const struct ob_pg_server *server, char *tail, size_t size);

/* How the start went: the milliseconds that it took, whether the cluster came from the cache,
 * and "" or a sentence that says why it could not be cached. */
struct ob_pg_server_start {
    double ms;
    bool cached;
    char note[320];
};
const struct ob_pg_server_start *ob_pg_server_start(const struct ob_pg_server *server);

#endif
