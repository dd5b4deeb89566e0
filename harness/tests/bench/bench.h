/*
 * bench.h - what the benchmarks share.
 */
#ifndef OB_BENCH_BENCH_H
#define OB_BENCH_BENCH_H

#include "base/error.h"

#include <jansson.h>

/* Ends the process with the error, if there is one. */
void ob_bench_must(enum ob_result result, const struct ob_error *err);

double ob_bench_seconds(void); /* of a clock that only goes forward */

/* One figure; against and its ratio are left out of the table when against is 0. */
void ob_bench_report(json_t *figures, const char *name, const char *unit, double ours,
                     double against);

#define OB_BENCH_DIR "harness/tests/bench/"

/* Permutations of one spec a second, by isolationtester and by us, where nobody waits and where
 * two do. */
void ob_bench_orders(json_t *figures);

/* Runs of dpor and of exhaustive for the known programs. */
void ob_bench_reduction(json_t *figures);

/* Isolation specs, a folder of them, by isolationtester and by us.  Afterwards the process's
 * environment is that of specs. */
void ob_bench_specs(json_t *figures);

/* Two workers against one on a family of the built-in set; the time of all of it, with --quick too.
 */
void ob_bench_jobs(json_t *figures);

/* Transactions of pgbench, whose session has the probe, unused, or has not. */
void ob_bench_probe(json_t *figures);

/* How many runs each strategy needs until the first violation, for every built-in variant that is
 * expected to break. */
void ob_bench_first(json_t *figures);

/* Mutants killed of all, and after how many runs, as "make mutants" found. */
void ob_bench_mutants(json_t *figures);

#endif
