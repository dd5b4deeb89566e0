/*
 * rig.h - everything that one run needs, put together: a clean state, the engine, the checks.
 *
 * Filled by cli/ from a scenario's target; used by explorations and by replays, so that both do
 * exactly the same.  One owner thread.
 */
#ifndef OB_EXPLORE_RIG_H
#define OB_EXPLORE_RIG_H

#include "base/error.h"
#include "check/check.h"
#include "engine/run.h"
#include "explore/order.h"

struct ob_part {
    uint32_t number;
    uint32_t transaction; /* from 1, of this client's; 0: none */
    bool bracket;         /* the transaction's beginning or end */
    const char *text;     /* what it does, for reading; the target's */
};

struct ob_rig {
    /* Borrowed for the rig's life. */
    struct ob_engine *engine;
    struct ob_check *check;
    const char *const *client_names;

    /* What each run is made of; chooser and free_running are set for each run, and careful where
     * the engine asks for it. */
    struct ob_run_spec spec;

    uint64_t steps_max; /* no run without faults has more steps than this; 0: not known */

    struct ob_orders orders; /* that the scenario gives; without get: none */

    /* The parts of what a client does that a run can be made without (struct ob_omission): *out is
     * the caller's to free.  NULL: none. */
    size_t (*parts)(void *self, size_t client, struct ob_part **out);

    const struct ob_query_port *query; /* to the database, outside of all clients */

    /* The target. */
    void *self;
    /* From the next run on traces have footprints, where the server can tell them. */
    enum ob_result (*learn)(void *self, struct ob_error *err);
    enum ob_result (*reset)(void *self, struct ob_error *err); /* back to the clean state */
    /* Adds what is known only at the end to the history. */
    void (*finish)(void *self, struct ob_trace *trace);
    enum ob_result (*digest)(void *self, uint64_t *out,
                             struct ob_error *err); /* of the final state */
    int64_t (*monotonic_us)(void *self);

    /* Machine time spent since the rig was made. */
    int64_t reset_us, settle_us, check_us;
};

/* From here on runs leave out what the schedule does (borrowed), and have so many faults at the
 * most. */
void ob_rig_leave_out(struct ob_rig *rig, const struct ob_schedule *schedule, size_t fault_budget);

/* What a run came to, beside its trace. */
struct ob_run_outcome {
    const struct ob_broken *broken; /* until the next run */
    size_t broken_count;
    uint64_t reached; /* ob_check_reached */
    uint64_t outcome; /* digest of what the clients were told and of the final state */
};

/* Resets, runs (again with care where the engine asks for it), checks.  How the run ended is in the
 * trace: only a run that finished or got stuck is checked, all others prove nothing.  One in which
 * a lock was in the way of a check ends as OB_RUN_UNCHECKED. */
OB_MUSTCHECK enum ob_result ob_rig_run(struct ob_rig *rig, const struct ob_chooser *chooser,
                                       bool free_running, struct ob_trace *trace,
                                       struct ob_run_outcome *out, struct ob_error *err);

#endif
