/*
 * choice.h - the points at which a run could go on in more than one way, and who decides.
 *
 * A strategy is a chooser.  It is asked at every point, those with one option included, so that it
 * can keep count.  The engine records what was chosen; a schedule is nothing but that record.
 */
#ifndef OB_ENGINE_CHOICE_H
#define OB_ENGINE_CHOICE_H

#include "engine/trace.h"

#include <stddef.h>
#include <stdint.h>

enum ob_choice_kind {
    OB_CHOICE_STEP,  /* which client goes next: option i is clients[i] */
    OB_CHOICE_WAKE,  /* which of those who waited and now could goes on: option i is clients[i] */
    OB_CHOICE_FAULT, /* whether a fault happens here: option 0 is no, the others the ways it can */
    OB_CHOICE_PROGRAM, /* what the clients do; before all else.  Option 0: what they do themselves
                        */
};

struct ob_choice_point {
    enum ob_choice_kind kind;
    size_t option_count; /* at least 1 */
    /* STEP: the enabled clients in ascending order.  WAKE: who has waited longest comes first. */
    const size_t *clients;
    /* STEP: what the client of option i is about to do; NULL: not told. */
    const enum ob_op_kind *kinds;
    const struct ob_op *const *ops; /* STEP: the same whole, until the chooser returns; or NULL */
    const uint32_t
        *parts;           /* STEP: the part of all that its client does which that is in; or NULL */
    ob_client_set flying; /* STEP, under the server's own timers: those of clients that are in
                             flight, and would be waited for */
    ob_client_set waiting; /* STEP: those who wait for a lock */
    size_t previous;       /* STEP: the client that moved last, or OB_NO_CLIENT */
    size_t client;         /* FAULT: the client that reached the point */
    size_t point;          /* FAULT: index into the run's list of fault points */
    uint32_t hit;          /* FAULT: how often this client has reached it before, from 0 */
    uint32_t part, nth;    /* FAULT: the part it does, and how often it has reached it in that */
    const struct ob_trace *trace; /* STEP: the run until now */
    uint64_t seen; /* digest of the steps and events until the last STEP; 0: no gates */
};

#define OB_CANNOT_FOLLOW SIZE_MAX

struct ob_chooser {
    void *self;
    /* The run begins, perhaps again: the same run must then be chosen. */
    void (*restart)(void *self);
    /* An option's index; or OB_CANNOT_FOLLOW, which ends the run as diverged. Where somebody's wait
     * may end by itself that is waited for first, and then the chooser is asked again. */
    size_t (*choose)(void *self, const struct ob_choice_point *point);
};

#endif
