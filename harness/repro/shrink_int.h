/*
 * shrink_int.h - what the shrinker's own files share.
 *
 *   shrink.c  what is tried, in which order
 *   trial.c   one attempt: the run, and whether it counts
 *   fair.c    whether a run with less says something about the whole program
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

    /* The smallest run, whose schedule is what is reduced; the last attempt; and a run by which
     * that is judged. */
    struct ob_trace best, other, beside;
    char *rows; /* what offends in the smallest; owned */
    struct ob_run_size from, size;
    enum ob_run_end end; /* of all that count */
    bool innocent;
    bool instant; /* what is broken must hold at every instant: who stops early breaks nothing by it
                   */

    struct ob_tally tried; /* digests of what was asked for */
    /* What was left out when that was last found to be innocent, and when it was not; 0: never. */
    uint64_t known_innocent, known_guilty;
    uint64_t runs;
    unsigned looks, same;
    bool stopped; /* no run or no time is left, or nobody wants more */
    bool cut;     /* a search had more schedules than its runs */
};

/* Of a rig, options and an item that are there already. */
void ob_trials_init(struct ob_trials *trials);
void ob_trials_clear(struct ob_trials *trials); /* and gives the rig back what it had */

/* Looks so many times at a run that breaks the item: it is the best until now when it comes out the
 * same each time. */
enum ob_result ob_trials_begin(struct ob_trials *trials, const struct ob_schedule *schedule,
                               unsigned looks, struct ob_error *err);

/* Makes a run without what the schedule leaves out and with so many faults at the most.  *rows:
 * what offends in it of the item, until the next run; or NULL. */
enum ob_result ob_trials_run(struct ob_trials *trials, const struct ob_chooser *chooser,
                             const struct ob_schedule *without, size_t faults,
                             struct ob_trace *trace, const char **rows, struct ob_error *err);

/* Of what the schedule leaves out, in whichever order it stands there; never 0. */
uint64_t ob_trials_omissions(const struct ob_schedule *schedule);

/* Whether the clients, without what the schedule leaves out, break nothing in any order one after
 * the other. */
enum ob_result ob_trials_is_innocent(struct ob_trials *trials, const struct ob_schedule *schedule,
                                     bool *out, struct ob_error *err);

/* Whether the last attempt, which broke the item in these rows, is a race of the whole program:
 * that breaks it in the same rows, in the same order, and what is left of it is innocent. */
enum ob_result ob_trials_is_fair(struct ob_trials *trials, const char *rows, bool *out,
                                 struct ob_error *err);

/* Makes a run by that plan.  *better: it counts, is smaller, and is the best one now. */
enum ob_result ob_trials_try(struct ob_trials *trials, const struct ob_schedule *plan, bool *better,
                             struct ob_error *err);

/* The same with what the plan leaves out and its faults, and every schedule of at most so many
 * preemptions, those of fewer first; at most so many runs. */
enum ob_result ob_trials_search(struct ob_trials *trials, const struct ob_schedule *plan,
                                size_t preemptions, uint64_t runs_max, bool *better,
                                struct ob_error *err);

#endif
