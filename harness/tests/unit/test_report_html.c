/* The report page as a file: its policy, its data, and what is cut to keep to its size. */
#include "page_int.h"
#include "report_sample.h"
#include "timeline_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define DATA_BEGIN "<script type=\"application/json\" id=\"data\">"
#define SCRIPT_END "</script>"

static char *page_of(const struct ob_report *report)
{
    char *page = report_sample_render(report, ob_report_html);
    assert_non_null(page);
    assert_true(strlen(page) <= OB_REPORT_HTML_SIZE_MAX);
    return page;
}

/* The page's data, as a browser takes it: up to the next end of a script. */
static json_t *data_of(const char *page)
{
    const char *begin = strstr(page, DATA_BEGIN) + strlen(DATA_BEGIN);
    json_t *root = json_loadb(begin, (size_t)(strstr(begin, SCRIPT_END) - begin), 0, NULL);
    assert_non_null(root);
    return root;
}

static json_t *violation_of(const json_t *root)
{
    const json_t *result = json_array_get(json_object_get(root, "results"), 0);
    return json_array_get(json_object_get(result, "violations"), 0);
}

static void has_digest(const char *page, const char *kind, const char *text)
{
    unsigned char digest[SHA256_DIGEST_LENGTH], base64[64];
    char expected[128];
    SHA256((const unsigned char *)text, strlen(text), digest);
    EVP_EncodeBlock(base64, digest, sizeof digest);
    snprintf(expected, sizeof expected, "%s-src 'sha256-%s'", kind, base64);
    assert_non_null(strstr(page, expected));
    assert_non_null(strstr(page, text));
}

static void the_policy_allows_the_pages_own_script_and_style_only(void **state)
{
    (void)state;
    struct ob_report report;
    timeline_sample(&report);
    char *page = page_of(&report);
    has_digest(page, "script", ob_page_script);
    has_digest(page, "style", ob_page_style);
    assert_non_null(strstr(page, "content=\"default-src 'none'; script-src 'sha256-"));
    assert_null(strstr(page, "unsafe"));
    assert_null(strstr(page, "{{"));
    free(page);
    ob_report_clear(&report);
}

/* Takes away what the page does not show. */
static void take_digests(json_t *value)
{
    json_object_del(value, "digest");
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
        take_digests(json_object_iter_value(at));
    for (size_t i = 0; i < json_array_size(value); i++)
        take_digests(json_array_get(value, i));
}

static void the_data_are_those_of_the_json(void **state)
{
    (void)state;
    struct ob_report report;
    timeline_sample(&report);
    char *page = page_of(&report), *text = report_sample_render(&report, ob_report_json);
    json_t *data = data_of(page), *json = json_loads(text, 0, NULL);
    assert_true(json_is_null(json_object_get(data, "cut")));
    json_object_del(violation_of(json), "trace"); /* drawn in its place */
    take_digests(violation_of(json));
    assert_true(json_equal(json_object_get(violation_of(data), "timeline"),
                           json_object_get(violation_of(json), "timeline")));
    assert_true(json_equal(violation_of(data), violation_of(json)));
    json_decref(data);
    json_decref(json);
    free(text);
    free(page);
    ob_report_clear(&report);
}

static void nothing_of_the_data_is_markup(void **state)
{
    (void)state;
    static const char evil[] = "</script><script>alert(1)</script><!-- \xe2\x80\xa8 \xff & '\"";
    struct ob_report report;
    timeline_sample(&report);
    report.results[0].about = report.results[0].scenario = evil;
    report.results[0].violations[0].why = evil;
    char *page = page_of(&report);
    assert_null(strstr(page, "alert(1)</"));
    json_t *data = data_of(page);
    const char *why = json_string_value(json_object_get(violation_of(data), "why"));
    assert_string_equal(why,
                        "</script><script>alert(1)</script><!-- \xe2\x80\xa8 \xef\xbf\xbd & '\"");
    json_decref(data);
    free(page);
    ob_report_clear(&report);
}

/* A report whose texts, steps, violations and results are as many as they say. */
static void large(struct ob_report *report, size_t text_size, size_t step_count,
                  size_t violation_count, size_t result_count)
{
    timeline_sample(report);
    struct ob_arena *arena = &report->arena;
    char *text = ob_arena_alloc(arena, text_size + 1);
    for (size_t i = 0; i < text_size; i++)
        text[i] = "\xc3\xa9"[i % 2];
    struct ob_report_step *steps = ob_arena_alloc(arena, step_count * sizeof *steps);
    const struct ob_report_violation *first = &report->results[0].violations[0];
    struct ob_report_timeline *timeline = ob_arena_alloc(arena, sizeof *timeline);
    *timeline = *first->timeline;
    for (size_t i = 0; i < step_count; i++) {
        steps[i] = first->timeline->steps[0];
        steps[i].text = text;
    }
    timeline->steps = steps;
    timeline->step_count = step_count;
    struct ob_report_violation *all = ob_arena_alloc(arena, violation_count * sizeof *all);
    for (size_t i = 0; i < violation_count; i++) {
        all[i] = (struct ob_report_violation){
            .invariant = "no-overlap", .why = text, .timeline = timeline};
    }
    report->results[0].violations = all;
    report->results[0].violation_count = violation_count;
    for (size_t i = report->result_count; i < result_count; i++) {
        struct ob_report_result copy = report->results[1];
        *ob_report_add(report) = copy;
    }
}

static void what_is_too_much_is_cut_and_told(void **state)
{
    (void)state;
    static const size_t sizes[][4] = {
        {6000000, 1, 1, 2},    /* one text */
        {200, 40000, 1, 2},    /* steps */
        {100, 8, 20000, 2},    /* violations */
        {10, 8, 1, 20000},     /* results */
        {3000, 2000, 50, 300}, /* all of them */
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ob_report report;
        large(&report, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        char *page = page_of(&report);
        json_t *data = data_of(page), *cut = json_object_get(data, "cut");
        assert_true(json_is_object(cut));
        assert_int_equal(json_integer_value(json_object_get(cut, "results_in_all")), sizes[i][3]);
        assert_true(json_array_size(json_object_get(data, "results")) > 0);
        assert_non_null(violation_of(data));
        json_decref(data);
        free(page);
        ob_report_clear(&report);
    }
}

static void what_was_left_out_is_counted(void **state)
{
    (void)state;
    struct ob_report report;
    large(&report, 400, 30000, 1, 2);
    char *page = page_of(&report);
    json_t *data = data_of(page);
    const json_t *timeline = json_object_get(violation_of(data), "timeline");
    size_t shown = json_array_size(json_object_get(timeline, "steps"));
    assert_true(shown > 1000);
    assert_int_equal(json_integer_value(json_object_get(timeline, "left_out")), 30000 - shown);
    json_decref(data);
    free(page);
    ob_report_clear(&report);
}

/* Statements of 1,000 bytes: 10 MB of them. */
static void shorter_texts_are_cut_before_steps_are(void **state)
{
    (void)state;
    struct ob_report report;
    large(&report, 1000, 10000, 1, 2);
    char *page = page_of(&report);
    json_t *data = data_of(page);
    const json_t *timeline = json_object_get(violation_of(data), "timeline");
    assert_int_equal(json_array_size(json_object_get(timeline, "steps")), 10000);
    assert_null(json_object_get(timeline, "left_out"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(data, "cut"), "text")),
                     256);
    json_decref(data);
    free(page);
    ob_report_clear(&report);
}

/* Half of it would make no run again. */
static void a_token_is_never_cut(void **state)
{
    (void)state;
    struct ob_report report;
    large(&report, 3000, 30000, 1, 2);
    struct ob_report_violation *violation = report.results[0].violations;
    char *token = ob_arena_alloc(&report.arena, 30001);
    memset(token, 'x', 30000);
    token[30000] = '\0';
    struct ob_report_shrunk shrunk = {.token = token, .replay = token, .left_out = ""};
    violation->token = violation->replay = token;
    violation->shrunk = &shrunk;
    char *page = page_of(&report);
    json_t *data = data_of(page), *shown = violation_of(data);
    assert_true(json_is_object(json_object_get(data, "cut")));
    static const char *const keys[] = {"token", "shrunk_token", "replay"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_string_equal(json_string_value(json_object_get(shown, keys[i])), token);
    shown = json_object_get(shown, "shrunk");
    assert_string_equal(json_string_value(json_object_get(shown, "replay")), token);
    json_decref(data);
    free(page);
    ob_report_clear(&report);
}

static void a_cut_text_is_whole_characters_and_says_so(void **state)
{
    (void)state;
    struct ob_report report;
    large(&report, 6000001, 1, 1, 2);
    char *page = page_of(&report);
    json_t *data = data_of(page);
    const char *why = json_string_value(json_object_get(violation_of(data), "why"));
    assert_non_null(strstr(why, "\xc3\xa9\xe2\x80\xa6 (cut: "));
    json_decref(data);
    free(page);
    ob_report_clear(&report);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    report_sample_full_disk(ob_report_html,
                            "could not write the report page: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_allows_the_pages_own_script_and_style_only),
        cmocka_unit_test(the_data_are_those_of_the_json),
        cmocka_unit_test(nothing_of_the_data_is_markup),
        cmocka_unit_test(what_is_too_much_is_cut_and_told),
        cmocka_unit_test(what_was_left_out_is_counted),
        cmocka_unit_test(shorter_texts_are_cut_before_steps_are),
        cmocka_unit_test(a_token_is_never_cut),
        cmocka_unit_test(a_cut_text_is_whole_characters_and_says_so),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
