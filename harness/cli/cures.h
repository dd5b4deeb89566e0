/*
 * cures.h - what might prevent a violation, each tried in a database of its own.
 *
 * What is to be tried is found out while the violation's own target is still open; trying comes
 * after that, since there is one database at a time.
 */
#ifndef OB_CLI_CURES_H
#define OB_CLI_CURES_H

#include "cli/variant.h"
#include "cure/cure.h"
#include "repro/explain.h"
#include "target/target.h"

/* A run that breaks the item, and why it does. */
struct ob_cures_wanted {
    const struct ob_trace *trace;
    size_t item;
    const struct ob_explained *explained;
};

/* On the target that the run is of.  trace is borrowed until the case is closed
 * (ob_cure_case_close), which is to be done in any case. */
OB_MUSTCHECK enum ob_result ob_cures_find(const struct ob_variant_job *job,
                                          struct ob_target *target,
                                          const struct ob_cures_wanted *wanted,
                                          struct ob_cure_case *out, struct ob_error *err);

/* What was tried, for the report. */
struct ob_cures_tried {
    struct ob_report_cure *cures; /* in the arena */
    size_t count;                 /* fewer than there are when the user interrupts */
};

/* Tries the cures of a case, one after the other. */
OB_MUSTCHECK enum ob_result ob_cures_try(const struct ob_variant_job *job,
                                         const struct ob_cure_case *of, struct ob_arena *arena,
                                         struct ob_cures_tried *out, struct ob_error *err);

/* Tries the cures of a case, and none, at each isolation level, with the server's settings and with
 * each that was asked for.  The matrix, of what the user waited for, lives in the arena. */
OB_MUSTCHECK enum ob_result ob_cures_cross(const struct ob_variant_job *job,
                                           struct ob_cure_case *of, struct ob_arena *arena,
                                           const struct ob_report_matrix **out,
                                           struct ob_error *err);

#endif
