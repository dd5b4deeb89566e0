/*
 * The reduction on programs of which all schedules can be run too: it makes few runs of them, and
 * must not lose an outcome.
 */
#include "tests/model/golden.h"

#include "tests/model/golden_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct ob_golden_count reduce(const struct ob_golden *golden, size_t clients)
{
    struct ob_golden_model model;
    struct ob_golden_count count;
    struct ob_error err;
    ob_golden_model_open(&model, golden, 0);
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_DPOR, 0, clients);
    enum ob_result result = ob_golden_search(golden, clients, &model.place, strategy, &count, &err);
    if (result != OB_OK)
        fail_msg("%s: %s", golden->name, err.message);
    assert_true(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
    assert_int_equal(ob_golden_model_close(&model), 0);
    return count;
}

static void the_known_programs_need_few_runs_and_lose_no_outcome(void **state)
{
    (void)state;
    for (size_t clients = 2; clients <= 3; clients++) {
        for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
            const struct ob_golden *golden = &ob_goldens[i];
            if (golden->outcomes[clients - 2] == 0)
                continue;
            struct ob_golden_count count = reduce(golden, clients);
            assert_int_equal(count.outcomes, golden->outcomes[clients - 2]);
            assert_int_equal(count.schedules, golden->reduced[clients - 2]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_programs_need_few_runs_and_lose_no_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
