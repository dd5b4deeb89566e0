/*
 * The engine and the exhaustive strategy on programs whose numbers of schedules and outcomes are
 * known from an independent model of PostgreSQL.
 */
#include "tests/model/golden.h"

#include "tests/model/golden_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect(size_t program, size_t clients, uint64_t jitter_seed)
{
    const struct ob_golden *golden = &ob_goldens[program];
    struct ob_golden_model model;
    struct ob_golden_count count;
    struct ob_error err;
    ob_golden_model_open(&model, golden, jitter_seed);
    enum ob_result result = ob_golden_exhaust(golden, clients, &model.place, &count, &err);
    if (result != OB_OK)
        fail_msg("%s: %s", golden->name, err.message);
    assert_int_equal(count.schedules, golden->schedules[clients - 2]);
    assert_int_equal(count.outcomes, golden->outcomes[clients - 2]);
    assert_int_equal(ob_golden_model_close(&model), 0);
}

static void two_clients_have_the_known_schedules_and_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++)
        expect(i, 2, 0);
}

static void a_slow_and_unsteady_server_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (size_t i = 0; i < OB_GOLDEN_COUNT; i++)
            expect(i, 2, seed);
}

static void three_clients_have_the_known_schedules_and_outcomes(void **state)
{
    (void)state;
    expect(OB_GOLDEN_FOR_UPDATE, 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clients_have_the_known_schedules_and_outcomes),
        cmocka_unit_test(a_slow_and_unsteady_server_changes_nothing),
        cmocka_unit_test(three_clients_have_the_known_schedules_and_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
