/*
 * subject.h - a scenario's first variant on a server of ours, to be run and measured.
 */
#ifndef OB_BENCH_SUBJECT_H
#define OB_BENCH_SUBJECT_H

#include "cli/database.h"
#include "explore/strategy.h"
#include "target/target.h"

struct ob_subject {
    struct ob_server *server; /* borrowed */
    struct ob_scenario *scenario;
    struct ob_target *target;
    struct ob_rig *rig;
    char *conninfo;
};

/* In a database of its own.  The file is a scenario's, or a spec.  Whatever fails ends the
 * process. */
void ob_subject_open(struct ob_subject *subject, struct ob_server *server, const char *file);
void ob_subject_close(struct ob_subject *subject);

/* A reset and run number number of the strategy's, without checks: what the floor does too.  False:
 * the strategy has come to its end. */
bool ob_subject_run(const struct ob_subject *subject, struct ob_strategy *strategy, uint64_t number,
                    struct ob_trace *trace);

#endif
