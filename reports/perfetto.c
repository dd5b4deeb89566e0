/*
 * perfetto.c - the runs that violated something as a trace for ui.perfetto.dev, in the trace event
 * format of Chrome: a process for each run, a thread for each client, a slice for each step.
 *
 * A step is a millisecond long, since machine time is no part of a schedule.  What waits is a slice
 * until the step that ends the wait; a flow goes there from the last step of who is waited for, and
 * another one from the step that ends it.
 */
#include "json_int.h"

#include <string.h>

#define STEP_US 1000
#define MIDDLE_US 500 /* of a step: where flows begin and end */
/* A process has its own id for what overbook does, and those after it for its clients: ids of
 * threads are unique in all of a trace, as they are on Linux. */
#define PROCESS_IDS (OB_REPORT_CLIENTS_MAX + 1)

struct tracing {
    struct ob_json_builder builder;
    json_t *events;
    uint64_t process, flows; /* ids given until now */
    const struct ob_report_timeline *timeline;
};

/* --- events */

static json_t *add_event(struct tracing *t, const char *phase, const char *name, size_t client,
                         uint64_t at_us)
{
    struct ob_json_builder *b = &t->builder;
    json_t *event = json_object();
    ob_json_put_text(b, event, "ph", phase);
    ob_json_put_text(b, event, "name", name);
    ob_json_put_count(b, event, "pid", t->process);
    ob_json_put_count(b, event, "tid", t->process + (client == OB_REPORT_NOBODY ? 0 : client + 1));
    ob_json_put_count(b, event, "ts", at_us);
    ob_json_append(b, t->events, event);
    return event;
}

static void add_name(struct tracing *t, const char *what, size_t client, const char *name)
{
    json_t *args = json_object();
    ob_json_put_text(&t->builder, args, "name", name);
    ob_json_put(&t->builder, add_event(t, "M", what, client, 0), "args", args);
}

static void add_flow(struct tracing *t, const char *name, size_t from, uint64_t from_us, size_t to,
                     uint64_t to_us)
{
    struct ob_json_builder *b = &t->builder;
    uint64_t id = ++t->flows;
    json_t *start = add_event(t, "s", name, from, from_us);
    ob_json_put_text(b, start, "cat", "wait");
    ob_json_put_count(b, start, "id", id);
    json_t *end = add_event(t, "f", name, to, to_us);
    ob_json_put_text(b, end, "cat", "wait");
    ob_json_put_count(b, end, "id", id);
    ob_json_put_text(b, end, "bp", "e");
}

/* --- what a run is made of */

static bool is_in(ob_report_clients set, size_t client)
{
    return set >> client & 1;
}

/* The step in which the client's wait that began in that step ends; the last one of the run where
 * it does not. */
static size_t end_of_wait(const struct ob_report_timeline *timeline, size_t step, size_t client)
{
    size_t last = step;
    while (last + 1 < timeline->step_count && is_in(timeline->steps[last].blocked, client))
        last++;
    return last;
}

/* The client's last step before that one; that one itself where there is none. */
static size_t step_before(const struct ob_report_timeline *timeline, size_t step, size_t client)
{
    for (size_t i = step; i > 0; i--)
        if (timeline->steps[i - 1].client == client)
            return i - 1;
    return step;
}

/* The end of the client's operation that the step began, or NULL. */
static const struct ob_report_ended *ending_of(const struct ob_report_step *step, size_t client)
{
    for (size_t i = 0; i < step->ended_count; i++)
        if (step->ended[i].client == client)
            return &step->ended[i];
    return NULL;
}

static json_t *args_of(struct tracing *t, size_t index, size_t last)
{
    struct ob_json_builder *b = &t->builder;
    const struct ob_report_step *step = &t->timeline->steps[index];
    const struct ob_report_ended *ended = ending_of(&t->timeline->steps[last], step->client);
    json_t *args = json_object();
    ob_json_put_count(b, args, "step", index + 1);
    ob_json_put_text(b, args, "text", step->text);
    if (step->params[0] != '\0')
        ob_json_put_text(b, args, "params", step->params);
    if (ended) {
        ob_json_put_text(b, args, "status", ended->status);
        ob_json_put_text(b, args, "sqlstate", ended->sqlstate);
        ob_json_put_count(b, args, "rows", ended->rows);
    }
    if (ended && ended->message[0] != '\0')
        ob_json_put_text(b, args, "message", ended->message);
    return args;
}

static void add_flows(struct tracing *t, size_t index, size_t last)
{
    const struct ob_report_timeline *timeline = t->timeline;
    const struct ob_report_step *step = &timeline->steps[index];
    for (size_t i = 0; i < timeline->client_count; i++) {
        size_t held = step_before(timeline, index, i);
        if (is_in(step->holders, i) && held < index)
            add_flow(t, "waited for", i, held * STEP_US + MIDDLE_US, step->client,
                     index * STEP_US + MIDDLE_US);
    }
    const struct ob_report_step *end = &timeline->steps[last];
    if (last > index && end->client != step->client && !is_in(end->blocked, step->client))
        add_flow(t, "goes on", end->client, last * STEP_US + MIDDLE_US, step->client,
                 last * STEP_US + MIDDLE_US);
}

/* Those of who waits are the process's: a flow goes to what began last on a thread, which the
 * waiting slice is to be. */
static void add_notes(struct tracing *t, const struct ob_report_note *notes, size_t count,
                      ob_report_clients waiting, uint64_t at_us)
{
    struct ob_json_builder *b = &t->builder;
    for (size_t i = 0; i < count; i++) {
        size_t client = notes[i].client;
        bool nobodys = client == OB_REPORT_NOBODY;
        json_t *event = add_event(t, "i", notes[i].kind, client, at_us);
        json_t *args = json_object();
        ob_json_put_text(b, event, "s", nobodys || is_in(waiting, client) ? "p" : "t");
        ob_json_put_text(b, args, "data", notes[i].data);
        if (!nobodys)
            ob_json_put_text(b, args, "client", t->timeline->clients[client]);
        ob_json_put(b, event, "args", args);
    }
}

static void add_step(struct tracing *t, size_t index)
{
    const struct ob_report_step *step = &t->timeline->steps[index];
    bool waits = is_in(step->blocked, step->client);
    size_t last = waits ? end_of_wait(t->timeline, index, step->client) : index;
    json_t *event = add_event(t, "X", step->kind, step->client, index * STEP_US);
    ob_json_put_text(&t->builder, event, "cat", waits ? "wait" : "step");
    ob_json_put_count(&t->builder, event, "dur", (last - index + 1) * STEP_US);
    ob_json_put(&t->builder, event, "args", args_of(t, index, last));
    add_flows(t, index, last);
    add_notes(t, step->notes, step->note_count, step->blocked, (index + 1) * STEP_US - 1);
}

static void add_run(struct tracing *t, const struct ob_report_timeline *timeline, const char *name)
{
    t->process += PROCESS_IDS;
    t->timeline = timeline;
    add_name(t, "process_name", OB_REPORT_NOBODY, name);
    add_name(t, "thread_name", OB_REPORT_NOBODY, "overbook");
    for (size_t i = 0; i < timeline->client_count; i++)
        add_name(t, "thread_name", i, timeline->clients[i]);
    add_notes(t, timeline->before, timeline->before_count, 0, 0);
    for (size_t i = 0; i < timeline->step_count; i++)
        add_step(t, i);
}

/* --- the whole */

static void add_violation(struct tracing *t, const struct ob_report_result *result,
                          const struct ob_report_violation *violation)
{
    struct ob_arena *arena = &t->builder.arena;
    const struct ob_report_timeline *timeline = violation->timeline;
    if (violation->shrunk && violation->shrunk->timeline)
        timeline = violation->shrunk->timeline;
    const char *name = ob_arena_printf(arena, "%s, %s: %s", result->scenario, result->variant,
                                       violation->invariant);
    if (timeline)
        add_run(t, timeline, name);
    for (size_t i = 0; i < violation->cure_count; i++)
        if (violation->cures[i].neighbour)
            add_run(t, violation->cures[i].neighbour,
                    ob_arena_printf(arena, "%s, cured: %s", name, violation->cures[i].name));
}

enum ob_result ob_report_perfetto(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    struct tracing t = {.builder.limits = ob_json_unlimited, .events = json_array()};
    enum ob_result result = OB_OK;
    ob_arena_init(&t.builder.arena);
    for (size_t i = 0; i < report->result_count; i++)
        for (size_t k = 0; k < report->results[i].violation_count; k++)
            add_violation(&t, &report->results[i], &report->results[i].violations[k]);
    json_t *root = json_object();
    ob_json_put(&t.builder, root, "traceEvents", t.events);
    ob_json_put_text(&t.builder, root, "displayTimeUnit", "ms");
    if (t.builder.failed)
        result = ob_error_set(err, OB_INTERNAL, "could not build the trace: out of memory");
    else if (json_dumpf(root, out, JSON_COMPACT) < 0 || fputc('\n', out) == EOF)
        result = ob_report_write_error(err, "the trace");
    json_decref(root);
    ob_arena_clear(&t.builder.arena);
    return result;
}
