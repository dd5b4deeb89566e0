/* The JSON result: what scripts rely on. */
#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *rendered(const struct ob_report *report)
{
    return report_sample_json(report, ob_report_json);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static json_int_t number_at(const json_t *object, const char *key)
{
    json_t *number = json_object_get(object, key);
    assert_true(json_is_integer(number));
    return json_integer_value(number);
}

/* The keys of an object, in its order. */
static void assert_keys(const json_t *object, const char *expected)
{
    char keys[512] = "";
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t used = strlen(keys);
        snprintf(keys + used, sizeof keys - used, "%s%s", used > 0 ? " " : "", key);
    }
    assert_string_equal(keys, expected);
}

static void samples(struct ob_report *report)
{
    report_sample_good(report);
    struct ob_report_result *result = &report->results[1];
    result->sampled = true;
    result->sampler = "random";
    result->samples = 20;
    result->unseen_classes = 1.0 / 3;
    result->claim = "no bug of depth 2: 99 %";
}

static void what_was_to_be_reached_is_told_with_its_runs(void **state)
{
    (void)state;
    static const struct ob_report_reached reached[] = {{"contention", 12}, {"wait", 0}};
    struct ob_report report;
    report_sample_good(&report);
    report.results[0].reached = reached;
    report.results[0].reached_count = 2;
    json_t *root = rendered(&report), *results = json_object_get(root, "results");
    json_t *told = json_object_get(json_array_get(results, 0), "reached");
    assert_int_equal(json_array_size(told), 2);
    assert_string_equal(text_at(json_array_get(told, 0), "name"), "contention");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(told, 0), "runs")), 12);
    assert_int_equal(json_array_size(json_object_get(json_array_get(results, 1), "reached")), 0);
    json_decref(root);
    ob_report_clear(&report);
}

static void what_is_unseen_is_told_of_samples_only(void **state)
{
    (void)state;
    struct ob_report report;
    samples(&report);
    json_t *root = rendered(&report), *results = json_object_get(root, "results");
    assert_true(json_is_null(json_object_get(json_array_get(results, 0), "unseen")));
    const json_t *sampled = json_array_get(results, 1),
                 *unseen = json_object_get(sampled, "unseen");
    assert_keys(unseen, "of samples outcomes classes");
    assert_string_equal(text_at(unseen, "of"), "random");
    assert_int_equal(json_integer_value(json_object_get(unseen, "samples")), 20);
    assert_true(json_real_value(json_object_get(unseen, "outcomes")) == 0);
    assert_true(json_real_value(json_object_get(unseen, "classes")) == 0.333333);
    assert_string_equal(text_at(sampled, "claim"), "no bug of depth 2: 99 %");
    assert_string_equal(text_at(json_array_get(results, 0), "claim"), "");
    assert_true(json_is_null(json_object_get(sampled, "estimated_runs")));
    json_decref(root);
    ob_report_clear(&report);
}

static void an_estimate_is_an_integer_where_one_holds_it(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    report.results[0].estimate = 34649.6;
    report.results[1].estimate = 2e30;
    json_t *root = rendered(&report), *results = json_object_get(root, "results");
    const json_t *small = json_object_get(json_array_get(results, 0), "estimated_runs"),
                 *large = json_object_get(json_array_get(results, 1), "estimated_runs");
    assert_true(json_is_integer(small));
    assert_int_equal(json_integer_value(small), 34650);
    assert_true(json_real_value(large) > 1.99e30 && json_real_value(large) < 2.01e30);
    json_decref(root);
    ob_report_clear(&report);
}

static void keys_come_in_the_order_of_the_documentation(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    json_t *root = rendered(&report);
    assert_keys(root, "overbook postgres seed controlled results summary");
    assert_keys(json_object_get(root, "controlled"),
                "deadlock wake clock now gates steps footprints");
    json_t *result = json_array_get(json_object_get(root, "results"), 0);
    assert_keys(
        result,
        "scenario file hash variant expected verdict as_expected reason warnings strategy runs "
        "uncontrolled_runs steps exhausted reduced estimated_runs classes outcomes unseen reached "
        "claim violations seconds target about");
    assert_keys(json_array_get(json_object_get(result, "violations"), 0),
                "invariant run token shrunk_token clients faults steps preemptions replays why "
                "trace replay timeline shrunk explanation cures");
    assert_keys(json_object_get(result, "seconds"), "total reset settle check");
    assert_keys(json_object_get(root, "summary"),
                "scenarios as_expected unexpected inconclusive errors");
    json_decref(root);
    ob_report_clear(&report);
}

static void values_are_the_reports(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    json_t *root = rendered(&report);
    assert_string_equal(text_at(root, "overbook"), "0.1.0");
    assert_string_equal(text_at(root, "postgres"), "15.18");
    assert_int_equal(number_at(root, "seed"), 1);
    json_t *result = json_array_get(json_object_get(root, "results"), 0);
    assert_string_equal(text_at(result, "scenario"), "two-holds-one-slot");
    assert_string_equal(text_at(result, "expected"), "violates no-overlap");
    assert_string_equal(text_at(result, "verdict"), "violated");
    assert_true(json_is_true(json_object_get(result, "as_expected")));
    assert_int_equal(number_at(result, "runs"), 17);
    assert_int_equal(number_at(result, "steps"), 301);
    assert_true(json_is_false(json_object_get(result, "exhausted")));
    json_t *violation = json_array_get(json_object_get(result, "violations"), 0);
    assert_string_equal(text_at(violation, "replays"), "10/10");
    assert_string_equal(text_at(violation, "token"), "ob1-AAEC_wQFBg");
    assert_int_equal(number_at(violation, "preemptions"), 1);
    json_decref(root);
    ob_report_clear(&report);
}

static void the_summary_counts_each_kind(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    json_t *root = rendered(&report), *summary = json_object_get(root, "summary");
    assert_int_equal(number_at(summary, "scenarios"), 6);
    assert_int_equal(number_at(summary, "as_expected"), 2);
    assert_int_equal(number_at(summary, "unexpected"), 2);
    assert_int_equal(number_at(summary, "inconclusive"), 1);
    assert_int_equal(number_at(summary, "errors"), 1);
    assert_true(json_is_false(json_object_get(json_object_get(root, "controlled"), "wake")));
    json_t *missing = json_array_get(json_object_get(root, "results"), 3);
    assert_string_equal(json_string_value(json_array_get(json_object_get(missing, "warnings"), 0)),
                        "client bob: \"SELECT 1/0\" failed each time: 22012: no");
    json_decref(root);
    ob_report_clear(&report);
}

static void seconds_are_whole_microseconds(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    char *text = report_sample_render(&report, ob_report_json);
    assert_non_null(strstr(text, "\"total\": 0.31,"));
    assert_non_null(strstr(text, "\"settle\": 0.3,"));
    assert_non_null(strstr(text, "\"check\": 0.0"));
    free(text);
    ob_report_clear(&report);
}

static void the_same_report_gives_the_same_bytes(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    char *first = report_sample_render(&report, ob_report_json);
    char *second = report_sample_render(&report, ob_report_json);
    assert_string_equal(first, second);
    free(first);
    free(second);
    ob_report_clear(&report);
}

static void texts_that_are_not_utf8_give_valid_json(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"caf\xe9", "caf\xef\xbf\xbd"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half of a surrogate pair */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {"\x01\x1f\"\\/\n", "\x01\x1f\"\\/\n"},
        {"\xf0\x9f\x9a\x80 gr\xc3\xbc\xc3\x9f", "\xf0\x9f\x9a\x80 gr\xc3\xbc\xc3\x9f"},
        {NULL, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ob_report report;
        report_sample_good(&report);
        report.results[0].reason = cases[i].text;
        json_t *root = rendered(&report);
        json_t *result = json_array_get(json_object_get(root, "results"), 0);
        assert_string_equal(text_at(result, "reason"), cases[i].expected);
        json_decref(root);
        ob_report_clear(&report);
    }
}

static void a_report_without_results_is_valid(void **state)
{
    (void)state;
    struct ob_report report;
    ob_report_init(&report);
    json_t *root = rendered(&report);
    assert_int_equal(json_array_size(json_object_get(root, "results")), 0);
    assert_int_equal(number_at(json_object_get(root, "summary"), "scenarios"), 0);
    json_decref(root);
    ob_report_clear(&report);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    report_sample_full_disk(ob_report_json,
                            "could not write the JSON result: No space left on device");
}

static char *part_of_a_whole(void)
{
    static const struct ob_report_part part = {.outcomes = "",
                                               .classes = "AwAAAAAAAAA=",
                                               .outcomes_once = "AQAAAAAAAAA=",
                                               .outcomes_more = "",
                                               .classes_once = "",
                                               .classes_more = "AgAAAAAAAAA=",
                                               .within_bound = true};
    struct ob_report report;
    static const struct ob_report_reached reached = {"contention", 12};
    samples(&report);
    report.results[0].reached = &reached;
    report.results[0].reached_count = 1;
    report.results[0].part = &part;
    report.shard_index = 2;
    report.shard_count = 3;
    report.asked = "--runs 9";
    char *text = report_sample_render(&report, ob_report_json);
    ob_report_clear(&report);
    return text;
}

static void what_is_read_is_written_as_it_was(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_error err;
    char *text = part_of_a_whole();
    ob_report_init(&report);
    assert_int_equal(ob_report_read("name", text, strlen(text), &report, &err), OB_OK);
    char *again = report_sample_render(&report, ob_report_json);
    assert_string_equal(again, text);
    ob_report_clear(&report);
    free(again);
    free(text);
}

static void what_is_cut_or_of_another_kind_is_refused(void **state)
{
    (void)state;
    char *text = part_of_a_whole();
    size_t size = strlen(text);
    for (size_t i = 0; i + 2 < size; i += i < 600 ? 1 : 97) {
        struct ob_report report;
        struct ob_error err;
        ob_report_init(&report);
        assert_int_equal(ob_report_read("name", text, i, &report, &err), OB_INPUT);
        assert_non_null(strstr(err.message, "name:"));
        ob_report_clear(&report);
        char kept = text[i];
        text[i] = '7'; /* valid or not, it must be read without harm */
        ob_report_init(&report);
        (void)(ob_report_read("name", text, size, &report, &err) == OB_OK);
        ob_report_clear(&report);
        text[i] = kept;
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_to_be_reached_is_told_with_its_runs),
        cmocka_unit_test(what_is_unseen_is_told_of_samples_only),
        cmocka_unit_test(an_estimate_is_an_integer_where_one_holds_it),
        cmocka_unit_test(keys_come_in_the_order_of_the_documentation),
        cmocka_unit_test(values_are_the_reports),
        cmocka_unit_test(the_summary_counts_each_kind),
        cmocka_unit_test(seconds_are_whole_microseconds),
        cmocka_unit_test(the_same_report_gives_the_same_bytes),
        cmocka_unit_test(texts_that_are_not_utf8_give_valid_json),
        cmocka_unit_test(a_report_without_results_is_valid),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(what_is_read_is_written_as_it_was),
        cmocka_unit_test(what_is_cut_or_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
