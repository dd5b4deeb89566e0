/*
 * engine_int.h - what the engine's own files share.
 *
 *   run.c     the loop: who can move, what is chosen, how a run ends
 *   record.c  what is written down of a step
 *   settle.c  releasing an operation and waiting until the server is quiet again
 *   client.c  the clients' threads and the handing over between them and the engine
 *   free.c    free-running mode, in which operations are done in the clients' own threads
 */
#ifndef OB_ENGINE_ENGINE_INT_H
#define OB_ENGINE_ENGINE_INT_H

#include "engine/run.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#define OB_ANY_CPU (-1)

enum ob_client_state {
    OB_CLIENT_ABSENT,   /* takes no part in this run */
    OB_CLIENT_MOVING,   /* its own code runs */
    OB_CLIENT_POSTED,   /* waits to be released */
    OB_CLIENT_GATED,    /* its statement has its snapshot, and waits to be let pass its gate */
    OB_CLIENT_FLYING,   /* released; the server works on it, or it waits for a lock */
    OB_CLIENT_ANSWERED, /* the reply has come and is owned here, the client was not told yet */
    OB_CLIENT_FINISHED  /* its body has returned */
};

/* How often a client has reached a fault's point in one part of what it does. */
struct ob_chances {
    size_t point;
    uint32_t part, count;
};

struct ob_client {
    struct ob_engine *engine;
    size_t index;
    pthread_t thread;
    int cpu;  /* that the thread is kept to, or OB_ANY_CPU */
    sem_t go; /* posted by the engine: the thread may move */

    /* Written by whoever moves; handing over orders all accesses. */
    enum ob_client_state state;
    const struct ob_op *op; /* POSTED, GATED, FLYING: what it asks for */
    struct ob_reply reply;  /* what it is told when it moves again */
    ob_client_body *body;
    void *arg;
    uint32_t hits[OB_FAULT_POINTS_MAX];
    struct ob_chances *chances; /* owned; chance_count of them */
    size_t chance_count, chance_capacity;
    uint32_t part;         /* of what it does */
    uint32_t ops, ops_max; /* asked for, and how many it may; 0: it takes no part */
};

struct ob_engine {
    struct ob_ports ports;
    struct ob_limits limits;

    /* The threads, made once. */
    struct ob_client clients[OB_CLIENTS_MAX];
    size_t thread_count;
    sem_t posted;   /* posted by a client that stops moving */
    cpu_set_t cpus; /* that the engine's thread may run on between two gated runs */
    bool pinned;
    unsigned spin_pause;   /* answers to come that are waited for asleep */
    unsigned spin_penalty; /* the last pause */
    bool quitting;         /* the threads are to end */
    bool abandoned;        /* a client did not come back: no thread may be joined.  Atomic */

    /* The run that goes on. */
    const struct ob_run_spec *spec;
    struct ob_trace *trace;
    int64_t now_us;      /* virtual */
    int64_t deadline_us; /* machine time at which the run is given up */
    bool free_running;   /* as in spec, which an abandoned thread must not touch */
    bool stopping;       /* every operation is answered OB_REPLY_STOPPED */
    size_t fault_count;
    uint64_t seen;                         /* digest of the run until the last choice of a step */
    size_t previous;                       /* the client that moved last, or OB_NO_CLIENT */
    ob_client_set waiting;                 /* FLYING in a stable wait */
    ob_client_set loose;                   /* FLYING, left to the next step to settle */
    ob_client_set holders[OB_CLIENTS_MAX]; /* whom each of them waits for */
    uint64_t since[OB_CLIENTS_MAX];        /* and since when: a count of waits */
    uint64_t wait_count;
    ob_client_set held;    /* those of them whose process is kept from going on */
    bool by_lot;           /* the server draws who goes on in the present step */
    ob_client_set armed;   /* whose deadlock check is on for the present operation */
    ob_client_set woken;   /* by the present step: was answered, or waits for others than before */
    ob_client_set gated;   /* came to a gate in the present step */
    ob_client_set foreign; /* seen to wait for a session that is no client */
    bool careful;          /* every step is armed and every wait checked: see settle.c */

    bool
        failed; /* a client's own code did or, in free-running mode, the server: failure says how */
    struct ob_error failure;

    /* Free-running mode only: guards the trace, the choices, failure and the clients'
     * states. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static inline ob_client_set ob_client_bit(size_t client)
{
    return (ob_client_set)1 << client;
}

static inline size_t ob_first_client(ob_client_set set)
{
    return (size_t)__builtin_ctzll(set);
}

/* --- client.c */

void ob_clients_grow(struct ob_engine *engine, size_t count);
void ob_clients_quit(struct ob_engine *engine);

/* Keeps the engine's thread on the processor that it runs on, and the clients' threads with it: to
 * hand over within one processor takes a few microseconds, to wake a thread on another one many
 * times that.  Where the system refuses, nothing is lost but time. */
void ob_clients_pin(struct ob_engine *engine);

/* Lets the engine's thread run where it may; with clients, theirs too. */
void ob_clients_unpin(struct ob_engine *engine, bool clients);

/* Lets the client's thread move until it posts or finishes. OB_STUCK: it did neither in time. */
enum ob_result ob_client_resume(struct ob_client *client, struct ob_error *err);

/* --- settle.c */

enum ob_settled {
    OB_SETTLED,
    OB_SETTLE_OVER,    /* the run is: its end and the reason are written to the trace */
    OB_SETTLE_UNARMED, /* a cycle of waits that nobody is armed to break: run again with care */
    OB_SETTLE_FAILED   /* the server failed; err is filled */
};

/* Sends the client's operation, or lets it pass its gate, and settles.  Each operation that ended
 * is in *done, its reply in the client. */
enum ob_settled ob_settle(struct ob_engine *engine, struct ob_client *client, ob_client_set *done,
                          struct ob_error *err);

/* Those of set whose wait may end by itself. */
ob_client_set ob_settle_timed(const struct ob_engine *engine, ob_client_set set);

/* Waits until one of those whose wait may end by itself is answered, or this client that is in
 * flight, and then settles the rest; under the server's own timers, when that takes too long, this
 * client is cancelled. */
enum ob_settled ob_settle_await(struct ob_engine *engine, struct ob_client *client,
                                ob_client_set *done, struct ob_error *err);

/* Those who wait, directly or through others, for this client. */
ob_client_set ob_settle_behind(const struct ob_engine *engine, size_t client);

/* Interrupts everything in flight, waits until it has ended, so that the sessions can be reset, and
 * discards the answers that no client will be told. */
enum ob_result ob_settle_cancel(struct ob_engine *engine, struct ob_error *err);

/* --- run.c */

/* The choice which of these clients, who waited and now could, goes on; it is recorded.  With one
 * there is none.  OB_NO_CLIENT: the chooser cannot follow its schedule. */
size_t ob_engine_choose_wake(struct ob_engine *engine, ob_client_set ready);

/* Whether a posted operation may be released now, or a gate be passed. */
bool ob_client_enabled(const struct ob_engine *engine, const struct ob_client *client);

/* What the client's next step is. */
enum ob_op_kind ob_client_next_kind(const struct ob_client *client);

/* --- record.c */

/* Begins the record of a client's operation as the trace's next step. */
struct ob_step *ob_record_step(struct ob_engine *engine, const struct ob_client *client,
                               ob_client_set enabled);

/* Adds the replies of the clients in done to the step's completions, the step's own client
 * first. */
void ob_record_completions(struct ob_engine *engine, struct ob_step *step, ob_client_set done);

/* --- free.c */

void ob_free_do(struct ob_client *client);
enum ob_result ob_free_run(struct ob_engine *engine, struct ob_error *err);

#endif
