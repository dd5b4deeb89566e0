#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* The reference implementation's first outputs from the state 1, 2, 3, 4. */
static void the_generator_is_xoshiro256_starstar(void **state)
{
    (void)state;
    struct ob_rng rng = {.state = {1, 2, 3, 4}};
    assert_int_equal(ob_rng_next(&rng), 11520);
    assert_int_equal(ob_rng_next(&rng), 0);
    assert_int_equal(ob_rng_next(&rng), 1509978240);
    assert_int_equal(ob_rng_next(&rng), UINT64_C(1215971899390074240));
}

/* The published first outputs of splitmix64 from the seed 0. */
static void a_seed_is_spread_by_splitmix64(void **state)
{
    (void)state;
    struct ob_rng rng;
    ob_rng_seed(&rng, 0);
    assert_int_equal(rng.state[0], UINT64_C(0xe220a8397b1dcdaf));
    assert_int_equal(rng.state[1], UINT64_C(0x6e789e6aa1b965f4));
    assert_int_equal(rng.state[2], UINT64_C(0x06c45d188009454f));
    assert_int_equal(rng.state[3], UINT64_C(0xf88bb8a8724c81ec));
}

static void the_same_seed_gives_the_same_numbers_and_another_gives_others(void **state)
{
    (void)state;
    struct ob_rng one, same, other;
    ob_rng_seed(&one, 7);
    ob_rng_seed(&same, 7);
    ob_rng_seed(&other, 8);
    int differing = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t number = ob_rng_next(&one);
        assert_int_equal(number, ob_rng_next(&same));
        differing += number != ob_rng_next(&other);
    }
    assert_int_equal(differing, 100);
}

static void numbers_below_a_bound_are_uniform(void **state)
{
    (void)state;
    struct ob_rng rng;
    int counts[7] = {0};
    ob_rng_seed(&rng, 1);
    for (int i = 0; i < 70000; i++) {
        uint64_t number = ob_rng_below(&rng, 7);
        assert_true(number < 7);
        counts[number]++;
    }
    /* The standard deviation of each count is 93; the seed is fixed, so this never flakes. */
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 10000 - 400, 10000 + 400);
}

static void a_bound_that_does_not_divide_the_range_has_no_bias(void **state)
{
    (void)state;
    /* Plain remainders of this bound would fall in its lowest third half the time. */
    const uint64_t bound = (UINT64_C(1) << 63) + (UINT64_C(1) << 62);
    struct ob_rng rng;
    int low = 0;
    ob_rng_seed(&rng, 1);
    for (int i = 0; i < 9000; i++) {
        uint64_t number = ob_rng_below(&rng, bound);
        assert_true(number < bound);
        low += number < bound / 3;
    }
    assert_in_range(low, 3000 - 200, 3000 + 200);
}

static void a_bound_of_one_gives_zero(void **state)
{
    (void)state;
    struct ob_rng rng;
    ob_rng_seed(&rng, 3);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ob_rng_below(&rng, 1), 0);
}

static void derived_seeds_differ_by_index_and_by_seed(void **state)
{
    (void)state;
    uint64_t seeds[200];
    for (uint64_t i = 0; i < 100; i++) {
        seeds[i] = ob_rng_derive(1, i);
        seeds[100 + i] = ob_rng_derive(2, i);
        assert_int_equal(seeds[i], ob_rng_derive(1, i));
    }
    for (int i = 0; i < 200; i++) {
        for (int j = 0; j < i; j++)
            assert_int_not_equal(seeds[i], seeds[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_xoshiro256_starstar),
        cmocka_unit_test(a_seed_is_spread_by_splitmix64),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers_and_another_gives_others),
        cmocka_unit_test(numbers_below_a_bound_are_uniform),
        cmocka_unit_test(a_bound_that_does_not_divide_the_range_has_no_bias),
        cmocka_unit_test(a_bound_of_one_gives_zero),
        cmocka_unit_test(derived_seeds_differ_by_index_and_by_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
