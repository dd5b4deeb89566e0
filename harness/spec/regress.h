/*
 * regress.h - a folder of specs, each compared with its expected output.
 */
#ifndef OB_SPEC_REGRESS_H
#define OB_SPEC_REGRESS_H

#include "base/error.h"
#include "spec/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ob_regress_test {
    char *name;     /* owned, like the other texts */
    char *spec;     /* path */
    char *expected; /* path of the output that was met; of the first one when none was */
    bool done, passed;
    int64_t us;
    char *output; /* NULL when it passed */
    size_t output_size;
};

struct ob_regress {
    struct ob_regress_test *tests; /* by name */
    size_t test_count;
    size_t passed, failed;
    int64_t us; /* from when all workers were ready until the last report */
};

struct ob_regress_options {
    const char *specs, *expected; /* folders */
    size_t workers;
    struct ob_spec_worker_options worker;
    /* A test is done, and all those before it.  May be NULL. */
    void (*done)(void *arg, const struct ob_regress_test *test);
    /* Whether to stop before the next one.  May be NULL. */
    bool (*stopped)(void);
    void *arg;
};

/* Finds NAME.spec in the one folder and NAME.out, NAME_0.out … NAME_9.out in the other, any of
 * which may be met, and plays all.  OB_INPUT: a folder that cannot be read or has no spec, or a
 * spec without an expected output.  *out is to be cleared in any case. */
OB_MUSTCHECK enum ob_result ob_regress_run(const struct ob_regress_options *options,
                                           struct ob_regress *out, struct ob_error *err);
void ob_regress_clear(struct ob_regress *regress);

#endif
