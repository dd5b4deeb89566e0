/* The spec target: the sessions of a spec, explored, checked and replayed. */
#include "live.h"
#include "racing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct ob_scenario *load(const char *path)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    if (ob_scenario_load(path, &scenario, &err) != OB_OK)
        fail_msg("%s", err.message);
    return scenario;
}

static void explore(struct ob_racing *racing, enum ob_strategy_kind strategy, bool orders_first,
                    uint64_t runs, struct ob_exploration *out)
{
    struct ob_error err;
    const struct ob_explore_options options = {.strategy = strategy,
                                               .seed = 1,
                                               .runs_max = runs,
                                               .budget_us = INT64_MAX,
                                               .orders_first = orders_first};
    if (ob_explore(racing->rig, &options, out, &err) != OB_OK)
        fail_msg("%s: %s", err.message, err.detail);
    assert_int_equal(out->inconclusive, OB_RUN_FINISHED);
}

/* Found, and the same in each replay. */
static void assert_found(struct ob_racing *racing, enum ob_strategy_kind strategy,
                         bool orders_first, uint64_t run)
{
    struct ob_exploration found;
    explore(racing, strategy, orders_first, 100, &found);
    assert_int_equal(found.finding_count, 1);
    assert_int_equal(found.findings[0].replays, OB_REPLAYS);
    assert_int_equal(found.findings[0].replays_same, OB_REPLAYS);
    assert_false(found.exhausted);
    if (run > 0)
        assert_int_equal(found.findings[0].run, run);
    ob_exploration_clear(&found);
}

static void a_lost_update_is_found_and_replayed_under_every_strategy(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_scenario *scenario = load("fixtures/scenarios/lost-update.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    assert_found(&racing, OB_STRATEGY_RANDOM, false, 0);
    assert_found(&racing, OB_STRATEGY_EXHAUSTIVE, false, 0);
    assert_found(&racing, OB_STRATEGY_PERMUTATIONS, false, 2);
    assert_found(&racing, OB_STRATEGY_RANDOM, true, 2);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void the_isolation_of_the_variant_is_that_of_its_transactions(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_scenario *scenario = load("fixtures/scenarios/lost-update.spec");
    ob_racing_open(&racing, scenario, 1, NULL);
    explore(&racing, OB_STRATEGY_EXHAUSTIVE, false, UINT64_MAX, &found);
    assert_int_equal(found.finding_count, 0);
    assert_true(found.exhausted);
    ob_exploration_clear(&found);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void a_deadlock_timeout_of_a_session_s_own_chooses_no_victim(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_scenario *scenario = load("fixtures/scenarios/deadlock.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    explore(&racing, OB_STRATEGY_EXHAUSTIVE, false, UINT64_MAX, &found);
    assert_int_equal(found.finding_count, 0);
    assert_true(found.exhausted);
    ob_exploration_clear(&found);
    explore(&racing, OB_STRATEGY_PERMUTATIONS, false, UINT64_MAX, &found);
    assert_int_equal(found.runs, 1);
    ob_exploration_clear(&found);
    /* Whoever closes the circle is the victim, every time. */
    ob_racing_follow(&racing, "0101", NULL, 0);
    assert_string_equal(ob_racing_events(&racing, "error"), "{\"sqlstate\":\"40P01\"}");
    assert_non_null(strstr(ob_racing_text(&racing, false), "4 ben"));
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_update_is_found_and_replayed_under_every_strategy),
        cmocka_unit_test(the_isolation_of_the_variant_is_that_of_its_transactions),
        cmocka_unit_test(a_deadlock_timeout_of_a_session_s_own_chooses_no_victim),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
