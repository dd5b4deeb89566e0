/*
 * cure.h - what might prevent a violation, tried out.
 *
 * A cure is a changed scenario: the same clients and checks, with a constraint, a lock, a condition
 * asked again, a row that says what has been done, or another isolation level.  Which ones are
 * worth trying is found out on the database that the violating run left (evidence.c, key.c) and
 * from the statements of those who took part (propose.c).  Nothing is concluded from that: each
 * cure is put in place, the same schedule is followed as far as it can be, and schedules are
 * explored anew (trial.c).
 *
 * A statement that is released in one go looks safer than it is, so explorations of cures have
 * gates: statements that write stop between their snapshot and their run.
 */
#ifndef OB_CURE_CURE_H
#define OB_CURE_CURE_H

#include "engine/query.h"
#include "explore/rig.h"
#include "explore/strategy.h"
#include "scenario/scenario.h"

#define OB_CURE_RUNS 100 /* of one cure's exploration, at the most */
#define OB_CURE_US (60 * (int64_t)1000000)
#define OB_CURE_ORDERS_MAX 6 /* of the clients one after the other */

/* Where a step of a changed client comes from. */
struct ob_cure_step {
    uint32_t anchor; /* the step of the original that it is, or that it goes with */
    bool own;        /* it is that step */
};

struct ob_cure_client {
    const struct ob_cure_step *steps; /* as many as the client has; NULL: it was not changed */
};

struct ob_cure {
    const char *name;
    const char *what;                     /* is done, in one sentence */
    const char *change;                   /* as text to paste */
    const struct ob_scenario *scenario;   /* with the cure in place; its variant has gates */
    const struct ob_cure_client *clients; /* of the scenario */
    bool isolates;                        /* it is another isolation level, and nothing else */
};

/* What clients do one after the other, without faults. */
struct ob_cure_order {
    bool breaks;    /* the invariant, or did not come to its end */
    size_t errors;  /* statements that failed */
    uint64_t state; /* digest of the rows of all tables */
};

/* A violation that is to be cured, and what is tried. */
struct ob_cure_case {
    struct ob_arena arena; /* owns the cures */

    /* Given to ob_cure_case_open; borrowed for the case's life. */
    const struct ob_scenario *scenario;
    size_t variant;
    size_t item;                  /* of the check */
    const struct ob_trace *trace; /* a run that breaks it */
    bool is_race;                 /* it takes the order of the clients' steps */

    const char *const *tables; /* the scenario's own, as SQL names them */
    size_t table_count;
    struct ob_cure_order orders[OB_CURE_ORDERS_MAX];
    size_t order_count;
    struct ob_cure *cures;
    size_t cure_count, cure_capacity;
};

/* Where runs are made.  Borrowed. */
struct ob_cure_place {
    struct ob_rig *rig;
    const struct ob_query_port *query; /* to the rig's database */
    enum ob_strategy_kind strategy;    /* of an exploration, */
    unsigned argument;                 /* as the strategy takes it */
    uint64_t seed, runs_max;
    int64_t budget_us;
    /* Called after each run when not NULL; false ends it. */
    bool (*progress)(void *arg, uint64_t runs);
    void *progress_arg;
};

/* Fills in the rest of the case: looks at what the run and its clients do to the database of the
 * place, which is the scenario as it is, and proposes cures.  To be closed in any case. */
OB_MUSTCHECK enum ob_result ob_cure_case_open(struct ob_cure_case *self,
                                              const struct ob_cure_place *place,
                                              struct ob_error *err);
void ob_cure_case_close(struct ob_cure_case *self);

/* A row of a matrix at an isolation level.  Who has no transaction has one at repeatable read and
 * serializable. */
struct ob_cure_cell {
    size_t row;
    enum ob_isolation level;
    bool retries;        /* the clients begin again after 40001 and 40P01 */
    bool spare;          /* the one before it with retries: for where its clients fail */
    struct ob_cure cure; /* what is tried */
};

struct ob_cure_matrix {
    const struct ob_cure **rows; /* the first is none; then those that are no isolation level */
    size_t row_count;
    struct ob_cure_cell *cells; /* row by row, each with the levels in ascending order */
    size_t cell_count;
};

/* Crosses the case's cures with the isolation levels.  All lives as long as the case. */
void ob_cure_cross(struct ob_cure_case *of, struct ob_cure_matrix *out);

enum ob_cure_verdict {
    OB_CURE_CURED,
    OB_CURE_NOT_CURED,
    OB_CURE_DEADLOCKS,   /* a client ended as a deadlock's victim, or nobody could move */
    OB_CURE_GIVES_UP,    /* a client failed to serialize more often than it may try again */
    OB_CURE_REJECTS,     /* what worked one after the other does not any more */
    OB_CURE_BREAKS,      /* another invariant */
    OB_CURE_UNDECIDED,   /* interrupted, or a run proved nothing */
    OB_CURE_NOT_APPLIED, /* it could not be put in place */
};

const char *ob_cure_verdict_word(enum ob_cure_verdict verdict);
/* The same of a cell, which may be without a cure: "holds", "breaks", … */
const char *ob_cure_cell_word(enum ob_cure_verdict verdict);

struct ob_cure_trial {
    struct ob_arena arena; /* owns the texts */
    enum ob_cure_verdict verdict;
    const char *why;            /* more about the verdict, for reading; "" */
    struct ob_trace trace;      /* of the same schedule; without steps: it was not made */
    const char *on_schedule;    /* "holds", "violated", … */
    const char *in_exploration; /* "holds, all tried", "violated in run 7", … */
    const char *breaks;         /* the invariant, also another one; "": none */
    const char *shown;          /* a run that breaks the case's invariant, as text; "" */
    uint64_t runs;              /* of the exploration */
    bool exhausted, reduced;    /* as of the exploration (explore.h) */
    bool fails;                 /* in some run a client ended with 40001 or 40P01 */
};

void ob_cure_trial_init(struct ob_cure_trial *trial);
/* Of a cure that could not be put in place. */
void ob_cure_not_applied(struct ob_cure_trial *out, const char *why);

/* Tries the cure in a place of its scenario.  OB_INTERRUPTED: the user did not wait for it.  *out
 * is initialised, and the caller's. */
OB_MUSTCHECK enum ob_result ob_cure_try(const struct ob_cure_case *of, const struct ob_cure *cure,
                                        const struct ob_cure_place *place,
                                        struct ob_cure_trial *out, struct ob_error *err);
void ob_cure_trial_clear(struct ob_cure_trial *trial);

#endif
