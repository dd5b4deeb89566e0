/*
 * script.h - all that a target and its clients say to the server, as SQL that others can run.
 *
 * Filled while the target is opened (setups) and in each run (the operations of the last one).
 * One owner thread.
 */
#ifndef OB_TARGET_SCRIPT_H
#define OB_TARGET_SCRIPT_H

#include "base/alloc.h"
#include "engine/op.h"

#include <stddef.h>
#include <stdint.h>

/* The operation that a step of the run released. */
struct ob_script_op {
    const char *sql; /* with literals in the places of its parameters */
    int64_t now_us;  /* the virtual time before it */
    int64_t time_us; /* CLOCK: the new one */
};

struct ob_script {
    struct ob_arena arena; /* of all texts */
    const char **setups;   /* in their order, each of any number of statements */
    size_t setup_count, setup_capacity;
    size_t
        clock_count; /* the first so many make a clock that the scenario itself did not ask for */
    const char
        *sessions[OB_CLIENTS_MAX]; /* what each client's session begins with; NULL: nothing */
    struct ob_script_op *ops;      /* one for each step */
    size_t op_count, op_capacity;
};

void ob_script_init(struct ob_script *script);
void ob_script_clear(struct ob_script *script);

/* A script that is NULL is not wanted, and nothing is done. */
void ob_script_add_setup(struct ob_script *script, const char *sql, int param_count,
                         const char *const *params);
void ob_script_add_session_setup(struct ob_script *script, size_t client,
                                 const char *sql); /* NULL: none */

/* For struct ob_run_spec's before_step.  Step 0 begins a run, and forgets the one before. */
void ob_script_note(void *script, size_t step, const struct ob_op *op, int64_t now_us);

#endif
