/*
 * shrink_int.h - what the shrinker's own files share.
 *
 *   shrink.c  what is tried, in which order
 *   trial.c   one attempt: the run, whether it counts, and whether what is left is innocent
 */
#ifndef OB_REPRO_SHRINK_INT_H
#define OB_REPRO_SHRINK_INT_H

#include "explore/tally.h"
#include "repro/shrink.h"

#define OB_ORDERS_MAX 6 /* of the clients one after the other, that innocence is judged by */

struct ob_trials {
    struct ob_rig *rig;
    const struct ob_shrink_options *options;
    size_t item;
    int64_t started_us;
    size_t fault_budget; /* the rig's own, which it gets back */

    struct ob_trace best, other; /* best: the smallest run; its schedule is what is reduced */
    char *rows;                  /* what offends in it; owned */
    struct ob_run_size from, size;
    enum ob_run_end end; /* of all that count */
    bool innocent;
    bool instant; /* what is broken must hold at every instant: who stops early breaks nothing by it
                   */

    struct ob_tally tried; /* digests of what was asked for */
    uint64_t runs;
    bool stopped; /* no run or no time is left, or nobody wants more */
};

/* Begins with a run that breaks the item; the trace is copied by making it again.  *same: whether
 * it came out each of looks times. */
enum ob_result ob_trials_begin(struct ob_trials *trials, const struct ob_schedule *schedule,
                               unsigned looks, unsigned *same, struct ob_error *err);
/* Gives the rig back what it had; also after a failed beginning. */
void ob_trials_end(struct ob_trials *trials);

/* Makes a run by that plan.  *better: it counts, is smaller, and is the best one now. */
enum ob_result ob_trials_try(struct ob_trials *trials, const struct ob_schedule *plan, bool *better,
                             struct ob_error *err);

/* The same with what the plan leaves out and its faults, and every schedule of at most so many
 * preemptions, those of fewer first; at most so many runs. */
enum ob_result ob_trials_search(struct ob_trials *trials, const struct ob_schedule *plan,
                                size_t preemptions, uint64_t runs_max, bool *better,
                                struct ob_error *err);

#endif
