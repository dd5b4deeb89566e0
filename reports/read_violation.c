/*
 * read_violation.c - a violation from its JSON.  What later versions added may be missing; what is
 * there must be right, since steps are indices into the runs that are there.
 */
#include "read_int.h"

#include "base/parse.h"

#include <string.h>

#define REPLAYS_MAX 1000 /* of one violation */

/* "9/10" */
static void read_replays(struct ob_reader *r, const json_t *object, unsigned *same, unsigned *all)
{
    const char *text = ob_read_text(r, object, "replays"), *slash = strchr(text, '/');
    uint64_t some = 0, count = 0;
    struct ob_arena *arena = &r->report->arena;
    if (!slash || !ob_parse_u64(slash + 1, 0, REPLAYS_MAX, &count) ||
        !ob_parse_u64(ob_arena_strndup(arena, text, (size_t)(slash - text)), 0, count, &some))
        ob_read_refuse(r, "replays", "a number of replays");
    *same = (unsigned)some;
    *all = (unsigned)count;
}

/* The part with that name; NULL for null, and where it is not there. */
static const json_t *part_of(struct ob_reader *r, const json_t *object, const char *key)
{
    const json_t *part = json_object_get(object, key);
    if (r->failed || !part || json_is_null(part))
        return NULL;
    if (json_is_object(part))
        return part;
    ob_read_refuse(r, key, "an object or null");
    return NULL;
}

static const struct ob_report_shrunk *read_shrunk(struct ob_reader *r, const json_t *violation)
{
    const json_t *object = part_of(r, violation, "shrunk");
    if (!object)
        return NULL;
    struct ob_report_shrunk *out = ob_arena_alloc(&r->report->arena, sizeof *out);
    *out = (struct ob_report_shrunk){
        .token = ob_read_text(r, violation, "shrunk_token"),
        .replay = ob_read_text(r, object, "replay"),
        .clients = ob_read_count(r, object, "clients"),
        .faults = ob_read_count(r, object, "faults"),
        .steps = ob_read_count(r, object, "steps"),
        .preemptions = ob_read_count(r, object, "preemptions"),
        .runs = ob_read_count(r, object, "runs"),
        .complete = ob_read_bool(r, object, "complete"),
        .left_out = ob_read_text(r, object, "left_out"),
        .timeline = ob_read_timeline(r, object, "timeline"),
    };
    read_replays(r, object, &out->replays_same, &out->replays);
    return out;
}

static void read_edges(struct ob_reader *r, const json_t *object, size_t step_count,
                       struct ob_report_explanation *out)
{
    const json_t *array = ob_read_array(r, object, "edges");
    out->edge_count = json_array_size(array);
    struct ob_report_edge *edges =
        ob_arena_alloc(&r->report->arena, out->edge_count * sizeof *edges);
    for (size_t i = 0; i < out->edge_count && !r->failed; i++) {
        const json_t *edge = json_array_get(array, i);
        edges[i] = (struct ob_report_edge){
            .from = ob_read_index(r, edge, "from", step_count),
            .to = ob_read_index(r, edge, "to", step_count),
            .kind = ob_read_text(r, edge, "kind"),
            .because = ob_read_text(r, edge, "because"),
        };
    }
    out->edges = edges;
}

/* Steps are those of the timeline that is shown. */
static size_t steps_of(const struct ob_report_violation *violation)
{
    const struct ob_report_timeline *timeline = violation->timeline;
    if (violation->shrunk && violation->shrunk->timeline)
        timeline = violation->shrunk->timeline;
    return timeline ? timeline->step_count : OB_REPORT_STEPS_MAX;
}

static const struct ob_report_explanation *
read_explanation(struct ob_reader *r, const json_t *violation, size_t step_count)
{
    const json_t *object = part_of(r, violation, "explanation");
    if (!object)
        return NULL;
    struct ob_report_explanation *out = ob_arena_alloc(&r->report->arena, sizeof *out);
    out->anomaly = ob_read_text(r, object, "anomaly");
    out->sentence = ob_read_text(r, object, "sentence");
    size_t conflict[2] = {0, 0};
    const json_t *pair = ob_read_array(r, object, "conflict");
    for (size_t i = 0; i < 2 && json_array_size(pair) > 0; i++) {
        const json_t *step = json_array_get(pair, i);
        json_int_t index = json_integer_value(step);
        if (!json_is_integer(step) || index < 0 || (size_t)index >= step_count)
            ob_read_refuse(r, "conflict", "a pair of steps");
        conflict[i] = (size_t)index;
    }
    out->first = conflict[0];
    out->second = conflict[1];
    read_edges(r, object, step_count, out);
    return out;
}

static void read_cures(struct ob_reader *r, const json_t *object, struct ob_report_violation *out)
{
    if (!json_object_get(object, "cures"))
        return;
    const json_t *array = ob_read_array(r, object, "cures");
    out->cure_count = json_array_size(array);
    struct ob_report_cure *cures =
        ob_arena_alloc(&r->report->arena, out->cure_count * sizeof *cures);
    for (size_t i = 0; i < out->cure_count && !r->failed; i++) {
        const json_t *cure = json_array_get(array, i);
        cures[i] = (struct ob_report_cure){
            .name = ob_read_text(r, cure, "name"),
            .what = ob_read_text(r, cure, "what"),
            .change = ob_read_text(r, cure, "change"),
            .on_schedule = ob_read_text(r, cure, "on_schedule"),
            .in_exploration = ob_read_text(r, cure, "in_exploration"),
            .verdict = ob_read_text(r, cure, "verdict"),
            .why = json_object_get(cure, "why") ? ob_read_text(r, cure, "why") : "",
            .runs = ob_read_count(r, cure, "runs"),
            .neighbour = ob_read_timeline(r, cure, "neighbour"),
        };
    }
    out->cures = cures;
}

/* An index stands for the run of an earlier violation. */
static const struct ob_report_timeline *read_run(struct ob_reader *r, const json_t *object,
                                                 const struct ob_report_result *result,
                                                 size_t index)
{
    if (json_is_integer(json_object_get(object, "timeline"))) {
        size_t first = ob_read_index(r, object, "timeline", index);
        return r->failed ? NULL : result->violations[first].timeline;
    }
    return ob_read_timeline(r, object, "timeline");
}

void ob_read_violation(struct ob_reader *r, const json_t *object, struct ob_report_result *result,
                       size_t index)
{
    struct ob_report_violation *out = &result->violations[index];
    *out = (struct ob_report_violation){
        .invariant = ob_read_text(r, object, "invariant"),
        .run = ob_read_count(r, object, "run"),
        .token = ob_read_text(r, object, "token"),
        .replay = ob_read_text(r, object, "replay"),
        .clients = ob_read_count(r, object, "clients"),
        .faults = ob_read_count(r, object, "faults"),
        .steps = ob_read_count(r, object, "steps"),
        .preemptions = ob_read_count(r, object, "preemptions"),
        .why = ob_read_text(r, object, "why"),
        .trace = ob_read_text(r, object, "trace"),
        .timeline = read_run(r, object, result, index),
        .shrunk = read_shrunk(r, object),
    };
    read_replays(r, object, &out->replays_same, &out->replays);
    out->explanation = read_explanation(r, object, steps_of(out));
    read_cures(r, object, out);
}
