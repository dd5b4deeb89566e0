/* Runs for drawing, as JSON and back: nothing is lost, and what does not fit is refused. */
#include "timeline_sample.h"

#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *sample_text(void)
{
    struct ob_report report;
    timeline_sample(&report);
    char *text = report_sample_render(&report, ob_report_json);
    ob_report_clear(&report);
    return text;
}

static json_t *first_violation(const json_t *root, size_t index)
{
    const json_t *result = json_array_get(json_object_get(root, "results"), 0);
    return json_array_get(json_object_get(result, "violations"), index);
}

static void what_is_read_is_written_as_it_was(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_error err;
    char *text = sample_text();
    ob_report_init(&report);
    assert_int_equal(ob_report_read("name", text, strlen(text), &report, &err), OB_OK);
    char *again = report_sample_render(&report, ob_report_json);
    assert_string_equal(again, text);
    const struct ob_report_violation *violation = &report.results[0].violations[0];
    assert_int_equal(violation->timeline->before_count, 1);
    assert_int_equal(violation->timeline->steps[6].woken, 2);
    assert_true(violation->timeline->steps[6].uncontrolled);
    assert_int_equal(violation->timeline->steps[2].ended[0].digest, 0xfedcba9876543210);
    assert_int_equal(violation->timeline->steps[7].notes[2].client, OB_REPORT_NOBODY);
    assert_string_equal(violation->shrunk->token, "ob1-AAECAw");
    assert_string_equal(violation->cures[2].verdict, "cured but deadlocks");
    ob_report_clear(&report);
    free(again);
    free(text);
}

static void a_run_that_broke_two_invariants_is_written_once(void **state)
{
    (void)state;
    struct ob_report report;
    struct ob_error err;
    char *text = sample_text();
    json_t *root = json_loads(text, 0, NULL);
    assert_true(json_is_object(json_object_get(first_violation(root, 0), "timeline")));
    json_t *second = json_object_get(first_violation(root, 1), "timeline");
    assert_true(json_is_integer(second));
    assert_int_equal(json_integer_value(second), 0);
    ob_report_init(&report);
    assert_int_equal(ob_report_read("name", text, strlen(text), &report, &err), OB_OK);
    const struct ob_report_violation *violations = report.results[0].violations;
    assert_non_null(violations[0].timeline);
    assert_ptr_equal(violations[0].timeline, violations[1].timeline);
    ob_report_clear(&report);
    json_decref(root);
    free(text);
}

static void what_is_empty_is_left_out_of_a_step(void **state)
{
    (void)state;
    char *text = sample_text();
    json_t *root = json_loads(text, 0, NULL);
    const json_t *timeline = json_object_get(first_violation(root, 0), "timeline");
    const json_t *steps = json_object_get(timeline, "steps");
    assert_int_equal(json_object_size(json_array_get(steps, 0)), 4);
    const json_t *blocked = json_array_get(steps, 5);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(blocked, "holders"), 0)), 0);
    assert_int_equal(json_array_size(json_object_get(blocked, "ended")), 0);
    json_decref(root);
    free(text);
}

/* The sample with one value put in the place of another one, read again. */
static enum ob_result read_changed(const char *path, json_t *value, struct ob_error *err)
{
    char *text = sample_text(), *changed;
    json_t *root = json_loads(text, 0, NULL), *at = first_violation(root, 0);
    struct ob_report report;
    char part[32];
    size_t size;
    for (; (size = strcspn(path, "/")), path[size] == '/'; path += size + 1) {
        snprintf(part, sizeof part, "%.*s", (int)size, path);
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(part, NULL, 10))
                               : json_object_get(at, part);
    }
    assert_int_equal(json_is_array(at)
                         ? json_array_set_new(at, (size_t)strtoul(path, NULL, 10), value)
                         : json_object_set_new(at, path, value),
                     0);
    changed = json_dumps(root, 0);
    ob_report_init(&report);
    enum ob_result result = ob_report_read("name", changed, strlen(changed), &report, err);
    ob_report_clear(&report);
    json_decref(root);
    free(changed);
    free(text);
    return result;
}

/* A fault alone is to blame: no two steps are in conflict. */
static void an_explanation_may_have_no_pair(void **state)
{
    (void)state;
    struct ob_error err;
    assert_int_equal(read_changed("explanation/conflict", json_array(), &err), OB_OK);
}

static void what_points_nowhere_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int value;
        const char *message;
    } cases[] = {
        {"timeline/steps/0/client", 3, "name: \"client\" is not a number in its range"},
        {"timeline/steps/0/client", -1, "name: \"client\" is not a whole number"},
        {"timeline/steps/5/holders/0", 3, "name: \"holders\" is not a list of clients"},
        {"timeline/steps/5/blocked", 1, "name: \"blocked\" is not a list"},
        {"timeline/steps/0/ended/0/client", 64, "name: \"client\" is not a number in its range"},
        {"timeline/steps/7/notes/0/client", 3, "name: \"client\" is not a number in its range"},
        {"timeline/steps/2/ended/0/digest", 1, "name: \"digest\" is not a text"},
        {"timeline/clients/0", 1, "name: \"clients\" is not a list of names"},
        {"timeline", 0, "name: \"timeline\" is not a number in its range"},
        {"shrunk", 1, "name: \"shrunk\" is not an object or null"},
        {"explanation/conflict/1", 8, "name: \"conflict\" is not a pair of steps"},
        {"explanation/edges/0/to", 8, "name: \"to\" is not a number in its range"},
        {"cures/0/neighbour", 1, "name: \"neighbour\" is not a run"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ob_error err;
        assert_int_equal(read_changed(cases[i].path, json_integer(cases[i].value), &err), OB_INPUT);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void too_many_clients_are_refused(void **state)
{
    (void)state;
    struct ob_error err;
    json_t *clients = json_array();
    for (size_t i = 0; i <= OB_REPORT_CLIENTS_MAX; i++)
        json_array_append_new(clients, json_string("somebody"));
    assert_int_equal(read_changed("timeline/clients", clients, &err), OB_INPUT);
    assert_string_equal(err.message, "name: \"clients\" is not a list of at most 64 names");
}

static void a_result_without_runs_is_read(void **state)
{
    (void)state;
    static const char *const later[] = {"timeline", "shrunk", "explanation", "cures"};
    struct ob_report report;
    struct ob_error err;
    char *text = sample_text();
    json_t *root = json_loads(text, 0, NULL);
    for (size_t i = 0; i < 8; i++)
        json_object_del(first_violation(root, i / 4), later[i % 4]);
    char *old = json_dumps(root, 0);
    ob_report_init(&report);
    assert_int_equal(ob_report_read("name", old, strlen(old), &report, &err), OB_OK);
    assert_null(report.results[0].violations[0].timeline);
    assert_null(report.results[0].violations[0].shrunk);
    assert_int_equal(report.results[0].violations[0].cure_count, 0);
    ob_report_clear(&report);
    json_decref(root);
    free(old);
    free(text);
}

static void what_is_cut_is_refused_without_harm(void **state)
{
    (void)state;
    char *text = sample_text();
    size_t size = strlen(text);
    for (size_t i = 0; i + 2 < size; i += 7) {
        struct ob_report report;
        struct ob_error err;
        char kept = text[i];
        ob_report_init(&report);
        assert_int_equal(ob_report_read("name", text, i, &report, &err), OB_INPUT);
        ob_report_clear(&report);
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
        cmocka_unit_test(what_is_read_is_written_as_it_was),
        cmocka_unit_test(a_run_that_broke_two_invariants_is_written_once),
        cmocka_unit_test(what_is_empty_is_left_out_of_a_step),
        cmocka_unit_test(an_explanation_may_have_no_pair),
        cmocka_unit_test(what_points_nowhere_is_refused),
        cmocka_unit_test(too_many_clients_are_refused),
        cmocka_unit_test(a_result_without_runs_is_read),
        cmocka_unit_test(what_is_cut_is_refused_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
