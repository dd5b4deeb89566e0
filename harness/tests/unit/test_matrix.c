/*
 * A matrix in a report: what its table says, that it comes back from the JSON, and what is refused
 * there.
 */
#include "report.h"

#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"read committed", "repeatable read", "serializable"};
static const char *const settings[] = {"", "enable_seqscan=on"};
static struct ob_report_matrix_row rows[] = {
    {"no cure", "Everything stays as it is.", ""},
    {"lock on the parent", "Every transaction first locks it.", "SELECT FROM p FOR UPDATE"},
};

static struct ob_report_matrix_cell cell(size_t row, size_t level, const char *verdict)
{
    return (struct ob_report_matrix_cell){.row = row,
                                          .level = level,
                                          .verdict = verdict,
                                          .breaks = "",
                                          .claim = "",
                                          .why = "",
                                          .on_schedule = "holds",
                                          .in_exploration = "holds",
                                          .runs = 40,
                                          .trace = ""};
}

/* The good sample, whose first result has a matrix. */
struct setting {
    struct ob_report report;
    struct ob_report_matrix_cell cells[8];
    struct ob_report_matrix matrix;
};

static void set_up(struct setting *setting)
{
    *setting = (struct setting){.matrix = {.invariant = "one-booking",
                                           .levels = levels,
                                           .level_count = 3,
                                           .settings = settings,
                                           .setting_count = 1,
                                           .rows = rows,
                                           .row_count = 2}};
    struct ob_report_matrix_cell cells[] = {
        cell(0, 0, "breaks"), cell(0, 1, "gives up"), cell(0, 1, "holds"),
        cell(0, 2, "holds"),  cell(1, 0, "rejects"),  cell(1, 1, "not applied"),
    };
    cells[0].breaks = "one-booking";
    cells[0].trace = "  1 alice begin\n";
    cells[2].retries = true;
    cells[3].claim = "all tried";
    cells[5].why = "there is no such table";
    memcpy(setting->cells, cells, sizeof cells);
    setting->matrix.cells = setting->cells;
    setting->matrix.cell_count = sizeof cells / sizeof *cells;
    report_sample_good(&setting->report);
    setting->report.results[0].matrix = &setting->matrix;
}

static char *text_of(const struct ob_report *report, int verbosity)
{
    const struct ob_table_options options = {
        .unicode = true, .whole = true, .width = 80, .verbosity = verbosity};
    struct ob_error err;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(ob_report_matrix(report, &options, out, &err), OB_OK);
    fclose(out);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void a_cell_says_what_is_known_of_it(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    char *text = text_of(&setting.report, 0);
    assert_has(text, ": breaks one-booking\n");
    assert_has(text,
               "no cure             \xe2\x9c\x97 breaks          \xe2\x9c\x93 retry, 40       "
               "\xe2\x9c\x93 holds, all\n");
    assert_has(text, "lock on the parent  ! rejects         - not applied     - not tried\n");
    assert_has(text, "  lock on the parent, repeatable read: there is no such table\n");
    assert_has(text, "retry: it holds with clients that begin again");
    free(text);
    text = text_of(&setting.report, -1);
    assert_has(text, "\xe2\x9c\x93 retry           \xe2\x9c\x93 holds\n");
    assert_null(strstr(text, "overbook "));
    free(text);
    text = text_of(&setting.report, 1);
    assert_has(text, "repeatable read, with retries: holds; the schedule: holds; explored: holds, "
                     "40 runs\n");
    assert_has(text, "    SELECT FROM p FOR UPDATE\n");
    free(text);
    ob_report_clear(&setting.report);
}

static void each_setting_has_a_table(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    setting.matrix.setting_count = 2;
    setting.cells[1].setting = setting.cells[2].setting = 1;
    char *text = text_of(&setting.report, 0),
         *second = strstr(text, "\n  with enable_seqscan=on\n");
    assert_non_null(second);
    assert_has(second, "no cure             - not tried       \xe2\x9c\x93 retry, 40");
    free(text);
    ob_report_clear(&setting.report);
}

static void a_matrix_is_the_same_when_it_is_read_again(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_report again;
    struct ob_error err;
    set_up(&setting);
    char *json = report_sample_render(&setting.report, ob_report_json);
    ob_report_init(&again);
    if (ob_report_read("x.json", json, strlen(json), &again, &err) != OB_OK)
        fail_msg("%s", err.message);
    assert_string_equal(again.results[0].matrix->cells[0].trace, setting.cells[0].trace);
    assert_null(again.results[1].matrix);
    char *before = text_of(&setting.report, 1), *after = text_of(&again, 1);
    assert_string_equal(after, before);
    free(before);
    free(after);
    free(json);
    ob_report_clear(&again);
    ob_report_clear(&setting.report);
}

/* A stored matrix in which that text stands in place of another one. */
static void assert_refused(const char *from, const char *to, const char *message)
{
    struct setting setting;
    struct ob_report again;
    struct ob_error err;
    set_up(&setting);
    char *json = report_sample_render(&setting.report, ob_report_json), *at = strstr(json, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    ob_report_init(&again);
    assert_int_equal(ob_report_read("x.json", json, strlen(json), &again, &err), OB_INPUT);
    assert_string_equal(err.message, message);
    ob_report_clear(&again);
    free(json);
    ob_report_clear(&setting.report);
}

static void what_belongs_nowhere_in_a_matrix_is_refused(void **state)
{
    (void)state;
    assert_refused("\"cure\": \"no cure\"", "\"cure\": \"no rule\"",
                   "x.json: \"cure\" is not one of the matrix's");
    assert_refused("\"level\": \"read committed\"", "\"level\": \"read permitted\"",
                   "x.json: \"level\" is not one of the matrix's");
    assert_refused("\"retries\": false", "\"retries\":     7",
                   "x.json: \"retries\" is not true or false");
    assert_refused("\"invariant\": \"one-booking\",\n        \"levels\"",
                   "\"invariants\": \"one-bookin\",\n        \"levels\"",
                   "x.json: \"invariant\" is not a text");
}

/* Whatever a cell says is a result, unless it says nothing. */
static void an_undecided_cell_is_inconclusive(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    assert_int_equal(ob_report_exit_status(&setting.report), 0);
    setting.cells[1].verdict = "undecided";
    assert_int_equal(ob_report_exit_status(&setting.report), 4);
    ob_report_clear(&setting.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_says_what_is_known_of_it),
        cmocka_unit_test(each_setting_has_a_table),
        cmocka_unit_test(a_matrix_is_the_same_when_it_is_read_again),
        cmocka_unit_test(what_belongs_nowhere_in_a_matrix_is_refused),
        cmocka_unit_test(an_undecided_cell_is_inconclusive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
