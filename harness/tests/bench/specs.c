/*
 * specs.c - isolation specs: PostgreSQL's isolationtester, a process for each as its own driver has
 * it, against overbook with one worker and with two.
 *
 * Everybody has a server of the same settings and one fresh database for a pass; only the specs are
 * timed, from when the servers are there.  What isolationtester prints is thrown away, which its
 * driver would compare; what overbook prints is compared.
 */
#include "bench.h"
#include "peer.h"

#include "base/alloc.h"
#include "spec/place.h"
#include "spec/regress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSES 3
#define LIMIT_S 60 /* for a step: none comes near, but one that is wrong */
#define WORKERS_MAX 2

/* Those that spend their time waiting for locks. */
static const char *const wait_heavy[] = {
    "insert-conflict-specconflict",  "lock-update-delete",
    "tuplelock-upgrade-no-deadlock", "deadlock-soft-2",
    "eval-plan-qual-trigger",
};
#define WAIT_HEAVY_COUNT (sizeof wait_heavy / sizeof *wait_heavy)

struct passes {
    char *specs, *expected; /* folders; owned */
    char *tester;           /* isolationtester, or NULL; owned */
    double peer_s, ours_s[WORKERS_MAX];
    double peer_heavy_s, ours_heavy_s; /* one worker */
    size_t spec_count, heavy_count;
};

static bool is_wait_heavy(const char *name)
{
    for (size_t i = 0; i < WAIT_HEAVY_COUNT; i++)
        if (strcmp(wait_heavy[i], name) == 0)
            return true;
    return false;
}

/* PostgreSQL's own where they are, or else the project's. */
static void find_specs(struct passes *passes)
{
    const char *given = getenv("OVERBOOK_ISOLATION");
    const char *isolation = given ? given : "../shared/isolation";
    passes->specs = ob_asprintf("%s/specs", isolation);
    passes->expected = ob_asprintf("%s/expected", isolation);
    if (access(passes->specs, R_OK) == 0)
        return;
    free(passes->specs);
    free(passes->expected);
    passes->specs = ob_strdup("fixtures/specs");
    passes->expected = ob_strdup("fixtures/specs/expected");
}

/* --- overbook */

/* The result is to be cleared. */
static struct ob_regress run_ours(struct passes *passes, size_t workers)
{
    const struct ob_regress_options options = {
        .specs = passes->specs,
        .expected = passes->expected,
        .workers = workers,
        .worker = {.limit_s = LIMIT_S},
    };
    struct ob_regress regress;
    struct ob_error err;
    ob_bench_must(ob_regress_run(&options, &regress, &err), &err);
    if (regress.failed > 0) {
        fprintf(stderr, "overbook-bench: %zu specs printed something else\n", regress.failed);
        exit(3);
    }
    passes->ours_s[workers - 1] += (double)regress.us / 1e6;
    passes->spec_count = regress.test_count;
    passes->heavy_count = 0;
    for (size_t i = 0; i < regress.test_count; i++) {
        if (!is_wait_heavy(regress.tests[i].name))
            continue;
        passes->heavy_count++;
        passes->ours_heavy_s += workers == 1 ? (double)regress.tests[i].us / 1e6 : 0;
    }
    return regress;
}

/* --- isolationtester */

/* In the order of the names, as they are listed. */
static void run_peer(struct passes *passes, const struct ob_regress *listed)
{
    struct ob_spec_place *place;
    struct ob_error err;
    ob_bench_must(ob_spec_place_open(&place, &err), &err);
    for (size_t i = 0; i < listed->test_count; i++) {
        const struct ob_regress_test *test = &listed->tests[i];
        char *application = ob_asprintf("isolation/%s", test->name);
        setenv("PGAPPNAME", application, 1);
        double took = ob_peer_run(passes->tester, ob_spec_place_conninfo(place), test->spec);
        passes->peer_s += took;
        passes->peer_heavy_s += is_wait_heavy(test->name) ? took : 0;
        free(application);
    }
    unsetenv("PGAPPNAME");
    ob_spec_place_close(place);
}

/* --- both */

static void report(json_t *figures, const struct passes *passes)
{
    char name[96];
    double specs = (double)(passes->spec_count * PASSES);
    double heavy = (double)(passes->heavy_count * PASSES);
    double peer = passes->tester ? specs / passes->peer_s : 0;
    for (size_t workers = 1; workers <= WORKERS_MAX; workers++) {
        snprintf(name, sizeof name, "%zu specs against isolationtester, %zu worker%s",
                 passes->spec_count, workers, workers == 1 ? "" : "s");
        ob_bench_report(figures, name, "1/s", specs / passes->ours_s[workers - 1], peer);
    }
    if (passes->heavy_count == 0)
        return;
    snprintf(name, sizeof name, "the %zu that wait most, 1 worker", passes->heavy_count);
    ob_bench_report(figures, name, "1/s", heavy / passes->ours_heavy_s,
                    passes->tester ? heavy / passes->peer_heavy_s : 0);
}

void ob_bench_specs(json_t *figures)
{
    struct passes passes = {0};
    find_specs(&passes);
    passes.tester = ob_peer_find();
    ob_spec_place_conditions(NULL);
    for (int pass = 0; pass < PASSES; pass++) {
        struct ob_regress one = run_ours(&passes, 1);
        if (passes.tester)
            run_peer(&passes, &one);
        struct ob_regress two = run_ours(&passes, 2);
        ob_regress_clear(&one);
        ob_regress_clear(&two);
    }
    report(figures, &passes);
    free(passes.specs);
    free(passes.expected);
    free(passes.tester);
}
