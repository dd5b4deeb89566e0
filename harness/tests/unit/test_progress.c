/* What the line on standard error says of how far an exploration is. */
#include "cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void expect(double share, int64_t spent_us, bool bar, const char *expected)
{
    struct ob_buf out;
    ob_buf_init(&out, 200);
    ob_progress_describe(share, spent_us, bar, &out);
    assert_string_equal(out.data, expected);
    ob_buf_clear(&out);
}

static void the_share_is_drawn_and_the_time_left_follows_from_it(void **state)
{
    (void)state;
    expect(0.5, 120 * SECOND, true, "[#####-----] 50 %, about 2 min left");
    expect(0.479, 100 * SECOND, true, "[####------] 47 %, about 2 min left");
    expect(0.1, 5 * SECOND, true, "[#---------] 10 %, about 45 s left");
    expect(0.01, 3600 * SECOND, true, "[----------] 1 %, about 4 days left");
    expect(0.5, 7200 * SECOND, true, "[#####-----] 50 %, about 2 h left");
    expect(1, 60 * SECOND, true, "[##########] 100 %, about 1 s left");
    expect(1e-12, 10 * SECOND, true, "[----------] 0 %, more than 1000 days left");
}

static void there_is_a_bar_on_a_terminal_only(void **state)
{
    (void)state;
    expect(0.5, 120 * SECOND, false, "50 %, about 2 min left");
}

static void nothing_is_said_of_what_is_not_known(void **state)
{
    (void)state;
    expect(0, 120 * SECOND, true, "");
    expect(0.5, SECOND / 2, true, "[#####-----] 50 %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_drawn_and_the_time_left_follows_from_it),
        cmocka_unit_test(there_is_a_bar_on_a_terminal_only),
        cmocka_unit_test(nothing_is_said_of_what_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
