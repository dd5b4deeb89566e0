/*
 * rollout.h - what a rollout's phases and moves came to, and which orders are safe; a part of a
 * report (report.h), whose results are the runs behind it.
 *
 * All texts are owned by the report's arena.
 */
#ifndef OB_REPORTS_ROLLOUT_H
#define OB_REPORTS_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A phase, or a move from one to another: what its runs came to, over all traffic. */
struct ob_report_cell {
    const char *name;
    const char *const *broken; /* the invariants */
    size_t broken_count;
    const char *undecided; /* why nothing follows from its runs; NULL where something does */
    uint64_t runs;
    /* The violation that is shown: of the report's results that one, of its violations that one.
     * Only where something is broken. */
    size_t result, violation;
};

struct ob_report_move {
    struct ob_report_cell cell; /* runs 0: it changes nothing that requests share */
    size_t from, to;            /* phases */
    const char *variant;        /* of the results behind it; "" where it has no runs */
    uint64_t refused;           /* runs in which its migration was, as over rows that it forbids */
    bool safe;
    const char *reason; /* why it is not, a sentence; "" where it is */
};

struct ob_report_order {
    const char *name, *about;
    bool safe, expected_safe;
    bool undecided;     /* it is not known to be safe, and nothing is known that makes it unsafe */
    const char *reason; /* a sentence, also where it is */
    const size_t *phases;
    size_t phase_count;
};

/* Whether it is known to be what it is expected to be. */
bool ob_report_order_is_as_expected(const struct ob_report_order *order);

struct ob_report_rollout {
    const char *name, *about;
    struct ob_report_cell *phases;
    size_t phase_count;
    struct ob_report_move *moves; /* each is followed by the one that goes back */
    size_t move_count;
    struct ob_report_order *orders;
    size_t order_count;
};

#endif
