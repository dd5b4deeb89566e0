/*
 * op.h - what a client asks for, and what came of it.
 *
 * A client posts one operation at a time and waits for its reply; the engine decides when it is
 * released.
 */
#ifndef OB_ENGINE_OP_H
#define OB_ENGINE_OP_H

#include <stdbool.h>
#include <stdint.h>

#define OB_CLIENTS_MAX 64 /* clients of one run; sets of clients are bits of a uint64_t */

#define OB_NO_CLIENT SIZE_MAX /* an index that is no client */

struct ob_footprint;

typedef uint64_t ob_client_set; /* bit i: client i */

/* name, word in traces */
#define OB_OP_KINDS(X)                                                                            \
    X(BEGIN, "begin")                                                                             \
    X(STATEMENT, "sql")                                                                           \
    X(QUERY, "query") /* SQL as it is: any number of statements, without parameters */            \
    X(COMMIT, "commit")                                                                           \
    X(ROLLBACK, "rollback")                                                                       \
    X(KILL, "kill")   /* the session ends as if its connection had broken; a fresh one follows */ \
    X(CLOCK, "clock") /* the virtual clock is set */                                              \
    X(CALL, "call")   /* something atomic outside the database, done by the client's own code */  \
    X(WAIT, "wait")   /* until a condition holds or a time has come */                            \
    X(GATE, "run")    /* never asked for: a statement that has its snapshot passes its gate */

enum ob_op_kind {
#define OB_OP_ENUM(name, word) OB_OP_##name,
    OB_OP_KINDS(OB_OP_ENUM)
#undef OB_OP_ENUM
};

const char *ob_op_word(enum ob_op_kind kind);

/* It is done without the client's session, which stays in whatever transaction it is in. */
static inline bool ob_op_is_outside(enum ob_op_kind kind)
{
    return kind == OB_OP_CLOCK || kind == OB_OP_CALL || kind == OB_OP_WAIT;
}

/* Everything is borrowed until the reply has been returned. */
struct ob_op {
    enum ob_op_kind kind;
    const char *text; /* SQL; for CALL and WAIT what is done, in words */
    int param_count;  /* STATEMENT: text parameters, NULL for SQL's null */
    const char *const *params;
    int64_t time_us; /* CLOCK: the new time; WAIT: due at the latest, INT64_MAX for never */
    bool (*ready)(const void *arg); /* WAIT: may be NULL; asked only when nothing moves */
    const void *arg;
    /* Not waited for when it is neither answered nor blocked for a while: the next step settles it.
     * Only under the server's own timers (run.h). */
    bool loose;
    /* It may free locks and then go on: whom it wakes so moves beside it, and nobody decides who is
     * first. */
    bool goes_on;
    /* STATEMENT, COMMIT, ROLLBACK: what it touches, as whoever wrote it declared, which is
     * believed; NULL: nobody did. */
    const struct ob_footprint *touches;
    bool alone; /* CALL: nobody else can tell whether it has been done */
};

enum ob_reply_status {
    OB_REPLY_DONE,    /* answered; for a statement sqlstate tells how */
    OB_REPLY_LOST,    /* the session is gone, what was in flight is unknown */
    OB_REPLY_NEVER,   /* WAIT: nothing that could still happen makes it ready */
    OB_REPLY_STOPPED, /* the run is being given up: return from the client's body without posting
                         again */
};

/* "done", "session lost", "never", "stopped" */
const char *ob_reply_word(enum ob_reply_status status);

struct ob_reply {
    enum ob_reply_status status;
    char sqlstate[6];   /* "00000", or the error's; "" where no statement was involved */
    uint64_t digest;    /* of the rows as a set, transaction ids masked; 0 without rows */
    uint32_t row_count; /* rows returned, or affected where none are returned */
    bool open;          /* the session is within a transaction; false where it was not used */
    bool committed;     /* no transaction is open, and something may just have been committed */
    /* An error's primary message, else NULL.  Borrowed from native. */
    const char *message;
    void *native; /* the session port's own result (libpq: PGresult *); the receiver's to clear */
};

#endif
