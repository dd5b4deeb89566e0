/*
 * world.h - one database that is raced on: a session for each client and a control connection,
 * behind the engine's ports.
 *
 * The control connection is the only one that is no client's: it asks who is blocked, sets the
 * virtual clock, runs checks and resets the database between runs.  Connections are kept from run
 * to run.
 *
 * Threads: one owner, except that a client's session is used by that client's thread in
 * free-running mode.
 */
#ifndef OB_PG_WORLD_H
#define OB_PG_WORLD_H

#include "base/error.h"
#include "engine/port.h"
#include "engine/query.h"

#include <libpq-fe.h>
#include <stdbool.h>

struct ob_pg_world;

struct ob_pg_world_options {
    const char *conninfo;            /* copied */
    size_t session_count;            /* up to OB_CLIENTS_MAX */
    const char *const *client_names; /* for messages; borrowed for the world's life; may be NULL */
    const char
        *clock; /* qualified name of the clock's sequence, once it is installed; NULL: none */
    const char *setting; /* that clients' sessions begin with (setting.h); copied; NULL: none */
    bool keeps_session_state; /* clients may change their sessions: DISCARD ALL after each run */
    bool fixed_plans;         /* index scans wherever there are any, as with tables of real size */
    bool own_server;          /* its processes are ours, and can be kept from going on */
    bool gates;               /* statements that write can be stopped before they run */
    bool learns;              /* what clients touch, where the server tells; it takes some time */
    /* Clients send whatever SQL they like: rows are put back to the very place that they had, and a
     * schema that was changed by a copy of the whole database, NAME_clean, which is kept beside it
     * until the world is closed. */
    bool exact;
};

/* Opens the control connection only, so that a target can be installed first. */
OB_MUSTCHECK enum ob_result ob_pg_world_open(const struct ob_pg_world_options *options,
                                             struct ob_pg_world **out, struct ob_error *err);
void ob_pg_world_close(struct ob_pg_world *world); /* NULL is legal */

PGconn *ob_pg_world_control(struct ob_pg_world *world);

/* Whether this role may choose the victims of deadlocks. */
bool ob_pg_world_controls_deadlock(const struct ob_pg_world *world);

/* Whether the server has loaded the probe: sessions can tell what they touch, the server's own
 * clock is the virtual one, and gates need no triggers. */
bool ob_pg_world_has_probe(const struct ob_pg_world *world);

/* From now on clients tell what they touch, where the server can; the sessions are opened anew for
 * it.  Between two runs only. */
OB_MUSTCHECK enum ob_result ob_pg_world_learn(struct ob_pg_world *world, struct ob_error *err);

/* Remembers the present rows and sequences of all tables (exact: all of the database) as the clean
 * state, and opens the sessions.  exact: nobody else may be connected to the database. */
OB_MUSTCHECK enum ob_result ob_pg_world_ready(struct ob_pg_world *world, struct ob_error *err);

/* Brings sessions, rows, sequences and clock back to the clean state, and what else a run may have
 * changed: transactions that are left prepared and, where the world is exact, the schema. */
OB_MUSTCHECK enum ob_result ob_pg_world_reset(struct ob_pg_world *world, int64_t start_us,
                                              struct ob_error *err);

/* Runs SQL on a client's session, after a reset and past the engine; any number of statements.
 * OB_SQL: it failed, or did not come to an end. */
OB_MUSTCHECK enum ob_result ob_pg_world_prepare(struct ob_pg_world *world, size_t client,
                                                const char *sql, struct ob_error *err);

/* Ends all transactions that the clients have left open.  A session for which that fails is lost,
 * and replaced by the next reset. */
void ob_pg_world_roll_back(struct ob_pg_world *world);

/* A digest of all rows of all tables, transaction ids left out: the final state of a run. */
OB_MUSTCHECK enum ob_result ob_pg_world_digest(struct ob_pg_world *world, uint64_t *out,
                                               struct ob_error *err);

/* --- for who walks through a run: look.c */

/* From here on each session keeps the rows of its last answer. */
void ob_pg_world_keep_rows(struct ob_pg_world *world);
/* Those of the client's; false: it had none. */
bool ob_pg_world_rows(struct ob_pg_world *world, size_t client, struct ob_arena *arena,
                      struct ob_rows *out);

#define OB_PG_LOOK_ROWS 100

/* Asks one query (SELECT, VALUES, TABLE or WITH) in the client's own transaction, or on the control
 * connection (OB_NO_CLIENT), and gives the first OB_PG_LOOK_ROWS + 1 rows; nobody may be moving.
 * It cannot write, nor end the transaction, and waits for a lock no longer than a second.  A look
 * in a client's session can still leave something there: a snapshot that was not taken before, what
 * a serializable transaction has read.  So the run is not to go on after it, but to be made again.
 * OB_INPUT: that session cannot be asked now, or the query does what outlasts it; OB_SQL: it
 * failed. */
OB_MUSTCHECK enum ob_result ob_pg_world_look(struct ob_pg_world *world, size_t client,
                                             const char *sql, struct ob_arena *arena,
                                             struct ob_rows *out, struct ob_error *err);

/* The locks that clients, or prepared transactions, hold or wait for: client, on what, mode, "held"
 * or "waits".  Without those of the server's own tables, and each one's on itself. */
OB_MUSTCHECK enum ob_result ob_pg_world_locks(struct ob_pg_world *world, struct ob_arena *arena,
                                              struct ob_rows *out, struct ob_error *err);

struct ob_ports ob_pg_world_ports(struct ob_pg_world *world);
struct ob_query_port ob_pg_world_query_port(struct ob_pg_world *world);

#endif
