#include "explore/tally.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_digest_is_new_once(void **state)
{
    (void)state;
    struct ob_tally tally = {0};
    assert_true(ob_tally_add(&tally, 5));
    assert_false(ob_tally_add(&tally, 5));
    assert_true(ob_tally_add(&tally, 0)); /* 0 marks an empty slot, and is a digest all the same */
    assert_false(ob_tally_add(&tally, 0));
    assert_int_equal(tally.count, 2);
    assert_false(tally.full);
    ob_tally_clear(&tally);
    assert_int_equal(tally.count, 0);
}

static void many_are_counted_exactly(void **state)
{
    (void)state;
    struct ob_tally tally = {0};
    struct ob_rng rng;
    for (int round = 0; round < 2; round++) {
        ob_rng_seed(&rng, 7);
        for (int i = 0; i < 20000; i++)
            assert_true(ob_tally_add(&tally, ob_rng_next(&rng)) == (round == 0));
    }
    for (uint64_t i = 0; i < 1000; i++) /* all in the same slot at first */
        assert_true(ob_tally_add(&tally, i << 40));
    assert_int_equal(tally.count, 21000);
    ob_tally_clear(&tally);
}

static void past_the_maximum_the_count_is_a_lower_bound(void **state)
{
    (void)state;
    struct ob_tally tally = {0};
    for (uint64_t i = 1; i <= OB_TALLY_MAX; i++)
        assert_true(ob_tally_add(&tally, i));
    assert_false(tally.full);
    assert_false(ob_tally_add(&tally, OB_TALLY_MAX + 1));
    assert_true(tally.full);
    assert_int_equal(tally.count, OB_TALLY_MAX);
    ob_tally_clear(&tally);
}

static void what_was_seen_once_is_told_from_what_was_seen_again(void **state)
{
    (void)state;
    struct ob_tally tally = {0};
    for (uint64_t i = 0; i < 1000; i++)
        ob_tally_add(&tally, i << 40);
    assert_int_equal(tally.once, 1000);
    for (int again = 0; again < 2; again++)
        for (uint64_t i = 0; i < 300; i++)
            ob_tally_add(&tally, i << 40);
    assert_int_equal(tally.once, 700);
    for (uint64_t i = 1000; i < 5000; i++) /* the table grows meanwhile */
        ob_tally_add(&tally, i << 40);
    assert_int_equal(tally.once, 4700);
    assert_int_equal(tally.count, 5000);
    ob_tally_add(&tally, (uint64_t)299 << 40);
    assert_int_equal(tally.once, 4700);
    ob_tally_clear(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_new_once),
        cmocka_unit_test(many_are_counted_exactly),
        cmocka_unit_test(what_was_seen_once_is_told_from_what_was_seen_again),
        cmocka_unit_test(past_the_maximum_the_count_is_a_lower_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
