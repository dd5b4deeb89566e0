/* test_sql.c - SQL as text: tokens, literals, and what has no brace. */
#include "base/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_token(const char *text, enum ob_lexeme kind, const char *token)
{
    enum ob_lexeme found;
    size_t size = ob_sql_lexeme(text, &found);
    assert_int_equal(found, kind);
    assert_int_equal(size, strlen(token));
    assert_memory_equal(text, token, size);
}

static void tokens_end_where_postgresql_ends_them(void **state)
{
    (void)state;
    expect_token(" \n\tSELECT", OB_LEX_SPACE, " \n\t");
    expect_token("-- it's\nx", OB_LEX_COMMENT, "-- it's");
    expect_token("/* a /* b */ ' */ x", OB_LEX_COMMENT, "/* a /* b */ ' */");
    expect_token("a$1 x", OB_LEX_WORD, "a$1");
    expect_token("\"a\"\"b\" x", OB_LEX_NAME, "\"a\"\"b\"");
    expect_token("'it''s' x", OB_LEX_STRING, "'it''s'");
    expect_token("'\\' x", OB_LEX_STRING, "'\\'");
    expect_token("'a'\n 'b' x", OB_LEX_STRING, "'a'\n 'b'");
    expect_token("'a' 'b'", OB_LEX_STRING, "'a'");
    expect_token("e'it\\'s' x", OB_LEX_ESCAPED, "e'it\\'s'");
    expect_token("U&'a' x", OB_LEX_UNICODE, "U&'a'");
    expect_token("U&\"a\" x", OB_LEX_UNICODE, "U&\"a\"");
    expect_token("X'ff' x", OB_LEX_BITS, "X'ff'");
    expect_token("$$a'$b$$ x", OB_LEX_DOLLAR, "$$a'$b$$");
    expect_token("$a$ $$ $a$ x", OB_LEX_DOLLAR, "$a$ $$ $a$");
    expect_token("$12::int", OB_LEX_PARAM, "$12");
    expect_token("$ x", OB_LEX_OTHER, "$");
    expect_token(";", OB_LEX_OTHER, ";");
    expect_token("", OB_LEX_SPACE, "");
    expect_token("'open", OB_LEX_STRING, "'open");
    expect_token("$$open", OB_LEX_DOLLAR, "$$open");
    expect_token("/* open", OB_LEX_COMMENT, "/* open");
}

static void expect_statement(const char *sql, int count, const char *const *params,
                             const char *expected)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_sql_put_statement(&out, sql, count, params);
    assert_string_equal(out.data, expected);
    ob_buf_clear(&out);
}

static void parameters_become_literals(void **state)
{
    (void)state;
    static const char *const params[] = {"it's", NULL, "a\\b"};
    expect_statement("SELECT $1, $2::int, $3", 3, params, "SELECT 'it''s', NULL::int, E'a\\\\b'");
    expect_statement("SELECT '$1', \"$1\", $$ $1 $$, a$1 -- $1", 3, params,
                     "SELECT '$1', \"$1\", $$ $1 $$, a$1 -- $1");
    expect_statement("SELECT $4", 3, params, "SELECT $4");
    static const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
    expect_statement("$10$1", 10, many, "'10''1'");
}

static void names_are_quoted(void **state)
{
    (void)state;
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_sql_put_name(&out, "a\"b c");
    assert_string_equal(out.data, "\"a\"\"b c\"");
    ob_buf_clear(&out);
}

static void expect_braceless(const char *sql, const char *expected)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    bool done = ob_sql_put_without_brace(&out, sql);
    assert_int_equal(done, expected != NULL);
    if (expected)
        assert_string_equal(out.data, expected);
    ob_buf_clear(&out);
}

static void braces_are_escaped_where_they_can_be(void **state)
{
    (void)state;
    expect_braceless("SELECT '{1\\,2}' , '\\'", "SELECT E'{1\\\\,2\\x7D' , '\\'");
    expect_braceless("SELECT date'}'", "SELECT date E'\\x7D'");
    expect_braceless("SELECT 'a\\'\n'}'", "SELECT E'a\\\\'\n'\\x7D'");
    expect_braceless("SELECT E'\\}}\\\\}'", "SELECT E'\\x7D\\x7D\\\\\\x7D'");
    expect_braceless("SELECT \"a\\}\"", "SELECT U&\"a\\\\\\007D\"");
    expect_braceless("AS $f$ it's \\ } $f$", "AS E' it''s \\\\ \\x7D '");
    expect_braceless("SELECT 1 -- }\n/* } */", "SELECT 1 -- )\n/* ) */");
    expect_braceless("SELECT 1 }", NULL);
    expect_braceless("SELECT U&'}' UESCAPE '!'", NULL);
    expect_braceless("SELECT $f$ } ", NULL);
    expect_braceless("SELECT $ab$ }b$", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_end_where_postgresql_ends_them),
        cmocka_unit_test(parameters_become_literals),
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(braces_are_escaped_where_they_can_be),
    };
    return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
