/*
 * run.h - the engine: one schedule, executed step by step.
 *
 * What: each client's code runs in a thread of its own and posts one operation at a time.  When all
 * clients are quiescent (waiting to be released, blocked as the server confirms, or finished) the
 * chooser picks one; it is released; the engine then settles: the answer has come or the server
 * confirms a stable wait, and everything that the step woke has finished or blocked again.
 *
 * Ordering: exactly one thread moves at a time.  Clients start one after the other; after a step
 * the stepping client goes on first, then the woken ones in ascending order, each until it posts
 * again.  So the order of events, of fault decisions and of choices is total and depends on nothing
 * but the choices.
 *
 * A wait is stable when each of its holders is idle or itself stably blocked.
 *
 * Under the server's own timers (server_timers) a wait may end by itself: by a lock or statement
 * timeout, or by a deadlock check that the sessions have set up for themselves.  Then nobody is
 * armed, every step looks after all who wait, and the chooser may pick a client that is in flight:
 * when one of those in flight has been answered, the chooser is asked again.
 *
 * Threads: an engine is owned by one thread.  The clients' threads are made once and used for every
 * run.
 */
#ifndef OB_ENGINE_RUN_H
#define OB_ENGINE_RUN_H

#include "base/error.h"
#include "engine/choice.h"
#include "engine/client.h"
#include "engine/port.h"
#include "engine/trace.h"

#define OB_FAULT_POINTS_MAX 64 /* of one run */

struct ob_engine;

struct ob_limits {
    size_t steps_max;      /* default 10,000 */
    int64_t run_us_max;    /* default 60 s: one run, machine time */
    int64_t client_us_max; /* default 5 s: a client's own code between two operations */
    /* Default 300 s, under the server's own timers in the place of run_us_max: what is waited for
     * longer is cancelled, and after twice the time the run ends. */
    int64_t step_us_max;
};

/* A place where a client can be made to fail, in one or more ways. */
struct ob_fault_point {
    const char *name; /* safe within a JSON string */
    unsigned ways;    /* at least 1 */
};

struct ob_run_client {
    const char *name;
    ob_client_body *body;
    void *arg;
};

struct ob_run_spec {
    const struct ob_run_client *clients;
    size_t client_count; /* 1 … OB_CLIENTS_MAX */
    struct ob_chooser chooser;
    const struct ob_event *given; /* history from before the race; kind and data are used */
    size_t given_count;
    int64_t start_us; /* virtual time at the start */
    const struct ob_fault_point *fault_points;
    size_t fault_point_count; /* 0: no fault happens */
    size_t fault_budget;      /* faults in one run at the most */
    size_t program_count;     /* what the clients can be made to do in the place of their own */
    const struct ob_omission *omissions; /* what they leave out; gated runs only */
    size_t omission_count;
    bool careful; /* see OB_RUN_AGAIN */
    bool gates; /* statements that write stop between their snapshot and their run, which is a step
                   of its own */
    bool server_timers; /* deadlocks and timeouts are the server's own business */
    bool free_running;  /* no gates: the threads race, the chooser is asked about faults only */

    /* Called before each step is taken, when not NULL, with the operation that it releases, whose
     * parameters are as they are, and the virtual time. */
    void (*before_step)(void *arg, size_t step, const struct ob_op *op, int64_t now_us);
    void *before_step_arg;

    /* Called after each settled step when not NULL; a result other than OB_OK ends the run with it.
     */
    enum ob_result (*after_step)(void *arg, const struct ob_step *step, struct ob_error *err);
    void *after_step_arg;
};

struct ob_limits ob_limits_default(void);

struct ob_engine *ob_engine_new(const struct ob_ports *ports, const struct ob_limits *limits);

/* Executes one run into trace (reset first).  How the run ended is in the trace; the result is
 * other than OB_OK only when the harness or the server failed.  OB_STUCK: a client did not come
 * back and its thread is abandoned; the engine can only be freed then. */
OB_MUSTCHECK enum ob_result ob_engine_run(struct ob_engine *engine, const struct ob_run_spec *spec,
                                          struct ob_trace *trace, struct ob_error *err);

void ob_engine_free(struct ob_engine *engine);

#endif
