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
    size_t step; /* the first at which it did, from 0 */
    char *why;   /* one sentence; "" when it did not */
};

/* OB_INPUT: the token names clients, faults or a program that the scenario has not. The replay is
 * the caller's to clear, on OB_OK only. */
OB_MUSTCHECK enum ob_result ob_replay_run(struct ob_rig *rig, const struct ob_token *token,
                                          struct ob_replay *out, struct ob_error *err);
void ob_replay_clear(struct ob_replay *replay);

#endif
