#include "engine/trace.h"

#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *ob_op_word(enum ob_op_kind kind)
{
    static const char *const words[] = {
#define OB_OP_WORD(name, word) word,
        OB_OP_KINDS(OB_OP_WORD)
#undef OB_OP_WORD
    };
    assert(kind < sizeof words / sizeof *words);
    return words[kind];
}

const char *ob_reply_word(enum ob_reply_status status)
{
    static const char *const words[] = {
        [OB_REPLY_DONE] = "done",
        [OB_REPLY_LOST] = "session lost",
        [OB_REPLY_NEVER] = "never",
        [OB_REPLY_STOPPED] = "stopped",
    };
    assert(status < sizeof words / sizeof *words);
    return words[status];
}

const char *ob_run_end_text(enum ob_run_end end)
{
    static const char *const texts[] = {
#define OB_RUN_END_TEXT(name, text) text,
        OB_RUN_ENDS(OB_RUN_END_TEXT)
#undef OB_RUN_END_TEXT
    };
    assert(end < sizeof texts / sizeof *texts);
    return texts[end];
}

void ob_trace_init(struct ob_trace *trace)
{
    *trace = (struct ob_trace){0};
    ob_arena_init(&trace->arena);
}

void ob_trace_reset(struct ob_trace *trace)
{
    ob_arena_reset(&trace->arena);
    ob_schedule_reset(&trace->schedule);
    trace->step_count = 0;
    trace->event_count = 0;
    trace->end = OB_RUN_FINISHED;
    trace->reason[0] = '\0';
    trace->uncontrolled = 0;
    trace->settle_us = 0;
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        trace->seen[i] = OB_HASH_START;
}

void ob_trace_clear(struct ob_trace *trace)
{
    ob_arena_clear(&trace->arena);
    ob_schedule_clear(&trace->schedule);
    free(trace->steps);
    free(trace->events);
    *trace = (struct ob_trace){0};
}

struct ob_step *ob_trace_add_step(struct ob_trace *trace)
{
    trace->steps =
        ob_grow(trace->steps, &trace->step_capacity, trace->step_count + 1, sizeof *trace->steps);
    struct ob_step *step = &trace->steps[trace->step_count++];
    *step = (struct ob_step){0};
    return step;
}

void ob_trace_add_event(struct ob_trace *trace, size_t client, const char *kind, const char *data)
{
    trace->events = ob_grow(trace->events, &trace->event_capacity, trace->event_count + 1,
                            sizeof *trace->events);
    trace->events[trace->event_count++] = (struct ob_event){
        .step = trace->step_count == 0 ? OB_BEFORE_ALL : trace->step_count - 1,
        .client = client,
        .kind = ob_arena_strdup(&trace->arena, kind),
        .data = ob_arena_strdup(&trace->arena, data),
    };
}

static uint64_t hash_step(uint64_t hash, const struct ob_trace *trace, const struct ob_step *step)
{
    hash = ob_hash_u64(hash, step->client);
    hash = ob_hash_u64(hash, step->kind);
    hash = ob_hash_u64(hash, step->text_hash);
    hash = ob_hash_u64(hash, step->enabled);
    hash = ob_hash_u64(hash, step->blocked);
    hash = ob_hash_u64(hash, step->holders);
    hash = ob_hash_u64(hash, step->woken);
    if (step->gated != 0)
        hash = ob_hash_u64(hash, step->gated);
    for (size_t i = 0; i < step->wake_count; i++)
        hash = ob_hash_u64(hash, trace->schedule.wakes[step->first_wake + i]);
    for (size_t i = 0; i < step->completion_count; i++) {
        const struct ob_completion *completion = &step->completions[i];
        hash = ob_hash_u64(hash, completion->client);
        hash = ob_hash_u64(hash, completion->status);
        hash = ob_hash_text(hash, completion->sqlstate);
        hash = ob_hash_u64(hash, completion->digest);
        hash = ob_hash_u64(hash, completion->row_count);
    }
    return hash;
}

static uint64_t hash_event(uint64_t hash, const struct ob_event *event)
{
    hash = ob_hash_u64(hash, event->step);
    hash = ob_hash_u64(hash, event->client);
    hash = ob_hash_text(hash, event->kind);
    return ob_hash_text(hash, event->data);
}

uint64_t ob_trace_digest(const struct ob_trace *trace)
{
    uint64_t hash = OB_HASH_START;
    for (size_t i = 0; i < trace->step_count; i++)
        hash = hash_step(hash, trace, &trace->steps[i]);
    for (size_t i = 0; i < trace->event_count; i++)
        hash = hash_event(hash, &trace->events[i]);
    return ob_hash_end(ob_hash_u64(hash, trace->end));
}

uint64_t ob_trace_step_digest(const struct ob_trace *trace, size_t step)
{
    assert(step < trace->step_count);
    uint64_t hash = hash_step(OB_HASH_START, trace, &trace->steps[step]);
    for (size_t i = 0; i < trace->event_count; i++)
        if (trace->events[i].step == step)
            hash = hash_event(hash, &trace->events[i]);
    return ob_hash_end(hash);
}

void ob_trace_check(const struct ob_trace *trace)
{
    assert(trace->schedule.step_count == trace->step_count);
    ob_client_set waiting = 0;
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        ob_client_set self = (ob_client_set)1 << step->client;
        assert(step->client == trace->schedule.clients[i]);
        assert(step->enabled & self);
        assert(!(step->enabled & waiting));
        assert(!(step->woken & ~waiting));
        assert(!(step->blocked & ~(waiting | self)));
        assert(!(step->gated & (~(step->woken | self) | step->blocked)));
        assert((step->holders != 0) <= ((step->blocked & self) != 0));
        assert(step->first_wake + step->wake_count <= trace->schedule.wake_count);
        for (size_t k = 0; k < step->completion_count; k++)
            assert((step->woken | self) & ((ob_client_set)1 << step->completions[k].client));
        waiting = step->blocked;
    }
    for (size_t i = 1; i < trace->event_count; i++)
        assert(trace->events[i - 1].step + 1 <= trace->events[i].step + 1);
}
