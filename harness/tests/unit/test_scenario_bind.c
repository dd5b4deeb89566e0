#include "scenario/bind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "scenario_support.h"

static struct ob_bound bound(const char *sql)
{
    struct ob_bound out;
    struct ob_bind_problem problem;
    assert_true(ob_bind_parse(sql, &test_arena, &out, &problem));
    return out;
}

/* The text is taken as it is. */
static void assert_untouched(const char *sql)
{
    struct ob_bound out = bound(sql);
    assert_string_equal(out.sql, sql);
    assert_int_equal(out.variable_count, 0);
}

static void assert_refused(const char *sql, const char *text)
{
    struct ob_bound out = {.sql = "untouched"};
    struct ob_bind_problem problem = {NULL, NULL};
    assert_false(ob_bind_parse(sql, &test_arena, &out, &problem));
    assert_string_equal(problem.text, text);
    assert_non_null(problem.hint);
    assert_string_equal(out.sql, "untouched");
}

static void variables_become_parameters_in_their_order(void **state)
{
    (void)state;
    struct ob_bound out = bound("SELECT :b, :a + :b, :_c1");
    assert_string_equal(out.sql, "SELECT $1, $2 + $1, $3");
    assert_int_equal(out.variable_count, 3);
    assert_string_equal(out.variables[0], "b");
    assert_string_equal(out.variables[1], "a");
    assert_string_equal(out.variables[2], "_c1");
}

static void a_variable_is_not_taken_for_one_that_it_begins_like(void **state)
{
    (void)state;
    struct ob_bound out = bound("SELECT :slots, :slot, :slots");
    assert_string_equal(out.sql, "SELECT $1, $2, $1");
    assert_string_equal(out.variables[1], "slot");
}

static void a_cast_stays_a_cast(void **state)
{
    (void)state;
    assert_untouched("SELECT '1'::int");
    assert_string_equal(bound("SELECT :n::int, :m ::text").sql, "SELECT $1::int, $2 ::text");
}

static void other_colons_stay(void **state)
{
    (void)state;
    assert_untouched("SELECT a[1:2], a[:], b := 1");
    assert_untouched("SELECT 1 : 2 :");
}

static void strings_are_left_alone(void **state)
{
    (void)state;
    assert_untouched("SELECT ':a', 'it''s :b', '\\'");
    assert_untouched("SELECT E'\\' :a', e'\\\\', U&'\\0041 :a'");
    assert_string_equal(bound("SELECT '\\', :a").sql, "SELECT '\\', $1");
    assert_string_equal(bound("SELECT name'x', :a").sql, "SELECT name'x', $1");
    assert_string_equal(bound("SELECT E'\\\\', :a").sql, "SELECT E'\\\\', $1");
}

static void quoted_names_are_left_alone(void **state)
{
    (void)state;
    assert_untouched("SELECT \":a\", \"b\"\" :c\"");
}

static void dollar_quotes_are_left_alone(void **state)
{
    (void)state;
    assert_untouched("SELECT $$ :a ; $b$ ' $$, $t$ :a $$ $t$");
    assert_untouched("SELECT a$b$c, 1");
    assert_string_equal(bound("SELECT $t$ $t $t$, :a").sql, "SELECT $t$ $t $t$, $1");
}

static void comments_are_left_alone(void **state)
{
    (void)state;
    assert_untouched("SELECT 1 -- :a ; '\n, 2");
    assert_untouched("SELECT /* :a /* ; ' */ :b */ 1");
    assert_string_equal(bound("/* x */ SELECT 1 - :a --").sql, "/* x */ SELECT 1 - $1 --");
}

static void a_letter_after_a_variable_does_not_join_its_number(void **state)
{
    (void)state;
    assert_string_equal(bound("SELECT :a\xc3\xa9").sql, "SELECT $1 \xc3\xa9");
}

static void the_closing_semicolon_is_dropped(void **state)
{
    (void)state;
    assert_string_equal(bound("SELECT 1;").sql, "SELECT 1");
    assert_string_equal(bound("SELECT 1 ; -- that is all\n  ").sql, "SELECT 1 ");
}

static void a_second_statement_is_refused(void **state)
{
    (void)state;
    assert_refused("SELECT 1; SELECT 2", "more than one statement");
    assert_refused("SELECT 1;;", "more than one statement");
}

static void what_is_not_closed_is_refused(void **state)
{
    (void)state;
    static const char *const quotes[] = {"SELECT 'a",     "SELECT 'a''",  "SELECT \"a",
                                         "SELECT E'a\\'", "SELECT E'a\\", "SELECT 'a\\''"};
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
        assert_refused(quotes[i], "a quote is not closed");
    assert_refused("SELECT /* a /* b */", "a comment is not closed");
    assert_refused("SELECT /*/", "a comment is not closed");
    assert_refused("SELECT $a$ $$ $b$", "a dollar quote is not closed");
    assert_refused("SELECT $$", "a dollar quote is not closed");
}

static void a_numbered_parameter_is_refused(void **state)
{
    (void)state;
    assert_refused("SELECT $1", "$1 and the like are not for scenarios");
}

static void nothing_is_no_statement(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "  \n", ";", "-- x", "/* x */ ;"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused(texts[i], "the statement is empty");
}

static void transactions_are_not_for_statements(void **state)
{
    (void)state;
    static const char *const texts[] = {"begin",
                                        "Start transaction",
                                        "COMMIT;",
                                        "end",
                                        "ABORT",
                                        "rollback and chain",
                                        "/* */ ROLLBACK",
                                        " BEGIN",
                                        "COMMIT AND NO CHAIN;",
                                        "rollback work"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused(texts[i], "a transaction begins and ends by a step of its own");
}

static void savepoints_and_words_alike_are_statements(void **state)
{
    (void)state;
    assert_untouched("SAVEPOINT a");
    assert_untouched("ROLLBACK TO a");
    assert_untouched("rollback\n to savepoint a");
    assert_untouched("COMMIT PREPARED 'x'");
    assert_untouched("endless");
    assert_untouched("begin_it()");
}

/* One more variable than a client can have. */
static void too_many_variables_are_refused(void **state)
{
    (void)state;
    struct ob_buf sql;
    ob_buf_init(&sql, 1024);
    ob_buf_puts(&sql, "SELECT 1");
    for (int i = 0; i < 64; i++)
        ob_buf_printf(&sql, ",:v%d", i);
    struct ob_bound out = bound(sql.data);
    assert_int_equal(out.variable_count, 64);
    assert_string_equal(out.sql + strlen(out.sql) - 4, ",$64");
    ob_buf_puts(&sql, ",:v64");
    assert_refused(sql.data, "more than 64 variables");
    ob_buf_clear(&sql);
}

static void an_identifier_does_not_begin_with_a_digit(void **state)
{
    (void)state;
    assert_int_equal(ob_bind_identifier("a1_B-"), 4);
    assert_int_equal(ob_bind_identifier("1a"), 0);
    assert_int_equal(ob_bind_identifier(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_become_parameters_in_their_order),
        cmocka_unit_test(a_variable_is_not_taken_for_one_that_it_begins_like),
        cmocka_unit_test(a_cast_stays_a_cast),
        cmocka_unit_test(other_colons_stay),
        cmocka_unit_test(strings_are_left_alone),
        cmocka_unit_test(quoted_names_are_left_alone),
        cmocka_unit_test(dollar_quotes_are_left_alone),
        cmocka_unit_test(comments_are_left_alone),
        cmocka_unit_test(a_letter_after_a_variable_does_not_join_its_number),
        cmocka_unit_test(the_closing_semicolon_is_dropped),
        cmocka_unit_test(a_second_statement_is_refused),
        cmocka_unit_test(what_is_not_closed_is_refused),
        cmocka_unit_test(a_numbered_parameter_is_refused),
        cmocka_unit_test(nothing_is_no_statement),
        cmocka_unit_test(transactions_are_not_for_statements),
        cmocka_unit_test(savepoints_and_words_alike_are_statements),
        cmocka_unit_test(too_many_variables_are_refused),
        cmocka_unit_test(an_identifier_does_not_begin_with_a_digit),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
