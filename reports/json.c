/*
 * json.c - the report as one JSON object: the format that scripts rely on.
 *
 * Keys come in the order of the documentation, so that two files of the same findings differ in
 * nothing but their times.
 */
#include "report_int.h"

#include <assert.h>
#include <jansson.h>

/* Jansson prints a double with 17 digits unless told; 15 give back what was rounded here. */
#define REAL_DIGITS 15

/* What could not be added leaves failed set; it is looked at once, at the end. */
struct builder {
    struct ob_arena arena; /* texts made valid */
    bool failed;
};

static void put(struct builder *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        b->failed = true;
}

static void put_text(struct builder *b, json_t *object, const char *key, const char *text)
{
    put(b, object, key, json_string(ob_report_utf8(&b->arena, text)));
}

static void put_count(struct builder *b, json_t *object, const char *key, uint64_t count)
{
    assert(count <= INT64_MAX);
    put(b, object, key, json_integer((json_int_t)count));
}

static void put_bool(struct builder *b, json_t *object, const char *key, bool value)
{
    put(b, object, key, json_boolean(value));
}

/* Whole microseconds: what is smaller is noise. */
static void put_seconds(struct builder *b, json_t *object, const char *key, double seconds)
{
    assert(seconds >= 0 && seconds < 1e12);
    put(b, object, key, json_real((double)(int64_t)(seconds * 1e6 + 0.5) / 1e6));
}

static void put_share(struct builder *b, json_t *object, const char *key, double share)
{
    assert(share >= 0 && share <= 1);
    put(b, object, key, json_real((double)(int64_t)(share * 1e6 + 0.5) / 1e6));
}

static void append(struct builder *b, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        b->failed = true;
}

static json_t *violation_json(struct builder *b, const struct ob_report_violation *violation)
{
    json_t *object = json_object();
    put_text(b, object, "invariant", violation->invariant);
    put_count(b, object, "run", violation->run);
    put_text(b, object, "token", violation->token);
    put_count(b, object, "clients", violation->clients);
    put_count(b, object, "faults", violation->faults);
    put_count(b, object, "steps", violation->steps);
    put_count(b, object, "preemptions", violation->preemptions);
    put_text(b, object, "replays",
             ob_arena_printf(&b->arena, "%u/%u", violation->replays_same, violation->replays));
    put_text(b, object, "why", violation->why);
    put_text(b, object, "trace", violation->trace);
    put_text(b, object, "replay", violation->replay);
    return object;
}

static json_t *violations_json(struct builder *b, const struct ob_report_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->violation_count; i++)
        append(b, array, violation_json(b, &result->violations[i]));
    return array;
}

static json_t *warnings_json(struct builder *b, const struct ob_report_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->warning_count; i++)
        append(b, array, json_string(ob_report_utf8(&b->arena, result->warnings[i])));
    return array;
}

static json_t *seconds_json(struct builder *b, const struct ob_report_result *result)
{
    json_t *object = json_object();
    put_seconds(b, object, "total", result->seconds_total);
    put_seconds(b, object, "reset", result->seconds_reset);
    put_seconds(b, object, "settle", result->seconds_settle);
    put_seconds(b, object, "check", result->seconds_check);
    return object;
}

/* Null where nothing can be estimated.  What no integer holds has no digits to be lost. */
static json_t *estimate_json(const struct ob_report_result *result)
{
    if (result->estimate <= 0)
        return json_null();
    if (result->estimate < 1e15)
        return json_integer((json_int_t)(result->estimate + 0.5));
    return json_real(result->estimate);
}

/* Null where nothing can be estimated. */
static json_t *unseen_json(struct builder *b, const struct ob_report_result *result)
{
    if (!result->sampled)
        return json_null();
    json_t *object = json_object();
    put_text(b, object, "of", result->sampler);
    put_count(b, object, "samples", result->samples);
    put_share(b, object, "outcomes", result->unseen_outcomes);
    put_share(b, object, "classes", result->unseen_classes);
    return object;
}

static json_t *part_json(struct builder *b, const struct ob_report_part *part)
{
    json_t *object = json_object();
    put_text(b, object, "outcomes", part->outcomes);
    put_text(b, object, "classes", part->classes);
    put_text(b, object, "outcomes_once", part->outcomes_once);
    put_text(b, object, "outcomes_more", part->outcomes_more);
    put_text(b, object, "classes_once", part->classes_once);
    put_text(b, object, "classes_more", part->classes_more);
    put_bool(b, object, "within_bound", part->within_bound);
    return object;
}

static json_t *shard_json(struct builder *b, const struct ob_report *report)
{
    json_t *object = json_object();
    put_count(b, object, "index", report->shard_index);
    put_count(b, object, "count", report->shard_count);
    put_text(b, object, "asked", report->asked);
    return object;
}

static json_t *result_json(struct builder *b, const struct ob_report_result *result)
{
    json_t *object = json_object();
    put_text(b, object, "scenario", result->scenario);
    put_text(b, object, "file", result->file);
    put_text(b, object, "hash", result->hash);
    put_text(b, object, "variant", result->variant);
    put_text(b, object, "expected", result->expected);
    put_text(b, object, "verdict", ob_verdict_word(result->verdict));
    put_bool(b, object, "as_expected", result->as_expected);
    put_text(b, object, "reason", result->reason);
    put(b, object, "warnings", warnings_json(b, result));
    put_text(b, object, "strategy", result->strategy);
    put_count(b, object, "runs", result->runs);
    put_count(b, object, "uncontrolled_runs", result->uncontrolled_runs);
    put_count(b, object, "steps", result->steps);
    put_bool(b, object, "exhausted", result->exhausted);
    put_bool(b, object, "reduced", result->reduced);
    put(b, object, "estimated_runs", estimate_json(result));
    put_count(b, object, "classes", result->classes);
    put_count(b, object, "outcomes", result->outcomes);
    put(b, object, "unseen", unseen_json(b, result));
    put_text(b, object, "claim", result->claim);
    put(b, object, "violations", violations_json(b, result));
    put(b, object, "seconds", seconds_json(b, result));
    put_text(b, object, "target", result->target);
    put_text(b, object, "about", result->about);
    if (result->part)
        put(b, object, "part", part_json(b, result->part));
    return object;
}

static json_t *controlled_json(struct builder *b, const struct ob_report *report)
{
    json_t *object = json_object();
    put_bool(b, object, "deadlock", report->controlled_deadlock);
    put_bool(b, object, "wake", report->controlled_wake);
    put_bool(b, object, "clock", report->controlled_clock);
    put_bool(b, object, "now", report->controlled_now);
    put_bool(b, object, "gates", report->controlled_gates);
    put_bool(b, object, "steps", report->controlled_steps);
    put_bool(b, object, "footprints", report->controlled_footprints);
    return object;
}

static json_t *summary_json(struct builder *b, const struct ob_report *report)
{
    struct ob_report_summary summary = ob_report_summarise(report);
    json_t *object = json_object();
    put_count(b, object, "scenarios", summary.scenarios);
    put_count(b, object, "as_expected", summary.as_expected);
    put_count(b, object, "unexpected", summary.unexpected);
    put_count(b, object, "inconclusive", summary.inconclusive);
    put_count(b, object, "errors", summary.errors);
    return object;
}

static json_t *report_json(struct builder *b, const struct ob_report *report)
{
    json_t *object = json_object();
    put_text(b, object, "overbook", report->version);
    put_text(b, object, "postgres", report->postgres);
    put_count(b, object, "seed", report->seed);
    put(b, object, "controlled", controlled_json(b, report));
    if (report->shard_count > 0)
        put(b, object, "shard", shard_json(b, report));
    json_t *results = json_array();
    for (size_t i = 0; i < report->result_count; i++)
        append(b, results, result_json(b, &report->results[i]));
    put(b, object, "results", results);
    put(b, object, "summary", summary_json(b, report));
    return object;
}

enum ob_result ob_report_json(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    struct builder builder = {0};
    ob_arena_init(&builder.arena);
    json_t *root = report_json(&builder, report);
    enum ob_result result = OB_OK;
    if (builder.failed) /* texts and numbers are valid, so it was memory */
        result = ob_error_set(err, OB_INTERNAL, "could not build the JSON result: out of memory");
    else if (json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS)) < 0 ||
             fputc('\n', out) == EOF)
        result = ob_report_write_error(err, "the JSON result");
    json_decref(root);
    ob_arena_clear(&builder.arena);
    return result;
}
