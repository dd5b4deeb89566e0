/*
 * shrink.h - a failing run made as small as it gets.
 *
 * Smaller is, in this order: fewer clients, faults, steps, preemptions; then the lower clients
 * first.  Tried are, until nothing helps any more:
 *
 *     clients       the run without one
 *     faults        without them; then elsewhere, or in another way
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
 * Fairness: leaving something out may make a program wrong that was not, and would explain nothing.
 * So a run with less counts only if
 *
 *     it is of the whole    What was left out is put back, and the steps of the run come in their
 *                           order again: then the whole program breaks the invariant too, in the
 *                           same rows.  So no lock, BEGIN or COMMIT is left out that would have
 *                           kept another client's step away, since the order would be another one.
 *     it is innocent        Clients that break the invariant in no order of them one after the
 *                           other, without faults, must be such that what is left of them does not
 *                           either (a client that no longer looks books twice by itself).  Of
 *                           others nothing is left out.  Of up to three clients every order is
 *                           tried, of more those in which each comes first once, and at most six.
 *
 * That a client stops early, or does not begin, is harmless where the invariant must hold at every
 * instant.
 *
 * What was put back comes right before the next step of its client, or right after the last one, or
 * as soon as it can, and the first of these that will do is enough.
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
    bool stopped;  /* the runs or the time were over, or progress wanted no more */
    bool complete; /* not stopped, and no search had more schedules than it may make runs */
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
