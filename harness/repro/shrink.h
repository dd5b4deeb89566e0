/*
 * shrink.h - a failing run made as small as it gets.
 *
 * Smaller is, in this order: fewer clients, faults, steps, preemptions; then the lower clients
 * first.  Tried are, until nothing helps any more:
 *
 *     clients       the run without one
 *     faults        without them
 *     parts         without a transaction, without a statement or action, without BEGIN and COMMIT
 *     the rest      a client stops earlier
 *     switches      a client goes on where it was interrupted
 *     order         two steps change places
 *     all           schedules of at most one preemption, of what is left of the clients
 *
 * Each is one run, that follows its plan as far as that can be done; what counts is what the run
 * then was: it must break the same invariant, end in the same way, and be no larger in any respect
 * than the run that was given.
 *
 * Innocence: leaving something out may make a program wrong that was not (a client that no longer
 * looks books twice by itself; one that stops leaves a payment without its booking), and would
 * explain nothing.  So clients that break the invariant in no order of them one after the other,
 * without faults, must be such that what is left of them does not either; and of others nothing is
 * left out.  Of up to three clients every order is tried, of more those in which each comes first
 * once, and at most six.  This does not tell a lock or a transaction that keeps others out from one
 * that is not needed, since neither matters to clients that come one after the other: what is left
 * may be a race that the whole program does not have.  That a client stops early, or does not
 * begin, is harmless where the invariant must hold at every instant.
 */
#ifndef OB_REPRO_SHRINK_H
#define OB_REPRO_SHRINK_H

#include "explore/finding.h"

/* At the most, unless more are asked for. */
#define OB_SHRINK_RUNS 1000
#define OB_SHRINK_US (60 * (int64_t)1000000)

struct ob_shrinking {
    uint64_t runs, runs_max;
    struct ob_run_size size; /* of the smallest until now */
};

struct ob_shrink_options {
    uint64_t runs_max;
    int64_t budget_us; /* machine time; INT64_MAX: none */
    /* Called after each run when not NULL; false ends it with the smallest until then. */
    bool (*progress)(void *arg, const struct ob_shrinking *now);
    void *progress_arg;
};

struct ob_shrunk {
    struct ob_finding finding; /* the smallest run, replayed */
    struct ob_trace trace;     /* of it */
    struct ob_run_size from, size;
    uint64_t runs; /* made, without the replays */
    bool complete; /* all that is tried was; a search of schedules ends after so many runs */
    bool innocent; /* the clients do not break it one after the other, and nor does what is left */
    /* The given run was not the same, or did not break the invariant, each time: so many times of
     * so many.  Nothing was shrunk then. */
    unsigned same, looks;
};

/* Shrinks a run of the rig that breaks the check's item.  OB_INPUT: the schedule is none of the
 * rig's.  *out is the caller's to clear on OB_OK only; its finding is filled unless same < looks.
 */
OB_MUSTCHECK enum ob_result ob_shrink(struct ob_rig *rig, const struct ob_schedule *schedule,
                                      size_t item, const struct ob_shrink_options *options,
                                      struct ob_shrunk *out, struct ob_error *err);
void ob_shrunk_clear(struct ob_shrunk *shrunk);

#endif
