/*
 * bench.c - what a run costs, printed as a table and written as JSON.
 *
 *   overbook-bench [FILE.json [PART…]]
 *
 * The parts are flow, memory, orders, reduction, probe, jobs, first, specs and mutants.
 *
 * Ours and what it is compared with are measured alternately in one process, so that a busy machine
 * is busy for both; only ratios of one call mean anything.
 */
#include "bench.h"
#include "floor.h"
#include "subject.h"

#include "base/alloc.h"
#include "cli/database.h"
#include "explore/strategy.h"
#include "target/target.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define ROUNDS 300
#define MEMORY_RUNS 100000
#define MEMORY_FIRST 2000

void ob_bench_must(enum ob_result result, const struct ob_error *err)
{
    if (result == OB_OK)
        return;
    fprintf(stderr, "overbook-bench: %s\n  %s\n", err->message, err->detail);
    exit(3);
}

double ob_bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void ob_bench_report(json_t *figures, const char *name, const char *unit, double ours,
                     double against)
{
    double ratio = against > 0 ? ours / against : 0;
    if (against > 0)
        printf("%-55s %10.2f %10.2f %7.2f  %s\n", name, ours, against, ratio, unit);
    else
        printf("%-55s %10.2f %10s %7s  %s\n", name, ours, "", "", unit);
    json_array_append_new(figures,
                          json_pack("{s:s, s:s, s:f, s:o, s:o}", "name", name, "unit", unit, "ours",
                                    ours, "against", against > 0 ? json_real(against) : json_null(),
                                    "ratio", against > 0 ? json_real(ratio) : json_null()));
}

static void connect_floor(const struct ob_subject *subject, PGconn **conns)
{
    for (size_t i = 0; i < subject->rig->spec.client_count; i++) {
        const char *const keywords[] = {"dbname", "options", NULL};
        const char *const values[] = {subject->conninfo,
                                      "-c search_path=public -c timezone=UTC -c enable_seqscan=off"
                                      " -c enable_bitmapscan=off",
                                      NULL};
        conns[i] = PQconnectdbParams(keywords, values, 1);
        if (PQstatus(conns[i]) != CONNECTION_OK) {
            fprintf(stderr, "overbook-bench: %s\n", PQerrorMessage(conns[i]));
            exit(3);
        }
    }
}

static bool several_wait(const struct ob_trace *trace)
{
    for (size_t i = 0; i < trace->step_count; i++)
        if (trace->steps[i].blocked & (trace->steps[i].blocked - 1))
            return true;
    return false;
}

/* Where two clients wait at once the floor, which does not look whether the first one waits already
 * before it sends the second's statement, may see them served in the other order.  Such schedules
 * are drawn, but not compared. */
static void bench_flow(json_t *figures, struct ob_server *server, const char *file,
                       const char *clients)
{
    struct ob_subject subject;
    struct ob_trace trace;
    struct ob_error err;
    PGconn *conns[OB_CLIENTS_MAX] = {0};
    double ours = 0, floor_time = 0, checked = 0;
    uint64_t steps = 0, waits = 0, compared = 0, drawn = 0;
    ob_subject_open(&subject, server, file);
    connect_floor(&subject, conns);
    ob_trace_init(&trace);
    struct ob_strategy *strategy =
        ob_strategy_new(OB_STRATEGY_RANDOM, 1, subject.rig->spec.client_count);
    while (compared < ROUNDS) {
        double started = ob_bench_seconds();
        (void)ob_subject_run(&subject, strategy, drawn++, &trace);
        if (several_wait(&trace))
            continue;
        ours += ob_bench_seconds() - started;
        compared++;
        steps += trace.step_count;
        for (size_t k = 0; k < trace.step_count; k++)
            waits += trace.steps[k].holders != 0;
        struct ob_floor floor = {0};
        ob_floor_record(&floor, &trace);
        started = ob_bench_seconds();
        ob_bench_must(subject.rig->reset(subject.rig->self, &err), &err);
        ob_floor_run(&floor, conns);
        floor_time += ob_bench_seconds() - started;
        ob_floor_clear(&floor);
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        struct ob_run_outcome outcome;
        started = ob_bench_seconds();
        ob_bench_must(ob_rig_run(subject.rig, &chooser, false, &trace, &outcome, &err), &err);
        checked += ob_bench_seconds() - started;
    }
    char name[96];
    snprintf(name, sizeof name, "full flow, %s clients: a run against the floor", clients);
    ob_bench_report(figures, name, "ms", ours / ROUNDS * 1e3, floor_time / ROUNDS * 1e3);
    snprintf(name, sizeof name, "full flow, %s clients: schedules", clients);
    ob_bench_report(figures, name, "1/s", ROUNDS / ours, 0);
    snprintf(name, sizeof name, "full flow, %s clients: steps", clients);
    ob_bench_report(figures, name, "1/s", (double)steps / ours, 0);
    snprintf(name, sizeof name, "full flow, %s clients: steps a run", clients);
    ob_bench_report(figures, name, "steps", (double)steps / ROUNDS, 0);
    snprintf(name, sizeof name, "full flow, %s clients: lock waits a run", clients);
    ob_bench_report(figures, name, "waits", (double)waits / ROUNDS, 0);
    snprintf(name, sizeof name, "full flow, %s clients: schedules drawn, and compared", clients);
    ob_bench_report(figures, name, "runs", (double)drawn, (double)compared);
    snprintf(name, sizeof name, "full flow, %s clients: with check and digest", clients);
    ob_bench_report(figures, name, "ms", checked / ROUNDS * 1e3, ours / ROUNDS * 1e3);
    ob_strategy_free(strategy);
    ob_trace_clear(&trace);
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        PQfinish(conns[i]);
    ob_subject_close(&subject);
}

static double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static void bench_memory(json_t *figures, struct ob_server *server)
{
    struct ob_subject subject;
    struct ob_trace trace;
    ob_subject_open(&subject, server, OB_BENCH_DIR "memory.yaml");
    ob_trace_init(&trace);
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_RANDOM, 1, 2);
    double first = 0, started = ob_bench_seconds();
    for (uint64_t i = 0; i < MEMORY_RUNS; i++) {
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        struct ob_run_outcome outcome;
        struct ob_error err;
        (void)ob_strategy_next(strategy, i);
        ob_bench_must(ob_rig_run(subject.rig, &chooser, false, &trace, &outcome, &err), &err);
        if (i == MEMORY_FIRST)
            first = peak_mib();
    }
    ob_bench_report(figures, "peak memory after 100,000 runs, and after 2,000", "MiB", peak_mib(),
                    first);
    ob_bench_report(figures, "short runs of two clients, check and digest", "1/s",
                    MEMORY_RUNS / (ob_bench_seconds() - started), 0);
    ob_strategy_free(strategy);
    ob_trace_clear(&trace);
    ob_subject_close(&subject);
}

/* Whether a part is asked for, as all are when none is named. */
static bool is_wanted(int argc, char **argv, const char *part)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], part) == 0)
            return true;
    return argc <= 2;
}

static void bench_runs(json_t *figures, bool flow, bool memory)
{
    const struct ob_options options = {0};
    struct ob_server *server = NULL;
    struct ob_error err;
    ob_bench_must(ob_server_open(&options, &server, &err), &err);
    if (flow) {
        bench_flow(figures, server, OB_BENCH_DIR "flow-2.yaml", "two");
        bench_flow(figures, server, OB_BENCH_DIR "flow-3.yaml", "three");
    }
    if (memory)
        bench_memory(figures, server);
    ob_server_close(server);
}

int main(int argc, char **argv)
{
    json_t *figures = json_array();
    bool flow = is_wanted(argc, argv, "flow"), memory = is_wanted(argc, argv, "memory");
    setvbuf(stdout, NULL, _IOLBF, 0); /* it takes a while: each figure as soon as it is there */
    printf("%-55s %10s %10s %7s\n", "", "ours", "against", "ratio");
    if (flow || memory)
        bench_runs(figures, flow, memory);
    if (is_wanted(argc, argv, "orders"))
        ob_bench_orders(figures);
    if (is_wanted(argc, argv, "reduction"))
        ob_bench_reduction(figures);
    if (is_wanted(argc, argv, "probe"))
        ob_bench_probe(figures);
    if (is_wanted(argc, argv, "jobs"))
        ob_bench_jobs(figures);
    if (is_wanted(argc, argv, "first"))
        ob_bench_first(figures);
    if (is_wanted(argc, argv, "specs"))
        ob_bench_specs(figures);
    if (is_wanted(argc, argv, "mutants"))
        ob_bench_mutants(figures);
    int failed = argc > 1 && json_dump_file(figures, argv[1], JSON_INDENT(2)) != 0;
    if (failed)
        fprintf(stderr, "overbook-bench: could not write \"%s\"\n", argv[1]);
    json_decref(figures);
    return failed ? 3 : 0;
}
