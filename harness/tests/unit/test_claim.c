/* What is claimed of runs that found nothing, against numbers that are published or plain. */
#include "explore/claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void runs_for_confidence_are_as_computed_by_hand(void **state)
{
    (void)state;
    assert_int_equal(ob_claim_runs(2, 8, 2), 72); /* ln 0.01 / ln (15/16) = 71.4 */
    assert_int_equal(ob_claim_runs(3, 15, 3), 3107);
    assert_int_equal(ob_claim_runs(2, 8, 1), 7); /* 1/2^7 is the first below 1 % */
    assert_int_equal(ob_claim_runs(1, 8, 1), 1);
    assert_int_equal(ob_claim_runs(2, 100000, 16), UINT64_MAX);
}

static void one_run_less_is_not_enough(void **state)
{
    (void)state;
    struct ob_strategy_promise promise = {.depth = 2, .clients = 2, .steps = 8, .runs = 72};
    assert_true(ob_claim_confident(&promise));
    promise.runs = 71;
    assert_false(ob_claim_confident(&promise));
    promise.runs = 0;
    assert_false(ob_claim_confident(&promise));
}

static void what_is_unseen_is_the_share_of_what_was_seen_once(void **state)
{
    (void)state;
    assert_true(ob_claim_unseen(0, 10) == 0);
    assert_true(ob_claim_unseen(5, 20) == 0.25);
    assert_true(ob_claim_unseen(20, 20) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_for_confidence_are_as_computed_by_hand),
        cmocka_unit_test(one_run_less_is_not_enough),
        cmocka_unit_test(what_is_unseen_is_the_share_of_what_was_seen_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
