/*
 * orders.c - one program of three clients who book, as an isolation spec: all its permutations by
 * isolationtester and by us, alternately, on one server.
 *
 * isolationtester makes and drops the tables around each permutation; ours are put back.
 */
#include "bench.h"
#include "peer.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>

#define PASSES 4

struct passes {
    uint64_t count; /* permutations, of all passes */
    double ours_s, peer_s;
};

static void run_ours(struct ob_server *server, const char *spec, struct passes *passes)
{
    struct ob_subject subject;
    struct ob_trace trace;
    ob_subject_open(&subject, server, spec);
    ob_trace_init(&trace);
    struct ob_strategy *strategy =
        ob_strategy_new(OB_STRATEGY_PERMUTATIONS, 1, subject.rig->spec.client_count);
    ob_strategy_begin_with(strategy, &subject.rig->orders);
    double began = ob_bench_seconds();
    for (uint64_t run = 0; ob_subject_run(&subject, strategy, run, &trace); run++)
        passes->count++;
    passes->ours_s += ob_bench_seconds() - began;
    ob_strategy_free(strategy);
    ob_trace_clear(&trace);
    ob_subject_close(&subject);
}

static void run_peer(struct ob_server *server, const char *tester, const char *spec,
                     struct passes *passes)
{
    struct ob_error err;
    char *conninfo;
    ob_bench_must(ob_server_create_database(server, NULL, &conninfo, &err), &err);
    passes->peer_s += ob_peer_run(tester, conninfo, spec);
    ob_bench_must(ob_server_drop_database(server, OB_OK, &err), &err);
    free(conninfo);
}

static void bench_spec(json_t *figures, struct ob_server *server, const char *tester,
                       const char *spec, const char *name)
{
    struct passes passes = {0};
    for (int pass = 0; pass < PASSES; pass++) {
        run_ours(server, spec, &passes);
        if (tester)
            run_peer(server, tester, spec, &passes);
    }
    ob_bench_report(figures, name, "1/s", (double)passes.count / passes.ours_s,
                    tester ? (double)passes.count / passes.peer_s : 0);
}

void ob_bench_orders(json_t *figures)
{
    const struct ob_options options = {0};
    struct ob_server *server = NULL;
    struct ob_error err;
    char *tester = ob_peer_find();
    ob_bench_must(ob_server_open(&options, &server, &err), &err);
    bench_spec(figures, server, tester, OB_BENCH_DIR "free.spec",
               "permutations of three who book, nobody waits");
    bench_spec(figures, server, tester, OB_BENCH_DIR "waiting.spec",
               "permutations of three who book, two wait");
    ob_server_close(server);
    free(tester);
}
