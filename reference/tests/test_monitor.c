#include "booking/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char last_line[1024];
static int line_count;

static void keep_line(void *arg, const char *line)
{
    assert_ptr_equal(arg, &line_count);
    snprintf(last_line, sizeof last_line, "%s", line);
    line_count++;
}

static void counters_begin_at_zero_and_count_apart(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(NULL, NULL);

    (void)state;
    booking_monitor_count(monitor, BOOKING_COUNT_RETRIES_40001);
    booking_monitor_add(monitor, BOOKING_COUNT_HOLDS_EXPIRED, 41);
    booking_monitor_count(monitor, BOOKING_COUNT_HOLDS_EXPIRED);
    assert_int_equal(booking_monitor_get(monitor, BOOKING_COUNT_RETRIES_40001), 1);
    assert_int_equal(booking_monitor_get(monitor, BOOKING_COUNT_HOLDS_EXPIRED), 42);
    assert_int_equal(booking_monitor_get(monitor, BOOKING_COUNT_RETRIES_40P01), 0);
    booking_monitor_reset(monitor);
    assert_int_equal(booking_monitor_get(monitor, BOOKING_COUNT_HOLDS_EXPIRED), 0);
    booking_monitor_free(monitor);
    booking_monitor_free(NULL);
}

static void a_race_is_one_json_line_of_what_is_known(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(keep_line, &line_count);

    (void)state;
    booking_monitor_race(monitor, &(struct booking_race){.kind = "slot-taken",
                                                         .request = "hold",
                                                         .path = "fixed",
                                                         .decided = "refused",
                                                         .customer = "bo\"b\n",
                                                         .simulator_id = 1,
                                                         .sqlstate = ""});
    assert_int_equal(line_count, 1);
    assert_string_equal(last_line,
                        "{\"event\":\"race\",\"kind\":\"slot-taken\",\"request\":\"hold\","
                        "\"path\":\"fixed\",\"decided\":\"refused\",\"customer\":\"bo\\\"b\\n\","
                        "\"simulator\":1}");
    booking_monitor_free(monitor);
}

static void without_a_log_a_race_is_only_counted(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(NULL, NULL);

    (void)state;
    line_count = 0;
    booking_monitor_race(monitor, &(struct booking_race){.kind = "slot-taken"});
    assert_int_equal(line_count, 0);
    booking_monitor_free(monitor);
}

/* A sample: name, labels in braces perhaps, a blank, digits. */
static bool is_sample(const char *line)
{
    size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    const char *rest = line + name;

    if (*rest == '{') {
        rest = strchr(rest, '}');
        if (!rest)
            return false;
        rest++;
    }
    return name > 0 && *rest == ' ' && isdigit((unsigned char)rest[1]) &&
           rest[1 + strspn(rest + 1, "0123456789")] == '\0';
}

static void each_line_of_the_text_is_help_type_or_sample(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(NULL, NULL);
    char *text = booking_monitor_prometheus(monitor), *rest = text, *line;
    int samples = 0, helps = 0, types = 0;

    (void)state;
    while ((line = strsep(&rest, "\n")) && *line) {
        helps += strncmp(line, "# HELP ", 7) == 0;
        types += strncmp(line, "# TYPE ", 7) == 0;
        samples += is_sample(line);
        assert_true(*line == '#' || is_sample(line));
    }
    assert_null(rest);
    assert_int_equal(samples, BOOKING_COUNTER_COUNT);
    assert_int_equal(helps, types);
    free(text);
    booking_monitor_free(monitor);
}

static void the_text_carries_the_counts(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(NULL, NULL);
    char *text;

    (void)state;
    booking_monitor_add(monitor, BOOKING_COUNT_LOST_RACES_FIXED, 3);
    text = booking_monitor_prometheus(monitor);
    assert_non_null(strstr(text, "\nbooking_double_booking_attempts_total{path=\"fixed\"} 3\n"));
    assert_non_null(strstr(text, "# TYPE booking_double_booking_attempts_total counter\n"));
    assert_non_null(strstr(text, "\nbooking_manual_cases_total 0\n"));
    free(text);
    booking_monitor_free(monitor);
}

static void a_metric_is_described_once(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(NULL, NULL);
    char *text = booking_monitor_prometheus(monitor);
    const char *first = strstr(text, "# TYPE booking_races_total ");

    (void)state;
    assert_non_null(first);
    assert_null(strstr(first + 1, "# TYPE booking_races_total "));
    free(text);
    booking_monitor_free(monitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_begin_at_zero_and_count_apart),
        cmocka_unit_test(a_race_is_one_json_line_of_what_is_known),
        cmocka_unit_test(without_a_log_a_race_is_only_counted),
        cmocka_unit_test(each_line_of_the_text_is_help_type_or_sample),
        cmocka_unit_test(the_text_carries_the_counts),
        cmocka_unit_test(a_metric_is_described_once),
    };

    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
