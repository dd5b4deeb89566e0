/*
 * floor.h - what a run costs when nothing is decided: the same statements on the same connections
 * in the same order, sent by one plain libpq loop that is told in advance which of them will wait.
 */
#ifndef OB_BENCH_FLOOR_H
#define OB_BENCH_FLOOR_H

#include "engine/trace.h"

#include <libpq-fe.h>

struct ob_floor_statement {
    size_t client;
    char *sql, **params; /* owned */
    int param_count;
    ob_client_set answered; /* whose answers are there once it has been sent and has settled */
};

struct ob_floor {
    struct ob_floor_statement *statements;
    size_t count, capacity;
};

/* Takes the statements of a trace; what is done outside the database costs nothing here. */
void ob_floor_record(struct ob_floor *floor, const struct ob_trace *trace);
void ob_floor_clear(struct ob_floor *floor);

/* Sends them all.  Errors are answers, as in the run. */
void ob_floor_run(const struct ob_floor *floor, PGconn *const *conns);

#endif
