#include "cli/timeline.h"

#include "base/alloc.h"
#include "engine/trace_pack.h"

#include <assert.h>
#include <string.h>

static_assert(OB_REPORT_CLIENTS_MAX == OB_CLIENTS_MAX, "sets of clients are the same bits");
static_assert(OB_REPORT_NOBODY == OB_NO_CLIENT, "nobody is nobody");
static_assert(OB_REPORT_STEPS_MAX >= OB_STEPS_MAX, "every run can be drawn");

static const struct ob_report_ended *endings_of(struct ob_arena *arena, const struct ob_step *step)
{
    struct ob_report_ended *all = ob_arena_alloc(arena, step->completion_count * sizeof *all);
    for (size_t i = 0; i < step->completion_count; i++) {
        const struct ob_completion *completion = &step->completions[i];
        all[i] = (struct ob_report_ended){
            .client = completion->client,
            .status = ob_reply_word(completion->status),
            .sqlstate = ob_arena_strdup(arena, completion->sqlstate),
            .message = ob_arena_strdup(arena, completion->message ? completion->message : ""),
            .rows = completion->row_count,
            .digest = completion->digest,
        };
    }
    return all;
}

static struct ob_report_step step_of(struct ob_arena *arena, const struct ob_step *step)
{
    return (struct ob_report_step){
        .client = step->client,
        .kind = ob_op_word(step->kind),
        .text = ob_arena_strdup(arena, step->text),
        .params = ob_arena_strdup(arena, step->params),
        .blocked = step->blocked,
        .holders = step->holders,
        .woken = step->woken,
        .gated = step->gated,
        .uncontrolled = step->uncontrolled,
        .ended = endings_of(arena, step),
        .ended_count = step->completion_count,
    };
}

static struct ob_report_note note_of(struct ob_arena *arena, const struct ob_event *event)
{
    return (struct ob_report_note){
        .client = event->client,
        .kind = ob_arena_strdup(arena, event->kind),
        .data = ob_arena_strdup(arena, event->data),
    };
}

/* Events are in the order of their steps, so each step's are a stretch of them. */
static void share_out(struct ob_arena *arena, const struct ob_trace *trace,
                      struct ob_report_timeline *out, struct ob_report_step *steps)
{
    struct ob_report_note *notes = ob_arena_alloc(arena, trace->event_count * sizeof *notes);
    for (size_t i = 0; i < trace->event_count; i++) {
        const struct ob_event *event = &trace->events[i];
        bool before = event->step == OB_BEFORE_ALL;
        const struct ob_report_note **first = before ? &out->before : &steps[event->step].notes;
        size_t *count = before ? &out->before_count : &steps[event->step].note_count;
        notes[i] = note_of(arena, event);
        if ((*count)++ == 0)
            *first = &notes[i];
    }
}

const struct ob_report_timeline *ob_timeline_of(struct ob_arena *arena,
                                                const struct ob_trace *trace,
                                                const char *const *client_names,
                                                size_t client_count)
{
    struct ob_report_timeline *out = ob_arena_alloc(arena, sizeof *out);
    struct ob_report_step *steps = ob_arena_alloc(arena, trace->step_count * sizeof *steps);
    const char **clients = ob_arena_alloc(arena, client_count * sizeof *clients);
    for (size_t i = 0; i < client_count; i++)
        clients[i] = ob_arena_strdup(arena, client_names[i]);
    for (size_t i = 0; i < trace->step_count; i++)
        steps[i] = step_of(arena, &trace->steps[i]);
    share_out(arena, trace, out, steps);
    out->clients = clients;
    out->client_count = client_count;
    out->steps = steps;
    out->step_count = trace->step_count;
    out->end = ob_run_end_text(trace->end);
    out->reason = ob_arena_strdup(arena, trace->reason);
    return out;
}

const struct ob_report_timeline *ob_timeline_unpack(struct ob_arena *arena,
                                                    const struct ob_buf *packed,
                                                    const char *const *client_names,
                                                    size_t client_count)
{
    struct ob_unpack in = {.data = (const uint8_t *)packed->data, .size = packed->size};
    const struct ob_report_timeline *timeline = NULL;
    struct ob_trace trace;
    if (packed->size == 0)
        return NULL;
    ob_trace_init(&trace);
    ob_trace_unpack(&in, client_count, &trace);
    if (!in.failed)
        timeline = ob_timeline_of(arena, &trace, client_names, client_count);
    ob_trace_clear(&trace);
    return timeline;
}
