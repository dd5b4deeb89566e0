#include "booking/flag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static void nobody_is_fixed_at_0_and_everybody_at_100(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "customer-%d", i);
        assert_int_equal(booking_flag_path(0, name), BOOKING_PATH_LEGACY);
        assert_int_equal(booking_flag_path(100, name), BOOKING_PATH_FIXED);
    }
}

static void raising_the_percentage_never_moves_a_customer_back(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "customer-%d", i);
        for (int percent = 1; percent <= 100; percent++)
            assert_true(booking_flag_path(percent - 1, name) <= booking_flag_path(percent, name));
    }
}

static void the_share_of_customers_is_about_the_percentage(void **state)
{
    static const int percents[] = {1, 10, 50, 90};
    char name[32];
    int fixed;

    (void)state;
    for (size_t p = 0; p < sizeof percents / sizeof *percents; p++) {
        fixed = 0;
        for (int i = 0; i < 10000; i++) {
            snprintf(name, sizeof name, "customer-%d", i);
            fixed += booking_flag_path(percents[p], name) == BOOKING_PATH_FIXED;
        }
        assert_true(abs(fixed - percents[p] * 100) < 150);
    }
}

/* Other programs may compute the same place, and a rollout spans releases: the hash may not change.
 */
static void a_customers_place_is_for_ever(void **state)
{
    int alice = 0, bob = 0;

    (void)state;
    while (booking_flag_path(alice, "alice") == BOOKING_PATH_LEGACY)
        alice++;
    while (booking_flag_path(bob, "bob") == BOOKING_PATH_LEGACY)
        bob++;
    assert_int_equal(alice, 79);
    assert_int_equal(bob, 31);
}

static void paths_have_names(void **state)
{
    (void)state;
    assert_string_equal(booking_path_name(BOOKING_PATH_LEGACY), "legacy");
    assert_string_equal(booking_path_name(BOOKING_PATH_FIXED), "fixed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_fixed_at_0_and_everybody_at_100),
        cmocka_unit_test(raising_the_percentage_never_moves_a_customer_back),
        cmocka_unit_test(the_share_of_customers_is_about_the_percentage),
        cmocka_unit_test(a_customers_place_is_for_ever),
        cmocka_unit_test(paths_have_names),
    };

    return cmocka_run_group_tests_name("flag", tests, NULL, NULL);
}
