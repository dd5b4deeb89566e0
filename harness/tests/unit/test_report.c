/* The report itself, its exit status, and writing it to a file. */
#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct ob_report *report, enum ob_verdict verdict, bool as_expected)
{
    struct ob_report_result *result = ob_report_add(report);
    result->verdict = verdict;
    result->as_expected = as_expected;
}

static void each_verdict_has_the_word_of_the_documentation(void **state)
{
    (void)state;
    assert_string_equal(ob_verdict_word(OB_HOLDS), "holds");
    assert_string_equal(ob_verdict_word(OB_VIOLATED), "violated");
    assert_string_equal(ob_verdict_word(OB_INCONCLUSIVE), "inconclusive");
    assert_string_equal(ob_verdict_word(OB_FAILED), "error");
}

/* What one result calls for, and where it is counted. */
static void a_result_counts_once(void **state)
{
    (void)state;
    static const struct {
        enum ob_verdict verdict;
        bool as_expected;
        struct ob_report_summary summary;
        int status;
    } cases[] = {
        {OB_HOLDS, true, {1, 1, 0, 0, 0}, 0},        {OB_HOLDS, false, {1, 0, 1, 0, 0}, 1},
        {OB_VIOLATED, true, {1, 1, 0, 0, 0}, 0},     {OB_VIOLATED, false, {1, 0, 1, 0, 0}, 1},
        {OB_INCONCLUSIVE, true, {1, 0, 0, 1, 0}, 4}, {OB_INCONCLUSIVE, false, {1, 0, 0, 1, 0}, 4},
        {OB_FAILED, true, {1, 0, 0, 0, 1}, 3},       {OB_FAILED, false, {1, 0, 0, 0, 1}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ob_report report;
        ob_report_init(&report);
        add(&report, cases[i].verdict, cases[i].as_expected);
        struct ob_report_summary summary = ob_report_summarise(&report);
        assert_memory_equal(&summary, &cases[i].summary, sizeof summary);
        assert_int_equal(ob_report_exit_status(&report), cases[i].status);
        ob_report_clear(&report);
    }
}

/* Every combination of the four kinds, in both orders: error before failure before inconclusive. */
static void the_worst_result_decides_the_exit_status(void **state)
{
    (void)state;
    for (unsigned kinds = 0; kinds < 16; kinds++) {
        int expected = kinds & 8 ? 3 : kinds & 2 ? 1 : kinds & 4 ? 4 : 0;
        for (int reversed = 0; reversed < 2; reversed++) {
            struct ob_report report;
            ob_report_init(&report);
            for (unsigned i = 0; i < 4; i++) {
                unsigned kind = reversed ? 3 - i : i;
                static const enum ob_verdict verdicts[] = {OB_HOLDS, OB_VIOLATED, OB_INCONCLUSIVE,
                                                           OB_FAILED};
                if (kinds & (1u << kind))
                    add(&report, verdicts[kind], kind == 0);
            }
            assert_int_equal(ob_report_exit_status(&report), expected);
            ob_report_clear(&report);
        }
    }
}

static void a_new_result_is_empty(void **state)
{
    (void)state;
    struct ob_report report;
    ob_report_init(&report);
    for (int i = 0; i < 100; i++) {
        struct ob_report_result *result = ob_report_add(&report);
        assert_null(result->scenario);
        assert_int_equal(result->violation_count, 0);
        result->scenario = "used";
    }
    assert_int_equal(report.result_count, 100);
    assert_string_equal(report.version, "0.1.0");
    ob_report_clear(&report);
}

static enum ob_result render_text(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    (void)report;
    (void)err;
    fputs("new content", out);
    return OB_OK;
}

static enum ob_result render_half(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    (void)report;
    fputs("half of it", out);
    return ob_error_set(err, OB_IO, "could not go on");
}

static char directory[40];

static const char *in_directory(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/overbook-test-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(in_directory("result"));
    unlink(in_directory("link"));
    /* Fails when a temporary file was left behind. */
    return rmdir(directory);
}

static void a_report_replaces_the_file(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    const char *path = in_directory("result");
    assert_int_equal(ob_report_write(&report, render_text, path, &err), OB_OK);
    assert_content(path, "new content");
    put(path, "something longer that was there before");
    assert_int_equal(ob_report_write(&report, render_text, path, &err), OB_OK);
    assert_content(path, "new content");
}

static void a_renderer_that_fails_leaves_the_file_as_it_was(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    const char *path = in_directory("result");
    put(path, "old content");
    assert_int_equal(ob_report_write(&report, render_half, path, &err), OB_IO);
    assert_string_equal(err.message, "could not go on");
    assert_content(path, "old content");
}

static void a_symbolic_link_stays_one(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    struct stat status;
    put(in_directory("result"), "old content");
    assert_int_equal(symlink("result", in_directory("link")), 0);
    assert_int_equal(ob_report_write(&report, render_text, in_directory("link"), &err), OB_OK);
    assert_int_equal(lstat(in_directory("link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_content(in_directory("result"), "new content");
}

static void a_device_is_written_to_and_not_replaced(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    struct stat status;
    assert_int_equal(ob_report_write(&report, render_text, "/dev/null", &err), OB_OK);
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    assert_int_equal(ob_report_write(&report, render_text, "/dev/full", &err), OB_IO);
    assert_string_equal(err.message, "could not write /dev/full: No space left on device");
}

static void a_missing_directory_is_an_error_with_its_cure(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    const char *path = in_directory("nowhere/result");
    assert_int_equal(ob_report_write(&report, render_text, path, &err), OB_IO);
    assert_non_null(strstr(err.message, "nowhere/result: No such file or directory"));
    assert_string_equal(err.hint, "Create the directory first.");
}

static void a_directory_is_refused(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    assert_int_equal(ob_report_write(&report, render_text, directory, &err), OB_IO);
    assert_non_null(strstr(err.message, "Is a directory"));
}

static void a_dash_is_standard_output(void **state)
{
    (void)state;
    struct ob_report report = {0};
    struct ob_error err;
    const char *path = in_directory("result");
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    enum ob_result result = ob_report_write(&report, render_text, "-", &err);
    assert_int_not_equal(dup2(saved, STDOUT_FILENO), -1);
    close(saved);
    assert_int_equal(result, OB_OK);
    assert_content(path, "new content");
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

static void where_nothing_can_be_written_is_known_before(void **state)
{
    (void)state;
    struct ob_error err;
    assert_int_equal(ob_report_can_write("-", &err), OB_OK);
    assert_int_equal(ob_report_can_write("/dev/null", &err), OB_OK);
    assert_int_equal(ob_report_can_write("new-file", &err), OB_OK);
    assert_int_equal(ob_report_can_write(in_directory("new-file"), &err), OB_OK);
    assert_int_equal(ob_report_can_write(in_directory("absent/new-file"), &err), OB_IO);
    assert_string_equal(err.hint, "Create the directory first.");
    assert_int_equal(ob_report_can_write(in_directory("."), &err), OB_IO);
    assert_non_null(strstr(err.message, "Is a directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verdict_has_the_word_of_the_documentation),
        cmocka_unit_test(a_result_counts_once),
        cmocka_unit_test(the_worst_result_decides_the_exit_status),
        cmocka_unit_test(a_new_result_is_empty),
        IN_DIRECTORY(a_report_replaces_the_file),
        IN_DIRECTORY(a_renderer_that_fails_leaves_the_file_as_it_was),
        IN_DIRECTORY(a_symbolic_link_stays_one),
        IN_DIRECTORY(a_device_is_written_to_and_not_replaced),
        IN_DIRECTORY(a_missing_directory_is_an_error_with_its_cure),
        IN_DIRECTORY(a_directory_is_refused),
        IN_DIRECTORY(a_dash_is_standard_output),
        IN_DIRECTORY(where_nothing_can_be_written_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
