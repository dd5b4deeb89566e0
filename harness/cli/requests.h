/*
 * requests.h - what became of each request beside a migration, counted over many runs.
 *
 * A request goes from its first step to its answer, the migration from its first step to that of
 * its last one.  "while": the two overlap.
 */
#ifndef OB_CLI_REQUESTS_H
#define OB_CLI_REQUESTS_H

#include "engine/trace.h"
#include "report.h"

struct ob_requests {
    const char *const *client_names; /* borrowed; set by who makes one */
    struct ob_arena *arena;          /* the counted rows' texts; borrowed */
    struct ob_report_request *rows;  /* owned */
    size_t count, capacity;
};

/* Adds those of a run, if anybody migrates in it. */
void ob_requests_add(struct ob_requests *requests, const struct ob_trace *trace);

/* Hands the rows to the result, in an order that does not depend on that of the runs, and is empty
 * from then on. */
void ob_requests_take(struct ob_requests *requests, struct ob_report_result *result);

#endif
