/* The spec target: the sessions of a spec, explored, checked and replayed. */
#include "live.h"
#include "racing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define FOLDER "fixtures/scenarios/"

static struct ob_scenario *load_with(const char *path, const char *invariant)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    if (ob_scenario_load_spec(path, &invariant, invariant != NULL, &scenario, &err) != OB_OK)
        fail_msg("%s", err.message);
    return scenario;
}

static struct ob_scenario *load(const char *path)
{
    return load_with(path, NULL);
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
    struct ob_scenario *scenario = load(FOLDER "lost-update.spec");
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
    struct ob_scenario *scenario = load(FOLDER "lost-update.spec");
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
    struct ob_scenario *scenario = load(FOLDER "deadlock.spec");
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

static void locking_what_was_read_keeps_every_booking(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_scenario *scenario = load_with(
        FOLDER "row-lock.spec",
        "every-booking-counts: SELECT free FROM event WHERE free <> 10 - (SELECT count(*) FROM "
        "booking)");
    ob_racing_open(&racing, scenario, 0, NULL);
    explore(&racing, OB_STRATEGY_EXHAUSTIVE, false, UINT64_MAX, &found);
    assert_int_equal(found.finding_count, 0);
    assert_true(found.exhausted);
    ob_exploration_clear(&found);
    explore(&racing, OB_STRATEGY_PERMUTATIONS, false, UINT64_MAX, &found);
    assert_int_equal(found.runs, 2);
    assert_int_equal(found.passed_over, 0);
    ob_exploration_clear(&found);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

/* The run of a permutation, from 1. */
static void run_permutation(struct ob_racing *racing, uint64_t number)
{
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_PERMUTATIONS, 1, 2);
    ob_strategy_begin_with(strategy, &racing->rig->orders);
    for (uint64_t i = 0; i < number; i++)
        assert_true(ob_strategy_next(strategy, i));
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    ob_racing_run(racing, &chooser);
    ob_strategy_free(strategy);
}

/* What the run left in the log. */
static void assert_log(struct ob_racing *racing, uint64_t permutation, const char *expected)
{
    run_permutation(racing, permutation);
    assert_int_equal(racing->trace.schedule.program, permutation);
    ob_racing_expect(racing, "SELECT coalesce(string_agg(what, ' ' ORDER BY at), '') FROM log",
                     expected);
}

static void a_permutation_reorders_repeats_and_leaves_out(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_scenario *scenario = load(FOLDER "out-of-order.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    assert_log(&racing, 1, "b2 a1 b1 b1 a1");
    assert_int_equal(racing.trace.step_count, 5);
    assert_log(&racing, 2, "b2");
    assert_string_equal(ob_racing_text(&racing, false),
                        "  1 ann        query    BEGIN; SELECT * FROM seat FOR UPDATE;  -> 1 row\n"
                        "  2 ben        query    SELECT * FROM seat FOR UPDATE;  -> waits for ann\n"
                        "  3 ann        query    COMMIT;  -> 0 rows; ben goes on: 1 row\n"
                        "  4 ben        query    INSERT INTO log (what) VALUES ('b2');  -> 1 row\n"
                        "    end: finished\n");
    assert_log(&racing, 3, "b2");
    assert_int_equal(racing.trace.step_count, 1);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void what_a_permutation_cannot_do_is_not_made_up_for(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_scenario *scenario = load(FOLDER "out-of-order.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    assert_log(&racing, 4, "");
    assert_int_equal(racing.trace.end, OB_RUN_DIVERGED);
    assert_log(&racing, 5, "");
    assert_int_equal(racing.trace.end, OB_RUN_STUCK);
    explore(&racing, OB_STRATEGY_PERMUTATIONS, false, UINT64_MAX, &found);
    assert_int_equal(found.runs, 5);
    assert_int_equal(found.passed_over, 1);
    assert_string_equal(found.passed_over_why,
                        "in run 4 \"b2\" is due while \"ben\" is still in \"block\"");
    assert_int_equal(found.finding_count, 1); /* number 5 is stuck, as often as it is replayed */
    assert_int_equal(found.findings[0].schedule.program, 5);
    assert_int_equal(found.findings[0].replays_same, OB_REPLAYS);
    ob_exploration_clear(&found);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void a_file_without_permutations_has_all_orders(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_scenario *scenario = load_with("fixtures/specs/all-orders.spec",
                                             "b-before-a: SELECT 1 FROM log a, log b WHERE a.what "
                                             "= 'a1' AND b.what = 'b1' AND b.at < a.at");
    ob_racing_open(&racing, scenario, 0, NULL);
    explore(&racing, OB_STRATEGY_PERMUTATIONS, false, 4, &found);
    assert_int_equal(found.finding_count, 0);
    ob_exploration_clear(&found);
    explore(&racing, OB_STRATEGY_PERMUTATIONS, false, UINT64_MAX, &found);
    assert_int_equal(found.finding_count, 1);
    assert_int_equal(found.findings[0].replays_same, OB_REPLAYS);
    ob_exploration_clear(&found);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);

    scenario = load("fixtures/specs/all-orders.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    explore(&racing, OB_STRATEGY_PERMUTATIONS, false, UINT64_MAX, &found);
    assert_int_equal(found.runs, 12); /* 4! / 2!: a1 before a2 */
    assert_int_equal(found.classes, 12);
    ob_exploration_clear(&found);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

/* Nobody is left stuck in any schedule, and the one that closes the circle is the victim. */
static void assert_victims(const char *path, const char *last)
{
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_scenario *scenario = load(path);
    ob_racing_open(&racing, scenario, 0, NULL);
    explore(&racing, OB_STRATEGY_EXHAUSTIVE, false, UINT64_MAX, &found);
    assert_int_equal(found.finding_count, 0);
    assert_true(found.exhausted);
    ob_exploration_clear(&found);
    run_permutation(&racing, 1);
    assert_string_equal(ob_racing_events(&racing, "error"), "{\"sqlstate\":\"40P01\"}");
    assert_non_null(strstr(ob_racing_text(&racing, false), last));
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void a_step_that_ends_its_transaction_and_goes_on_can_be_the_victim(void **state)
{
    (void)state;
    assert_victims(FOLDER "crossing.spec",
                   "SET taken = 'ann';  -> error 40P01: deadlock detected\n");
}

static void a_deadlock_timeout_in_a_step_chooses_no_victim(void **state)
{
    (void)state;
    assert_victims(FOLDER "step-deadlock-timeout.spec",
                   "SET taken = 'ben' WHERE id = 1;  -> error 40P01: deadlock detected; ann goes "
                   "on: 1 row\n");
}

static void a_timeout_is_waited_for_where_its_session_is_due(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_scenario *scenario = load("fixtures/specs/lock-timeout.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    for (uint64_t i = 1; i <= 2; i++) {
        run_permutation(&racing, i);
        assert_int_equal(racing.trace.end, OB_RUN_FINISHED);
        assert_true(racing.trace.uncontrolled > 0);
        assert_non_null(strstr(ob_racing_events(&racing, "error"), "55P03"));
    }
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void a_session_s_setup_that_fails_is_an_error(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_exploration found;
    struct ob_error err;
    struct ob_scenario *scenario = load("fixtures/specs/session-setup-fails.spec");
    const struct ob_explore_options options = {
        .strategy = OB_STRATEGY_RANDOM, .runs_max = 10, .budget_us = INT64_MAX};
    ob_racing_open(&racing, scenario, 0, NULL);
    assert_int_equal(ob_explore(racing.rig, &options, &found, &err), OB_SQL);
    assert_string_equal(err.message, "the setup of session \"the second\" failed");
    assert_string_equal(err.detail, "relation \"no_such_room\" does not exist");
    assert_int_equal(found.runs, 0);
    ob_exploration_clear(&found);
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void names_are_any_text(void **state)
{
    (void)state;
    struct ob_racing racing;
    struct ob_scenario *scenario = load("fixtures/specs/quoted-names.spec");
    ob_racing_open(&racing, scenario, 0, NULL);
    run_permutation(&racing, 1);
    assert_int_equal(racing.trace.end, OB_RUN_FINISHED);
    assert_int_equal(racing.trace.step_count, 7);
    assert_non_null(strstr(ob_racing_text(&racing, false), "  7 naïve$1"));
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_update_is_found_and_replayed_under_every_strategy),
        cmocka_unit_test(the_isolation_of_the_variant_is_that_of_its_transactions),
        cmocka_unit_test(a_deadlock_timeout_of_a_session_s_own_chooses_no_victim),
        cmocka_unit_test(locking_what_was_read_keeps_every_booking),
        cmocka_unit_test(a_permutation_reorders_repeats_and_leaves_out),
        cmocka_unit_test(what_a_permutation_cannot_do_is_not_made_up_for),
        cmocka_unit_test(a_file_without_permutations_has_all_orders),
        cmocka_unit_test(a_step_that_ends_its_transaction_and_goes_on_can_be_the_victim),
        cmocka_unit_test(a_deadlock_timeout_in_a_step_chooses_no_victim),
        cmocka_unit_test(a_timeout_is_waited_for_where_its_session_is_due),
        cmocka_unit_test(a_session_s_setup_that_fails_is_an_error),
        cmocka_unit_test(names_are_any_text),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
