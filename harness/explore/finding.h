/*
 * finding.h - a run that broke an invariant, kept so that it can be made again, and whether it was.
 */
#ifndef OB_EXPLORE_FINDING_H
#define OB_EXPLORE_FINDING_H

#include "explore/rig.h"

#define OB_REPLAYS 10 /* of each violation, before it is reported */

/* A violation of one invariant. */
struct ob_finding {
    size_t item;  /* index into the check's items */
    uint64_t run; /* from 1 */
    struct ob_schedule schedule;
    uint64_t *step_digests; /* one for each step, ob_trace_step_digest */
    size_t clients,
        preemptions; /* that move; switches away from a client that could have gone on */
    char *rows;      /* what offends */
    char *trace;     /* for reading */
    struct ob_buf
        packed; /* the trace itself (engine/trace_pack.h), or nothing where it is too large */
    unsigned replays_same, replays; /* same: as the run was, and broke the invariant too */
    char *divergence;               /* how the first replay that differed did; NULL when none did */
    bool uncontrolled;              /* the run had a wake that the server chose */
};

/* How large a run is: the clients that move, the faults that happened, the steps, and the switches
 * away from a client that could have gone on. */
struct ob_run_size {
    size_t clients, faults, steps, preemptions;
};
struct ob_run_size ob_run_size(const struct ob_trace *trace);

/* Whether the run broke that invariant: its rows, or NULL. */
const char *ob_run_breaks(const struct ob_run_outcome *outcome, size_t item);

/* Keeps the run of the trace, without any replay.  *out is the caller's to clear. */
void ob_finding_record(struct ob_finding *out, const struct ob_rig *rig,
                       const struct ob_trace *trace, size_t item, const char *rows, uint64_t run);
void ob_finding_clear(struct ob_finding *finding);

/* Makes the run of the trace OB_REPLAYS times again, for all findings that are of it. */
OB_MUSTCHECK enum ob_result ob_findings_confirm(struct ob_finding *findings, size_t count,
                                                struct ob_rig *rig, const struct ob_trace *trace,
                                                struct ob_error *err);

#endif
