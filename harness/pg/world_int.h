/*
 * world_int.h - what the files behind world.h share.
 *
 *   world.c    opening, closing, the table of ports
 *   session.c  a client's connection: sending, polling, deadlock arming, digests of rows
 *   footprint.c what an operation touches, as the server's probe tells
 *   prepare.c  the clients' connections before and after a run
 *   gate.c     stopping a client's statement between its snapshot and its run
 *   look.c     what who walks through a run looks at: rows, locks, queries of their own
 *   hold.c     keeping a client's backend from going on
 *   control.c  the control connection: who waits for whom, the clock, queries
 *   reset.c    the clean state and the way back to it
 *   rebuild.c  whether a run changed the schema, and the way back from that
 */
#ifndef OB_PG_WORLD_INT_H
#define OB_PG_WORLD_INT_H

#include "pg/world.h"

#include <stdint.h>

enum ob_pg_deadlock { OB_PG_DEADLOCK_UNKNOWN, OB_PG_DEADLOCK_OFF, OB_PG_DEADLOCK_ON };

/* The steps of OB_OP_KILL. */
enum ob_pg_ending { OB_PG_STAYING, OB_PG_ROLLING_BACK, OB_PG_DISCARDING };

struct ob_pg_session {
    PGconn *conn; /* owned */
    int pid;
    PGresult
        *answer; /* the first result of the operation in flight, owned until it is handed over */
    enum ob_pg_ending ending; /* how far the end of the session is */
    bool has_timeout;         /* a statement of this run has named one */
    bool serializable;        /* its transactions may be */
    bool signals;             /* a statement of this run has named a function that ends others' */
    bool superuser;           /* it was when it was opened */
    bool sets_deadlock;       /* the statement in flight may set deadlock_timeout */
    bool at_gate;             /* its statement has come to a gate; until that was told */
    bool second_key;          /* of its gate's two the control connection holds this one */
    bool checked;             /* the deadlock check of the present wait has passed */
    struct ob_footprint footprint; /* of the operation in flight, or of the last one */
    bool told;                     /* the probe has said something of it */
    bool several;                  /* it had more than one result */
    PGresult *rows;                /* a copy of the last answer, where they are kept; owned */
    enum ob_pg_deadlock deadlock;
    enum ob_pg_deadlock deadlock_outside; /* what it is once the transaction has ended */
};

/* What a client's statements may have left behind.  Each client's is written by whoever uses its
 * session. */
struct ob_pg_left {
    bool schema;   /* a change of the schema */
    bool garbage;  /* of a transaction that was rolled back */
    bool prepared; /* a prepared transaction */
};

struct ob_pg_prepared {
    char *sql; /* owned */
};

struct ob_pg_world {
    char *conninfo; /* owned */
    char *clock;    /* owned; NULL: none */
    char *setting;  /* of the clients' sessions; owned; NULL: none */
    bool keeps_session_state, fixed_plans;
    bool own_server, learns, keeps_rows;
    bool gates;                      /* wanted */
    bool gates_closed;               /* the control connection holds one key of each */
    const char *const *client_names; /* borrowed; NULL: not known */
    bool controls_deadlock;          /* the role may set deadlock_timeout */
    bool serializable;               /* transactions are, where nobody says otherwise */
    bool has_probe;                  /* the server can tell what statements touch */
    bool tells;                      /* and does */
    PGconn *control;                 /* owned */
    struct ob_pg_session sessions[OB_CLIENTS_MAX];
    struct ob_pg_left left[OB_CLIENTS_MAX];
    size_t session_count;
    struct ob_pg_prepared
        *prepared; /* statements of the control connection; index: the name ob_N */
    size_t prepared_count, prepared_capacity;
    char *vacuum;     /* the names of all tables; owned */
    char *digest_sql; /* owned */
    unsigned resets;  /* since the last vacuum */
    int64_t clock_us; /* what the clock was last set to; INT64_MIN: not known */

    /* exact */
    bool exact;
    char *database, *clean; /* names: of the database, of the copy of its clean state; owned */
    PGconn *keeper;         /* in the copy once it has been needed; owned */
    bool sees_ddl;          /* an event trigger notes changes of the schema */
};

/* --- session.c */

enum ob_result ob_pg_connect(const char *conninfo, const char *name, const char *options,
                             PGconn **out, struct ob_error *err);
enum ob_result ob_pg_session_open(struct ob_pg_world *world, size_t client, struct ob_error *err);
void ob_pg_session_close(struct ob_pg_session *session);
/* Brings a session out of whatever a run left it in. */
enum ob_result ob_pg_session_reset(struct ob_pg_world *world, size_t client, struct ob_error *err);

/* Ends the transaction that the session is in, if it is in one. */
enum ob_result ob_pg_session_roll_back(struct ob_pg_world *world, size_t client,
                                       struct ob_error *err);

enum ob_io ob_pg_session_send(void *world, size_t client, const struct ob_op *op,
                              struct ob_error *err);
enum ob_io ob_pg_session_poll(void *world, size_t client, struct ob_reply *reply,
                              struct ob_error *err);
void ob_pg_session_wait(void *world, ob_client_set clients, int64_t limit_us);
enum ob_result ob_pg_session_arm(void *world, size_t client, bool armed, struct ob_error *err);
bool ob_pg_session_checked(void *world, size_t client);
bool ob_pg_session_has_timeout(void *world, size_t client);
bool ob_pg_session_serializable(void *world, size_t client);
void ob_pg_session_cancel(void *world, size_t client);

/* --- footprint.c */

void ob_pg_footprint_begin(const struct ob_pg_world *world, struct ob_pg_session *session);
/* False: the notice is not the probe's. */
bool ob_pg_footprint_receive(struct ob_pg_session *session, const PGresult *notice);
/* The operation is answered, with this SQLSTATE. */
void ob_pg_footprint_end(struct ob_pg_session *session, const char *sqlstate);
const struct ob_footprint *ob_pg_session_footprint(void *world, size_t client);

/* --- gate.c */

/* Where the probe is not: triggers. */
enum ob_result ob_pg_gates_install(struct ob_pg_world *world, struct ob_error *err);
/* False: the notice is none of a gate's. */
bool ob_pg_gate_receive(struct ob_pg_session *session, const PGresult *notice);
enum ob_result ob_pg_gates(void *world, bool closed, struct ob_error *err);
enum ob_result ob_pg_gate_pass(void *world, size_t client, struct ob_error *err);

/* --- hold.c */

enum ob_result ob_pg_session_hold(void *world, size_t client, bool held, struct ob_error *err);

/* --- reset.c, rebuild.c */

/* Notes what a client's statement may leave behind: its result, or that its session was killed
 * (NULL). */
void ob_pg_note_result(struct ob_pg_world *world, size_t client, const PGresult *result);
/* A prepared transaction outlives its session, and would keep the database from being dropped. */
enum ob_result ob_pg_roll_back_prepared(struct ob_pg_world *world, struct ob_error *err);
/* Opens the control connection, and finds out what its role may do. */
enum ob_result ob_pg_control_open(struct ob_pg_world *world, struct ob_error *err);
/* Forgets what was prepared on the control connection, and closes it. */
void ob_pg_control_close(struct ob_pg_world *world);
/* Lets changes of the schema be noted from now on, and keeps a copy of the database as it is. */
enum ob_result ob_pg_keep_clean(struct ob_pg_world *world, struct ob_error *err);
/* The database and all connections to it, made anew from that copy. */
enum ob_result ob_pg_rebuild(struct ob_pg_world *world, struct ob_error *err);
/* Drops the copy. */
void ob_pg_drop_clean(struct ob_pg_world *world);

/* --- look.c */

/* Keeps a copy of what the session was answered. */
void ob_pg_keep_rows(struct ob_pg_session *session, const PGresult *result);

/* --- control.c */

/* A result's rows, in the arena. */
void ob_pg_rows(const PGresult *result, struct ob_arena *arena, struct ob_rows *out);

/* From here on nothing on the control connection takes for ever.  No client moves while it waits,
 * so a lock that is not free soon never will be. */
enum ob_result ob_pg_control_bound(struct ob_pg_world *world, struct ob_error *err);
/* Runs SQL (several statements are allowed) and expects it to succeed; a row's first value, if
 * there is one, goes to *value (the caller's to free) when value is not NULL. */
enum ob_result ob_pg_exec(PGconn *conn, const char *sql, char **value, struct ob_error *err);
/* OB_SQL with the server's texts, or OB_SERVER when the connection is gone. */
enum ob_result ob_pg_error(PGconn *conn, const PGresult *result, const char *what,
                           struct ob_error *err);

enum ob_result ob_pg_control_waits(void *world, ob_client_set clients, struct ob_waits *out,
                                   struct ob_error *err);
enum ob_result ob_pg_control_clock(void *world, int64_t time_us, struct ob_error *err);
enum ob_result ob_pg_control_query(void *world, const char *sql, int param_count,
                                   const char *const *params, struct ob_arena *arena,
                                   struct ob_rows *out, struct ob_error *err);
/* Prepares sql once and runs it; the result is the caller's to clear. */
enum ob_result ob_pg_control_prepared(struct ob_pg_world *world, const char *sql, int param_count,
                                      const char *const *params, PGresult **out,
                                      struct ob_error *err);

#endif
