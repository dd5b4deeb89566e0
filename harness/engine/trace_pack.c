#include "engine/trace_pack.h"

#include <string.h>

/* --- out */

static void pack_completion(const struct ob_completion *completion, struct ob_buf *out)
{
    ob_pack_u64(out, completion->client);
    ob_pack_u64(out, completion->status);
    ob_pack_text(out, completion->sqlstate);
    ob_pack_u64(out, completion->digest);
    ob_pack_u64(out, completion->row_count);
    ob_pack_u64(out, completion->open);
    ob_pack_u64(out, completion->committed);
    ob_pack_text(out, completion->message ? completion->message : "");
}

static void pack_step(const struct ob_trace *trace, const struct ob_step *step, struct ob_buf *out)
{
    ob_pack_u64(out, step->client);
    ob_pack_u64(out, step->kind);
    ob_pack_text(out, step->text);
    ob_pack_text(out, step->params);
    ob_pack_u64(out, step->text_hash);
    ob_pack_u64(out, step->enabled);
    ob_pack_u64(out, step->blocked);
    ob_pack_u64(out, step->holders);
    ob_pack_u64(out, step->woken);
    ob_pack_u64(out, step->gated);
    ob_pack_u64(out, step->uncontrolled);
    ob_pack_u64(out, step->wake_count);
    for (size_t i = 0; i < step->wake_count; i++)
        ob_pack_u64(out, trace->schedule.wakes[step->first_wake + i]);
    ob_pack_u64(out, step->completion_count);
    for (size_t i = 0; i < step->completion_count; i++)
        pack_completion(&step->completions[i], out);
}

/* Nobody and "before the first step" are 0, all else is one more than it is. */
void ob_trace_pack(const struct ob_trace *trace, struct ob_buf *out)
{
    ob_pack_u64(out, trace->step_count);
    for (size_t i = 0; i < trace->step_count; i++)
        pack_step(trace, &trace->steps[i], out);
    ob_pack_u64(out, trace->event_count);
    for (size_t i = 0; i < trace->event_count; i++) {
        const struct ob_event *event = &trace->events[i];
        ob_pack_u64(out, event->step == OB_BEFORE_ALL ? 0 : event->step + 1);
        ob_pack_u64(out, event->client == OB_NO_CLIENT ? 0 : event->client + 1);
        ob_pack_text(out, event->kind);
        ob_pack_text(out, event->data);
    }
    ob_pack_u64(out, trace->end);
    ob_pack_text(out, trace->reason);
}

/* --- and back */

static enum ob_op_kind kind_of(struct ob_unpack *in)
{
    static const enum ob_op_kind kinds[] = {
#define OB_OP_ITEM(name, word) OB_OP_##name,
        OB_OP_KINDS(OB_OP_ITEM)
#undef OB_OP_ITEM
    };
    return kinds[ob_unpack_below(in, sizeof kinds / sizeof *kinds)];
}

static enum ob_run_end end_of(struct ob_unpack *in)
{
    static const enum ob_run_end ends[] = {
#define OB_RUN_END_ITEM(name, text) OB_RUN_##name,
        OB_RUN_ENDS(OB_RUN_END_ITEM)
#undef OB_RUN_END_ITEM
    };
    return ends[ob_unpack_below(in, sizeof ends / sizeof *ends)];
}

/* A text that must fit into size bytes with its NUL. */
static void text_into(struct ob_unpack *in, char *out, size_t size)
{
    size_t length;
    const uint8_t *bytes = ob_unpack_bytes(in, &length);
    in->failed |= length >= size;
    if (!in->failed)
        memcpy(out, bytes, length);
    out[in->failed ? 0 : length] = '\0';
}

static ob_client_set set_of(struct ob_unpack *in, size_t client_count)
{
    ob_client_set set = ob_unpack_u64(in);
    in->failed |= client_count < OB_CLIENTS_MAX && set >> client_count != 0;
    return in->failed ? 0 : set;
}

static void unpack_completion(struct ob_unpack *in, size_t client_count, struct ob_arena *arena,
                              struct ob_completion *out)
{
    out->client = ob_unpack_below(in, client_count);
    out->status = (enum ob_reply_status)ob_unpack_below(in, OB_REPLY_STOPPED + 1);
    text_into(in, out->sqlstate, sizeof out->sqlstate);
    out->digest = ob_unpack_u64(in);
    out->row_count = (uint32_t)ob_unpack_below(in, (size_t)UINT32_MAX + 1);
    out->open = ob_unpack_u64(in) != 0;
    out->committed = ob_unpack_u64(in) != 0;
    out->message = ob_unpack_text(in, arena);
}

/* How many come: each takes a byte at least, so that no more memory is taken than there is text. */
static size_t count_of(struct ob_unpack *in)
{
    return ob_unpack_below(in, in->size - in->at + 1);
}

static void unpack_step(struct ob_unpack *in, size_t client_count, struct ob_trace *trace)
{
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = ob_unpack_below(in, client_count);
    ob_schedule_add_step(&trace->schedule, step->client);
    step->kind = kind_of(in);
    step->text = ob_unpack_text(in, &trace->arena);
    step->params = ob_unpack_text(in, &trace->arena);
    step->text_hash = ob_unpack_u64(in);
    step->enabled = set_of(in, client_count);
    step->blocked = set_of(in, client_count);
    step->holders = set_of(in, client_count);
    step->woken = set_of(in, client_count);
    step->gated = set_of(in, client_count);
    step->uncontrolled = ob_unpack_u64(in) != 0;
    step->first_wake = trace->schedule.wake_count;
    step->wake_count = count_of(in);
    for (size_t i = 0; i < step->wake_count; i++)
        ob_schedule_add_wake(&trace->schedule, ob_unpack_below(in, client_count));
    step->completion_count = count_of(in);
    step->completions =
        ob_arena_alloc(&trace->arena, step->completion_count * sizeof *step->completions);
    for (size_t i = 0; i < step->completion_count && !in->failed; i++)
        unpack_completion(in, client_count, &trace->arena, &step->completions[i]);
    trace->uncontrolled += step->uncontrolled;
}

static void unpack_event(struct ob_unpack *in, size_t client_count, struct ob_trace *trace)
{
    size_t step = ob_unpack_below(in, trace->step_count + 1);
    size_t client = ob_unpack_below(in, client_count + 1);
    const char *kind = ob_unpack_text(in, &trace->arena);
    ob_trace_add_event(trace, client == 0 ? OB_NO_CLIENT : client - 1, kind,
                       ob_unpack_text(in, &trace->arena));
    size_t last = trace->event_count - 1;
    trace->events[last].step = step == 0 ? OB_BEFORE_ALL : step - 1;
    in->failed |= last > 0 && trace->events[last - 1].step + 1 > step;
}

void ob_trace_unpack(struct ob_unpack *in, size_t client_count, struct ob_trace *trace)
{
    for (size_t left = count_of(in); left > 0 && !in->failed; left--)
        unpack_step(in, client_count, trace);
    for (size_t left = count_of(in); left > 0 && !in->failed; left--)
        unpack_event(in, client_count, trace);
    trace->end = end_of(in);
    text_into(in, trace->reason, sizeof trace->reason);
}
