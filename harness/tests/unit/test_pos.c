/*
 * pos: a priority stays until its step is made or conflicts with one that is.
 *
 * One client has a single step, another one several.  Where they conflict, the single step's
 * priority is drawn again before each of the others, so that it comes last once in 2^n times; where
 * they do not, it is drawn once and comes last when it is the least of n + 1.
 */
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "explore/conflict.h"
#include "tests/model/programs.h"

#define RUNS 8000

static unsigned last(enum ob_op_kind one, enum ob_op_kind many, bool told)
{
    const enum ob_op_kind kinds[] = {one, many};
    const struct ob_programs programs = {2, {1, 4}, 0, 0, told ? kinds : NULL};
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_POS, 5, 2);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    unsigned count = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct ob_choices choices;
        assert_true(ob_strategy_next(strategy, run));
        ob_programs_run(&programs, &chooser, &choices);
        count += strcmp(choices.text, "11110") == 0;
    }
    ob_strategy_free(strategy);
    return count;
}

/* Four standard deviations to either side. */
static void assert_about(unsigned count, unsigned expected, unsigned range)
{
    if (count + range < expected || count > expected + range)
        fail_msg("%u is not %u, give or take %u", count, expected, range);
}

static void what_conflicts_is_drawn_again(void **state)
{
    (void)state;
    assert_about(last(OB_OP_STATEMENT, OB_OP_STATEMENT, true), RUNS / 16, 87);
    assert_about(last(OB_OP_COMMIT, OB_OP_CALL, true), RUNS / 16, 87);
    assert_about(last(OB_OP_BEGIN, OB_OP_BEGIN, false), RUNS / 16, 87); /* nothing is known */
}

static void what_does_not_conflict_keeps_its_priority(void **state)
{
    (void)state;
    assert_about(last(OB_OP_BEGIN, OB_OP_STATEMENT, true), RUNS / 5, 143);
    assert_about(last(OB_OP_STATEMENT, OB_OP_BEGIN, true), RUNS / 5, 143);
}

/* Of the kinds that there are, BEGIN alone is known to touch nothing. */
static void only_a_begin_conflicts_with_nothing(void **state)
{
    (void)state;
    static const enum ob_op_kind kinds[] = {OB_OP_BEGIN,  OB_OP_STATEMENT, OB_OP_QUERY,
                                            OB_OP_COMMIT, OB_OP_ROLLBACK,  OB_OP_KILL,
                                            OB_OP_CLOCK,  OB_OP_CALL,      OB_OP_WAIT};
    size_t count = sizeof kinds / sizeof *kinds;
    struct ob_choice_point point = {.kind = OB_CHOICE_STEP, .option_count = count, .kinds = kinds};
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++)
            assert_int_equal(
                ob_steps_conflict(ob_step_kind_of(&point, a), ob_step_kind_of(&point, b)),
                a != 0 && b != 0);
    point.kinds = NULL;
    assert_true(ob_steps_conflict(ob_step_kind_of(&point, 0), ob_step_kind_of(&point, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_conflicts_is_drawn_again),
        cmocka_unit_test(what_does_not_conflict_keeps_its_priority),
        cmocka_unit_test(only_a_begin_conflicts_with_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
