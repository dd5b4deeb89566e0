#include "engine/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void steps_and_faults_are_kept_in_order(void **state)
{
    (void)state;
    struct ob_schedule schedule = {0};
    for (size_t i = 0; i < 200; i++)
        ob_schedule_add_step(&schedule, i % OB_CLIENTS_MAX);
    for (uint32_t i = 0; i < 20; i++)
        ob_schedule_add_fault(&schedule,
                              (struct ob_fault){.point = i, .client = 3, .hit = i * 2, .way = 1});
    assert_int_equal(schedule.step_count, 200);
    assert_int_equal(schedule.clients[63], 63);
    assert_int_equal(schedule.clients[199], 199 % OB_CLIENTS_MAX);
    assert_int_equal(schedule.fault_count, 20);
    assert_int_equal(schedule.faults[19].hit, 38);
    ob_schedule_clear(&schedule);
    assert_null(schedule.clients);
    ob_schedule_clear(&schedule);
}

static void a_copy_is_independent_of_its_original(void **state)
{
    (void)state;
    struct ob_schedule from = {0}, to = {0};
    ob_schedule_add_step(&from, 1);
    ob_schedule_add_step(&from, 2);
    ob_schedule_add_fault(&from, (struct ob_fault){.point = 4, .client = 1, .hit = 2, .way = 3});
    for (int i = 0; i < 5; i++) /* what was there before is forgotten */
        ob_schedule_add_step(&to, 9);
    ob_schedule_copy(&to, &from);
    ob_schedule_clear(&from);
    assert_int_equal(to.step_count, 2);
    assert_int_equal(to.clients[0], 1);
    assert_int_equal(to.clients[1], 2);
    assert_int_equal(to.fault_count, 1);
    assert_int_equal(to.faults[0].point, 4);
    assert_int_equal(to.faults[0].way, 3);
    ob_schedule_clear(&to);
}

static void a_reset_schedule_is_empty(void **state)
{
    (void)state;
    struct ob_schedule schedule = {0};
    ob_schedule_add_step(&schedule, 1);
    ob_schedule_add_fault(&schedule, (struct ob_fault){.way = 1});
    ob_schedule_reset(&schedule);
    assert_int_equal(schedule.step_count, 0);
    assert_int_equal(schedule.fault_count, 0);
    ob_schedule_clear(&schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_and_faults_are_kept_in_order),
        cmocka_unit_test(a_copy_is_independent_of_its_original),
        cmocka_unit_test(a_reset_schedule_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
