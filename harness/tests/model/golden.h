/*
 * golden.h - small programs whose numbers of schedules and of outcomes are known, as text for the
 * model and as SQL, to be exhausted on either.
 */
#ifndef OB_TESTS_GOLDEN_H
#define OB_TESTS_GOLDEN_H

#include "engine/run.h"
#include "explore/strategy.h"

struct ob_golden_step {
    enum ob_op_kind kind;
    bool
        if_none; /* only when the client's last reading found no row; otherwise a step of its own */
    /* "@" stands for the client's number, "~" for the other's, "^" for the number last read plus
     * one. */
    const char *model, *sql;
};

#define OB_GOLDEN_STEPS_MAX 6

struct ob_golden {
    const char *name;
    const char *row;  /* of the model, with the number 10; "" for none */
    const char *rows; /* SQL that fills the tables */
    struct ob_golden_step steps[OB_GOLDEN_STEPS_MAX];
    size_t step_count;
    /* Of two and of three clients; 0: not known.  Reduced: the runs that dpor makes of them
     * on the model, which tells of each row. */
    uint64_t schedules[2], outcomes[2], reduced[2];
};

enum {
    OB_GOLDEN_CHECK_THEN_INSERT,
    OB_GOLDEN_UNIQUE_SLOT,
    OB_GOLDEN_LOST_UPDATE,
    OB_GOLDEN_FOR_UPDATE,
    OB_GOLDEN_DEADLOCK,
    OB_GOLDEN_DISJOINT,
    OB_GOLDEN_COUNT
};

extern const struct ob_golden ob_goldens[OB_GOLDEN_COUNT];

/* The tables that all of them use. */
extern const char ob_golden_schema[];

/* Where a program runs. */
struct ob_golden_place {
    struct ob_engine *engine;
    void *self;
    bool sql;
    enum ob_result (*reset)(void *self, struct ob_error *err);
    enum ob_result (*digest)(void *self, uint64_t *out, struct ob_error *err);
    int64_t (*value)(const void *native); /* a result's first number */
    void (*free_result)(void *native);
};

struct ob_golden_count {
    uint64_t schedules, outcomes;
    uint64_t cut_short;    /* runs that a reduction ended early; not among the schedules */
    uint64_t uncontrolled; /* runs with a wake that the server chose */
};

/* One run of client_count clients; the outcome is the digest of the final rows and of all that the
 * clients were told. */
OB_MUSTCHECK enum ob_result ob_golden_run(const struct ob_golden *golden, size_t client_count,
                                          const struct ob_golden_place *place,
                                          struct ob_chooser chooser, struct ob_trace *trace,
                                          uint64_t *outcome, struct ob_error *err);

/* All runs of a strategy that ends by itself. */
OB_MUSTCHECK enum ob_result ob_golden_search(const struct ob_golden *golden, size_t client_count,
                                             const struct ob_golden_place *place,
                                             struct ob_strategy *strategy,
                                             struct ob_golden_count *out, struct ob_error *err);

/* Every schedule of them. */
OB_MUSTCHECK enum ob_result ob_golden_exhaust(const struct ob_golden *golden, size_t client_count,
                                              const struct ob_golden_place *place,
                                              struct ob_golden_count *out, struct ob_error *err);

#endif
