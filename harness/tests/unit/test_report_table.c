/* The table, as people see it: whole texts, and what must hold of every one. */
#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char good_unicode[] =
    "overbook 0.1.0, PostgreSQL 15.18, seed 1\n"
    "\n"
    "     variant  expected             found                   runs    time\n"
    "\n"
    "two-holds-one-slot\n"
    "Two customers want the same bay at the same hour.\n"
    "  \xe2\x9c\x93"
    "  legacy   violates no-overlap  violated in run 17        17  0.31 s\n"
    "     no-overlap: booking 2 of bob overlaps booking 1 of alice on simulator 1:\n"
    "     2026-06-01 10:30 to 11:30, 2026-06-01 10:00 to 11:00\n"
    "     run 17: 2 clients, 8 steps, 1 preemption, 0 faults; replayed 10/10\n"
    "     overbook replay ob1-AAEC_wQFBg\n"
    "  \xe2\x9c\x93"
    "  fixed    holds                holds, all tried       1,204  12.0 s\n"
    "\n"
    "holds, all tried: there is no other schedule of that variant.\n"
    "2 of 2 as expected in 12.5 s (1 hold, 1 violated).\n";

static const char mixed_ascii[] =
    "overbook 0.1.0, PostgreSQL 15.18, seed 1\n"
    "Not controlled: the order in which waiters wake.\n"
    "\n"
    "     variant             expected           found                   runs    time\n"
    "\n"
    "two-holds-one-slot\n"
    "Two customers want the same bay at the same hour.\n"
    "  ok legacy              violates           violated in run 17        17  0.31 s\n"
    "                         no-overlap\n"
    "     no-overlap: booking 2 of bob overlaps booking 1 of alice on simulator 1:\n"
    "     2026-06-01 10:30 to 11:30, 2026-06-01 10:00 to 11:00\n"
    "     run 17: 2 clients, 8 steps, 1 preemption, 0 faults; replayed 10/10\n"
    "     overbook replay ob1-AAEC_wQFBg\n"
    "  ok fixed               holds              holds, all tried       1,204  12.0 s\n"
    "\n"
    "refund-against-cancel\n"
    "A customer gives the booking up while the payment is being captured; the money\n"
    "must come back exactly once.\n"
    "  NO fixed-serializable  violates           violated in run 1,234  5,000   125 s\n"
    "                         one-booking-per-payment\n"
    "     It violates money-conserved, which was not expected.\n"
    "     money-conserved: payment pay_1: captured 9000 EUR, refunded 18000 EUR\n"
    "     liveness: payment pay_1: captured 9000 EUR, refunded 18000 EUR\n"
    "     liveness: payment pay_1: captured 9000 EUR, refunded 18000 EUR\n"
    "     and 1 more in this run (-v shows all)\n"
    "     run 1,234: 3 clients, 21 steps, 2 preemptions, 1 fault\n"
    "     overbook replay "
    "ob1-AAEC_wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1\n"
    "  NO legacy              violates           holds                  5,000   125 s\n"
    "                         one-booking-per-payment\n"
    "     No run violated one-booking-per-payment.\n"
    "     warning: client bob: \"SELECT 1/0\" failed each time: 22012: no\n"
    "  ?? replay              violates           inconclusive           5,000   125 s\n"
    "                         one-booking-per-payment\n"
    "     The replay went another way at step 4: bob was blocked.\n"
    "  !! server              violates           error                  5,000   125 s\n"
    "                         one-booking-per-payment\n"
    "     The server went away: FATAL: terminating connection due to administrator\n"
    "     command ?quoted? ...\n"
    "\n"
    "NO not as expected   ?? inconclusive   !! error\n"
    "holds: in each of these runs; there may be other schedules.\n"
    "holds, all tried: there is no other schedule of that variant.\n"
    "2 of 6 as expected in 12.5 s; not as expected: 2, inconclusive: 1, errors: 1.\n";

static const char mixed_quiet_narrow[] =
    "overbook 0.1.0, PostgreSQL 15.18, seed 1\n"
    "Not controlled: the order in which waiters wake.\n"
    "\n"
    "     variant       expected  found          runs    time\n"
    "\n"
    "refund-against-cancel\n"
    "A customer gives the booking up while the payment is\n"
    "being captured; the money must come back exactly once.\n"
    "  NO fixed-ser...  violates  violated ...  5,000   125 s\n"
    "                   one-booking-per-payment\n"
    "     It violates money-conserved, which was not\n"
    "     expected.\n"
    "     money-conserved: payment pay_1: captured 9000 EUR,\n"
    "     refunded 18000 EUR\n"
    "     liveness: payment pay_1: captured 9000 EUR,\n"
    "     refunded 18000 EUR\n"
    "     liveness: payment pay_1: captured 9000 EUR,\n"
    "     refunded 18000 EUR\n"
    "     and 1 more in this run (-v shows all)\n"
    "     run 1,234: 3 clients, 21 steps, 2 preemptions, 1\n"
    "     fault\n"
    "     overbook replay "
    "ob1-AAEC_wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1\n"
    "  NO legacy        violates  holds         5,000   125 s\n"
    "                   one-booking-per-payment\n"
    "     No run violated one-booking-per-payment.\n"
    "     warning: client bob: \"SELECT 1/0\" failed each time:\n"
    "     22012: no\n"
    "  ?? replay        violates  inconclusive  5,000   125 s\n"
    "                   one-booking-per-payment\n"
    "     The replay went another way at step 4: bob was\n"
    "     blocked.\n"
    "  !! server        violates  error         5,000   125 s\n"
    "                   one-booking-per-payment\n"
    "     The server went away: FATAL: terminating connection\n"
    "     due to administrator command ?quoted? ...\n"
    "\n"
    "NO not as expected   ?? inconclusive   !! error\n"
    "holds: in each of these runs; there may be other\n"
    "schedules.\n"
    "2 of 6 as expected in 12.5 s; not as expected: 2,\n"
    "inconclusive: 1, errors: 1.\n";

static struct ob_table_options options;

static enum ob_result render(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    return ob_report_table(report, &options, out, err);
}

static char *table_of(void (*sample)(struct ob_report *), struct ob_table_options how)
{
    struct ob_report report;
    sample(&report);
    options = how;
    char *text = report_sample_render(&report, render);
    assert_non_null(text);
    ob_report_clear(&report);
    return text;
}

static void assert_table(void (*sample)(struct ob_report *), struct ob_table_options how,
                         const char *expected)
{
    char *text = table_of(sample, how);
    assert_string_equal(text, expected);
    free(text);
}

static void a_good_report_reads_well(void **state)
{
    (void)state;
    assert_table(report_sample_good, (struct ob_table_options){.unicode = true, .width = 80},
                 good_unicode);
}

static void every_kind_of_result_has_its_mark_in_plain_ascii(void **state)
{
    (void)state;
    assert_table(report_sample_mixed, (struct ob_table_options){.width = 80}, mixed_ascii);
}

static void a_quiet_table_leaves_out_what_is_as_expected(void **state)
{
    (void)state;
    assert_table(report_sample_mixed, (struct ob_table_options){.width = 56, .verbosity = -1},
                 mixed_quiet_narrow);
}

static void a_quiet_table_of_a_good_report_is_one_line(void **state)
{
    (void)state;
    assert_table(report_sample_good, (struct ob_table_options){.width = 80, .verbosity = -1},
                 "2 of 2 as expected in 12.5 s (1 hold, 1 violated).\n");
}

static void no_results_are_said_to_be_none(void **state)
{
    (void)state;
    assert_table(ob_report_init, (struct ob_table_options){.width = 80}, "Nothing was run.\n");
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        count++;
    return count;
}

static void a_verbose_table_has_every_violation_and_each_run_once(void **state)
{
    (void)state;
    char *text =
        table_of(report_sample_mixed, (struct ob_table_options){.width = 80, .verbosity = 1});
    assert_non_null(strstr(text, "\n     3 alice sql SELECT 1 WHERE a < b\n"));
    assert_null(strstr(text, "more in this run"));
    assert_int_equal(count_of(text, "liveness: "), 3);
    assert_int_equal(count_of(text, "overbook replay"), 2);
    assert_int_equal(count_of(text, "1 alice begin"), 2);
    free(text);
}

static void without_token(struct ob_report *report)
{
    report_sample_good(report);
    report->results[0].violations[0].token = report->results[0].violations[0].replay = "";
}

static void a_violation_that_cannot_be_replayed_has_no_command(void **state)
{
    (void)state;
    char *text = table_of(without_token, (struct ob_table_options){.width = 80});
    assert_non_null(strstr(text, "booking 2 of bob overlaps"));
    assert_null(strstr(text, "overbook replay"));
    assert_non_null(strstr(text, "\n     no token: the clients raced freely\n"));
    free(text);
}

static void raced_freely(struct ob_report *report)
{
    without_token(report);
    report->controlled_steps = report->controlled_wake = false;
}

static void of_a_free_race_the_order_of_steps_is_not_controlled(void **state)
{
    (void)state;
    char *text = table_of(raced_freely, (struct ob_table_options){.width = 80});
    assert_non_null(strstr(text, "Not controlled: the order of steps, the order in which waiters "
                                 "wake.\n"));
    free(text);
}

/* Elsewhere than on a terminal nothing is shortened. */
static void a_whole_table_has_every_name_in_its_row(void **state)
{
    (void)state;
    struct ob_table_options how = {.width = 50, .whole = true, .verbosity = 1};
    char *text = table_of(report_sample_mixed, how);
    assert_non_null(strstr(text, "  NO fixed-serializable  violates one-booking-per-payment  "
                                 "violated in run 1,234  5,000   125 s\n"));
    assert_null(strstr(text, "-..."));
    free(text);
}

static void on_a_terminal_names_wrap_before_they_are_cut(void **state)
{
    (void)state;
    for (int width = 74; width <= 90; width++) {
        char *text = table_of(report_sample_mixed, (struct ob_table_options){.width = width});
        assert_non_null(strstr(text, "\n  NO fixed-serializable  violates  "));
        assert_non_null(strstr(text, "\n                         one-booking-per-payment\n"));
        assert_non_null(strstr(text, "violated in run 1,234"));
        free(text);
    }
    char *wide = table_of(report_sample_mixed, (struct ob_table_options){.width = 100});
    assert_non_null(strstr(wide, "  violates one-booking-per-payment  violated in run 1,234"));
    free(wide);
}

/* What has come is printed at once, in the columns of all that was announced. */
static void a_table_grows_with_its_report(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_error err;
    char *text = NULL;
    size_t size = 0;
    report_sample_mixed(&report);
    size_t count = report.result_count;
    const struct ob_table_options how = {.width = 80};
    FILE *out = open_memstream(&text, &size);
    struct ob_table *table = ob_table_new(&report, &how, out);
    for (size_t i = 0; i < count; i++)
        ob_table_announce(table, &report.results[i]);
    for (report.result_count = 1; report.result_count <= count; report.result_count++) {
        size_t before = size;
        assert_int_equal(ob_table_print(table, &err), OB_OK);
        assert_true(size > before);
        assert_memory_equal(text, mixed_ascii, size);
    }
    report.result_count = count;
    assert_int_equal(ob_table_end(table, &err), OB_OK);
    assert_string_equal(text, mixed_ascii);
    ob_table_free(table);
    fclose(out);
    free(text);
    ob_report_clear(&report);
}

static void what_was_never_begun_is_counted(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_error err;
    char *text = NULL;
    size_t size = 0;
    report_sample_good(&report);
    const struct ob_table_options how = {.width = 80};
    FILE *out = open_memstream(&text, &size);
    struct ob_table *table = ob_table_new(&report, &how, out);
    for (size_t i = 0; i < 3; i++)
        ob_table_announce(table, &report.results[0]);
    assert_int_equal(ob_table_end(table, &err), OB_OK);
    assert_non_null(strstr(text, "2 of 3 as expected in 12.5 s; not begun: 1.\n"));
    ob_table_free(table);
    fclose(out);
    free(text);
    ob_report_clear(&report);
}

static void claiming(struct ob_report *report)
{
    report_sample_good(report);
    for (size_t i = 0; i < report->result_count; i++) {
        report->results[i].sampled = true;
        report->results[i].sampler = "random";
        report->results[i].unseen_classes = 0.345;
    }
    report->results[1].claim = "no bug of depth 2: 99 %";
    report->results[1].estimate = 12345678;
}

static void what_follows_stands_below_its_row(void **state)
{
    (void)state;
    const char *unseen =
        "\n     of further runs of random about 0.0 % show a new outcome, 34.5 % a new class\n";
    char *usual = table_of(claiming, (struct ob_table_options){.width = 80});
    assert_non_null(strstr(usual, " 12.0 s\n     no bug of depth 2: 99 %\n\n"));
    assert_null(strstr(usual, "further runs"));
    assert_null(strstr(usual, "estimated"));
    char *more = table_of(claiming, (struct ob_table_options){.width = 100, .verbosity = 1});
    char *found = strstr(more, unseen);
    assert_non_null(found);
    assert_null(strstr(found + 1, unseen)); /* nothing of the sort where something was found */
    assert_non_null(
        strstr(more, "\n     estimated: 12345678 runs in all, of which these are 0.0 %"));
    free(usual);
    free(more);
}

static void signs_are_explained_only_where_they_occur(void **state)
{
    (void)state;
    char *good = table_of(report_sample_good, (struct ob_table_options){.width = 80});
    assert_null(strstr(good, "not as expected"));
    char *mixed =
        table_of(report_sample_mixed, (struct ob_table_options){.width = 80, .unicode = true});
    assert_non_null(strstr(mixed, "\n\xe2\x9c\x97 not as expected   ? inconclusive   ! error\n"));
    free(mixed);
    free(good);
}

static void several_runs(struct ob_report *report)
{
    report_sample_mixed(report);
    for (uint64_t i = 0; i < 4; i++)
        report->results[2].violations[i].run = i + 1;
}

static void of_more_runs_than_are_shown_the_rest_is_counted(void **state)
{
    (void)state;
    char *text = table_of(several_runs, (struct ob_table_options){.width = 80});
    assert_non_null(strstr(text, "     run 3: 3 clients"));
    assert_null(strstr(text, "     run 4: 3 clients"));
    assert_non_null(strstr(text, "     and 1 more violation (-v shows all)\n"));
    assert_int_equal(count_of(text, "overbook replay"), 4);
    free(text);
}

static char *trace_of(const char *trace, struct ob_table_options how)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_report_trace(trace, &how, 2, &out);
    return ob_buf_take(&out);
}

static void a_long_step_keeps_what_it_came_to(void **state)
{
    (void)state;
    static const char trace[] = "  1 bob        sql      SELECT s.id, slot.during, slot.price"
                                "  $1 = '1'  -> waits for ann\n"
                                "    bob        answer   status: ok\n";
    char *text = trace_of(trace, (struct ob_table_options){.width = 60, .unicode = true});
    assert_string_equal(text, "    1 bob        sql      SELECT s.id, sl\xe2\x80\xa6  -> waits for "
                              "ann\n"
                              "      bob        answer   status: ok\n");
    free(text);
    text = trace_of(trace, (struct ob_table_options){.width = 200, .color = true});
    assert_non_null(strstr(text,
                           "  \x1b[2m  1 bob        sql      SELECT s.id, slot.during, slot.price"
                           "  $1 = '1'  -> waits for ann\x1b[0m\n"));
    free(text);
}

static void a_long_outcome_shares_the_line_with_its_step(void **state)
{
    (void)state;
    static const char trace[] = "  1 bob sql SELECT s.id, slot.during, slot.price, slot.owner"
                                "  -> error 42703: column s.id does not exist in this relation\n";
    char *text = trace_of(trace, (struct ob_table_options){.width = 60});
    assert_string_equal(text, "    1 bob sql SELECT s.id, s...  -> error 42703: column s...\n");
    free(text);
}

static void plain_text_is_indented_and_drives_no_terminal(void **state)
{
    (void)state;
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_report_plain("FATAL:  no\x1b[31m\n\tDETAIL: caf\xe9\n\n", false, 2, &out);
    assert_string_equal(out.data, "  FATAL:  no?[31m\n   DETAIL: caf?\n");
    ob_buf_clear(&out);
}

/* Without color codes and with them, the same text. */
static void colors_come_only_when_asked_and_change_no_text(void **state)
{
    (void)state;
    struct ob_table_options how = {.unicode = true, .width = 80, .verbosity = 1};
    char *plain = table_of(report_sample_mixed, how);
    assert_null(strchr(plain, '\x1b'));
    how.color = true;
    char *colored = table_of(report_sample_mixed, how);
    assert_non_null(strstr(colored, "\x1b[32m"));
    char *to = colored;
    for (const char *from = colored; *from;) {
        if (*from == '\x1b')
            from += strcspn(from, "m") + 1;
        else
            *to++ = *from++;
    }
    *to = '\0';
    assert_string_equal(colored, plain);
    free(plain);
    free(colored);
}

static size_t columns(const char *line, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)line[i] & 0xc0) != 0x80;
    return count;
}

/* All lines but the replay commands, which are of use only whole. */
static void assert_fits(const char *text, size_t width)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (strncmp(text, "     overbook replay", 20) != 0)
            assert_in_range(columns(text, size), 0, width);
        text += size + 1;
    }
}

static void every_line_fits_the_width(void **state)
{
    (void)state;
    for (int width = 50; width <= 120; width += 7) {
        struct ob_table_options how = {.width = width, .verbosity = 1};
        char *ascii = table_of(report_sample_mixed, how);
        how.unicode = true;
        char *unicode = table_of(report_sample_mixed, how);
        assert_fits(ascii, (size_t)width);
        assert_fits(unicode, (size_t)width);
        free(ascii);
        free(unicode);
    }
}

static void an_absurd_width_is_taken_as_the_least(void **state)
{
    (void)state;
    char *least = table_of(report_sample_mixed, (struct ob_table_options){.width = 50});
    char *none = table_of(report_sample_mixed, (struct ob_table_options){.width = 0});
    char *negative = table_of(report_sample_mixed, (struct ob_table_options){.width = -1});
    assert_string_equal(none, least);
    assert_string_equal(negative, least);
    free(least);
    free(none);
    free(negative);
}

static void hostile(struct ob_report *report)
{
    static const char evil[] = "\x1b]0;owned\x07\r\n two\tlines \xc2\x9b"
                               "31m caf\xe9 gr\xc3\xbc\xc3\x9f\x7f";
    report_sample_good(report);
    report->results[0].scenario = report->results[0].about = evil;
    report->results[0].variant = report->results[0].reason = evil;
    report->results[0].expected = report->postgres = evil;
    report->results[0].violations[0].why = report->results[0].violations[0].trace = evil;
    report->results[0].violations[0].replay = evil;
}

/* A tested application's texts must not drive the terminal. */
static void control_characters_never_reach_the_terminal(void **state)
{
    (void)state;
    char *ascii = table_of(hostile, (struct ob_table_options){.width = 80, .verbosity = 1});
    for (const char *at = ascii; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    assert_non_null(strstr(ascii, "?]0;owned? two lines ?31m caf? gr???"));
    char *unicode =
        table_of(hostile, (struct ob_table_options){.unicode = true, .width = 80, .verbosity = 1});
    assert_non_null(
        strstr(unicode, "?]0;owned? two lines ?31m caf\xef\xbf\xbd gr\xc3\xbc\xc3\x9f?"));
    assert_null(strstr(unicode, "\xc2\x9b"));
    free(ascii);
    free(unicode);
}

static void empty(struct ob_report *report)
{
    ob_report_init(report);
    ob_report_add(report)->as_expected = true;
}

static void a_result_without_texts_is_a_row(void **state)
{
    (void)state;
    char *text = table_of(empty, (struct ob_table_options){.width = 80});
    assert_non_null(strstr(text, "  ok                    holds                 0  0.00 s\n"));
    free(text);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_error err;
    report_sample_good(&report);
    options = (struct ob_table_options){.width = 80};
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(render(&report, full, &err), OB_IO);
    assert_string_equal(err.message, "could not write the table: No space left on device");
    fclose(full);
    ob_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_report_reads_well),
        cmocka_unit_test(every_kind_of_result_has_its_mark_in_plain_ascii),
        cmocka_unit_test(a_quiet_table_leaves_out_what_is_as_expected),
        cmocka_unit_test(a_quiet_table_of_a_good_report_is_one_line),
        cmocka_unit_test(no_results_are_said_to_be_none),
        cmocka_unit_test(a_verbose_table_has_every_violation_and_each_run_once),
        cmocka_unit_test(a_violation_that_cannot_be_replayed_has_no_command),
        cmocka_unit_test(of_a_free_race_the_order_of_steps_is_not_controlled),
        cmocka_unit_test(a_whole_table_has_every_name_in_its_row),
        cmocka_unit_test(on_a_terminal_names_wrap_before_they_are_cut),
        cmocka_unit_test(a_table_grows_with_its_report),
        cmocka_unit_test(what_was_never_begun_is_counted),
        cmocka_unit_test(what_follows_stands_below_its_row),
        cmocka_unit_test(signs_are_explained_only_where_they_occur),
        cmocka_unit_test(of_more_runs_than_are_shown_the_rest_is_counted),
        cmocka_unit_test(a_long_step_keeps_what_it_came_to),
        cmocka_unit_test(a_long_outcome_shares_the_line_with_its_step),
        cmocka_unit_test(plain_text_is_indented_and_drives_no_terminal),
        cmocka_unit_test(colors_come_only_when_asked_and_change_no_text),
        cmocka_unit_test(every_line_fits_the_width),
        cmocka_unit_test(an_absurd_width_is_taken_as_the_least),
        cmocka_unit_test(control_characters_never_reach_the_terminal),
        cmocka_unit_test(a_result_without_texts_is_a_row),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
