/*
 * spec.h - an isolation spec, the format of PostgreSQL's isolationtester, as read from its text.
 *
 * What: setups and a teardown for the whole, sessions with setup, steps and teardown of their own,
 * and permutations, which name steps in the order in which they are to be launched, each with the
 * blockers that its report has to wait for.
 *
 * Names are bytes, not characters, and compared as such.  Everything a spec points to lives in its
 * arena.  Nothing is changed after it was read.
 */
#ifndef OB_SCENARIO_SPEC_H
#define OB_SCENARIO_SPEC_H

#include "base/alloc.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct ob_spec_step {
    const char *name; /* unique in the spec */
    const char *sql;  /* trimmed at both ends of blanks, not of newlines */
    size_t session;
    bool used; /* by a permutation of the file; true where the file has none */
};

struct ob_spec_session {
    const char *name;
    const char *setup, *teardown; /* NULL: none */
    size_t first_step, step_count;
};

enum ob_spec_blocker_kind {
    OB_SPEC_ONCE,    /* "*": the first try counts as waiting, whatever comes */
    OB_SPEC_STEP,    /* until that step has been reported */
    OB_SPEC_NOTICES, /* until that step's session has sent so many notices since the launch */
};

struct ob_spec_blocker {
    enum ob_spec_blocker_kind kind;
    size_t step;      /* into the spec's steps; STEP and NOTICES */
    unsigned notices; /* NOTICES */
};

struct ob_spec_launch {
    size_t step; /* into the spec's steps */
    const struct ob_spec_blocker *blockers;
    size_t blocker_count;
};

struct ob_spec_permutation {
    const struct ob_spec_launch *launches;
    size_t launch_count;
};

struct ob_spec {
    struct ob_arena arena;
    const char **setups; /* in the order of the file, each one a simple query */
    size_t setup_count;
    const char *teardown; /* NULL: none */
    struct ob_spec_session *sessions;
    size_t session_count;       /* at least 1 */
    struct ob_spec_step *steps; /* session by session, in the order of the file */
    size_t step_count;
    struct ob_spec_permutation *permutations; /* those of the file; may be none */
    size_t permutation_count;
};

/* Reads a spec.  name stands for the file in errors.  OB_INPUT: the message is the peer's own, to
 * be printed as it is where output is compared ("syntax error at line 7", "duplicate step name:
 * x"); the detail is "NAME:LINE:COLUMN", the hint the cure.  *out is NULL then. */
OB_MUSTCHECK enum ob_result ob_spec_parse(const char *name, const char *text, size_t size,
                                          struct ob_spec **out, struct ob_error *err);
void ob_spec_free(struct ob_spec *spec); /* NULL is legal */

/* The orders in which the steps can be launched when the file gives none: each session's in its own
 * order, depth first, the lowest session first. */
struct ob_spec_orders;
struct ob_spec_orders *ob_spec_orders_new(const struct ob_spec *spec);
/* The next one, valid until the next call; false when there is no other. */
bool ob_spec_orders_next(struct ob_spec_orders *orders, struct ob_spec_permutation *out);
void ob_spec_orders_free(struct ob_spec_orders *orders);

/* The steps that no permutation uses, by name in strcmp's order; *count of them, the caller's to
 * free. */
const struct ob_spec_step **ob_spec_unused(const struct ob_spec *spec, size_t *count);

#endif
