/*
 * replay.h - running a recorded schedule again and comparing it with its record.
 */
#ifndef OB_REPRO_REPLAY_H
#define OB_REPRO_REPLAY_H

#include "explore/rig.h"
#include "repro/token.h"

struct ob_replay {
    struct ob_trace trace;         /* what happened now */
    struct ob_run_outcome outcome; /* what it breaks; until the rig's next run */
    bool diverged;
    bool
        went_on; /* the record could not be followed to its end, and the run went on all the same */
    size_t step; /* the first at which it diverged, from 0 */
    char *why;   /* one sentence; "" when it did not */
};

/* OB_INPUT: the token names clients, faults or a program that the rig has not. */
OB_MUSTCHECK enum ob_result ob_replay_check(const struct ob_rig *rig, const struct ob_token *token,
                                            struct ob_error *err);

/* A run in which the record cannot be followed ends there; one that continues is made once more,
 * and follows the rest of the record as far as that can be done (repro/plan.h).  OB_INPUT: the
 * token names clients, faults or a program that the scenario has not. The replay is the caller's to
 * clear, on OB_OK only. */
OB_MUSTCHECK enum ob_result ob_replay_run(struct ob_rig *rig, const struct ob_token *token,
                                          bool continues, struct ob_replay *out,
                                          struct ob_error *err);

/* The same with a chooser of the caller's, which follows the record. */
OB_MUSTCHECK enum ob_result ob_replay_choose(struct ob_rig *rig, const struct ob_token *token,
                                             const struct ob_chooser *chooser,
                                             struct ob_replay *out, struct ob_error *err);
/* Whether the step, which both have, went to the recorded client and came to what was recorded. */
bool ob_replay_same_step(const struct ob_trace *trace, const struct ob_token *token, size_t step);

void ob_replay_clear(struct ob_replay *replay);

#endif
