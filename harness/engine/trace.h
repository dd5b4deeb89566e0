/*
 * trace.h - what happened in one run: its schedule, its steps, its history.
 *
 * Filled by the engine while a run goes on (engine's thread, or the one client that moves: never
 * two at once), read by everybody afterwards.  A trace owns an arena that its texts live in; it is
 * reused from run to run without giving memory back.
 */
#ifndef OB_ENGINE_TRACE_H
#define OB_ENGINE_TRACE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "engine/footprint.h"
#include "engine/op.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_STEPS_MAX 100000    /* steps of one run, whatever its limits say */
#define OB_BEFORE_ALL SIZE_MAX /* the step of an event before the first step */

/* A fault that happened: the hit-th time (from 0) that client reached the point, it failed in this
 * way. */
struct ob_fault {
    size_t point; /* index into the run's list of fault points */
    size_t client;
    uint32_t hit;
    unsigned way; /* from 1 */
    /* The nth time (from 0) in that part of what the client does: the same in a run that is made
     * without others of its parts.  Of a trace's faults only; not compared. */
    uint32_t part, nth;
};

/* What a client leaves out of what it does: that part (its target counts them, from 0), or all
 * that comes after so many operations; after none, it takes no part. */
struct ob_omission {
    size_t client;
    bool rest;
    uint32_t at; /* the part's number; rest: the operations before it */
};

/* The choices of a run: what the clients do, who makes each step, who goes on where several of
 * those who waited could, and the faults. */
struct ob_schedule {
    size_t program;                /* of the run's programs; 0: the clients' own */
    struct ob_omission *omissions; /* of them; for those who try a run with less */
    size_t omission_count, omission_capacity;
    uint8_t *clients; /* step_count of them */
    size_t step_count, step_capacity;
    uint8_t *wakes; /* wake_count clients, of all steps, in the order of the choices */
    size_t wake_count, wake_capacity;
    struct ob_fault *faults;
    size_t fault_count, fault_capacity;
};

void ob_schedule_clear(struct ob_schedule *schedule);
void ob_schedule_reset(struct ob_schedule *schedule); /* empty, memory kept */
void ob_schedule_copy(struct ob_schedule *to, const struct ob_schedule *from);
void ob_schedule_add_step(struct ob_schedule *schedule, size_t client);
void ob_schedule_add_wake(struct ob_schedule *schedule, size_t client);
void ob_schedule_add_fault(struct ob_schedule *schedule, struct ob_fault fault);
void ob_schedule_add_omission(struct ob_schedule *schedule, struct ob_omission omission);

/* An operation that ended in a step: the step's own, or one that the step woke. */
struct ob_completion {
    size_t client;
    enum ob_reply_status status;
    char sqlstate[6];
    uint64_t digest;
    uint32_t row_count;
    bool open, committed;          /* of the reply; not compared */
    struct ob_footprint footprint; /* in the trace's arena; not compared */
    const char *message; /* an error's, for reading; "" otherwise.  Not compared: it may hold ids */
};

struct ob_step {
    size_t client;
    uint32_t part; /* of what the client does (struct ob_omission); not compared */
    enum ob_op_kind kind;
    const char *text;      /* the statement, or what is done */
    const char *params;    /* "" or "$1 = 'x', $2 = null", transaction ids masked */
    uint64_t text_hash;    /* of both */
    ob_client_set enabled; /* who could have moved, the client included */
    ob_client_set blocked; /* who waits for a lock after the step, or was left in flight */
    ob_client_set holders; /* when the client itself is blocked: by whom */
    /* Who waited before and because of the step was answered, or now waits for others. */
    ob_client_set woken;
    ob_client_set gated;           /* who came to the gate of a statement */
    size_t first_wake, wake_count; /* its choices among the schedule's wakes */
    /* The server itself chose which of several waiters goes on, or a session's own timeout may have
     * ended its wait. */
    bool uncontrolled;
    struct ob_completion *completions;
    size_t completion_count;
};

/* Something a client saw or did, in its own words: the history that invariants are checked over. */
struct ob_event {
    size_t step;      /* the step after which it happened; SIZE_MAX: before the first */
    size_t client;    /* OB_NO_CLIENT for the harness itself */
    const char *kind; /* "answer", "capture", … */
    const char *data; /* one JSON object */
};

/* name, text */
#define OB_RUN_ENDS(X)                                                                     \
    X(FINISHED, "finished")                                                                \
    X(STUCK, "the clients wait for each other and nobody can move")                        \
    X(STEP_LIMIT, "too many steps")                                                        \
    X(TIME_LIMIT, "took too long")                                                         \
    X(NOT_BACK, "a client did not come back from its own code")                            \
    X(FOREIGN, "a client waits for a session that is no client")                           \
    X(DIVERGED, "the schedule could not be followed")                                      \
    X(AGAIN, "a cycle of waits that nobody was armed to break: to be run again with care") \
    X(UNCHECKED, "a lock is in the way of a check")

enum ob_run_end {
#define OB_RUN_END_ENUM(name, text) OB_RUN_##name,
    OB_RUN_ENDS(OB_RUN_END_ENUM)
#undef OB_RUN_END_ENUM
};

const char *ob_run_end_text(enum ob_run_end end);

struct ob_trace {
    struct ob_arena arena;
    struct ob_schedule schedule;
    struct ob_step *steps;
    size_t step_count, step_capacity;
    struct ob_event *events;
    size_t event_count, event_capacity;
    enum ob_run_end end;
    char reason[240];              /* more about an end other than FINISHED; "" otherwise */
    uint32_t uncontrolled;         /* steps that were */
    uint64_t seen[OB_CLIENTS_MAX]; /* per client, digest of all that it was told */
    int64_t settle_us;             /* machine time spent waiting for the server; not compared */
};

void ob_trace_init(struct ob_trace *trace);
void ob_trace_reset(struct ob_trace *trace);
void ob_trace_clear(struct ob_trace *trace);

struct ob_step *ob_trace_add_step(struct ob_trace *trace);
void ob_trace_add_event(struct ob_trace *trace, size_t client, const char *kind, const char *data);

/* The trace as text, a line for each step, event and end: the same run gives the same bytes.  With
 * exact, the digests and sets that replays are compared by stand at the end of each step's line;
 * without, it is for reading. */
void ob_trace_print(const struct ob_trace *trace, const char *const *client_names, bool exact,
                    struct ob_buf *out);

uint64_t ob_trace_digest(const struct ob_trace *trace); /* of steps, events and end */

/* The same of one step and of the events after it, up to the next step. */
uint64_t ob_trace_step_digest(const struct ob_trace *trace, size_t step);

/* True when two traces differ; then *step is the first step at which they do, and why (appended to)
 * says how, in one sentence. */
bool ob_trace_diff(const struct ob_trace *expected, const struct ob_trace *actual,
                   const char *const *client_names, size_t *step, struct ob_buf *why);

/* Asserts what always holds of a trace. */
void ob_trace_check(const struct ob_trace *trace);

#endif
