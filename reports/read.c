/* read.c - a report from its JSON, whoever kept it meanwhile: nothing in it is trusted. */
#include "read_int.h"

#include <math.h>
#include <string.h>

void ob_read_refuse(struct ob_reader *r, const char *key, const char *what)
{
    if (r->failed)
        return;
    r->failed = true;
    ob_error_set(r->err, OB_INPUT, "%s: \"%s\" is not %s", r->name, key, what);
    ob_error_hint(r->err, "Name a result that \"overbook run --json FILE\" wrote.");
}

const char *ob_read_text(struct ob_reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return ob_arena_strdup(&r->report->arena, json_string_value(value));
    ob_read_refuse(r, key, "a text");
    return "";
}

uint64_t ob_read_count(struct ob_reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    ob_read_refuse(r, key, "a whole number");
    return 0;
}

size_t ob_read_index(struct ob_reader *r, const json_t *object, const char *key, size_t limit)
{
    uint64_t value = ob_read_count(r, object, key);
    if (value < limit)
        return (size_t)value;
    ob_read_refuse(r, key, "a number in its range");
    return 0;
}

bool ob_read_bool(struct ob_reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        ob_read_refuse(r, key, "true or false");
    return json_is_true(value);
}

static double real_of(struct ob_reader *r, const json_t *object, const char *key, double max)
{
    const json_t *value = json_object_get(object, key);
    double number = json_number_value(value);
    if (json_is_number(value) && number >= 0 && number <= max)
        return number;
    ob_read_refuse(r, key, "a number in its range");
    return 0;
}

const json_t *ob_read_array(struct ob_reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        ob_read_refuse(r, key, "a list");
    return value;
}

static enum ob_verdict verdict_of(struct ob_reader *r, const json_t *object)
{
    const char *word = ob_read_text(r, object, "verdict");
    for (int verdict = OB_HOLDS; verdict <= OB_FAILED; verdict++)
        if (strcmp(word, ob_verdict_word((enum ob_verdict)verdict)) == 0)
            return (enum ob_verdict)verdict;
    ob_read_refuse(r, "verdict", "a verdict");
    return OB_FAILED;
}

static void read_warnings(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *array = ob_read_array(r, object, "warnings");
    out->warning_count = json_array_size(array);
    const char **warnings =
        ob_arena_alloc(&r->report->arena, out->warning_count * sizeof *warnings);
    for (size_t i = 0; i < out->warning_count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (!text)
            ob_read_refuse(r, "warnings", "a list of texts");
        warnings[i] = ob_arena_strdup(&r->report->arena, text ? text : "");
    }
    out->warnings = warnings;
}

/* Results of before there was such a thing have none. */
static void read_reached(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    if (!json_object_get(object, "reached"))
        return;
    const json_t *array = ob_read_array(r, object, "reached");
    out->reached_count = json_array_size(array);
    struct ob_report_reached *reached =
        ob_arena_alloc(&r->report->arena, out->reached_count * sizeof *reached);
    for (size_t i = 0; i < out->reached_count; i++) {
        const json_t *item = json_array_get(array, i);
        reached[i] = (struct ob_report_reached){
            .name = ob_read_text(r, item, "name"),
            .runs = ob_read_count(r, item, "runs"),
        };
    }
    out->reached = reached;
}

static enum ob_report_when when_of(struct ob_reader *r, const json_t *object)
{
    const char *word = ob_read_text(r, object, "when");
    for (int when = OB_REPORT_BEFORE; when <= OB_REPORT_AFTER; when++)
        if (strcmp(word, ob_report_when_word((enum ob_report_when)when)) == 0)
            return (enum ob_report_when)when;
    ob_read_refuse(r, "when", "before, while or after");
    return OB_REPORT_BEFORE;
}

static void read_requests(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    if (!json_object_get(object, "requests"))
        return;
    const json_t *array = ob_read_array(r, object, "requests");
    out->request_count = json_array_size(array);
    struct ob_report_request *requests =
        ob_arena_alloc(&r->report->arena, out->request_count * sizeof *requests);
    for (size_t i = 0; i < out->request_count; i++) {
        const json_t *item = json_array_get(array, i);
        requests[i] = (struct ob_report_request){
            .client = ob_read_text(r, item, "client"),
            .request = ob_read_text(r, item, "request"),
            .when = when_of(r, item),
            .outcome = ob_read_text(r, item, "outcome"),
            .count = ob_read_count(r, item, "count"),
        };
    }
    out->requests = requests;
}

static void read_violations(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *array = ob_read_array(r, object, "violations");
    out->violation_count = json_array_size(array);
    out->violations =
        ob_arena_alloc(&r->report->arena, out->violation_count * sizeof *out->violations);
    for (size_t i = 0; i < out->violation_count; i++)
        ob_read_violation(r, json_array_get(array, i), out, i);
}

static double estimate_of(struct ob_reader *r, const json_t *object)
{
    const json_t *estimate = json_object_get(object, "estimated_runs");
    return json_is_null(estimate) ? 0 : real_of(r, object, "estimated_runs", HUGE_VAL);
}

static void read_unseen(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *unseen = json_object_get(object, "unseen");
    out->sampled = unseen && !json_is_null(unseen);
    if (!out->sampled)
        return;
    out->sampler = ob_read_text(r, unseen, "of");
    out->samples = ob_read_count(r, unseen, "samples");
    out->unseen_outcomes = real_of(r, unseen, "outcomes", 1);
    out->unseen_classes = real_of(r, unseen, "classes", 1);
}

#define SECONDS_MAX 1e11

static void read_seconds(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *seconds = json_object_get(object, "seconds");
    out->seconds_total = real_of(r, seconds, "total", SECONDS_MAX);
    out->seconds_reset = real_of(r, seconds, "reset", SECONDS_MAX);
    out->seconds_settle = real_of(r, seconds, "settle", SECONDS_MAX);
    out->seconds_check = real_of(r, seconds, "check", SECONDS_MAX);
}

static void read_part(struct ob_reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *part = json_object_get(object, "part");
    if (!part)
        return;
    struct ob_report_part *own = ob_arena_alloc(&r->report->arena, sizeof *own);
    *own = (struct ob_report_part){
        .outcomes = ob_read_text(r, part, "outcomes"),
        .classes = ob_read_text(r, part, "classes"),
        .outcomes_once = ob_read_text(r, part, "outcomes_once"),
        .outcomes_more = ob_read_text(r, part, "outcomes_more"),
        .classes_once = ob_read_text(r, part, "classes_once"),
        .classes_more = ob_read_text(r, part, "classes_more"),
        .within_bound = ob_read_bool(r, part, "within_bound"),
    };
    out->part = own;
}

#define SHARDS_MAX 1000000

static void read_shard(struct ob_reader *r, const json_t *root)
{
    const json_t *shard = json_object_get(root, "shard");
    if (!shard)
        return;
    uint64_t index = ob_read_count(r, shard, "index"), count = ob_read_count(r, shard, "count");
    if (index < 1 || index > count || count > SHARDS_MAX)
        ob_read_refuse(r, "shard", "one of so many");
    r->report->shard_index = (unsigned)index;
    r->report->shard_count = (unsigned)count;
    r->report->asked = ob_read_text(r, shard, "asked");
}

static void read_result(struct ob_reader *r, const json_t *object)
{
    struct ob_report_result result = {
        .scenario = ob_read_text(r, object, "scenario"),
        .file = ob_read_text(r, object, "file"),
        .hash = ob_read_text(r, object, "hash"),
        .variant = ob_read_text(r, object, "variant"),
        .about = ob_read_text(r, object, "about"),
        .target = ob_read_text(r, object, "target"),
        .expected = ob_read_text(r, object, "expected"),
        .verdict = verdict_of(r, object),
        .as_expected = ob_read_bool(r, object, "as_expected"),
        .reason = ob_read_text(r, object, "reason"),
        .strategy = ob_read_text(r, object, "strategy"),
        .runs = ob_read_count(r, object, "runs"),
        .steps = ob_read_count(r, object, "steps"),
        .uncontrolled_runs = ob_read_count(r, object, "uncontrolled_runs"),
        .exhausted = ob_read_bool(r, object, "exhausted"),
        .reduced = ob_read_bool(r, object, "reduced"),
        .estimate = estimate_of(r, object),
        .classes = ob_read_count(r, object, "classes"),
        .outcomes = ob_read_count(r, object, "outcomes"),
        .claim = ob_read_text(r, object, "claim"),
    };
    read_unseen(r, object, &result);
    read_warnings(r, object, &result);
    read_reached(r, object, &result);
    read_requests(r, object, &result);
    read_violations(r, object, &result);
    read_seconds(r, object, &result);
    read_part(r, object, &result);
    if (json_object_get(object, "matrix"))
        result.matrix = ob_read_matrix(r, json_object_get(object, "matrix"));
    *ob_report_add(r->report) = result;
}

static void read_report(struct ob_reader *r, const json_t *root)
{
    struct ob_report *report = r->report;
    const json_t *controlled = json_object_get(root, "controlled");
    report->version = ob_read_text(r, root, "overbook");
    report->postgres = ob_read_text(r, root, "postgres");
    report->seed = ob_read_count(r, root, "seed");
    report->controlled_deadlock = ob_read_bool(r, controlled, "deadlock");
    report->controlled_wake = ob_read_bool(r, controlled, "wake");
    report->controlled_clock = ob_read_bool(r, controlled, "clock");
    report->controlled_gates = ob_read_bool(r, controlled, "gates");
    report->controlled_steps = ob_read_bool(r, controlled, "steps");
    report->controlled_now = ob_read_bool(r, controlled, "now");
    report->controlled_footprints = ob_read_bool(r, controlled, "footprints");
    read_shard(r, root);
    const json_t *results = ob_read_array(r, root, "results");
    for (size_t i = 0; i < json_array_size(results) && !r->failed; i++)
        read_result(r, json_array_get(results, i));
    if (!r->failed && json_object_get(root, "rollout"))
        ob_read_rollout(r, json_object_get(root, "rollout"));
}

enum ob_result ob_report_read(const char *name, const char *text, size_t size,
                              struct ob_report *report, struct ob_error *err)
{
    json_error_t where;
    struct ob_reader reader = {.name = name, .report = report, .err = err};
    json_t *root = json_loadb(text, size, 0, &where);
    if (!root) {
        ob_error_set(err, OB_INPUT, "%s:%d:%d: %s", name, where.line, where.column, where.text);
        ob_error_hint(err, "Name a result that \"overbook run --json FILE\" wrote.");
        return OB_INPUT;
    }
    read_report(&reader, root);
    json_decref(root);
    return reader.failed ? OB_INPUT : OB_OK;
}
