/* read_timeline.c - a run for drawing, from its JSON: every client in it is one of those named. */
#include "read_int.h"

#include <stdlib.h>
#include <string.h>

/* Where it is not there: "". */
static const char *text_or_empty(struct ob_reader *r, const json_t *object, const char *key)
{
    return json_object_get(object, key) ? ob_read_text(r, object, key) : "";
}

/* Where it is not there: none. */
static const json_t *array_or_none(struct ob_reader *r, const json_t *object, const char *key)
{
    return json_object_get(object, key) ? ob_read_array(r, object, key) : NULL;
}

static ob_report_clients set_of(struct ob_reader *r, const json_t *step, const char *key,
                                size_t client_count)
{
    const json_t *array = array_or_none(r, step, key);
    ob_report_clients set = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *client = json_array_get(array, i);
        json_int_t index = json_integer_value(client);
        if (!json_is_integer(client) || index < 0 || (size_t)index >= client_count) {
            ob_read_refuse(r, key, "a list of clients");
            return 0;
        }
        set |= (ob_report_clients)1 << index;
    }
    return set;
}

static const struct ob_report_note *read_notes(struct ob_reader *r, const json_t *object,
                                               const char *key, size_t client_count, size_t *count)
{
    const json_t *array = array_or_none(r, object, key);
    *count = json_array_size(array);
    struct ob_report_note *notes = ob_arena_alloc(&r->report->arena, *count * sizeof *notes);
    for (size_t i = 0; i < *count && !r->failed; i++) {
        const json_t *note = json_array_get(array, i);
        bool somebodys = json_object_get(note, "client");
        notes[i].client =
            somebodys ? ob_read_index(r, note, "client", client_count) : OB_REPORT_NOBODY;
        notes[i].kind = ob_read_text(r, note, "kind");
        notes[i].data = ob_read_text(r, note, "data");
    }
    return notes;
}

/* Where it is not there: 0. */
static uint64_t digest_of(struct ob_reader *r, const json_t *object)
{
    const char *text = text_or_empty(r, object, "digest");
    if (strlen(text) > 16 || strspn(text, "0123456789abcdef") != strlen(text))
        ob_read_refuse(r, "digest", "a digest");
    return strtoull(text, NULL, 16);
}

static void read_ended(struct ob_reader *r, const json_t *object, size_t client_count,
                       struct ob_report_step *step)
{
    const json_t *array = ob_read_array(r, object, "ended");
    step->ended_count = json_array_size(array);
    struct ob_report_ended *ended =
        ob_arena_alloc(&r->report->arena, step->ended_count * sizeof *ended);
    for (size_t i = 0; i < step->ended_count && !r->failed; i++) {
        const json_t *one = json_array_get(array, i);
        ended[i] = (struct ob_report_ended){
            .client = ob_read_index(r, one, "client", client_count),
            .status = ob_read_text(r, one, "status"),
            .sqlstate = text_or_empty(r, one, "sqlstate"),
            .message = text_or_empty(r, one, "message"),
            .rows = ob_read_count(r, one, "rows"),
            .digest = digest_of(r, one),
        };
    }
    step->ended = ended;
}

static void read_step(struct ob_reader *r, const json_t *object, size_t client_count,
                      struct ob_report_step *step)
{
    *step = (struct ob_report_step){
        .client = ob_read_index(r, object, "client", client_count),
        .kind = ob_read_text(r, object, "kind"),
        .text = ob_read_text(r, object, "text"),
        .params = text_or_empty(r, object, "params"),
        .blocked = set_of(r, object, "blocked", client_count),
        .holders = set_of(r, object, "holders", client_count),
        .woken = set_of(r, object, "woken", client_count),
        .gated = set_of(r, object, "gated", client_count),
        .uncontrolled =
            json_object_get(object, "uncontrolled") && ob_read_bool(r, object, "uncontrolled"),
    };
    read_ended(r, object, client_count, step);
    step->notes = read_notes(r, object, "notes", client_count, &step->note_count);
}

static void read_clients(struct ob_reader *r, const json_t *object, struct ob_report_timeline *out)
{
    const json_t *array = ob_read_array(r, object, "clients");
    size_t count = json_array_size(array);
    if (count < 1 || count > OB_REPORT_CLIENTS_MAX) {
        ob_read_refuse(r, "clients", "a list of at most 64 names");
        return;
    }
    const char **names = ob_arena_alloc(&r->report->arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name)
            ob_read_refuse(r, "clients", "a list of names");
        names[i] = ob_arena_strdup(&r->report->arena, name ? name : "");
    }
    out->clients = names;
    out->client_count = count;
}

static void read_steps(struct ob_reader *r, const json_t *object, struct ob_report_timeline *out)
{
    const json_t *array = ob_read_array(r, object, "steps");
    size_t count = json_array_size(array);
    if (count > OB_REPORT_STEPS_MAX) {
        ob_read_refuse(r, "steps", "a list of at most 100000 steps");
        return;
    }
    struct ob_report_step *steps = ob_arena_alloc(&r->report->arena, count * sizeof *steps);
    for (size_t i = 0; i < count && !r->failed; i++)
        read_step(r, json_array_get(array, i), out->client_count, &steps[i]);
    out->steps = steps;
    out->step_count = count;
}

const struct ob_report_timeline *ob_read_timeline(struct ob_reader *r, const json_t *object,
                                                  const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (r->failed || !value || json_is_null(value))
        return NULL;
    if (!json_is_object(value)) {
        ob_read_refuse(r, key, "a run");
        return NULL;
    }
    struct ob_report_timeline *out = ob_arena_alloc(&r->report->arena, sizeof *out);
    read_clients(r, value, out);
    out->before = read_notes(r, value, "before", out->client_count, &out->before_count);
    read_steps(r, value, out);
    out->end = ob_read_text(r, value, "end");
    out->reason = ob_read_text(r, value, "reason");
    return out;
}
