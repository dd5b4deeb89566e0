/*
 * check.h - invariants.
 *
 * An invariant is one SQL query that returns the offending rows; no rows means that it holds.  It
 * sees the database's tables and the run's history as a relation history(seq int, step int, client
 * text, kind text, data jsonb) so checks over state and checks over what was acknowledged to whom
 * are written in one language, by users in a scenario file as by the built-in set.  All of a run's
 * invariants are asked in one round trip.
 *
 * A check that fails to run is an error of the run, never a pass.
 */
#ifndef OB_CHECK_CHECK_H
#define OB_CHECK_CHECK_H

#include "base/buf.h"
#include "base/error.h"
#include "engine/query.h"
#include "engine/trace.h"

#include <stdbool.h>
#include <stddef.h>

struct ob_invariant {
    const char *name;  /* "no-overlap" */
    const char *code;  /* "I1" */
    const char *about; /* one sentence: what must hold */
    const char *sql;
};

/* The built-in invariants for the reference schema, in the order of their codes. */
const struct ob_invariant *ob_invariant_builtin(size_t *count);
const struct ob_invariant *ob_invariant_find(const char *name);

struct ob_check;

/* What is to be checked; names and sql are borrowed for the life of the check. */
struct ob_check_item {
    const char *name;
    const char *sql; /* NULL: not asked */
    bool after_commit;
    /* No invariant, but a situation that a run may reach: sql returns rows then, or reached says
     * so, which is in its place.  At most OB_WANTED_MAX of the items. */
    bool wanted;
    bool (*reached)(const struct ob_trace *trace);
};

#define OB_WANTED_MAX 64

struct ob_check *ob_check_new(const struct ob_check_item *items, size_t count,
                              const struct ob_query_port *port);
void ob_check_free(struct ob_check *check);

/* The name of an item. */
const char *ob_check_name(const struct ob_check *check, size_t item);

/* Whether an item must hold at every instant, and not only at the end. */
bool ob_check_is_instant(const struct ob_check *check, size_t item);

/* Whether any item is. */
bool ob_check_has_instant(const struct ob_check *check);

/* Appends the query of an item as one statement that needs nothing beside it: where it reads the
 * history (*reads_history), that of this trace is in it. OB_INTERNAL: a name that is not UTF-8. */
OB_MUSTCHECK enum ob_result ob_check_alone(const char *sql, const struct ob_trace *trace,
                                           const char *const *client_names, bool *reads_history,
                                           struct ob_buf *out, struct ob_error *err);

/* A broken invariant: the first offending rows, as one line of text for people. */
struct ob_broken {
    size_t item;      /* index into the items */
    size_t step;      /* the step after which it was seen; SIZE_MAX: at the end */
    const char *rows; /* "(booking 2 overlaps 1: …)", at most 500 bytes; in the check's arena, until
                         the next _begin */
};

/* Forgets what an earlier run broke. */
void ob_check_begin(struct ob_check *check);

/* Checks all items (end of a run), or only those marked after_commit (step: the commit's index).
 * OB_SQL: an invariant failed to run; err names it. An item broken once is not reported again in
 * this run. */
OB_MUSTCHECK enum ob_result ob_check_run(struct ob_check *check, const struct ob_trace *trace,
                                         const char *const *client_names, bool at_end, size_t step,
                                         struct ob_error *err);

/* Which of the wanted situations the run was in at its end: bit i is the i-th of them. */
uint64_t ob_check_reached(const struct ob_check *check);

/* What has been found broken since _begin, in the order of finding. */
const struct ob_broken *ob_check_broken(const struct ob_check *check, size_t *count);

#endif
