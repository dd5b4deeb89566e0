/* The same schedule gives the same trace, byte for byte: random schedules of every built-in
 * scenario, each replayed twice. */
#include "live.h"
#include "racing.h"

#include "base/alloc.h"
#include "explore/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define SCHEDULES 300
#define REPLAYS 2
#define SEED 2026

struct counts {
    size_t schedules, replays, identical, uncontrolled, uncontrolled_identical;
};

/* Replays the run that was just made. */
static void replay_twice(struct ob_racing *racing, struct counts *counts)
{
    struct ob_schedule schedule = {0};
    ob_schedule_copy(&schedule, &racing->trace.schedule);
    char *recorded = ob_strdup(ob_racing_text(racing, true));
    uint64_t digest = ob_trace_digest(&racing->trace), outcome = racing->outcome.outcome;
    bool uncontrolled = racing->trace.uncontrolled > 0;
    counts->schedules++;
    counts->uncontrolled += uncontrolled;
    for (int i = 0; i < REPLAYS; i++) {
        struct ob_follower follower = {.schedule = &schedule};
        struct ob_chooser chooser = ob_follower_chooser(&follower);
        ob_racing_run(racing, &chooser);
        bool identical = strcmp(ob_racing_text(racing, true), recorded) == 0 &&
                         ob_trace_digest(&racing->trace) == digest &&
                         racing->outcome.outcome == outcome;
        if (!identical && !uncontrolled)
            fail_msg("%s, %s: a replay differs\nrecorded:\n%s\nreplayed:\n%s",
                     racing->scenario->name, racing->scenario->variants[racing->variant].name,
                     recorded, ob_racing_text(racing, true));
        counts->replays++;
        counts->identical += identical;
        counts->uncontrolled_identical += identical && uncontrolled;
    }
    free(recorded);
    ob_schedule_clear(&schedule);
}

static void race(const struct ob_scenario *scenario, size_t variant, uint64_t runs,
                 struct counts *counts)
{
    struct ob_racing racing;
    ob_racing_open(&racing, scenario, variant, NULL);
    struct ob_strategy *strategy =
        ob_strategy_new(OB_STRATEGY_RANDOM, SEED, racing.rig->spec.client_count);
    for (uint64_t run = 0; run < runs; run++) {
        assert_true(ob_strategy_next(strategy, run));
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        ob_racing_run(&racing, &chooser);
        assert_int_equal(racing.trace.end, OB_RUN_FINISHED);
        replay_twice(&racing, counts);
    }
    ob_strategy_free(strategy);
    ob_racing_close(&racing);
}

static void replays_are_identical_to_the_byte(void **state)
{
    (void)state;
    struct ob_scenario_list list;
    struct counts counts = {0};
    ob_racing_builtin(&list);
    size_t variants = 0, seen = 0;
    for (size_t i = 0; i < list.count; i++)
        variants += list.items[i]->variant_count;
    uint64_t total = ob_racing_part(SCHEDULES);
    for (size_t i = 0; i < list.count; i++) {
        for (size_t v = 0; v < list.items[i]->variant_count; v++, seen++) {
            uint64_t runs = total * (seen + 1) / variants - total * seen / variants;
            if (runs > 0)
                race(list.items[i], v, runs, &counts);
        }
    }
    print_message("figure: %zu schedules, %zu replays, %zu identical, %zu schedules with an "
                  "uncontrolled wake (%zu of their replays identical)\n",
                  counts.schedules, counts.replays, counts.identical, counts.uncontrolled,
                  counts.uncontrolled_identical);
    assert_int_equal(counts.schedules, total);
    assert_int_equal(counts.replays - counts.identical,
                     REPLAYS * counts.uncontrolled - counts.uncontrolled_identical);
    assert_true(counts.uncontrolled < counts.schedules / 2);
    ob_scenario_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_are_identical_to_the_byte),
    };
    return cmocka_run_group_tests_name("determinism", tests, ob_live_start, ob_live_stop);
}
