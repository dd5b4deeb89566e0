/*
 * rollout.h - a plan of how a new version gets into use, as scenarios.
 *
 * A deployment is in a phase: the schema's version, which code the workers run (the old one, the
 * new one, or some the one and some the other), and the feature flag's percentage.  A move leads
 * from one phase to the next: a migration, a deployment, a flip of the flag.  Orders are ways from
 * the present phase to the last one.  What the plan calls traffic is raced in each phase, and
 * beside each move, in both directions.
 *
 * So a plan is loaded as scenarios, one for each traffic, whose variants are the phases and moves;
 * everything that works on scenarios works on them.
 */
#ifndef OB_SCENARIO_ROLLOUT_H
#define OB_SCENARIO_ROLLOUT_H

#include "scenario/scenario.h"

enum ob_rollout_code { OB_CODE_OLD, OB_CODE_MIXED, OB_CODE_NEW };
extern const char *const ob_rollout_code_words[];

struct ob_rollout_phase {
    int schema, flag;
    enum ob_rollout_code code;
    const char *name; /* "schema 9, new code, flag 10 %" */
    /* Its variants: one, or two where the code is mixed, in which every other client is on the
     * old code. */
    const char *variants[2];
    size_t variant_count;
};

/* From one phase to another, which differs in one thing. */
struct ob_rollout_move {
    size_t from, to;     /* phases */
    const char *name;    /* "migrate to 9" */
    const char *variant; /* NULL: a deployment, which changes nothing that requests share */
};

struct ob_rollout_order {
    const char *name, *about;
    bool safe;      /* is expected to be */
    size_t *phases; /* in their order, the present one first */
    size_t phase_count;
};

struct ob_rollout {
    struct ob_scenario *plan; /* owned: the file's name, and the arena of all that is here */
    const char *name, *about;
    struct ob_rollout_phase *phases; /* owned; in the order in which the plan gets to them */
    size_t phase_count, phase_capacity;
    struct ob_rollout_move *moves; /* owned; each is followed by the one that goes back */
    size_t move_count, move_capacity;
    struct ob_rollout_order *orders;
    size_t order_count;
    struct ob_scenario_list traffic; /* owned */
};

/* Loads a plan.  *out is NULL when the file is a mapping without "orders", and so none.  OB_INPUT
 * as ob_scenario_load. */
OB_MUSTCHECK enum ob_result ob_rollout_load(const char *path, struct ob_rollout **out,
                                            struct ob_error *err);
OB_MUSTCHECK enum ob_result ob_rollout_parse(const char *file, const char *data, size_t size,
                                             struct ob_rollout **out, struct ob_error *err);
void ob_rollout_free(struct ob_rollout *rollout); /* NULL is legal */

/* The move from one phase to another, or NULL. */
const struct ob_rollout_move *ob_rollout_find_move(const struct ob_rollout *rollout, size_t from,
                                                   size_t to);

/* Whether the invariant is asked in that phase. */
bool ob_rollout_asks(const struct ob_rollout *rollout, size_t phase, const char *invariant);

#endif
