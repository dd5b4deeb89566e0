/*
 * worker.h - a process that plays specs on a server of its own, one after the other.
 *
 * Waits for safe snapshots and serialization failures depend on everything that runs in a cluster,
 * so specs that run side by side need a cluster each.  A process each keeps a spec that breaks its
 * connections, or the server, from the others.
 */
#ifndef OB_SPEC_WORKER_H
#define OB_SPEC_WORKER_H

#include "base/buf.h"
#include "base/child.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ob_spec_worker_options {
    int limit_s;          /* as in player.h */
    const char *conninfo; /* a fresh database; NULL: a server of the worker's own */
};

/* What a spec came to, and at first, without a text, getting ready. */
struct ob_spec_report {
    int64_t us;         /* that it took */
    bool failed;        /* the harness or the server: error says how, and the worker has ended */
    struct ob_buf text; /* the output, complaints where they came */
    struct ob_error error;
};

/* Starts a worker, which ends when it is stopped, or with this process, and which reports when it
 * is ready.  Before any thread is started.  others: workers that were started before. */
OB_MUSTCHECK enum ob_result ob_spec_worker_start(struct ob_child *worker,
                                                 const struct ob_spec_worker_options *options,
                                                 const struct ob_child *others, size_t other_count,
                                                 struct ob_error *err);

/* Gives it a spec to play, when it is ready and has none. */
OB_MUSTCHECK enum ob_result ob_spec_worker_give(const struct ob_child *worker, const char *path,
                                                struct ob_error *err);

/* Waits for the report.  OB_IO: the worker has ended without one.  The text is to be cleared by
 * the caller in any case. */
OB_MUSTCHECK enum ob_result ob_spec_worker_report(const struct ob_child *worker,
                                                  struct ob_spec_report *out, struct ob_error *err);

/* Ends it, its server before it, and waits; with at_once also when it has something to do, and then
 * the server's keeper takes the server down. */
void ob_spec_worker_stop(struct ob_child *worker, bool at_once);

#endif
