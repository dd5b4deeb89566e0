/* Which statements work and which are wrong, over many runs. */
#include "explore/statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

/* A run in which client 0 sends the text and is answered at once. */
static void run(struct ob_statements *statements, const char *text, const char *sqlstate)
{
    struct ob_trace trace;
    ob_trace_init(&trace);
    struct ob_step *step = ob_trace_add_step(&trace);
    struct ob_completion completion = {.message = "what the server says"};
    snprintf(completion.sqlstate, sizeof completion.sqlstate, "%s", sqlstate);
    step->text = text;
    step->completions = &completion;
    step->completion_count = 1;
    ob_statements_add(statements, &trace);
    ob_trace_clear(&trace);
}

static void what_works_and_what_is_wrong_is_counted_for_each_text(void **state)
{
    (void)state;
    struct ob_statements statements;
    ob_statements_init(&statements);
    run(&statements, "SELECT 1", "00000");
    run(&statements, "SELECT 1/$1", "00000");
    run(&statements, "SELECT 1/$1", "22012");
    run(&statements, "SELECT 1", "00000");
    run(&statements, "SELECT 1/$1", "42P01");
    assert_int_equal(statements.count, 2);
    assert_string_equal(statements.items[0].text, "SELECT 1");
    assert_int_equal(statements.items[0].done, 2);
    assert_int_equal(statements.items[0].wrong, 0);
    assert_int_equal(statements.items[1].done, 1);
    assert_int_equal(statements.items[1].wrong, 2);
    assert_string_equal(statements.items[1].sqlstate, "22012");
    assert_string_equal(statements.items[1].message, "what the server says");
    assert_false(ob_statement_unaccepted(&statements.items[1]));
    ob_statements_clear(&statements);
}

static void a_race_that_is_lost_is_not_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        bool wrong, unaccepted;
    } cases[] = {
        {"40001", false, false}, {"40P01", false, false}, {"23505", false, false},
        {"23P01", false, false}, {"55P03", false, false}, {"57014", false, false},
        {"P0001", false, false}, {"23502", true, false},  {"22012", true, false},
        {"0A000", true, false},  {"21000", true, false},  {"3F000", true, false},
        {"42P01", true, true},   {"42601", true, true},   {"", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ob_statements statements;
        ob_statements_init(&statements);
        run(&statements, "SELECT 1", cases[i].sqlstate);
        assert_int_equal(statements.count, cases[i].sqlstate[0] != '\0');
        if (statements.count > 0) {
            assert_int_equal(statements.items[0].wrong, cases[i].wrong);
            assert_int_equal(statements.items[0].done, 0);
            assert_int_equal(ob_statement_unaccepted(&statements.items[0]), cases[i].unaccepted);
        }
        ob_statements_clear(&statements);
    }
}

/* Client 1 waits for client 0, whose step answers both. */
static void an_answer_belongs_to_the_statement_that_waited_for_it(void **state)
{
    (void)state;
    struct ob_trace trace;
    ob_trace_init(&trace);
    struct ob_completion both[] = {
        {.client = 0, .sqlstate = "00000", .message = ""},
        {.client = 1, .sqlstate = "42703", .message = "there is no such column"},
    };
    struct ob_step *step = ob_trace_add_step(&trace);
    step->client = 1;
    step->text = "UPDATE slot SET owner = $1";
    step = ob_trace_add_step(&trace);
    step->text = "COMMIT";
    step->completions = both;
    step->completion_count = 2;
    struct ob_statements statements;
    ob_statements_init(&statements);
    ob_statements_add(&statements, &trace);
    assert_int_equal(statements.count, 2);
    assert_string_equal(statements.items[1].text, "UPDATE slot SET owner = $1");
    assert_int_equal(statements.items[1].client, 1);
    assert_int_equal(statements.items[1].wrong, 1);
    ob_statements_clear(&statements);
    ob_trace_clear(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_works_and_what_is_wrong_is_counted_for_each_text),
        cmocka_unit_test(a_race_that_is_lost_is_not_wrong),
        cmocka_unit_test(an_answer_belongs_to_the_statement_that_waited_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
