/*
 * mutants.c - what the last "make mutants" found: how many wrong versions of the flow and of the
 * invariants were killed, and how many runs that took.
 */
#include "bench.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT "build/reports/mutants.json"

static int by_size(const void *a, const void *b)
{
    json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;
    return (x > y) - (x < y);
}

static bool is_text(const json_t *mutant, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(mutant, key));
    return value && strcmp(value, text) == 0;
}

/* Of one sort of mutants: killed, and of how many that are not equivalent. */
static void report_killed(json_t *figures, const json_t *mutants, const char *kind)
{
    size_t index, killed = 0, all = 0;
    json_t *mutant;
    json_array_foreach(mutants, index, mutant)
    {
        if (!is_text(mutant, "kind", kind) || json_object_get(mutant, "equivalent"))
            continue;
        all++;
        killed += is_text(mutant, "verdict", "killed") ? 1 : 0;
    }
    char name[64];
    snprintf(name, sizeof name, "mutants of the %s: killed, of all", kind);
    if (all > 0)
        ob_bench_report(figures, name, "mutants", (double)killed, (double)all);
}

static void report_runs(json_t *figures, const json_t *mutants)
{
    json_int_t *runs = ob_alloc((json_array_size(mutants) + 1) * sizeof *runs);
    size_t index, count = 0;
    json_t *mutant;
    json_array_foreach(mutants, index, mutant) if (is_text(mutant, "kind", "flow") &&
                                                   is_text(mutant, "verdict", "killed"))
        runs[count++] = json_integer_value(json_object_get(mutant, "runs"));
    qsort(runs, count, sizeof *runs, by_size);
    if (count > 0) {
        const json_int_t median = runs[count / 2];
        ob_bench_report(figures, "mutants of the flow: runs until killed, median", "runs",
                        (double)median, 0);
        ob_bench_report(figures, "mutants of the flow: runs until killed, worst", "runs",
                        (double)runs[count - 1], 0);
    }
    free(runs);
}

void ob_bench_mutants(json_t *figures)
{
    json_error_t error;
    json_t *result = json_load_file(RESULT, 0, &error);
    const json_t *mutants = json_object_get(result, "mutants");
    if (json_array_size(mutants) == 0) {
        printf("mutants: no %s; \"make mutants\" writes it\n", RESULT);
    } else {
        report_killed(figures, mutants, "flow");
        report_killed(figures, mutants, "invariants");
        report_runs(figures, mutants);
    }
    json_decref(result);
}
