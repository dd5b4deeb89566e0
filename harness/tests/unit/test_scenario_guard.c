#include "scenario/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scenario_support.h"

static struct ob_guard guard(const char *text)
{
    struct ob_guard out;
    assert_true(ob_guard_parse(text, &test_arena, &out));
    return out;
}

static void every_operator_is_read(void **state)
{
    (void)state;
    assert_int_equal(guard("n = 0").compare, OB_EQ);
    assert_int_equal(guard("n <> 0").compare, OB_NE);
    assert_int_equal(guard("n != 0").compare, OB_NE);
    assert_int_equal(guard("n < 0").compare, OB_LT);
    assert_int_equal(guard("n <= 0").compare, OB_LE);
    assert_int_equal(guard("n > 0").compare, OB_GT);
    assert_int_equal(guard("n>=0").compare, OB_GE);
}

static void numbers_texts_and_variables_are_values(void **state)
{
    (void)state;
    assert_string_equal(guard("n=-12.50").value, "-12.50");
    assert_string_equal(guard("n = 'it''s free' ").value, "it's free");
    assert_string_equal(guard("n = ''").value, "");
    struct ob_guard other = guard(" n = :m2 ");
    assert_string_equal(other.variable, "n");
    assert_string_equal(other.value, "m2");
    assert_true(other.value_is_variable);
    assert_false(guard("n = 'm2'").value_is_variable);
}

static void null_is_asked_for_by_is(void **state)
{
    (void)state;
    struct ob_guard null = guard("row is null");
    assert_string_equal(null.variable, "row");
    assert_int_equal(null.compare, OB_IS_NULL);
    assert_null(null.value);
    assert_int_equal(guard("row IS  NOT NULL").compare, OB_IS_NOT_NULL);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",         "n",          "= 0",      "n =",      "n = free", "n == 0",          "n = 0 0",
        "n = '0",   "n = 1.",     "n = -",    "n = .5",   "n = :",    "n = :1",          "n is",
        "n is nul", "n is nullx", "n isnull", "n is not", "1 = n",    "n = 1 and m = 2", "n ~ 1",
    };
    struct ob_guard out = {.variable = "untouched"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(ob_guard_parse(texts[i], &test_arena, &out));
    assert_string_equal(out.variable, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_is_read),
        cmocka_unit_test(numbers_texts_and_variables_are_values),
        cmocka_unit_test(null_is_asked_for_by_is),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
