/*
 * A spec is read as it is written: tokens, sessions, steps, permutations with their blockers, which
 * steps are used, and the limits.  What is refused is in test_spec_bad.c.
 */
#include "scenario/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_support.h"

#define FULL_FILE "harness/tests/fuzz/corpus/fuzz_spec/full.spec"
#define TEXT_SIZE_MAX ((size_t)2 << 20)

static struct ob_spec *read_bytes(const char *text, size_t size)
{
    struct ob_error err;
    struct ob_spec *spec = NULL;
    if (ob_spec_parse("x.spec", text, size, &spec, &err) != OB_OK)
        fail_msg("%s: %s (%s)", err.detail, err.message, err.hint);
    return spec;
}

static struct ob_spec *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void assert_refused(const char *text, size_t size, const char *message)
{
    struct ob_error err;
    struct ob_spec *spec = NULL;
    assert_int_equal(ob_spec_parse("x.spec", text, size, &spec, &err), OB_INPUT);
    assert_null(spec);
    assert_string_equal(err.message, message);
    assert_string_not_equal(err.hint, "");
}

/* The SQL of the only step of the only session. */
static void assert_sql(const char *text, size_t size, const char *sql)
{
    struct ob_spec *spec = read_bytes(text, size);
    assert_int_equal(spec->step_count, 1);
    assert_string_equal(spec->steps[0].sql, sql);
    ob_spec_free(spec);
}

static void full_spec_has_its_setups_and_teardown(void **state)
{
    const struct ob_spec *spec = *state;
    assert_int_equal(spec->setup_count, 2);
    assert_string_equal(spec->setups[0], "CREATE TABLE stay (room int, guest text);");
    assert_string_equal(spec->setups[1], "\n    INSERT INTO stay VALUES (1, 'ann');\t\n"
                                         "    # no comment, but SQL\n");
    assert_string_equal(spec->teardown, "DROP TABLE stay;");
}

static void full_spec_has_its_sessions(void **state)
{
    const struct ob_spec *spec = *state;
    static const struct ob_spec_session wanted[] = {
        {"s1", "BEGIN;", "SELECT 1;", 0, 3},
        {"the \"other\" session", NULL, NULL, 3, 3},
        {"s3", "SELECT 3;", "\n", 6, 1},
    };
    assert_int_equal(spec->session_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct ob_spec_session *session = &spec->sessions[i];
        assert_string_equal(session->name, wanted[i].name);
        assert_int_equal(session->setup != NULL, wanted[i].setup != NULL);
        if (session->setup)
            assert_string_equal(session->setup, wanted[i].setup);
        assert_int_equal(session->teardown != NULL, wanted[i].teardown != NULL);
        if (session->teardown)
            assert_string_equal(session->teardown, wanted[i].teardown);
        assert_int_equal(session->first_step, wanted[i].first_step);
        assert_int_equal(session->step_count, wanted[i].step_count);
    }
}

static void full_spec_has_its_steps(void **state)
{
    const struct ob_spec *spec = *state;
    static const struct ob_spec_step wanted[] = {
        {"look", "SELECT * FROM stay;", 0, true},
        {"book it", "INSERT INTO stay VALUES (2, '# {');", 0, true},
        {"c1", "COMMIT;", 0, true},
        {"look2", "SELECT 2;", 1, true},
        {"_x$9", "", 1, false},
        {"ärger", "", 1, false},
        {"s3", "SELECT 3;", 2, true},
    };
    assert_int_equal(spec->step_count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(spec->steps[i].name, wanted[i].name);
        assert_string_equal(spec->steps[i].sql, wanted[i].sql);
        assert_int_equal(spec->steps[i].session, wanted[i].session);
        assert_int_equal(spec->steps[i].used, wanted[i].used);
    }
}

/* "STEP:BLOCKERS …", as a text to compare: "3:*,0+,6+2" waits once, for step 0, for 2 notices. */
static void assert_permutation(const struct ob_spec_permutation *permutation, const char *wanted)
{
    struct ob_buf text;
    ob_buf_init(&text, 1000);
    for (size_t i = 0; i < permutation->launch_count; i++) {
        const struct ob_spec_launch *launch = &permutation->launches[i];
        ob_buf_printf(&text, "%s%zu", i > 0 ? " " : "", launch->step);
        for (size_t k = 0; k < launch->blocker_count; k++) {
            const struct ob_spec_blocker *blocker = &launch->blockers[k];
            ob_buf_putc(&text, k > 0 ? ',' : ':');
            if (blocker->kind == OB_SPEC_ONCE)
                ob_buf_putc(&text, '*');
            else if (blocker->kind == OB_SPEC_STEP)
                ob_buf_printf(&text, "%zu", blocker->step);
            else
                ob_buf_printf(&text, "%zu+%u", blocker->step, blocker->notices);
        }
    }
    assert_string_equal(text.data, wanted);
    ob_buf_clear(&text);
}

static void full_spec_has_its_permutations(void **state)
{
    const struct ob_spec *spec = *state;
    assert_int_equal(spec->permutation_count, 3);
    assert_permutation(&spec->permutations[0], "0 1 2 3");
    assert_permutation(&spec->permutations[1], "0:* 3:0 6:0+2,3,*");
    assert_permutation(&spec->permutations[2], "1:6+0 6 6");
}

static void unused_steps_come_by_name(void **state)
{
    (void)state;
    struct ob_spec *spec = read_text("session a step z {} step b {} step Z {} step \"a b\" {}\n"
                                     "session b step t {} step ä {} permutation t(z) z t");
    size_t count = 0;
    const struct ob_spec_step **unused = ob_spec_unused(spec, &count);
    static const char *const wanted[] = {"Z", "a b", "b", "ä"};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(unused[i]->name, wanted[i]);
    free(unused);
    ob_spec_free(spec);
}

static void all_steps_are_used_where_no_permutation_is_given(void **state)
{
    (void)state;
    struct ob_spec *spec = read_text("session a step z {} session b step t {}");
    size_t count = 1;
    free(ob_spec_unused(spec, &count));
    assert_int_equal(count, 0);
    assert_true(spec->steps[0].used && spec->steps[1].used);
    assert_int_equal(spec->permutation_count, 0);
    assert_int_equal(spec->setup_count, 0);
    assert_null(spec->teardown);
    ob_spec_free(spec);
}

static void sql_is_trimmed_of_blanks_but_not_of_newlines(void **state)
{
    (void)state;
    static const struct {
        const char *block, *sql;
    } cases[] = {
        {"{x}", "x"},
        {"{ \t\r\f x \t\r\f }", "x"},
        {"{ \n x \n }", "\n x \n"},
        {"{ }", ""},
        {"{ \n }", "\n"},
        {"{\vx\v}", "\vx\v"},
        {"{{}", "{"},
        {"{ # x\n}", "# x\n"},
        {"{ 'a  b' }", "'a  b'"},
        {"{ \xff\xfe }", "\xff\xfe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = ob_asprintf("session a step s %s", cases[i].block);
        assert_sql(text, strlen(text), cases[i].sql);
        free(text);
    }
}

/* What libpq would send of it. */
static void nul_ends_the_value_in_which_it_stands(void **state)
{
    (void)state;
    static const char sql[] = "session a step s {x \0y }";
    assert_sql(sql, sizeof sql - 1, "x ");
    static const char names[] = "session \"a\0b\" step \"s\0t\" {} # \0\n permutation s \"s\0\"";
    struct ob_spec *spec = read_bytes(names, sizeof names - 1);
    assert_string_equal(spec->sessions[0].name, "a");
    assert_string_equal(spec->steps[0].name, "s");
    assert_permutation(&spec->permutations[0], "0 0");
    ob_spec_free(spec);
    static const char alone[] = "session a\n\0step s {}";
    assert_refused(alone, sizeof alone - 1, "syntax error at line 2: unexpected character \"\"");
}

static void comments_end_with_the_line_or_at_a_carriage_return(void **state)
{
    (void)state;
    struct ob_spec *spec = read_text("# { \"\nsession#x\na # step u {}\rstep s {}#");
    assert_string_equal(spec->sessions[0].name, "a");
    assert_int_equal(spec->step_count, 1);
    ob_spec_free(spec);
}

static void blanks_are_not_needed_between_signs(void **state)
{
    (void)state;
    struct ob_spec *spec = read_text("setup{}setup{}teardown{}session\"\"setup{}step\"\"\"\"{}"
                                     "teardown{}session\"step\"step\"a#{\"{}"
                                     "permutation\"\"\"\"(*,\"a#{\"notices 1)\"a#{\"");
    assert_int_equal(spec->setup_count, 2);
    assert_string_equal(spec->sessions[0].name, "");
    assert_string_equal(spec->sessions[1].name, "step");
    assert_string_equal(spec->steps[0].name, "\"");
    assert_string_equal(spec->steps[1].name, "a#{");
    assert_permutation(&spec->permutations[0], "0:*,1+1 1");
    ob_spec_free(spec);
}

static void quoted_name_may_have_a_carriage_return(void **state)
{
    (void)state;
    struct ob_spec *spec = read_text("session \"a\rb\" step s {}");
    assert_string_equal(spec->sessions[0].name, "a\rb");
    ob_spec_free(spec);
}

/* As the peer does, whose numbers are ints made of longs. */
static void numbers_that_do_not_fit_wrap_as_the_peers_do(void **state)
{
    (void)state;
    static const struct {
        const char *digits;
        unsigned notices;
    } cases[] = {
        {"0", 0},
        {"007", 7},
        {"2147483647", 2147483647},
        {"2147483648", 0},
        {"4294967295", 0},
        {"4294967297", 1},
        {"9223372036854775807", 0},
        {"9223372036854775808", 0},
        {"18446744073709551617", 0},
        {"99999999999999999999999999999999999999999", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = ob_asprintf("session a step s {} session b step t {}"
                                 "permutation s(t notices %s) t",
                                 cases[i].digits);
        struct ob_spec *spec = read_text(text);
        assert_int_equal(spec->permutations[0].launches[0].blockers[0].notices, cases[i].notices);
        ob_spec_free(spec);
        free(text);
    }
}

static void the_size_is_limited(void **state)
{
    (void)state;
    static const char spec_text[] = "session a step s {}";
    size_t size = (size_t)1 << 20;
    char *text = ob_alloc(size + 1);
    memset(text, '\n', size + 1);
    memcpy(text, spec_text, sizeof spec_text - 1);
    ob_spec_free(read_bytes(text, size));
    assert_refused(text, size + 1, "the spec has 1048577 bytes, more than 1048576");
    free(text);
}

static void sessions_are_limited(void **state)
{
    (void)state;
    struct ob_buf text;
    ob_buf_init(&text, TEXT_SIZE_MAX);
    for (int i = 0; i < 64; i++)
        ob_buf_printf(&text, "session s%d step t%d {}\n", i, i);
    struct ob_spec *spec = read_text(text.data);
    assert_int_equal(spec->session_count, 64);
    ob_spec_free(spec);
    ob_buf_puts(&text, "session");
    assert_refused(text.data, text.size, "more than 64 sessions");
    ob_buf_clear(&text);
}

/* Nothing that takes a time that grows with the square of the file. */
static void the_largest_specs_are_read_at_once(void **state)
{
    (void)state;
    struct ob_buf text;
    ob_buf_init(&text, TEXT_SIZE_MAX);
    ob_buf_puts(&text, "session a ");
    for (int i = 0; i < 30000; i++)
        ob_buf_printf(&text, "step s%d {} ", i);
    ob_buf_puts(&text, "session b step t {} permutation t(s0");
    for (int i = 1; i < 30000; i++)
        ob_buf_printf(&text, ",s%d", i);
    ob_buf_putc(&text, ')');
    for (int i = 0; i < 30000; i++)
        ob_buf_printf(&text, " s%d", i);
    assert_false(ob_buf_failed(&text));
    struct ob_spec *spec = read_text(text.data);
    assert_int_equal(spec->step_count, 30001);
    assert_int_equal(spec->permutations[0].launch_count, 30001);
    assert_int_equal(spec->permutations[0].launches[0].blocker_count, 30000);
    assert_int_equal(spec->permutations[0].launches[0].blockers[29999].step, 29999);
    ob_spec_free(spec);
    ob_buf_clear(&text);
}

static void long_names_are_read_and_told_as_far_as_there_is_room(void **state)
{
    (void)state;
    char name[5001];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char *text = ob_asprintf("session a step %s {}", name);
    struct ob_spec *spec = read_text(text);
    assert_string_equal(spec->steps[0].name, name);
    ob_spec_free(spec);
    free(text);
    text = ob_asprintf("session a step %s {} step %s {}", name, name);
    struct ob_error err;
    assert_int_equal(ob_spec_parse("x", text, strlen(text), &spec, &err), OB_INPUT);
    assert_int_equal(strncmp(err.message, "duplicate step name: nnn", 24), 0);
    assert_string_equal(err.message + strlen(err.message) - 3, "…");
    free(text);
}

static void freeing_no_spec_is_legal(void **state)
{
    (void)state;
    ob_spec_free(NULL);
}

static int open_full(void **state)
{
    struct ob_buf data = read_file(FULL_FILE);
    *state = read_bytes(data.data, data.size);
    ob_buf_clear(&data);
    return 0;
}

static int close_full(void **state)
{
    ob_spec_free(*state);
    return 0;
}

#define WITH_FULL(test) cmocka_unit_test_setup_teardown(test, open_full, close_full)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FULL(full_spec_has_its_setups_and_teardown),
        WITH_FULL(full_spec_has_its_sessions),
        WITH_FULL(full_spec_has_its_steps),
        WITH_FULL(full_spec_has_its_permutations),
        cmocka_unit_test(unused_steps_come_by_name),
        cmocka_unit_test(all_steps_are_used_where_no_permutation_is_given),
        cmocka_unit_test(sql_is_trimmed_of_blanks_but_not_of_newlines),
        cmocka_unit_test(nul_ends_the_value_in_which_it_stands),
        cmocka_unit_test(comments_end_with_the_line_or_at_a_carriage_return),
        cmocka_unit_test(blanks_are_not_needed_between_signs),
        cmocka_unit_test(quoted_name_may_have_a_carriage_return),
        cmocka_unit_test(numbers_that_do_not_fit_wrap_as_the_peers_do),
        cmocka_unit_test(the_size_is_limited),
        cmocka_unit_test(sessions_are_limited),
        cmocka_unit_test(the_largest_specs_are_read_at_once),
        cmocka_unit_test(long_names_are_read_and_told_as_far_as_there_is_room),
        cmocka_unit_test(freeing_no_spec_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
