/*
 * The engine and the exhaustive strategy on programs whose numbers of schedules and outcomes are
 * known from an independent model of PostgreSQL.
 */
#include "tests/model/golden.h"

#include "tests/model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct setting {
    struct ob_model *model;
    struct ob_golden_place place;
};

static enum ob_result reset(void *self, struct ob_error *err)
{
    struct setting *setting = self;
    (void)err;
    ob_model_reset(setting->model);
    return OB_OK;
}

static enum ob_result digest(void *self, uint64_t *out, struct ob_error *err)
{
    struct setting *setting = self;
    (void)err;
    *out = ob_model_digest(setting->model);
    return OB_OK;
}

static void set_up(struct setting *setting, const struct ob_golden *golden, uint64_t jitter_seed)
{
    struct ob_model_options options = {.session_count = 3, .jitter_seed = jitter_seed};
    setting->model = ob_model_new(&options);
    if (golden->row[0] != '\0')
        ob_model_put(setting->model, golden->row, 10);
    for (char row[] = "c0"; row[1] < '3'; row[1]++)
        ob_model_put(setting->model, row, 0);
    struct ob_ports ports = ob_model_ports(setting->model);
    struct ob_limits limits = ob_limits_default();
    setting->place = (struct ob_golden_place){
        .engine = ob_engine_new(&ports, &limits),
        .self = setting,
        .reset = reset,
        .digest = digest,
        .value = ob_model_result_value,
        .free_result = ob_model_result_free,
    };
}

static void tear_down(struct setting *setting)
{
    assert_int_equal(ob_model_results_alive(setting->model), 0);
    ob_engine_free(setting->place.engine);
    ob_model_free(setting->model);
}

static void expect(size_t program, size_t clients, uint64_t jitter_seed)
{
    const struct ob_golden *golden = &ob_goldens[program];
    struct setting setting;
    struct ob_golden_count count;
    struct ob_error err;
    set_up(&setting, golden, jitter_seed);
    enum ob_result result = ob_golden_exhaust(golden, clients, &setting.place, &count, &err);
    if (result != OB_OK)
        fail_msg("%s: %s", golden->name, err.message);
    assert_int_equal(count.schedules, golden->schedules[clients - 2]);
    assert_int_equal(count.outcomes, golden->outcomes[clients - 2]);
    tear_down(&setting);
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
