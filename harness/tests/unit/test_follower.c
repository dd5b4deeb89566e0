#include "explore/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const size_t all[] = {0, 1, 2};
static const size_t ends[] = {0, 2};

static size_t step(const struct ob_chooser *chooser, const size_t *clients, size_t count)
{
    struct ob_choice_point point = {
        .kind = OB_CHOICE_STEP, .option_count = count, .clients = clients};
    return chooser->choose(chooser->self, &point);
}

static size_t fault(const struct ob_chooser *chooser, size_t client, size_t which, uint32_t hit)
{
    struct ob_choice_point point = {
        .kind = OB_CHOICE_FAULT, .option_count = 3, .client = client, .point = which, .hit = hit};
    return chooser->choose(chooser->self, &point);
}

static void the_recorded_clients_go_in_the_recorded_order(void **state)
{
    (void)state;
    uint8_t clients[] = {2, 0, 1};
    struct ob_schedule schedule = {.clients = clients, .step_count = 3};
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    for (int again = 0; again < 2; again++) {
        chooser.restart(chooser.self);
        assert_int_equal(step(&chooser, ends, 2), 1);
        assert_int_equal(step(&chooser, all, 3), 0);
        assert_int_equal(step(&chooser, all, 3), 1);
        assert_true(step(&chooser, all, 3) == OB_CANNOT_FOLLOW);
    }
}

static void one_that_cannot_move_cannot_be_followed(void **state)
{
    (void)state;
    uint8_t clients[] = {1, 0};
    struct ob_schedule schedule = {.clients = clients, .step_count = 2};
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    chooser.restart(chooser.self);
    assert_true(step(&chooser, ends, 2) == OB_CANNOT_FOLLOW);
    assert_int_equal(step(&chooser, all, 3), 1); /* asked again once she can */
}

static void the_recorded_program_is_run(void **state)
{
    (void)state;
    struct ob_schedule schedule = {.program = 7};
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    const struct ob_choice_point point = {.kind = OB_CHOICE_PROGRAM, .option_count = 9};
    assert_int_equal(chooser.choose(chooser.self, &point), 7);
}

/* Where nobody was recorded, as on a server that chose itself, who has waited longest is first. */
static void the_recorded_wakes_happen(void **state)
{
    (void)state;
    uint8_t wakes[] = {2, 5};
    static const size_t waited[] = {2, 1};
    struct ob_schedule schedule = {.wakes = wakes, .wake_count = 2};
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    const struct ob_choice_point point = {
        .kind = OB_CHOICE_WAKE, .option_count = 2, .clients = waited};
    for (int i = 0; i < 2; i++) {
        chooser.restart(chooser.self);
        assert_int_equal(chooser.choose(chooser.self, &point), 0);
        assert_int_equal(chooser.choose(chooser.self, &point), OB_CANNOT_FOLLOW);
        assert_int_equal(chooser.choose(chooser.self, &point), 0);
    }
    wakes[0] = 1;
    chooser.restart(chooser.self);
    assert_int_equal(chooser.choose(chooser.self, &point), 1);
}

static void after_a_prefix_the_first_goes_on(void **state)
{
    (void)state;
    uint8_t clients[] = {2};
    struct ob_schedule schedule = {.clients = clients, .step_count = 1};
    struct ob_follower follower = {.schedule = &schedule, .prefix = true};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    chooser.restart(chooser.self);
    assert_int_equal(step(&chooser, all, 3), 2);
    assert_int_equal(step(&chooser, ends, 2), 0);
    assert_int_equal(step(&chooser, all, 3), 0);
}

static void exactly_the_recorded_faults_happen(void **state)
{
    (void)state;
    struct ob_fault faults[] = {{.point = 1, .client = 0, .hit = 2, .way = 2},
                                {.point = 0, .client = 1, .hit = 0, .way = 1},
                                {.point = 3, .client = 1, .hit = 0, .way = 9}};
    struct ob_schedule schedule = {.faults = faults, .fault_count = 3};
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    chooser.restart(chooser.self);
    assert_int_equal(fault(&chooser, 0, 1, 2), 2);
    assert_int_equal(fault(&chooser, 1, 0, 0), 1);
    assert_int_equal(fault(&chooser, 0, 1, 1), 0);
    assert_int_equal(fault(&chooser, 1, 1, 2), 0);
    assert_int_equal(fault(&chooser, 0, 0, 2), 0);
    assert_int_equal(fault(&chooser, 1, 3, 0), 0); /* a way that the point does not have */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_clients_go_in_the_recorded_order),
        cmocka_unit_test(one_that_cannot_move_cannot_be_followed),
        cmocka_unit_test(the_recorded_program_is_run),
        cmocka_unit_test(the_recorded_wakes_happen),
        cmocka_unit_test(after_a_prefix_the_first_goes_on),
        cmocka_unit_test(exactly_the_recorded_faults_happen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
