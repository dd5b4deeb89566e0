#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void every_result_has_a_text_of_its_own(void **state)
{
    (void)state;
    static const enum ob_result codes[] = {
#define OB_RESULT_CODE(name, text) OB_##name,
        OB_RESULTS(OB_RESULT_CODE)
#undef OB_RESULT_CODE
    };
    size_t count = sizeof codes / sizeof *codes;
    assert_string_equal(ob_result_text(OB_OK), "ok");
    assert_string_equal(ob_result_text(OB_INTERNAL), "internal error");
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(ob_result_text(codes[i])) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ob_result_text(codes[i]), ob_result_text(codes[j]));
    }
}

static void setting_an_error_empties_what_an_earlier_one_left(void **state)
{
    (void)state;
    struct ob_error err = {.code = OB_SQL, .sqlstate = "40001"};
    ob_error_detail(&err, "detail %d", 1);
    ob_error_hint(&err, "hint %d", 2);
    assert_string_equal(err.detail, "detail 1");
    assert_string_equal(err.hint, "hint 2");
    assert_int_equal(ob_error_set(&err, OB_IO, "could not open \"%s\"", "f"), OB_IO);
    assert_int_equal(err.code, OB_IO);
    assert_string_equal(err.message, "could not open \"f\"");
    assert_string_equal(err.sqlstate, "");
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
}

static void an_error_can_be_quoted_in_itself(void **state)
{
    (void)state;
    struct ob_error err;
    (void)ob_error_set(&err, OB_IO, "first");
    ob_error_detail(&err, "because");
    (void)ob_error_set(&err, OB_SERVER, "second: %s (%s)", err.message, err.detail);
    assert_string_equal(err.message, "second: first (because)");
    ob_error_detail(&err, "said %s", err.message);
    assert_string_equal(err.detail, "said second: first (because)");
}

static void context_goes_before_the_message_and_leaves_the_rest(void **state)
{
    (void)state;
    struct ob_error err;
    (void)ob_error_set(&err, OB_INPUT, "unknown key");
    ob_error_hint(&err, "remove it");
    ob_error_context(&err, "%s:%d", "a.yaml", 3);
    assert_string_equal(err.message, "a.yaml:3: unknown key");
    assert_string_equal(err.hint, "remove it");
    assert_int_equal(err.code, OB_INPUT);
}

static void a_text_that_just_fits_is_kept_whole(void **state)
{
    (void)state;
    struct ob_error err;
    char text[sizeof err.message];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)ob_error_set(&err, OB_IO, "%s", text);
    assert_string_equal(err.message, text);
}

static void a_text_that_does_not_fit_ends_in_an_ellipsis(void **state)
{
    (void)state;
    struct ob_error err;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)ob_error_set(&err, OB_IO, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_string_equal(err.message + sizeof err.message - 5, "x\xe2\x80\xa6");
    ob_error_detail(&err, "%s", text);
    assert_int_equal(strlen(err.detail), sizeof err.detail - 1);
    assert_string_equal(err.detail + sizeof err.detail - 5, "x\xe2\x80\xa6");
    ob_error_context(&err, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_string_equal(err.message + sizeof err.message - 5, "x\xe2\x80\xa6");
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        struct ob_error err;
        char text[1000] = "";
        memset(text, 'a', lead);
        for (size_t i = lead; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4); /* the euro sign */
        (void)ob_error_set(&err, OB_IO, "%s", text);
        size_t kept = strlen(err.message) - 3;
        assert_string_equal(err.message + kept, "\xe2\x80\xa6");
        assert_int_equal((kept - lead) % 3, 0);
        assert_memory_equal(err.message, text, kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result_has_a_text_of_its_own),
        cmocka_unit_test(setting_an_error_empties_what_an_earlier_one_left),
        cmocka_unit_test(an_error_can_be_quoted_in_itself),
        cmocka_unit_test(context_goes_before_the_message_and_leaves_the_rest),
        cmocka_unit_test(a_text_that_just_fits_is_kept_whole),
        cmocka_unit_test(a_text_that_does_not_fit_ends_in_an_ellipsis),
        cmocka_unit_test(a_cut_never_splits_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
