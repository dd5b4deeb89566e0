/* Runs drawn for a terminal. */
#include "lanes.h"

#include "report_int.h"
#include "timeline_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NO_MARKS .first = OB_LANES_NONE, .second = OB_LANES_NONE, .other = OB_LANES_NONE

static const char drawn_80[] =
    "                fixture  simulators: 1\n"
    "  1 ●    alice  begin    BEGIN\n"
    "  2 │ ●  bob    begin    BEGIN\n"
    "  3 ● │  alice  sql      SELECT count(*) FROM booki…  $1 = '1', $2 = '[… → 1 row\n"
    "  4 │ ●  bob    sql      SELECT count(*) FROM booki…  $1 = '1', $2 = '[… → 1 row\n"
    "  5 ● │  alice  sql      INSERT INTO booking (simul…  $1 = '1', $2 = '[… → 1 row\n"
    "  6 ├╌◌  bob    sql      INSERT INTO booking …  $1 = '1', $2 … → waits for alice\n"
    "  7 ● ┊  alice  commit   COMMIT → (uncontrolled)\n"
    "    ├─○  bob    goes on  1 row\n"
    "  8   ●  bob    commit   COMMIT\n"
    "      │  bob    answer   status: ok, booking: 2\n"
    "      ×  bob    fault    point: commit/ack-lost, way: 1\n"
    "      │         clock    2026-06-01 12:00:00 UTC\n"
    "    end: finished\n";

static const char marked_60[] = "                fixture  simulators: 1\n"
                                "  1 *    alice  begin    BEGIN\n"
                                "  2 | *  bob    begin    BEGIN\n"
                                "  3 * |  alice  sql      SELECT coun...  $1 = '1... -> 1 row\n"
                                "> 4 | *  bob    sql      SELECT coun...  $1 = '1... -> 1 row\n"
                                "> 5 * |  alice  sql      INSERT INTO...  $1 = '1... -> 1 row\n"
                                "  6 +-o  bob    sql      INSER...  $1 ... -> waits for alice\n"
                                "# 7 * :  alice  commit   COMMIT -> (uncontrolled)\n"
                                "    +-@  bob    goes on  1 row\n"
                                "  8   *  bob    commit   COMMIT\n"
                                "      |  bob    answer   status: ok, booking: 2\n"
                                "      x  bob    fault    point: commit/ack-lost, way: 1\n"
                                "      |         clock    2026-06-01 12:00:00 UTC\n"
                                "    end: finished\n"
                                "    in conflict: steps 4 and 5\n";

static char *drawn(const struct ob_report_timeline *timeline, const struct ob_lanes_options *how)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_lanes_draw(timeline, how, &out);
    return ob_buf_take(&out);
}

static char *sample_drawn(const struct ob_lanes_options *how)
{
    struct ob_report report;
    timeline_sample(&report);
    char *text = drawn(report.results[0].violations[0].timeline, how);
    ob_report_clear(&report);
    return text;
}

static void assert_sample(const struct ob_lanes_options *how, const char *expected)
{
    char *text = sample_drawn(how);
    assert_string_equal(text, expected);
    free(text);
}

static void waits_go_from_who_blocks_to_who_wakes(void **state)
{
    (void)state;
    assert_sample(&(struct ob_lanes_options){NO_MARKS, .unicode = true, .width = 80}, drawn_80);
}

static void marked_steps_stand_out_in_plain_ascii(void **state)
{
    (void)state;
    assert_sample(&(struct ob_lanes_options){.first = 3, .second = 4, .other = 6, .width = 60},
                  marked_60);
}

static void without_a_width_nothing_is_shortened(void **state)
{
    (void)state;
    char *text = sample_drawn(&(struct ob_lanes_options){NO_MARKS, .width = INT_MAX});
    assert_non_null(strstr(text,
                           "SELECT count(*) FROM booking WHERE simulator_id = $1 AND during && $2  "
                           "$1 = '1', $2 = '[2026-06-01 10:00,2026-06-01 11:00)' -> 1 row\n"));
    assert_null(strstr(text, "..."));
    free(text);
}

static void colours_come_only_when_wanted(void **state)
{
    (void)state;
    struct ob_lanes_options how = {NO_MARKS, .unicode = true, .width = 80, .color = true};
    char *text = sample_drawn(&how), *to = text;
    assert_non_null(strstr(text, "\x1b[36malice\x1b[0m"));
    for (const char *from = text; *from; from++) {
        if (*from == '\x1b')
            from = strchr(from, 'm');
        else
            *to++ = *from;
    }
    *to = '\0';
    assert_string_equal(text, drawn_80);
    free(text);
}

/* Client i of so many makes step i; each waits for all before it. */
#define MANY 40

static char *many_drawn(size_t count, int width, const char *sql)
{
    static const char *names[MANY];
    struct ob_report_step steps[MANY];
    for (size_t i = 0; i < count; i++) {
        ob_report_clients own = (ob_report_clients)1 << i;
        names[i] = i % 2 ? "a-client-with-a-long-name" : "b";
        steps[i] = (struct ob_report_step){.client = i,
                                           .kind = "sql",
                                           .text = sql,
                                           .params = "",
                                           .blocked = i == 0 ? 0 : own | (own - 2),
                                           .holders = own - 1};
    }
    const struct ob_report_timeline timeline = {.clients = names,
                                                .client_count = count,
                                                .steps = steps,
                                                .step_count = count,
                                                .end = "stuck",
                                                .reason = "all wait"};
    const struct ob_lanes_options how = {NO_MARKS, .unicode = true, .width = width};
    return drawn(&timeline, &how);
}

static void assert_within(const char *text, size_t columns)
{
    struct ob_arena arena;
    ob_arena_init(&arena);
    for (const char *at = text; *at;) {
        size_t size = strcspn(at, "\n");
        assert_true(ob_report_columns(ob_arena_strndup(&arena, at, size)) <= columns);
        at += size + (at[size] == '\n');
    }
    ob_arena_clear(&arena);
}

static void many_clients_keep_within_the_width(void **state)
{
    (void)state;
    for (size_t count = 1; count <= MANY; count++) {
        for (int width = 80; width <= 140; width += 60) {
            char *text = many_drawn(count, width, "SELECT 'a text that is far too long' || $1");
            assert_within(text, (size_t)width);
            assert_non_null(strstr(text, "SELECT"));
            free(text);
        }
    }
}

static void a_wait_for_two_leads_to_both(void **state)
{
    (void)state;
    char *text = many_drawn(3, 80, "LOCK TABLE t");
    assert_non_null(strstr(text, "  3 ├╌┼╌◌  b               sql  LOCK TABLE t → waits for b, "));
    free(text);
}

static void a_terminal_is_never_obeyed(void **state)
{
    (void)state;
    char *text = many_drawn(2, 80, "SELECT '\x1b[2J\xc2\x9b'\n\t, 1\xff");
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "SELECT '?[2J?' , 1"));
    free(text);
}

static void one_step_has_a_lane_for_each_client(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_buf out;
    const struct ob_lanes_options how = {NO_MARKS, .unicode = true, .width = 80};
    timeline_sample(&report);
    ob_buf_init(&out, SIZE_MAX);
    ob_lanes_draw_step(report.results[0].violations[0].timeline, 6, &how, &out);
    assert_string_equal(out.data, "  7 ● ┊    alice    commit   COMMIT → (uncontrolled)\n"
                                  "    ├─○    bob      goes on  1 row\n");
    ob_buf_clear(&out);
    ob_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_go_from_who_blocks_to_who_wakes),
        cmocka_unit_test(marked_steps_stand_out_in_plain_ascii),
        cmocka_unit_test(without_a_width_nothing_is_shortened),
        cmocka_unit_test(colours_come_only_when_wanted),
        cmocka_unit_test(many_clients_keep_within_the_width),
        cmocka_unit_test(a_wait_for_two_leads_to_both),
        cmocka_unit_test(a_terminal_is_never_obeyed),
        cmocka_unit_test(one_step_has_a_lane_for_each_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
