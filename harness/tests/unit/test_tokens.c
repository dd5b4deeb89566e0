#include "cli/tokens.h"

#include "report_sample.h"
#include "timeline_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/ob-tokens-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    memcpy(path, "/tmp/ob-tokens-XXXXXX", sizeof path);
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static enum ob_result read_report(struct ob_report *report, bool smallest, struct ob_tokens *out)
{
    struct ob_error err;
    char *text = report_sample_render(report, ob_report_json);
    write_text(text);
    free(text);
    ob_report_clear(report);
    return ob_tokens_read(path, smallest, out, &err);
}

static void a_word_is_one_token(void **state)
{
    (void)state;
    struct ob_tokens tokens;
    struct ob_error err;
    assert_int_equal(ob_tokens_read("ob1AAAA", true, &tokens, &err), OB_OK);
    assert_int_equal(tokens.count, 1);
    assert_string_equal(tokens.items[0].run.token, "ob1AAAA");
    assert_null(tokens.items[0].run.timeline);
    assert_null(tokens.items[0].scenario);
    ob_tokens_clear(&tokens);
}

/* Two violations of one run, of which the first has a smaller one. */
static void a_result_gives_the_runs_that_were_found(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_tokens tokens;
    timeline_sample(&report);
    assert_int_equal(read_report(&report, false, &tokens), OB_OK);
    assert_int_equal(tokens.count, 1);
    const struct ob_token_text *text = &tokens.items[0];
    assert_int_equal(strncmp(text->run.token, "ob1", 3), 0);
    assert_string_not_equal(text->run.token, "ob1-AAECAw");
    assert_string_equal(text->whole.token, text->run.token);
    assert_int_equal(text->run.timeline->client_count, 3);
    assert_null(text->run.explanation); /* its steps are the smallest run's */
    assert_int_equal(text->broken_count, 2);
    assert_string_equal(text->broken[1], "one-booking-per-slot");
    assert_non_null(text->scenario);
    assert_string_equal(text->variant, tokens.stored.results[0].variant);
    assert_int_equal(tokens.file_count, 1);
    assert_string_equal(tokens.files[0], tokens.stored.results[0].file);
    ob_tokens_clear(&tokens);
}

static void a_result_gives_the_smallest_runs_and_what_they_came_from(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_tokens tokens;
    timeline_sample(&report);
    assert_int_equal(read_report(&report, true, &tokens), OB_OK);
    assert_int_equal(tokens.count, 2);
    const struct ob_token_text *small = &tokens.items[0], *other = &tokens.items[1];
    assert_string_equal(small->run.token, "ob1-AAECAw");
    assert_int_equal(small->run.timeline->client_count, 2);
    assert_non_null(small->run.explanation);
    assert_int_equal(small->broken_count, 1);
    assert_string_equal(small->whole.token, other->run.token);
    assert_int_equal(small->whole.timeline->client_count, 3);
    assert_null(small->whole.explanation);
    assert_string_equal(other->whole.token, other->run.token);
    ob_tokens_clear(&tokens);
}

static void a_result_without_a_token_has_nothing_to_replay(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_tokens tokens;
    ob_report_init(&report);
    assert_int_equal(read_report(&report, true, &tokens), OB_INPUT);
    ob_tokens_clear(&tokens);
}

static void what_is_no_result_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } files[] = {
        {"{}", "\"overbook\" is not", "Name a token"},
        {"[]", "is not", "Name a token"},
        {"{\"results\": [", ":1:13: ", "Name a token"},
        {"caf\xe9", ":1:", "Name a token"},
        {"", ":1:0: ", "Name a token"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ob_tokens tokens;
        struct ob_error err;
        write_text(files[i].text);
        assert_int_equal(ob_tokens_read(path, true, &tokens, &err), OB_INPUT);
        assert_non_null(strstr(err.message, files[i].message));
        assert_non_null(strstr(err.hint, files[i].hint));
        ob_tokens_clear(&tokens);
    }
}

static void what_is_neither_a_token_nor_a_file_says_so(void **state)
{
    (void)state;
    struct ob_tokens tokens;
    struct ob_error err;
    assert_int_equal(ob_tokens_read("no/such/file.json", true, &tokens, &err), OB_INPUT);
    assert_string_equal(err.message, "\"no/such/file.json\" is neither a token nor a file");
    ob_tokens_clear(&tokens);
    assert_int_equal(ob_tokens_read("/", true, &tokens, &err), OB_INPUT);
    ob_tokens_clear(&tokens);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_one_token),
        WITH_FILE(a_result_gives_the_runs_that_were_found),
        WITH_FILE(a_result_gives_the_smallest_runs_and_what_they_came_from),
        WITH_FILE(a_result_without_a_token_has_nothing_to_replay),
        WITH_FILE(what_is_no_result_is_refused_with_the_reason),
        cmocka_unit_test(what_is_neither_a_token_nor_a_file_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
