/* A crowd: 32 clients of 50 steps each, that wait for each other's rows, under the strategies that
 * draw by lot. */
#include "live.h"
#include "racing.h"

#include "base/alloc.h"
#include "explore/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 32
#define ROUNDS 10 /* of five steps */
#define SLOTS 8

/* The caller's to free. */
static char *crowd(void)
{
    struct ob_buf text;
    ob_buf_init(&text, 1 << 20);
    ob_buf_puts(&text, "name: crowd\nabout: Many book.\ntarget: sql\nsetup: |\n"
                       "  CREATE TABLE slot (id int PRIMARY KEY, taken int NOT NULL DEFAULT 0);\n"
                       "  CREATE TABLE booking (slot int NOT NULL REFERENCES slot, who text);\n"
                       "  INSERT INTO slot SELECT generate_series(1, 8);\nclients:\n");
    for (int i = 0; i < CLIENTS; i++) {
        ob_buf_printf(&text, "  - name: c%d\n    steps:\n", i);
        for (int round = 0; round < ROUNDS; round++)
            ob_buf_printf(&text,
                          "      - begin\n"
                          "      - sql: SELECT taken FROM slot WHERE id = %d\n"
                          "      - sql: UPDATE slot SET taken = taken + 1 WHERE id = %d\n"
                          "      - sql: \"INSERT INTO booking VALUES (%d, :client)\"\n"
                          "      - commit\n",
                          1 + (i + round) % SLOTS, 1 + (i + round) % SLOTS, 1 + i % SLOTS);
    }
    ob_buf_puts(&text, "invariants: [{name: none, sql: SELECT 1 WHERE false}]\nexpect: holds\n");
    return ob_buf_take(&text);
}

static void replay(struct ob_racing *racing)
{
    struct ob_schedule schedule = {0};
    ob_schedule_copy(&schedule, &racing->trace.schedule);
    uint64_t digest = ob_trace_digest(&racing->trace);
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    ob_racing_run(racing, &chooser);
    assert_true(ob_trace_digest(&racing->trace) == digest);
    ob_schedule_clear(&schedule);
}

static void race(struct ob_racing *racing, enum ob_strategy_kind kind, unsigned argument,
                 uint64_t runs)
{
    char name[OB_STRATEGY_NAME_SIZE];
    struct ob_strategy *strategy = ob_strategy_new(kind, 1, CLIENTS);
    ob_strategy_set_argument(strategy, argument);
    ob_strategy_name(kind, argument, name);
    size_t waits = 0;
    for (uint64_t run = 0; run < runs; run++) {
        assert_true(ob_strategy_next(strategy, run));
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        ob_racing_run(racing, &chooser);
        ob_strategy_learn(strategy, &racing->trace);
        assert_int_equal(racing->trace.end, OB_RUN_FINISHED);
        assert_int_equal(racing->trace.uncontrolled, 0);
        assert_true(racing->trace.step_count == (size_t)CLIENTS * ROUNDS * 5);
        for (size_t i = 0; i < racing->trace.step_count; i++)
            waits += racing->trace.steps[i].holders != 0;
    }
    print_message("figure: %s: %" PRIu64 " runs of %d clients with 50 steps each, %zu waits\n",
                  name, runs, CLIENTS, waits);
    assert_true(waits > 0 || kind == OB_STRATEGY_PCT); /* which seldom changes its mind */
    replay(racing);
    ob_strategy_free(strategy);
}

static void a_crowd_is_raced_like_any_other(void **state)
{
    (void)state;
    char *text = crowd();
    struct ob_scenario *scenario = ob_racing_parse(text);
    struct ob_racing racing;
    ob_racing_open(&racing, scenario, 0, NULL);
    race(&racing, OB_STRATEGY_RANDOM, 0, 2);
    race(&racing, OB_STRATEGY_PCT, 3, 2);
    race(&racing, OB_STRATEGY_POS, 0, 2);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_is_raced_like_any_other),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
