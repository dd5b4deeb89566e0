/*
 * read.c - a report from its JSON, whoever kept it meanwhile: nothing in it is trusted.
 *
 * The first thing that is wrong is the error; what comes after it reads as nothing.
 */
#include "report_int.h"

#include "base/parse.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define REPLAYS_MAX 1000 /* of one violation */

struct reader {
    const char *name;
    struct ob_report *report;
    struct ob_error *err;
    bool failed;
};

static void refuse(struct reader *r, const char *key, const char *what)
{
    if (r->failed)
        return;
    r->failed = true;
    ob_error_set(r->err, OB_INPUT, "%s: \"%s\" is not %s", r->name, key, what);
    ob_error_hint(r->err, "Name a result that \"overbook run --json FILE\" wrote.");
}

static const char *text_of(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return ob_arena_strdup(&r->report->arena, json_string_value(value));
    refuse(r, key, "a text");
    return "";
}

static uint64_t count_of(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    refuse(r, key, "a whole number");
    return 0;
}

static bool bool_of(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        refuse(r, key, "true or false");
    return json_is_true(value);
}

static double real_of(struct reader *r, const json_t *object, const char *key, double max)
{
    const json_t *value = json_object_get(object, key);
    double number = json_number_value(value);
    if (json_is_number(value) && number >= 0 && number <= max)
        return number;
    refuse(r, key, "a number in its range");
    return 0;
}

static const json_t *array_of(struct reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        refuse(r, key, "a list");
    return value;
}

/* "9/10" */
static void read_replays(struct reader *r, const json_t *object, struct ob_report_violation *out)
{
    const char *text = text_of(r, object, "replays"), *slash = strchr(text, '/');
    uint64_t same = 0, all = 0;
    struct ob_arena *arena = &r->report->arena;
    if (!slash || !ob_parse_u64(slash + 1, 0, REPLAYS_MAX, &all) ||
        !ob_parse_u64(ob_arena_strndup(arena, text, (size_t)(slash - text)), 0, all, &same))
        refuse(r, "replays", "a number of replays");
    out->replays_same = (unsigned)same;
    out->replays = (unsigned)all;
}

static void read_violation(struct reader *r, const json_t *object, struct ob_report_violation *out)
{
    *out = (struct ob_report_violation){
        .invariant = text_of(r, object, "invariant"),
        .run = count_of(r, object, "run"),
        .token = text_of(r, object, "token"),
        .replay = text_of(r, object, "replay"),
        .clients = count_of(r, object, "clients"),
        .faults = count_of(r, object, "faults"),
        .steps = count_of(r, object, "steps"),
        .preemptions = count_of(r, object, "preemptions"),
        .why = text_of(r, object, "why"),
        .trace = text_of(r, object, "trace"),
    };
    read_replays(r, object, out);
}

static enum ob_verdict verdict_of(struct reader *r, const json_t *object)
{
    const char *word = text_of(r, object, "verdict");
    for (int verdict = OB_HOLDS; verdict <= OB_FAILED; verdict++)
        if (strcmp(word, ob_verdict_word((enum ob_verdict)verdict)) == 0)
            return (enum ob_verdict)verdict;
    refuse(r, "verdict", "a verdict");
    return OB_FAILED;
}

static void read_warnings(struct reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *array = array_of(r, object, "warnings");
    out->warning_count = json_array_size(array);
    const char **warnings =
        ob_arena_alloc(&r->report->arena, out->warning_count * sizeof *warnings);
    for (size_t i = 0; i < out->warning_count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (!text)
            refuse(r, "warnings", "a list of texts");
        warnings[i] = ob_arena_strdup(&r->report->arena, text ? text : "");
    }
    out->warnings = warnings;
}

static void read_violations(struct reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *array = array_of(r, object, "violations");
    out->violation_count = json_array_size(array);
    out->violations =
        ob_arena_alloc(&r->report->arena, out->violation_count * sizeof *out->violations);
    for (size_t i = 0; i < out->violation_count; i++)
        read_violation(r, json_array_get(array, i), &out->violations[i]);
}

static double estimate_of(struct reader *r, const json_t *object)
{
    const json_t *estimate = json_object_get(object, "estimated_runs");
    return json_is_null(estimate) ? 0 : real_of(r, object, "estimated_runs", HUGE_VAL);
}

static void read_unseen(struct reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *unseen = json_object_get(object, "unseen");
    out->sampled = unseen && !json_is_null(unseen);
    if (!out->sampled)
        return;
    out->sampler = text_of(r, unseen, "of");
    out->samples = count_of(r, unseen, "samples");
    out->unseen_outcomes = real_of(r, unseen, "outcomes", 1);
    out->unseen_classes = real_of(r, unseen, "classes", 1);
}

#define SECONDS_MAX 1e11

static void read_seconds(struct reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *seconds = json_object_get(object, "seconds");
    out->seconds_total = real_of(r, seconds, "total", SECONDS_MAX);
    out->seconds_reset = real_of(r, seconds, "reset", SECONDS_MAX);
    out->seconds_settle = real_of(r, seconds, "settle", SECONDS_MAX);
    out->seconds_check = real_of(r, seconds, "check", SECONDS_MAX);
}

static void read_part(struct reader *r, const json_t *object, struct ob_report_result *out)
{
    const json_t *part = json_object_get(object, "part");
    if (!part)
        return;
    struct ob_report_part *own = ob_arena_alloc(&r->report->arena, sizeof *own);
    *own = (struct ob_report_part){
        .outcomes = text_of(r, part, "outcomes"),
        .classes = text_of(r, part, "classes"),
        .outcomes_once = text_of(r, part, "outcomes_once"),
        .outcomes_more = text_of(r, part, "outcomes_more"),
        .classes_once = text_of(r, part, "classes_once"),
        .classes_more = text_of(r, part, "classes_more"),
        .within_bound = bool_of(r, part, "within_bound"),
    };
    out->part = own;
}

#define SHARDS_MAX 1000000

static void read_shard(struct reader *r, const json_t *root)
{
    const json_t *shard = json_object_get(root, "shard");
    if (!shard)
        return;
    uint64_t index = count_of(r, shard, "index"), count = count_of(r, shard, "count");
    if (index < 1 || index > count || count > SHARDS_MAX)
        refuse(r, "shard", "one of so many");
    r->report->shard_index = (unsigned)index;
    r->report->shard_count = (unsigned)count;
    r->report->asked = text_of(r, shard, "asked");
}

static void read_result(struct reader *r, const json_t *object)
{
    struct ob_report_result result = {
        .scenario = text_of(r, object, "scenario"),
        .file = text_of(r, object, "file"),
        .hash = text_of(r, object, "hash"),
        .variant = text_of(r, object, "variant"),
        .about = text_of(r, object, "about"),
        .target = text_of(r, object, "target"),
        .expected = text_of(r, object, "expected"),
        .verdict = verdict_of(r, object),
        .as_expected = bool_of(r, object, "as_expected"),
        .reason = text_of(r, object, "reason"),
        .strategy = text_of(r, object, "strategy"),
        .runs = count_of(r, object, "runs"),
        .steps = count_of(r, object, "steps"),
        .uncontrolled_runs = count_of(r, object, "uncontrolled_runs"),
        .exhausted = bool_of(r, object, "exhausted"),
        .reduced = bool_of(r, object, "reduced"),
        .estimate = estimate_of(r, object),
        .classes = count_of(r, object, "classes"),
        .outcomes = count_of(r, object, "outcomes"),
        .claim = text_of(r, object, "claim"),
    };
    read_unseen(r, object, &result);
    read_warnings(r, object, &result);
    read_violations(r, object, &result);
    read_seconds(r, object, &result);
    read_part(r, object, &result);
    *ob_report_add(r->report) = result;
}

static void read_report(struct reader *r, const json_t *root)
{
    struct ob_report *report = r->report;
    const json_t *controlled = json_object_get(root, "controlled");
    report->version = text_of(r, root, "overbook");
    report->postgres = text_of(r, root, "postgres");
    report->seed = count_of(r, root, "seed");
    report->controlled_deadlock = bool_of(r, controlled, "deadlock");
    report->controlled_wake = bool_of(r, controlled, "wake");
    report->controlled_clock = bool_of(r, controlled, "clock");
    report->controlled_gates = bool_of(r, controlled, "gates");
    report->controlled_steps = bool_of(r, controlled, "steps");
    report->controlled_now = bool_of(r, controlled, "now");
    report->controlled_footprints = bool_of(r, controlled, "footprints");
    read_shard(r, root);
    const json_t *results = array_of(r, root, "results");
    for (size_t i = 0; i < json_array_size(results) && !r->failed; i++)
        read_result(r, json_array_get(results, i));
}

enum ob_result ob_report_read(const char *name, const char *text, size_t size,
                              struct ob_report *report, struct ob_error *err)
{
    json_error_t where;
    struct reader reader = {.name = name, .report = report, .err = err};
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
