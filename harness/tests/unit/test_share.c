/* How much of a search is done, on programs whose numbers of schedules are known. */
#include "explore/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "explore/strategy.h"
#include "tests/model/golden_model.h"
#include "tests/model/programs.h"

#define LARGE 1000

static void parts_of_a_path_sum_up(void **state)
{
    (void)state;
    struct ob_share share = ob_share_begin();
    ob_share_choice(&share, 0, 2);
    ob_share_choice(&share, 1, 4);
    assert_true(ob_share_end(&share) == 1.0 / 8 + 1.0 / 8);
    ob_share_choice(&share, 2, 3);
    assert_true(fabs(ob_share_end(&share) - (1.0 / 8 + 3.0 / 24)) < 1e-12);
}

/* Of two clients with two steps: 0011 is one of 2 * 2 * 1 * 1, 0101 one of 2 * 2 * 2 * 1. */
static void the_first_runs_estimate_what_can_be_told_by_hand(void **state)
{
    (void)state;
    static const struct ob_programs programs = {2, {2, 2}, 0, 0, NULL};
    static const double shares[] = {1.0 / 4, 3.0 / 8, 1.0 / 2, 5.0 / 8, 3.0 / 4, 1};
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_EXHAUSTIVE, 0, 2);
    uint64_t run = 0;
    for (; ob_strategy_next(strategy, run); run++) {
        struct ob_choices choices;
        ob_programs_explore(&programs, strategy, &choices);
        assert_true(run < 6);
        assert_true(ob_strategy_share(strategy) == shares[run]);
        assert_true(ob_strategy_estimate(strategy, run + 1) == (double)(run + 1) / shares[run]);
    }
    assert_int_equal(run, 6);
    assert_true(ob_strategy_share(strategy) == 1);
    ob_strategy_free(strategy);
}

/* After the last run, and before the strategy itself knows that it was, the estimate must be the
 * count; and the count that is known, where one is. */
static void estimate_all(const struct ob_golden *golden, size_t clients, enum ob_strategy_kind kind,
                         uint64_t known)
{
    struct ob_golden_model model;
    struct ob_trace trace;
    struct ob_error err;
    double share = 0, estimate = 0;
    uint64_t run = 0;
    ob_golden_model_open(&model, golden, 0);
    ob_trace_init(&trace);
    struct ob_strategy *strategy = ob_strategy_new(kind, 0, clients);
    if (kind == OB_STRATEGY_BOUNDED)
        ob_strategy_set_argument(strategy, LARGE);
    for (; ob_strategy_next(strategy, run); run++) {
        uint64_t outcome;
        assert_true(share < 1);
        assert_int_equal(ob_golden_run(golden, clients, &model.place, ob_strategy_chooser(strategy),
                                       &trace, &outcome, &err),
                         OB_OK);
        ob_strategy_learn(strategy, &trace);
        double now = ob_strategy_share(strategy);
        assert_true(now > 0 && now <= 1);
        if (kind == OB_STRATEGY_EXHAUSTIVE)
            assert_true(now > share);
        share = now;
        estimate = ob_strategy_estimate(strategy, run + 1);
    }
    if (known > 0)
        assert_int_equal(run, known);
    assert_true(fabs(estimate - (double)run) < 1e-3);
    assert_true(ob_strategy_estimate(strategy, run) == (double)run);
    ob_strategy_free(strategy);
    ob_trace_clear(&trace);
    assert_int_equal(ob_golden_model_close(&model), 0);
}

static void of_the_whole_tree_the_estimate_is_the_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        const struct ob_golden *golden = &ob_goldens[i];
        estimate_all(golden, 2, OB_STRATEGY_EXHAUSTIVE, golden->schedules[0]);
        estimate_all(golden, 2, OB_STRATEGY_BOUNDED, golden->schedules[0]);
        estimate_all(golden, 2, OB_STRATEGY_DPOR, 0);
    }
    const struct ob_golden *three = &ob_goldens[OB_GOLDEN_CHECK_THEN_INSERT];
    estimate_all(three, 3, OB_STRATEGY_EXHAUSTIVE, 34650);
    estimate_all(&ob_goldens[OB_GOLDEN_FOR_UPDATE], 3, OB_STRATEGY_BOUNDED, 4950);
    estimate_all(&ob_goldens[OB_GOLDEN_LOST_UPDATE], 3, OB_STRATEGY_DPOR, 0);
}

static void where_nothing_is_enumerated_nothing_is_estimated(void **state)
{
    (void)state;
    static const enum ob_strategy_kind kinds[] = {OB_STRATEGY_RANDOM, OB_STRATEGY_PCT,
                                                  OB_STRATEGY_PORTFOLIO, OB_STRATEGY_ROUND_ROBIN};
    static const struct ob_programs programs = {2, {3, 3}, 0, 0, NULL};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ob_strategy *strategy = ob_strategy_new(kinds[i], 1, 2);
        struct ob_choices choices;
        assert_true(ob_strategy_next(strategy, 0));
        ob_programs_explore(&programs, strategy, &choices);
        assert_true(ob_strategy_share(strategy) == 0);
        assert_true(ob_strategy_estimate(strategy, 1) == 0);
        ob_strategy_free(strategy);
    }
}

/* The number of runs within a bound is estimated long before they are over, if roughly. */
static void a_bound_is_estimated_from_its_first_levels(void **state)
{
    (void)state;
    static const struct ob_programs programs = {2, {8, 8}, 0, 0, NULL};
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_BOUNDED, 0, 2);
    double early = 0;
    uint64_t run = 0;
    ob_strategy_set_argument(strategy, 3);
    for (; ob_strategy_next(strategy, run); run++) {
        struct ob_choices choices;
        ob_programs_explore(&programs, strategy, &choices);
        if (run == 12)
            early = ob_strategy_estimate(strategy, run + 1);
    }
    assert_true(early > (double)run / 4 && early < (double)run * 4);
    ob_strategy_free(strategy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_path_sum_up),
        cmocka_unit_test(the_first_runs_estimate_what_can_be_told_by_hand),
        cmocka_unit_test(of_the_whole_tree_the_estimate_is_the_count),
        cmocka_unit_test(where_nothing_is_enumerated_nothing_is_estimated),
        cmocka_unit_test(a_bound_is_estimated_from_its_first_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
