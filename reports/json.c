/*
 * json.c - the report as one JSON object: the format that scripts rely on.
 *
 * Keys come in the order of the documentation, so that two files of the same findings differ in
 * nothing but their times.
 */
#include "json_int.h"

#include <assert.h>

/* Jansson prints a double with 17 digits unless told; 15 give back what was rounded here. */
#define REAL_DIGITS 15

/* Whole microseconds: what is smaller is noise. */
static void put_seconds(struct ob_json_builder *b, json_t *object, const char *key, double seconds)
{
    assert(seconds >= 0 && seconds < 1e12);
    ob_json_put(b, object, key, json_real((double)(int64_t)(seconds * 1e6 + 0.5) / 1e6));
}

static void put_share(struct ob_json_builder *b, json_t *object, const char *key, double share)
{
    assert(share >= 0 && share <= 1);
    ob_json_put(b, object, key, json_real((double)(int64_t)(share * 1e6 + 0.5) / 1e6));
}

static json_t *violations_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->violation_count && b->violations < b->limits.violations; i++) {
        ob_json_append(b, array, ob_json_violation(b, result, i));
        b->violations++;
    }
    return array;
}

static json_t *warnings_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->warning_count; i++)
        ob_json_append(b, array, ob_json_text(b, result->warnings[i]));
    return array;
}

static json_t *seconds_json(struct ob_json_builder *b, const struct ob_report_result *result)
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
static json_t *unseen_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    if (!result->sampled)
        return json_null();
    json_t *object = json_object();
    ob_json_put_text(b, object, "of", result->sampler);
    ob_json_put_count(b, object, "samples", result->samples);
    put_share(b, object, "outcomes", result->unseen_outcomes);
    put_share(b, object, "classes", result->unseen_classes);
    return object;
}

static json_t *reached_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->reached_count; i++) {
        json_t *object = json_object();
        ob_json_put_text(b, object, "name", result->reached[i].name);
        ob_json_put_count(b, object, "runs", result->reached[i].runs);
        ob_json_append(b, array, object);
    }
    return array;
}

static json_t *requests_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->request_count; i++) {
        const struct ob_report_request *request = &result->requests[i];
        json_t *object = json_object();
        ob_json_put_text(b, object, "client", request->client);
        ob_json_put_text(b, object, "request", request->request);
        ob_json_put_text(b, object, "when", ob_report_when_word(request->when));
        ob_json_put_text(b, object, "outcome", request->outcome);
        ob_json_put_count(b, object, "count", request->count);
        ob_json_append(b, array, object);
    }
    return array;
}

static json_t *part_json(struct ob_json_builder *b, const struct ob_report_part *part)
{
    json_t *object = json_object();
    ob_json_put_text(b, object, "outcomes", part->outcomes);
    ob_json_put_text(b, object, "classes", part->classes);
    ob_json_put_text(b, object, "outcomes_once", part->outcomes_once);
    ob_json_put_text(b, object, "outcomes_more", part->outcomes_more);
    ob_json_put_text(b, object, "classes_once", part->classes_once);
    ob_json_put_text(b, object, "classes_more", part->classes_more);
    ob_json_put_bool(b, object, "within_bound", part->within_bound);
    return object;
}

static json_t *shard_json(struct ob_json_builder *b, const struct ob_report *report)
{
    json_t *object = json_object();
    ob_json_put_count(b, object, "index", report->shard_index);
    ob_json_put_count(b, object, "count", report->shard_count);
    ob_json_put_text(b, object, "asked", report->asked);
    return object;
}

static json_t *result_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    json_t *object = json_object();
    ob_json_put_text(b, object, "scenario", result->scenario);
    ob_json_put_text(b, object, "file", result->file);
    ob_json_put_text(b, object, "hash", result->hash);
    ob_json_put_text(b, object, "variant", result->variant);
    ob_json_put_text(b, object, "expected", result->expected);
    ob_json_put_text(b, object, "verdict", ob_verdict_word(result->verdict));
    ob_json_put_bool(b, object, "as_expected", result->as_expected);
    ob_json_put_text(b, object, "reason", result->reason);
    ob_json_put(b, object, "warnings", warnings_json(b, result));
    ob_json_put_text(b, object, "strategy", result->strategy);
    ob_json_put_count(b, object, "runs", result->runs);
    ob_json_put_count(b, object, "uncontrolled_runs", result->uncontrolled_runs);
    ob_json_put_count(b, object, "steps", result->steps);
    ob_json_put_bool(b, object, "exhausted", result->exhausted);
    ob_json_put_bool(b, object, "reduced", result->reduced);
    ob_json_put(b, object, "estimated_runs", estimate_json(result));
    ob_json_put_count(b, object, "classes", result->classes);
    ob_json_put_count(b, object, "outcomes", result->outcomes);
    ob_json_put(b, object, "unseen", unseen_json(b, result));
    ob_json_put(b, object, "reached", reached_json(b, result));
    if (result->request_count > 0)
        ob_json_put(b, object, "requests", requests_json(b, result));
    ob_json_put_text(b, object, "claim", result->claim);
    ob_json_put(b, object, "violations", violations_json(b, result));
    if (b->for_page)
        ob_json_put_count(b, object, "violation_count", result->violation_count);
    if (result->matrix)
        ob_json_put(b, object, "matrix", ob_json_matrix(b, result->matrix));
    ob_json_put(b, object, "seconds", seconds_json(b, result));
    ob_json_put_text(b, object, "target", result->target);
    ob_json_put_text(b, object, "about", result->about);
    if (result->part)
        ob_json_put(b, object, "part", part_json(b, result->part));
    return object;
}

static json_t *controlled_json(struct ob_json_builder *b, const struct ob_report *report)
{
    json_t *object = json_object();
    ob_json_put_bool(b, object, "deadlock", report->controlled_deadlock);
    ob_json_put_bool(b, object, "wake", report->controlled_wake);
    ob_json_put_bool(b, object, "clock", report->controlled_clock);
    ob_json_put_bool(b, object, "now", report->controlled_now);
    ob_json_put_bool(b, object, "gates", report->controlled_gates);
    ob_json_put_bool(b, object, "steps", report->controlled_steps);
    ob_json_put_bool(b, object, "footprints", report->controlled_footprints);
    return object;
}

static json_t *summary_json(struct ob_json_builder *b, const struct ob_report *report)
{
    struct ob_report_summary summary = ob_report_summarise(report);
    json_t *object = json_object();
    ob_json_put_count(b, object, "scenarios", summary.scenarios);
    ob_json_put_count(b, object, "as_expected", summary.as_expected);
    ob_json_put_count(b, object, "unexpected", summary.unexpected);
    ob_json_put_count(b, object, "inconclusive", summary.inconclusive);
    ob_json_put_count(b, object, "errors", summary.errors);
    return object;
}

/* Null where nothing was. */
static json_t *cut_json(struct ob_json_builder *b, const struct ob_report *report)
{
    if (b->limits.text == SIZE_MAX)
        return json_null();
    json_t *object = json_object();
    ob_json_put_count(b, object, "text", b->limits.text);
    ob_json_put_count(b, object, "steps", b->limits.steps);
    ob_json_put_count(b, object, "violations", b->limits.violations);
    ob_json_put_count(b, object, "results", b->limits.results);
    ob_json_put_count(b, object, "results_in_all", report->result_count);
    return object;
}

json_t *ob_json_report(struct ob_json_builder *b, const struct ob_report *report)
{
    json_t *object = json_object();
    ob_json_put_text(b, object, "overbook", report->version);
    ob_json_put_text(b, object, "postgres", report->postgres);
    ob_json_put_count(b, object, "seed", report->seed);
    ob_json_put(b, object, "controlled", controlled_json(b, report));
    if (report->shard_count > 0)
        ob_json_put(b, object, "shard", shard_json(b, report));
    if (report->rollout)
        ob_json_put(b, object, "rollout", ob_json_rollout(b, report->rollout));
    json_t *results = json_array();
    for (size_t i = 0; i < report->result_count && i < b->limits.results; i++)
        ob_json_append(b, results, result_json(b, &report->results[i]));
    ob_json_put(b, object, "results", results);
    ob_json_put(b, object, "summary", summary_json(b, report));
    if (b->for_page) {
        put_seconds(b, object, "seconds", report->seconds);
        ob_json_put(b, object, "cut", cut_json(b, report));
    }
    return object;
}

enum ob_result ob_report_json(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    struct ob_json_builder builder = {.limits = ob_json_unlimited};
    ob_arena_init(&builder.arena);
    json_t *root = ob_json_report(&builder, report);
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
