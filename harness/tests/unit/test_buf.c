#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void a_new_buffer_is_an_empty_text(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 10);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.size, 0);
    assert_false(ob_buf_failed(&buf));
    ob_buf_clear(&buf);
    ob_buf_clear(&buf);
}

static void pieces_are_joined_in_order(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 1000);
    ob_buf_puts(&buf, "one");
    ob_buf_putc(&buf, ' ');
    ob_buf_printf(&buf, "%s-%d", "two", 2);
    ob_buf_add(&buf, " three!", 6);
    ob_buf_add(&buf, NULL, 0);
    ob_buf_puts(&buf, "");
    ob_buf_printf(&buf, "%s", "");
    assert_string_equal(buf.data, "one two-2 three");
    assert_int_equal(buf.size, 15);
    ob_buf_clear(&buf);
}

static void bytes_may_be_nul(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 1000);
    ob_buf_add(&buf, "a\0b", 3);
    assert_int_equal(buf.size, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
    ob_buf_clear(&buf);
}

static void a_long_text_grows_the_buffer(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 100000);
    for (int i = 0; i < 10000; i++)
        ob_buf_printf(&buf, "%04d,", i);
    assert_false(ob_buf_failed(&buf));
    assert_int_equal(buf.size, 50000);
    assert_int_equal(strlen(buf.data), 50000);
    assert_string_equal(buf.data + 49990, "9998,9999,");
    ob_buf_clear(&buf);
}

static void exactly_the_maximum_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 5);
    ob_buf_puts(&buf, "abc");
    ob_buf_printf(&buf, "%s", "de");
    assert_false(ob_buf_failed(&buf));
    assert_string_equal(buf.data, "abcde");
    ob_buf_putc(&buf, 'f');
    assert_true(ob_buf_failed(&buf));
    assert_string_equal(buf.data, "abcde");
    ob_buf_clear(&buf);
}

static void a_broken_buffer_takes_nothing_more_until_it_is_reset(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 5);
    ob_buf_puts(&buf, "abc");
    ob_buf_printf(&buf, "%s", "def");
    assert_true(ob_buf_failed(&buf));
    ob_buf_putc(&buf, 'x');
    ob_buf_puts(&buf, "");
    assert_string_equal(buf.data, "abc");
    assert_true(ob_buf_failed(&buf));
    ob_buf_reset(&buf);
    assert_string_equal(buf.data, "");
    ob_buf_puts(&buf, "fresh");
    assert_false(ob_buf_failed(&buf));
    assert_string_equal(buf.data, "fresh");
    ob_buf_clear(&buf);
}

static void a_taken_text_is_the_callers_and_nothing_else_is_left(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 4);
    ob_buf_puts(&buf, "text");
    const char *data = buf.data;
    char *text = ob_buf_take(&buf);
    assert_ptr_equal(text, data);
    assert_string_equal(text, "text");
    assert_null(buf.data);
    free(text);
    ob_buf_clear(&buf);
}

static void a_text_becomes_one_line_and_is_cut_between_characters(void **state)
{
    (void)state;
    struct ob_buf buf;
    ob_buf_init(&buf, 100);
    ob_buf_put_line(&buf, "\n SELECT\t 1\r\n", 8);
    assert_string_equal(buf.data, "SELECT 1");
    ob_buf_reset(&buf);
    ob_buf_put_line(&buf, "SELECT 'ä'", 9);
    assert_string_equal(buf.data, "SELECT 'ä…");
    ob_buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_buffer_is_an_empty_text),
        cmocka_unit_test(pieces_are_joined_in_order),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(a_long_text_grows_the_buffer),
        cmocka_unit_test(exactly_the_maximum_fits_and_one_byte_more_does_not),
        cmocka_unit_test(a_broken_buffer_takes_nothing_more_until_it_is_reset),
        cmocka_unit_test(a_text_becomes_one_line_and_is_cut_between_characters),
        cmocka_unit_test(a_taken_text_is_the_callers_and_nothing_else_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
