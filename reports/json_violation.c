/* json_violation.c - what was violated, how it was made small, why it happens and what cures it. */
#include "json_int.h"

static void put_replays(struct ob_json_builder *b, json_t *object, unsigned same, unsigned all)
{
    ob_json_put_text(b, object, "replays", ob_arena_printf(&b->arena, "%u/%u", same, all));
}

static json_t *shrunk_json(struct ob_json_builder *b, const struct ob_report_shrunk *shrunk)
{
    if (!shrunk)
        return json_null();
    json_t *object = json_object();
    ob_json_put_whole(b, object, "replay", shrunk->replay);
    ob_json_put_count(b, object, "clients", shrunk->clients);
    ob_json_put_count(b, object, "faults", shrunk->faults);
    ob_json_put_count(b, object, "steps", shrunk->steps);
    ob_json_put_count(b, object, "preemptions", shrunk->preemptions);
    put_replays(b, object, shrunk->replays_same, shrunk->replays);
    ob_json_put_count(b, object, "runs", shrunk->runs);
    ob_json_put_bool(b, object, "complete", shrunk->complete);
    ob_json_put_text(b, object, "left_out", shrunk->left_out);
    ob_json_put(b, object, "timeline", ob_json_timeline(b, shrunk->timeline));
    return object;
}

static json_t *explanation_json(struct ob_json_builder *b,
                                const struct ob_report_explanation *explanation)
{
    if (!explanation)
        return json_null();
    json_t *object = json_object(), *conflict = json_array(), *edges = json_array();
    ob_json_put_text(b, object, "anomaly", explanation->anomaly);
    ob_json_put_text(b, object, "sentence", explanation->sentence);
    if (explanation->first != explanation->second) {
        ob_json_append(b, conflict, json_integer((json_int_t)explanation->first));
        ob_json_append(b, conflict, json_integer((json_int_t)explanation->second));
    }
    ob_json_put(b, object, "conflict", conflict);
    for (size_t i = 0; i < explanation->edge_count; i++) {
        const struct ob_report_edge *from = &explanation->edges[i];
        json_t *edge = json_object();
        ob_json_put_count(b, edge, "from", from->from);
        ob_json_put_count(b, edge, "to", from->to);
        ob_json_put_text(b, edge, "kind", from->kind);
        ob_json_put_text(b, edge, "because", from->because);
        ob_json_append(b, edges, edge);
    }
    ob_json_put(b, object, "edges", edges);
    return object;
}

static json_t *cures_json(struct ob_json_builder *b, const struct ob_report_violation *violation)
{
    json_t *array = json_array();
    for (size_t i = 0; i < violation->cure_count; i++) {
        const struct ob_report_cure *cure = &violation->cures[i];
        json_t *object = json_object();
        ob_json_put_text(b, object, "name", cure->name);
        ob_json_put_text(b, object, "what", cure->what);
        ob_json_put_text(b, object, "change", cure->change);
        ob_json_put_text(b, object, "on_schedule", cure->on_schedule);
        ob_json_put_text(b, object, "in_exploration", cure->in_exploration);
        ob_json_put_text(b, object, "verdict", cure->verdict);
        ob_json_put_text(b, object, "why", cure->why);
        ob_json_put_count(b, object, "runs", cure->runs);
        ob_json_put(b, object, "neighbour", ob_json_timeline(b, cure->neighbour));
        ob_json_append(b, array, object);
    }
    return array;
}

/* The one whose timeline it shares; itself where it shares none. */
static size_t first_with_timeline(const struct ob_report_result *result, size_t index)
{
    size_t first = 0;
    while (first < index &&
           result->violations[first].timeline != result->violations[index].timeline)
        first++;
    return first;
}

/* A run that broke several invariants is written once: an index stands for the others. */
static json_t *run_json(struct ob_json_builder *b, const struct ob_report_result *result,
                        size_t index)
{
    const struct ob_report_timeline *timeline = result->violations[index].timeline;
    size_t first = timeline ? first_with_timeline(result, index) : index;
    return first < index ? json_integer((json_int_t)first) : ob_json_timeline(b, timeline);
}

json_t *ob_json_violation(struct ob_json_builder *b, const struct ob_report_result *result,
                          size_t index)
{
    const struct ob_report_violation *violation = &result->violations[index];
    json_t *object = json_object();
    ob_json_put_text(b, object, "invariant", violation->invariant);
    ob_json_put_count(b, object, "run", violation->run);
    ob_json_put_whole(b, object, "token", violation->token);
    ob_json_put_whole(b, object, "shrunk_token", violation->shrunk ? violation->shrunk->token : "");
    ob_json_put_count(b, object, "clients", violation->clients);
    ob_json_put_count(b, object, "faults", violation->faults);
    ob_json_put_count(b, object, "steps", violation->steps);
    ob_json_put_count(b, object, "preemptions", violation->preemptions);
    put_replays(b, object, violation->replays_same, violation->replays);
    ob_json_put_text(b, object, "why", violation->why);
    if (!b->for_page || !violation->timeline)
        ob_json_put_text(b, object, "trace", violation->trace);
    ob_json_put_whole(b, object, "replay", violation->replay);
    ob_json_put(b, object, "timeline", run_json(b, result, index));
    ob_json_put(b, object, "shrunk", shrunk_json(b, violation->shrunk));
    ob_json_put(b, object, "explanation", explanation_json(b, violation->explanation));
    ob_json_put(b, object, "cures", cures_json(b, violation));
    return object;
}
