/* Runs as a trace for ui.perfetto.dev, and results as annotations of GitHub and GitLab. */
#include "report_sample.h"
#include "timeline_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static json_int_t number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* The index-th event of that phase in that process; NULL when there are not so many. */
static const json_t *event_of(const json_t *root, const char *phase, json_int_t process,
                              size_t index)
{
    size_t i;
    const json_t *event;
    json_array_foreach(json_object_get(root, "traceEvents"), i, event)
    {
        if (strcmp(text_at(event, "ph"), phase) == 0 && number_at(event, "pid") == process &&
            index-- == 0)
            return event;
    }
    return NULL;
}

#define FIRST 65 /* the first run's process; the next one is twice that */

static void a_step_is_a_slice_of_a_millisecond(void **state)
{
    (void)state;
    struct ob_report report;
    timeline_sample(&report);
    json_t *root = report_sample_json(&report, ob_report_perfetto);
    const struct ob_report_timeline *run = report.results[0].violations[0].shrunk->timeline;
    for (size_t i = 0; i < run->step_count; i++) {
        const json_t *slice = event_of(root, "X", FIRST, i), *args = json_object_get(slice, "args");
        assert_string_equal(text_at(slice, "name"), run->steps[i].kind);
        assert_string_equal(text_at(args, "text"), run->steps[i].text);
        assert_int_equal(number_at(slice, "ts"), i * 1000);
        assert_int_equal(number_at(slice, "tid"), FIRST + 1 + run->steps[i].client);
        assert_int_equal(number_at(slice, "dur"), i == 5 ? 2000 : 1000);
        assert_int_equal(number_at(args, "step"), i + 1);
    }
    assert_null(event_of(root, "X", FIRST, run->step_count));
    json_decref(root);
    ob_report_clear(&report);
}

static void processes_are_runs_and_threads_are_clients(void **state)
{
    (void)state;
    static const char *const names[] = {"two-holds-one-slot, legacy: no-overlap", "overbook",
                                        "alice", "bob"};
    struct ob_report report;
    timeline_sample(&report);
    json_t *root = report_sample_json(&report, ob_report_perfetto);
    for (size_t i = 0; i < 4; i++) {
        const json_t *name = event_of(root, "M", FIRST, i);
        assert_string_equal(text_at(name, "name"), i == 0 ? "process_name" : "thread_name");
        assert_string_equal(text_at(json_object_get(name, "args"), "name"), names[i]);
    }
    const json_t *cured = json_object_get(event_of(root, "M", 2 * FIRST, 0), "args");
    assert_string_equal(text_at(cured, "name"),
                        "two-holds-one-slot, legacy: no-overlap, cured: exclusion constraint");
    const json_t *error = json_object_get(event_of(root, "X", 2 * FIRST, 5), "args");
    assert_string_equal(text_at(error, "sqlstate"), "23P01");
    json_decref(root);
    ob_report_clear(&report);
}

static void flows_go_from_who_is_waited_for_and_from_who_wakes(void **state)
{
    (void)state;
    static const struct {
        json_int_t from, from_us, to, to_us;
    } flows[] = {{FIRST + 1, 4500, FIRST + 2, 5500}, {FIRST + 1, 6500, FIRST + 2, 6500}};
    struct ob_report report;
    timeline_sample(&report);
    json_t *root = report_sample_json(&report, ob_report_perfetto);
    for (size_t i = 0; i < 2; i++) {
        const json_t *start = event_of(root, "s", FIRST, i), *end = event_of(root, "f", FIRST, i);
        assert_int_equal(number_at(start, "id"), number_at(end, "id"));
        assert_int_equal(number_at(start, "tid"), flows[i].from);
        assert_int_equal(number_at(start, "ts"), flows[i].from_us);
        assert_int_equal(number_at(end, "tid"), flows[i].to);
        assert_int_equal(number_at(end, "ts"), flows[i].to_us);
    }
    assert_null(event_of(root, "s", FIRST, 2));
    json_decref(root);
    ob_report_clear(&report);
}

static void notes_are_instants(void **state)
{
    (void)state;
    struct ob_report report;
    timeline_sample(&report);
    json_t *root = report_sample_json(&report, ob_report_perfetto);
    const json_t *fault = event_of(root, "i", FIRST, 1), *clock = event_of(root, "i", FIRST, 2);
    assert_string_equal(text_at(fault, "name"), "fault");
    assert_string_equal(text_at(fault, "s"), "t");
    assert_int_equal(number_at(fault, "tid"), FIRST + 2);
    assert_string_equal(text_at(clock, "name"), "clock");
    assert_string_equal(text_at(clock, "s"), "p");
    assert_int_equal(number_at(clock, "ts"), 7999);
    json_decref(root);
    ob_report_clear(&report);
}

/* --- the trace event format, as Perfetto's importer reads it (json_trace_parser) */

static bool is_number(const json_t *event, const char *key)
{
    return json_is_integer(json_object_get(event, key)) && number_at(event, key) >= 0;
}

static bool is_on(const json_t *event, const json_t *thread)
{
    return number_at(event, "pid") == number_at(thread, "pid") &&
           number_at(event, "tid") == number_at(thread, "tid");
}

/* Instants of a thread are slices too, of no length. */
static bool is_slice(const json_t *event)
{
    return strcmp(text_at(event, "ph"), "X") == 0 ||
           (strcmp(text_at(event, "ph"), "i") == 0 && strcmp(text_at(event, "s"), "t") == 0);
}

/* The slice that a flow is bound to: the one that began last, whether or not it has ended.  NULL:
 * the moment is not in it. */
static const json_t *slice_at(const json_t *events, const json_t *moment)
{
    size_t i;
    const json_t *slice, *last = NULL;
    json_int_t at_us = number_at(moment, "ts");
    json_array_foreach(events, i, slice)
    {
        if (is_slice(slice) && is_on(slice, moment) && number_at(slice, "ts") <= at_us &&
            (!last || number_at(slice, "ts") >= number_at(last, "ts")))
            last = slice;
    }
    return last && at_us < number_at(last, "ts") + number_at(last, "dur") ? last : NULL;
}

/* How many events have that phase and the flow's name, category and id. */
static size_t count_ends(const json_t *events, const json_t *flow, const char *phase)
{
    size_t i, count = 0;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        count += strcmp(text_at(event, "ph"), phase) == 0 &&
                 number_at(event, "id") == number_at(flow, "id") &&
                 number_at(event, "ts") >= (*phase == 'f' ? number_at(flow, "ts") : 0) &&
                 strcmp(text_at(event, "cat"), text_at(flow, "cat")) == 0 &&
                 strcmp(text_at(event, "name"), text_at(flow, "name")) == 0;
    }
    return count;
}

/* Slices of a thread follow each other: it has no stack here. */
static bool is_alone(const json_t *events, const json_t *slice)
{
    size_t i;
    const json_t *other;
    json_int_t begin_us = number_at(slice, "ts"), end_us = begin_us + number_at(slice, "dur");
    json_array_foreach(events, i, other)
    {
        json_int_t at_us = number_at(other, "ts");
        if (other != slice && strcmp(text_at(other, "ph"), "X") == 0 && is_on(other, slice) &&
            at_us < end_us && begin_us < at_us + number_at(other, "dur"))
            return false;
    }
    return true;
}

static bool is_event(const json_t *events, const json_t *event)
{
    const char *phase = text_at(event, "ph"), *name = text_at(event, "name");
    if (!is_number(event, "pid") || !is_number(event, "tid") || !is_number(event, "ts") || !*name)
        return false;
    if (strcmp(phase, "X") == 0)
        return number_at(event, "dur") > 0 && is_alone(events, event);
    if (strcmp(phase, "i") == 0)
        return strlen(text_at(event, "s")) == 1 && strchr("gpt", *text_at(event, "s"));
    if (strcmp(phase, "M") == 0)
        return *text_at(json_object_get(event, "args"), "name") != '\0' &&
               (strcmp(name, "process_name") == 0 || strcmp(name, "thread_name") == 0);
    if (strcmp(phase, "f") == 0 && strcmp(text_at(event, "bp"), "e") != 0)
        return false;
    return (strcmp(phase, "s") == 0 || strcmp(phase, "f") == 0) && is_number(event, "id") &&
           slice_at(events, event) && count_ends(events, event, "s") == 1 &&
           (*phase == 'f' || count_ends(events, event, "f") == 1);
}

static bool is_trace(const json_t *root)
{
    const json_t *events = json_object_get(root, "traceEvents"), *event;
    size_t i;
    bool all = json_array_size(events) > 0;
    json_array_foreach(events, i, event)
    {
        all = all && is_event(events, event);
    }
    return all;
}

static void the_trace_is_what_the_format_asks_for(void **state)
{
    (void)state;
    static const struct {
        const char *phase, *key;
        json_int_t value;
    } damages[] = {{"X", "dur", 1000000}, {"X", "ts", -1},  {"s", "id", 999}, {"f", "tid", 64},
                   {"f", "ts", 0},        {"M", "pid", -1}, {"i", "s", 0},    {"f", "bp", 0}};
    struct ob_report report;
    timeline_sample(&report);
    json_t *root = report_sample_json(&report, ob_report_perfetto);
    assert_true(is_trace(root));
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        json_t *damaged = json_deep_copy(root);
        json_t *event = (json_t *)event_of(damaged, damages[i].phase, FIRST, 0);
        assert_non_null(event);
        json_object_set_new(event, damages[i].key, json_integer(damages[i].value));
        assert_false(is_trace(damaged));
        json_decref(damaged);
    }
    json_decref(root);
    ob_report_clear(&report);
}

/* Within a slice that goes on a note would be where the flow to the slice's end goes. */
static void a_note_of_who_waits_is_no_end_of_a_flow(void **state)
{
    (void)state;
    struct ob_report report;
    timeline_sample(&report);
    struct ob_report_violation *violation = &report.results[0].violations[0];
    struct ob_report_shrunk shrunk = *violation->shrunk;
    struct ob_report_timeline run = *shrunk.timeline;
    const struct ob_report_note note = {.client = 1, .kind = "fault", .data = "{\"way\": 1}"};
    struct ob_report_step *steps = ob_arena_alloc(&report.arena, run.step_count * sizeof *steps);
    memcpy(steps, run.steps, run.step_count * sizeof *steps);
    steps[5].notes = &note;
    steps[5].note_count = 1;
    run.steps = steps;
    shrunk.timeline = &run;
    violation->shrunk = &shrunk;
    json_t *root = report_sample_json(&report, ob_report_perfetto);
    assert_true(is_trace(root));
    const json_t *fault = event_of(root, "i", FIRST, 0);
    assert_int_equal(number_at(fault, "ts"), 5999);
    assert_string_equal(text_at(fault, "s"), "p");
    assert_string_equal(text_at(json_object_get(fault, "args"), "client"), "bob");
    json_decref(root);
    ob_report_clear(&report);
}

static void github_is_told_what_is_not_as_expected(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    report.results[2].file = "./scen,arios:100%.yaml";
    report.results[2].reason = "one\r\ntwo, 5 %: three";
    char *text = report_sample_render(&report, ob_report_github);
    assert_non_null(strstr(text, "::error file=scen%2Carios%3A100%25.yaml,line=1,"
                                 "title=overbook%3A violated::refund-against-cancel, "
                                 "fixed-serializable: one%0D%0Atwo, 5 %25: three%0A"
                                 "money-conserved: payment pay_1: captured 9000 EUR, refunded "
                                 "18000 EUR%0Aoverbook replay ob1-"));
    assert_non_null(strstr(text, "::warning file=scenarios/refund.yaml,line=1,"
                                 "title=overbook%3A inconclusive::"));
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 4);
    free(text);
    ob_report_clear(&report);
}

static void gitlab_is_told_the_same(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    report.results[0].file = ".//scenarios/refund.yaml";
    json_t *root = report_sample_json(&report, ob_report_gitlab);
    assert_int_equal(json_array_size(root), 4);
    const json_t *first = json_array_get(root, 0), *third = json_array_get(root, 2);
    assert_string_equal(text_at(first, "severity"), "critical");
    assert_string_equal(text_at(third, "severity"), "minor");
    const json_t *location = json_object_get(first, "location");
    assert_string_equal(text_at(location, "path"), "scenarios/refund.yaml");
    assert_int_equal(number_at(json_object_get(location, "lines"), "begin"), 1);
    assert_string_not_equal(text_at(first, "fingerprint"), text_at(third, "fingerprint"));
    json_t *again = report_sample_json(&report, ob_report_gitlab);
    assert_true(json_equal(root, again));
    json_decref(again);
    json_decref(root);
    ob_report_clear(&report);
}

static void where_all_is_as_expected_nothing_is_told(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    char *text = report_sample_render(&report, ob_report_github);
    assert_string_equal(text, "");
    json_t *root = report_sample_json(&report, ob_report_gitlab);
    assert_int_equal(json_array_size(root), 0);
    json_decref(root);
    free(text);
    ob_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_a_slice_of_a_millisecond),
        cmocka_unit_test(processes_are_runs_and_threads_are_clients),
        cmocka_unit_test(flows_go_from_who_is_waited_for_and_from_who_wakes),
        cmocka_unit_test(notes_are_instants),
        cmocka_unit_test(the_trace_is_what_the_format_asks_for),
        cmocka_unit_test(a_note_of_who_waits_is_no_end_of_a_flow),
        cmocka_unit_test(github_is_told_what_is_not_as_expected),
        cmocka_unit_test(gitlab_is_told_the_same),
        cmocka_unit_test(where_all_is_as_expected_nothing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
