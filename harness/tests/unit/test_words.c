/*
 * The words that scenario files may use are those that the parts below understand, in their order:
 * the loader knows none of them.
 */
#include "scenario/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "booking/faults.h"
#include "check/check.h"
#include "check/situation.h"
#include "explore/strategy.h"

static void strategies_are_the_explorations(void **state)
{
    (void)state;
    for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++)
        assert_string_equal(ob_strategy_words[kind], ob_strategy_word((enum ob_strategy_kind)kind));
    assert_null(ob_strategy_words[OB_STRATEGY_COUNT]);
}

static void a_strategy_takes_the_same_numbers_everywhere(void **state)
{
    (void)state;
    const struct ob_numbered_word *word = ob_numbered_strategies;
    for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++) {
        const struct ob_strategy_argument *argument =
            ob_strategy_argument((enum ob_strategy_kind)kind);
        if (argument->letter[0] == '\0')
            continue;
        assert_non_null(word->name);
        assert_string_equal(word->name, ob_strategy_word((enum ob_strategy_kind)kind));
        assert_int_equal(word->min, argument->min);
        assert_int_equal(word->max, argument->max);
        word++;
    }
    assert_null(word->name);
}

static void faults_are_the_flow_s(void **state)
{
    (void)state;
    for (int fault = 0; fault < BOOKING_FAULT_COUNT; fault++)
        assert_string_equal(ob_fault_words[fault].name,
                            booking_fault_point((enum booking_fault)fault));
    /* Whoever migrates is the harness's own. */
    assert_string_equal(ob_fault_words[BOOKING_FAULT_COUNT].name, "migrate/lock-timeout");
    assert_null(ob_fault_words[BOOKING_FAULT_COUNT + 1].name);
}

static void situations_are_those_that_a_trace_can_show(void **state)
{
    (void)state;
    size_t count;
    const struct ob_situation *situations = ob_situation_builtin(&count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(ob_sometimes_words[i].name, situations[i].name);
    assert_null(ob_sometimes_words[count].name);
}

static void invariants_are_those_that_can_be_checked(void **state)
{
    (void)state;
    size_t count;
    const struct ob_invariant *invariants = ob_invariant_builtin(&count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(ob_invariant_words[i].name, invariants[i].name);
    assert_null(ob_invariant_words[count].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies_are_the_explorations),
        cmocka_unit_test(a_strategy_takes_the_same_numbers_everywhere),
        cmocka_unit_test(faults_are_the_flow_s),
        cmocka_unit_test(invariants_are_those_that_can_be_checked),
        cmocka_unit_test(situations_are_those_that_a_trace_can_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
