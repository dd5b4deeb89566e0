/*
 * reduction.c - the known programs on a live server: the runs that dpor makes of them against all
 * schedules, which end in the same ways.
 */
#include "bench.h"

#include "base/alloc.h"
#include "tests/integration/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CLIENTS 2

static struct ob_golden_count search(const struct ob_golden *golden, struct ob_live *live,
                                     enum ob_strategy_kind kind)
{
    struct ob_golden_place place = ob_live_golden_place(live);
    struct ob_strategy *strategy = ob_strategy_new(kind, 1, CLIENTS);
    struct ob_golden_count count;
    ob_bench_must(ob_golden_search(golden, CLIENTS, &place, strategy, &count, &live->err),
                  &live->err);
    ob_strategy_free(strategy);
    return count;
}

void ob_bench_reduction(json_t *figures)
{
    void *state = NULL;
    (void)ob_live_start(&state);
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        const struct ob_golden *golden = &ob_goldens[i];
        struct ob_live live;
        char name[96], *tables = ob_asprintf("%s%s", ob_golden_schema, golden->rows);
        ob_live_open(&live, tables, NULL);
        struct ob_golden_count reduced = search(golden, &live, OB_STRATEGY_DPOR);
        struct ob_golden_count all = search(golden, &live, OB_STRATEGY_EXHAUSTIVE);
        if (reduced.outcomes != all.outcomes) {
            fprintf(stderr, "overbook-bench: %s: dpor found %" PRIu64 " of %" PRIu64 " outcomes\n",
                    golden->name, reduced.outcomes, all.outcomes);
            exit(3);
        }
        snprintf(name, sizeof name, "dpor against exhaustive, %s: %" PRIu64 " outcomes",
                 golden->name, all.outcomes);
        ob_bench_report(figures, name, "runs", (double)reduced.schedules, (double)all.schedules);
        ob_live_close(&live);
        free(tables);
    }
    (void)ob_live_stop(&state);
}
