/*
 * json_timeline.c - a run for drawing, as JSON.  Most of a step's sets and texts are empty, so what
 * is empty is left out.
 */
#include "json_int.h"

#include <inttypes.h>

static void put_set(struct ob_json_builder *b, json_t *step, const char *key, ob_report_clients set)
{
    if (set == 0)
        return;
    json_t *array = json_array();
    for (size_t i = 0; i < OB_REPORT_CLIENTS_MAX; i++)
        if (set >> i & 1)
            ob_json_append(b, array, json_integer((json_int_t)i));
    ob_json_put(b, step, key, array);
}

static void put_unless_empty(struct ob_json_builder *b, json_t *object, const char *key,
                             const char *text)
{
    if (text && text[0] != '\0')
        ob_json_put_text(b, object, key, text);
}

static void put_notes(struct ob_json_builder *b, json_t *object, const char *key,
                      const struct ob_report_note *notes, size_t count)
{
    if (count == 0)
        return;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *note = json_object();
        if (notes[i].client != OB_REPORT_NOBODY)
            ob_json_put_count(b, note, "client", notes[i].client);
        ob_json_put_text(b, note, "kind", notes[i].kind);
        ob_json_put_text(b, note, "data", notes[i].data);
        ob_json_append(b, array, note);
    }
    ob_json_put(b, object, key, array);
}

static json_t *ended_json(struct ob_json_builder *b, const struct ob_report_ended *ended)
{
    json_t *object = json_object();
    ob_json_put_count(b, object, "client", ended->client);
    ob_json_put_text(b, object, "status", ended->status);
    put_unless_empty(b, object, "sqlstate", ended->sqlstate);
    put_unless_empty(b, object, "message", ended->message);
    ob_json_put_count(b, object, "rows", ended->rows);
    if (ended->digest != 0 && !b->for_page)
        ob_json_put_text(b, object, "digest",
                         ob_arena_printf(&b->arena, "%016" PRIx64, ended->digest));
    return object;
}

json_t *ob_json_step(struct ob_json_builder *b, const struct ob_report_step *step)
{
    json_t *object = json_object();
    ob_json_put_count(b, object, "client", step->client);
    ob_json_put_text(b, object, "kind", step->kind);
    ob_json_put_text(b, object, "text", step->text);
    put_unless_empty(b, object, "params", step->params);
    put_set(b, object, "blocked", step->blocked);
    put_set(b, object, "holders", step->holders);
    put_set(b, object, "woken", step->woken);
    put_set(b, object, "gated", step->gated);
    if (step->uncontrolled)
        ob_json_put_bool(b, object, "uncontrolled", true);
    json_t *ended = json_array();
    for (size_t i = 0; i < step->ended_count; i++)
        ob_json_append(b, ended, ended_json(b, &step->ended[i]));
    ob_json_put(b, object, "ended", ended);
    put_notes(b, object, "notes", step->notes, step->note_count);
    return object;
}

json_t *ob_json_timeline(struct ob_json_builder *b, const struct ob_report_timeline *timeline)
{
    if (!timeline)
        return json_null();
    json_t *object = json_object(), *clients = json_array(), *steps = json_array();
    for (size_t i = 0; i < timeline->client_count; i++)
        ob_json_append(b, clients, ob_json_text(b, timeline->clients[i]));
    ob_json_put(b, object, "clients", clients);
    put_notes(b, object, "before", timeline->before, timeline->before_count);
    for (size_t i = 0; i < timeline->step_count && i < b->limits.steps; i++)
        ob_json_append(b, steps, ob_json_step(b, &timeline->steps[i]));
    ob_json_put(b, object, "steps", steps);
    if (timeline->step_count > b->limits.steps)
        ob_json_put_count(b, object, "left_out", timeline->step_count - b->limits.steps);
    ob_json_put_text(b, object, "end", timeline->end);
    ob_json_put_text(b, object, "reason", timeline->reason);
    return object;
}
