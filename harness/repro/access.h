/*
 * access.h - the operations of a run as accesses: what each touched, by which snapshot it read, and
 * when what it wrote became visible.
 *
 * All of it is in the trace: operations, waits and commits by their steps, what was touched by the
 * footprints.  A statement's snapshot is of the step that released it, or, from REPEATABLE READ on,
 * of the step of its transaction's first statement.
 */
#ifndef OB_REPRO_ACCESS_H
#define OB_REPRO_ACCESS_H

#include "engine/trace.h"

#define OB_NEVER SIZE_MAX /* a step that did not come */

/* A transaction, or a statement outside of one. */
struct ob_access_transaction {
    size_t client;
    enum ob_level level;
    size_t snapshot;  /* from REPEATABLE READ on; OB_NEVER: none was taken */
    size_t published; /* the step that committed it */
};

struct ob_access {
    size_t client, transaction;         /* index */
    size_t released, done;              /* steps */
    bool waited;                        /* for a lock */
    bool ends;                          /* COMMIT, ROLLBACK */
    const struct ob_footprint *touches; /* borrowed from the trace; NULL: never answered */
};

struct ob_accesses {
    struct ob_access *items; /* in the order of their release; owned */
    size_t count, capacity;
    struct ob_access_transaction *transactions; /* owned */
    size_t transaction_count, transaction_capacity;
    bool known; /* what all of them touched that read or write the database */
};

/* The trace is borrowed for the accesses' life. */
void ob_accesses_of(const struct ob_trace *trace, struct ob_accesses *out);
void ob_accesses_clear(struct ob_accesses *accesses);

/* The one that the step belongs to; NULL: the step is none of the database. */
const struct ob_access *ob_access_at(const struct ob_accesses *accesses, size_t client,
                                     size_t step);

/* The step of the snapshot that it reads by. */
size_t ob_access_snapshot(const struct ob_accesses *accesses, const struct ob_access *access);

#endif
