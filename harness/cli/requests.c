/* requests.c - see requests.h.  The events that are read are those of docs/invariants.md. */
#include "cli/requests.h"

#include "base/buf.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATE "migrate"
#define OPERATOR "operator" /* whoever migrates, as each move of a plan has a client for it */

/* Steps by their index; one that never ended reaches to the run's end. */
struct span {
    size_t first, last;
};

struct request {
    size_t client, begun_at; /* begun_at: the step after which it was made, or OB_BEFORE_ALL */
    struct span span;
    const json_t *asked, *answer; /* answer: NULL where none came */
};

/* --- reading a run */

static const char *text_of(const json_t *data, const char *key)
{
    const char *text = json_string_value(json_object_get(data, key));
    return text ? text : "";
}

/* The first step of that client after the event; the run's end where there is none. */
static size_t step_after(const struct ob_trace *trace, size_t event_step, size_t client)
{
    size_t step = event_step == OB_BEFORE_ALL ? 0 : event_step + 1;
    while (step < trace->step_count && trace->steps[step].client != client)
        step++;
    return step;
}

static bool is_of(const struct ob_event *event, size_t client, const char *kind)
{
    return event->client == client && strcmp(event->kind, kind) == 0;
}

/* The answer to the request that is that event, or NULL. */
static const struct ob_event *answer_to(const struct ob_trace *trace, size_t request)
{
    size_t client = trace->events[request].client;
    for (size_t i = request + 1; i < trace->event_count; i++) {
        if (is_of(&trace->events[i], client, "answer"))
            return &trace->events[i];
        if (is_of(&trace->events[i], client, "request"))
            break;
    }
    return NULL;
}

static bool is_migration(const struct ob_event *event)
{
    return event->client != OB_NO_CLIENT && strcmp(event->kind, "request") == 0 &&
           strstr(event->data, "\"action\":\"" MIGRATE "\"") != NULL;
}

/* From the first step of any attempt to the last; false where there was none. */
static bool find_migration(const struct ob_trace *trace, struct span *out)
{
    bool found = false;
    for (size_t i = 0; i < trace->event_count; i++) {
        const struct ob_event *event = &trace->events[i];
        if (!is_migration(event))
            continue;
        size_t first = step_after(trace, event->step, event->client);
        const struct ob_event *answer = answer_to(trace, i);
        if (!found)
            out->first = first;
        out->last = answer ? answer->step : trace->step_count;
        found = true;
    }
    return found;
}

/* --- what became of a request */

static bool has_waited(const struct ob_trace *trace, const struct request *request)
{
    for (size_t i = request->span.first; i <= request->span.last && i < trace->step_count; i++)
        if ((trace->steps[i].blocked >> request->client & 1) != 0)
            return true;
    return false;
}

/* The SQLSTATE of the last statement that failed; "" where none did. */
static const char *last_error(const struct ob_trace *trace, const struct request *request)
{
    const char *state = "";
    for (size_t i = request->span.first; i <= request->span.last && i < trace->step_count; i++)
        for (size_t k = 0; k < trace->steps[i].completion_count; k++) {
            const struct ob_completion *completion = &trace->steps[i].completions[k];
            bool failed =
                completion->sqlstate[0] != '\0' && strncmp(completion->sqlstate, "00", 2) != 0;
            if (completion->client == request->client && failed)
                state = completion->sqlstate;
        }
    return state;
}

static const char *outcome_of(struct ob_arena *arena, const struct ob_trace *trace,
                              const struct request *request)
{
    const char *status = request->answer ? text_of(request->answer, "status") : "no answer";
    const char *state = last_error(trace, request);
    const char *waited = has_waited(trace, request) ? "waited, then " : "";
    if (state[0] == '\0')
        return ob_arena_printf(arena, "%s%s", waited, status);
    return ob_arena_printf(arena, "%s%s, %s %s", waited, status,
                           strcmp(status, "ok") == 0 ? "after" : "with", state);
}

static const char *name_of(struct ob_arena *arena, const json_t *asked)
{
    const char *action = text_of(asked, "action");
    if (strcmp(action, MIGRATE) != 0)
        return action;
    int step = (int)json_integer_value(json_object_get(asked, "step"));
    return ob_arena_printf(arena, "%s %d %s", action, step, text_of(asked, "way"));
}

/* --- counting */

static void count(struct ob_requests *requests, const struct ob_report_request *row)
{
    for (size_t i = 0; i < requests->count; i++) {
        struct ob_report_request *known = &requests->rows[i];
        if (known->when == row->when && strcmp(known->client, row->client) == 0 &&
            strcmp(known->request, row->request) == 0 &&
            strcmp(known->outcome, row->outcome) == 0) {
            known->count++;
            return;
        }
    }
    requests->rows =
        ob_grow(requests->rows, &requests->capacity, requests->count + 1, sizeof *requests->rows);
    requests->rows[requests->count++] = (struct ob_report_request){
        .client = ob_arena_strdup(requests->arena, row->client),
        .request = ob_arena_strdup(requests->arena, row->request),
        .outcome = ob_arena_strdup(requests->arena, row->outcome),
        .when = row->when,
        .count = 1,
    };
}

/* before, while or after the migration. */
static enum ob_report_when when_of(const struct span *request, const struct span *migration)
{
    if (request->last < migration->first)
        return OB_REPORT_BEFORE;
    return request->first > migration->last ? OB_REPORT_AFTER : OB_REPORT_WHILE;
}

static void add_request(struct ob_requests *requests, const struct ob_trace *trace, size_t index,
                        const struct span *migration, struct ob_arena *arena)
{
    const struct ob_event *event = &trace->events[index], *answer = answer_to(trace, index);
    json_t *asked = json_loads(event->data, 0, NULL);
    json_t *told = answer ? json_loads(answer->data, 0, NULL) : NULL;
    assert(asked && (told || !answer));
    struct request request = {.client = event->client, .asked = asked, .answer = told};
    request.span.first = step_after(trace, event->step, event->client);
    request.span.last = answer ? answer->step : trace->step_count;
    const struct ob_report_request row = {
        .client = is_migration(event) ? OPERATOR : requests->client_names[event->client],
        .request = name_of(arena, asked),
        .outcome = outcome_of(arena, trace, &request),
        .when = is_migration(event) ? OB_REPORT_WHILE : when_of(&request.span, migration),
    };
    count(requests, &row);
    json_decref(asked);
    json_decref(told);
}

/* What the constraints would refuse, as it was listed before. */
static void add_dirty(struct ob_requests *requests, const struct ob_event *event,
                      struct ob_arena *arena)
{
    json_t *data = json_loads(event->data, 0, NULL);
    size_t rows = json_array_size(json_object_get(data, "rows"));
    const char *first = json_string_value(json_array_get(json_object_get(data, "rows"), 0));
    const struct ob_report_request row = {
        .client = OPERATOR,
        .request = "list dirty rows",
        .outcome = rows > 0 ? ob_arena_printf(arena, "%zu, the first \"%s\"", rows, first) : "none",
        .when = OB_REPORT_WHILE,
    };
    count(requests, &row);
    json_decref(data);
}

void ob_requests_add(struct ob_requests *requests, const struct ob_trace *trace)
{
    struct span migration = {0};
    struct ob_arena arena;
    if (!find_migration(trace, &migration))
        return;
    ob_arena_init(&arena);
    for (size_t i = 0; i < trace->event_count; i++) {
        const struct ob_event *event = &trace->events[i];
        if (event->client == OB_NO_CLIENT)
            continue;
        if (strcmp(event->kind, "request") == 0)
            add_request(requests, trace, i, &migration, &arena);
        else if (strcmp(event->kind, "dirty") == 0)
            add_dirty(requests, event, &arena);
    }
    ob_arena_clear(&arena);
}

static int compare(const void *a, const void *b)
{
    const struct ob_report_request *x = a, *y = b;
    int order = strcmp(x->client, y->client);
    if (order == 0)
        order = strcmp(x->request, y->request);
    if (order == 0)
        order = (int)x->when - (int)y->when;
    return order != 0 ? order : strcmp(x->outcome, y->outcome);
}

void ob_requests_take(struct ob_requests *requests, struct ob_report_result *result)
{
    if (requests->count > 0)
        qsort(requests->rows, requests->count, sizeof *requests->rows, compare);
    struct ob_report_request *rows =
        ob_arena_alloc(requests->arena, requests->count * sizeof *rows);
    if (requests->count > 0)
        memcpy(rows, requests->rows, requests->count * sizeof *rows);
    result->requests = rows;
    result->request_count = requests->count;
    free(requests->rows);
    requests->rows = NULL;
    requests->count = requests->capacity = 0;
}
