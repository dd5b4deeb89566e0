#include "base/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char *const words[] = {"run", "replay", "list", "doctor", "no-overlap", "no-overlaps"};

static const char *nearest(const char *text)
{
    return ob_parse_nearest(text, words, sizeof words / sizeof *words);
}

static void whole_numbers_within_their_range_are_read(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(ob_parse_u64("0", 0, 10, &number));
    assert_int_equal(number, 0);
    assert_true(ob_parse_u64("10", 0, 10, &number));
    assert_int_equal(number, 10);
    assert_true(ob_parse_u64("007", 0, 10, &number));
    assert_int_equal(number, 7);
    assert_true(ob_parse_u64("18446744073709551615", 0, UINT64_MAX, &number));
    assert_int_equal(number, UINT64_MAX);
}

static void a_wrong_whole_number_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  " 1",  "1 ",  "+1", "-1", "1x",
                                        "x", "0x1", "1.0", "4",  "21"};
    uint64_t number = 99;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(ob_parse_u64(texts[i], 5, 20, &number));
    assert_false(ob_parse_u64("18446744073709551616", 0, UINT64_MAX, &number));
    assert_false(ob_parse_u64("99999999999999999999999", 0, UINT64_MAX, &number));
    assert_false(ob_parse_u64("9", 0, 4, &number));
    assert_int_equal(number, 99);
}

static void signed_numbers_are_read_to_both_ends_of_their_range(void **state)
{
    (void)state;
    int64_t number = 99;
    assert_true(ob_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &number));
    assert_true(number == INT64_MIN);
    assert_true(ob_parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &number));
    assert_true(number == INT64_MAX);
    assert_true(ob_parse_i64("-5", -5, 5, &number));
    assert_true(number == -5);
    assert_true(ob_parse_i64("-0", 0, 5, &number));
    assert_true(number == 0);
    number = 99;
    assert_false(ob_parse_i64("-6", -5, 5, &number));
    assert_false(ob_parse_i64("6", -5, 5, &number));
    assert_false(ob_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &number));
    assert_false(ob_parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &number));
    assert_false(ob_parse_i64("--5", -5, 5, &number));
    assert_false(ob_parse_i64("-", -5, 5, &number));
    assert_false(ob_parse_i64("", -5, 5, &number));
    assert_true(number == 99);
}

static void assert_order(const char *a, const char *b, int expected)
{
    int order = 99;
    assert_true(ob_parse_compare_decimals(a, b, &order));
    assert_int_equal(order, expected);
    assert_true(ob_parse_compare_decimals(b, a, &order));
    assert_int_equal(order, -expected);
}

static void decimal_numbers_are_compared_exactly(void **state)
{
    (void)state;
    assert_order("9.50", "10.00", -1);
    assert_order("9.50", "9.5", 0);
    assert_order("9.5", "9.05", 1);
    assert_order("9", "9.000", 0);
    assert_order("007", "7", 0);
    assert_order("0.1", "0.10000000000000000000000000000000000001", -1);
    assert_order("10000000000000000000000000000000000000000", "9999999999999999999999999999999.9",
                 1);
    assert_order("-9.5", "-10", 1);
    assert_order("-9.5", "9.5", -1);
    assert_order("-0.00", "0", 0);
    assert_order("-0.01", "0", -1);
    assert_order("9223372036854775807", "9223372036854775808", -1);
}

static void what_is_no_decimal_number_is_not_compared_as_one(void **state)
{
    (void)state;
    static const char *const texts[] = {"",    "-",        ".",   ".5", "5.", "+1",
                                        "1e3", "1.5e3",    "0x1", " 1", "1 ", "1.2.3",
                                        "NaN", "Infinity", "1,5", "--1"};
    int order = 99;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(ob_parse_compare_decimals(texts[i], "1", &order));
        assert_false(ob_parse_compare_decimals("1", texts[i], &order));
    }
    assert_int_equal(order, 99);
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    int64_t us = 99;
    assert_true(ob_parse_duration_us("250ms", &us));
    assert_int_equal(us, 250000);
    assert_true(ob_parse_duration_us("60s", &us));
    assert_int_equal(us, 60000000);
    assert_true(ob_parse_duration_us("15min", &us));
    assert_int_equal(us, INT64_C(900000000));
    assert_true(ob_parse_duration_us("2h", &us));
    assert_int_equal(us, INT64_C(7200000000));
    assert_true(ob_parse_duration_us("0s", &us));
    assert_int_equal(us, 0);
    us = 99;
    static const char *const texts[] = {"", "60", "s", "-1s", "1 s", "1m", "1sec", "1.5s", "1s "};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(ob_parse_duration_us(texts[i], &us));
    assert_int_equal(us, 99);
}

static void a_duration_past_the_range_is_refused(void **state)
{
    (void)state;
    int64_t us = 99;
    assert_true(ob_parse_duration_us("9223372036854s", &us));
    us = 99;
    assert_false(ob_parse_duration_us("9223372036855s", &us));
    assert_false(ob_parse_duration_us("9223372036854775807h", &us));
    assert_false(ob_parse_duration_us("9223372036854775808ms", &us));
    assert_int_equal(us, 99);
}

static void times_are_counted_from_1970(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2026-06-01T10:00:00Z", 1780308000},
        {"2026-06-01T10:00", 1780308000},
        {"2026-06-01T10:00Z", 1780308000},
        {"2026-06-01T10:00:30", 1780308030},
        {"2024-02-29T23:59:59Z", 1709251199},
        {"2000-03-01T00:00:00Z", 951868800},
        {"0001-01-01T00:00:00Z", -62135596800},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 99;
        assert_true(ob_parse_time_us(cases[i].text, &us));
        assert_true(us == cases[i].seconds * 1000000);
    }
}

static void a_time_that_is_not_in_the_calendar_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2026-06-01",
        "2026-06-01 10:00",
        "26-06-01T10:00",
        "2026-6-01T10:00",
        "2026-13-01T10:00",
        "2026-00-01T10:00",
        "2026-06-31T10:00",
        "2026-06-00T10:00",
        "2026-02-29T10:00",
        "1900-02-29T10:00",
        "2026-06-01T24:00",
        "2026-06-01T10:60",
        "2026-06-01T10:00:60Z",
        "2026-06-01T10:00:",
        "2026-06-01T10:00:00z",
        "2026-06-01T10:00:00+02:00",
        "2026-06-01T10:00:00Zx",
        "0000-06-01T10:00",
        "2026-06-01T10",
    };
    int64_t us = 99;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(ob_parse_time_us(texts[i], &us));
    assert_int_equal(us, 99);
}

static void a_slip_of_the_finger_finds_the_word_that_was_meant(void **state)
{
    (void)state;
    assert_string_equal(nearest("run"), "run");
    assert_string_equal(nearest("urn"), "run");
    assert_string_equal(nearest("rum"), "run");
    assert_string_equal(nearest("lst"), "list");
    assert_string_equal(nearest("relpay"), "replay");
    assert_string_equal(nearest("docktor"), "doctor");
    assert_string_equal(nearest("no_overlap"), "no-overlap");
    assert_string_equal(nearest("no-overlaps"), "no-overlaps");
    assert_string_equal(nearest("no_overlapped"), "no-overlap");
}

static void another_word_gets_no_suggestion(void **state)
{
    (void)state;
    char endless[200];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(nearest(""));
    assert_null(nearest("x"));
    assert_null(nearest("ruin!"));
    assert_null(nearest("serializable"));
    assert_null(nearest(endless));
    const char *const long_words[] = {endless, "a", "aaa"};
    assert_string_equal(ob_parse_nearest("aa", long_words, 2), "a");
    assert_string_equal(ob_parse_nearest("aa", long_words + 1, 2), "a");
    assert_null(ob_parse_nearest("b", long_words, 3));
    assert_null(ob_parse_nearest("run", words, 0));
}

static void assert_utf8(const char *data, size_t size)
{
    size_t bad = 99;
    assert_true(ob_parse_utf8(data, size, &bad));
    assert_int_equal(bad, 99);
}

static void assert_not_utf8(const char *data, size_t size, size_t where)
{
    size_t bad = 99;
    assert_false(ob_parse_utf8(data, size, &bad));
    assert_int_equal(bad, where);
}

static void well_formed_utf8_is_accepted(void **state)
{
    (void)state;
    assert_utf8("", 0);
    assert_utf8("plain\0text", 10);
    assert_utf8("\x7f\xc2\x80\xdf\xbf", 5);
    assert_utf8("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12);
    assert_utf8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
}

static void malformed_utf8_is_refused_where_it_begins(void **state)
{
    (void)state;
    assert_not_utf8("a\x80", 2, 1);
    assert_not_utf8("\xc0\x80", 2, 0);
    assert_not_utf8("\xc1\xbf", 2, 0);
    assert_not_utf8("ab\xc2", 3, 2);
    assert_not_utf8("\xc2g", 2, 0);
    assert_not_utf8("\xe0\x9f\xbf", 3, 0);
    assert_not_utf8("\xed\xa0\x80", 3, 0);
    assert_not_utf8("\xe2\x82", 2, 0);
    assert_not_utf8("\xe2\x82g", 3, 0);
    assert_not_utf8("\xf0\x8f\xbf\xbf", 4, 0);
    assert_not_utf8("\xf4\x90\x80\x80", 4, 0);
    assert_not_utf8("\xf0\x90\x80\xc0", 4, 0);
    assert_not_utf8("\xc3\xa9\xf5\x80\x80\x80", 6, 2);
    assert_not_utf8("\xff", 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_within_their_range_are_read),
        cmocka_unit_test(a_wrong_whole_number_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(signed_numbers_are_read_to_both_ends_of_their_range),
        cmocka_unit_test(decimal_numbers_are_compared_exactly),
        cmocka_unit_test(what_is_no_decimal_number_is_not_compared_as_one),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(a_duration_past_the_range_is_refused),
        cmocka_unit_test(times_are_counted_from_1970),
        cmocka_unit_test(a_time_that_is_not_in_the_calendar_is_refused),
        cmocka_unit_test(a_slip_of_the_finger_finds_the_word_that_was_meant),
        cmocka_unit_test(another_word_gets_no_suggestion),
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(malformed_utf8_is_refused_where_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
