/*
 * programs.h - strategies asked about programs that never block: what they choose, as text.
 */
#ifndef OB_TESTS_PROGRAMS_H
#define OB_TESTS_PROGRAMS_H

#include "explore/strategy.h"

#define OB_PROGRAMS_STEPS_MAX 32
#define OB_PROGRAMS_CLIENTS_MAX 4

/* The clients' programs: how many steps each has, and at how many points it could fail in how many
 * ways after each step. */
struct ob_programs {
    size_t client_count;
    size_t steps[OB_PROGRAMS_CLIENTS_MAX];
    unsigned points, ways;
    const enum ob_op_kind *kinds; /* of each client's steps; NULL: not told */
};

/* What was chosen in a run: "0110", and "!2" where a fault happened at the first
 * point in its second way; "?" is the second point. */
struct ob_choices {
    char text[8 * OB_PROGRAMS_STEPS_MAX];
    size_t size;
    unsigned faults;
    unsigned preemptions;
};

void ob_programs_run(const struct ob_programs *programs, const struct ob_chooser *chooser,
                     struct ob_choices *out);

/* The same, and lets the strategy learn from it. */
void ob_programs_explore(const struct ob_programs *programs, struct ob_strategy *strategy,
                         struct ob_choices *out);

#endif
