/*
 * trace_text.c - a trace as text, and the first difference between two.
 *
 * One statement is one line, whatever its layout was; texts are shortened, and a server's messages
 * shown, only where they are for reading.
 */
#include "engine/trace.h"

#include <inttypes.h>
#include <string.h>

#define OB_READING_WIDTH 96 /* of a statement in a trace that is for reading, in bytes */

static const char *name_of(const char *const *names, size_t client)
{
    return client == OB_NO_CLIENT ? "overbook" : names[client];
}

static void put_names(struct ob_buf *out, ob_client_set set, const char *const *names)
{
    const char *separator = "";
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        if (!(set & ((ob_client_set)1 << i)))
            continue;
        ob_buf_puts(out, separator);
        ob_buf_puts(out, names[i]);
        separator = ", ";
    }
}

static void put_error(struct ob_buf *out, const struct ob_completion *completion, bool exact)
{
    ob_buf_printf(out, "error %s", completion->sqlstate);
    if (exact || !completion->message || completion->message[0] == '\0')
        return;
    ob_buf_puts(out, ": ");
    ob_buf_put_line(out, completion->message, OB_READING_WIDTH);
}

static void put_completion(struct ob_buf *out, const struct ob_completion *completion, bool exact)
{
    bool answered = completion->status == OB_REPLY_DONE && completion->sqlstate[0] != '\0';
    if (!answered)
        ob_buf_puts(out, ob_reply_word(completion->status));
    else if (strcmp(completion->sqlstate, "00000") != 0)
        put_error(out, completion, exact);
    else
        ob_buf_printf(out, "%" PRIu32 " row%s", completion->row_count,
                      completion->row_count == 1 ? "" : "s");
}

static void put_gated(struct ob_buf *out, const struct ob_step *step, const char *const *names,
                      const char *separator)
{
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        if (!(step->gated & ((ob_client_set)1 << i)))
            continue;
        ob_buf_puts(out, separator);
        if (i != step->client)
            ob_buf_printf(out, "%s goes on: ", names[i]);
        ob_buf_puts(out, "has its snapshot");
        separator = "; ";
    }
}

static void put_step(struct ob_buf *out, const struct ob_trace *trace, size_t index,
                     const char *const *names, bool exact)
{
    const struct ob_step *step = &trace->steps[index];
    size_t width = exact ? SIZE_MAX : OB_READING_WIDTH;
    ob_buf_printf(out, "%3zu %-10s %-8s ", index + 1, names[step->client], ob_op_word(step->kind));
    ob_buf_put_line(out, step->text, width);
    if (step->params[0] != '\0') {
        ob_buf_puts(out, "  ");
        ob_buf_put_line(out, step->params, width);
    }
    const char *separator = "  -> ";
    if (step->holders != 0) {
        ob_buf_puts(out, "  -> waits for ");
        put_names(out, step->holders, names);
        separator = "; ";
    } else if (step->blocked & ((ob_client_set)1 << step->client)) {
        ob_buf_puts(out, "  -> in flight");
        separator = "; ";
    }
    for (size_t i = 0; i < step->completion_count; i++) {
        ob_buf_puts(out, separator);
        if (step->completions[i].client != step->client)
            ob_buf_printf(out, "%s goes on: ", names[step->completions[i].client]);
        put_completion(out, &step->completions[i], exact);
        separator = "; ";
    }
    put_gated(out, step, names, separator);
    for (size_t i = 0; i < step->wake_count; i++)
        ob_buf_printf(out, "%s%s", i == 0 ? "  (first of those who could: " : ", then ",
                      names[trace->schedule.wakes[step->first_wake + i]]);
    if (step->wake_count > 0)
        ob_buf_putc(out, ')');
    if (step->uncontrolled)
        ob_buf_puts(out, "  (uncontrolled wake)");
    if (exact) {
        ob_buf_printf(out, "  [%016" PRIx64 " e=%" PRIx64 " b=%" PRIx64 " w=%" PRIx64,
                      step->text_hash, step->enabled, step->blocked, step->woken);
        for (size_t i = 0; i < step->completion_count; i++)
            ob_buf_printf(out, " %zu:%016" PRIx64, step->completions[i].client,
                          step->completions[i].digest);
        ob_buf_putc(out, ']');
    }
}

/* A JSON object without its punctuation: "status: ok, http: 200". */
static void put_data(struct ob_buf *out, const char *data)
{
    bool quoted = false;
    for (const char *c = data; *c != '\0'; c++) {
        if (quoted && *c == '\\' && c[1] != '\0') {
            c++;
            if (*c != '"')
                ob_buf_putc(out, '\\');
            ob_buf_putc(out, *c);
        } else if (*c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            ob_buf_putc(out, *c);
        } else if (*c == ':' || *c == ',') {
            ob_buf_printf(out, "%c ", *c);
        } else if (!strchr("{} ", *c)) {
            ob_buf_putc(out, *c);
        }
    }
}

static void put_events(struct ob_buf *out, const struct ob_trace *trace, size_t *next, size_t step,
                       const char *const *names, bool exact)
{
    for (; *next < trace->event_count && trace->events[*next].step == step; (*next)++) {
        const struct ob_event *event = &trace->events[*next];
        ob_buf_printf(out, "    %-10s %-8s ", name_of(names, event->client), event->kind);
        if (exact)
            ob_buf_puts(out, event->data);
        else
            put_data(out, event->data);
        ob_buf_putc(out, '\n');
    }
}

void ob_trace_print(const struct ob_trace *trace, const char *const *client_names, bool exact,
                    struct ob_buf *out)
{
    size_t next_event = 0;
    put_events(out, trace, &next_event, OB_BEFORE_ALL, client_names, exact);
    for (size_t i = 0; i < trace->step_count; i++) {
        put_step(out, trace, i, client_names, exact);
        ob_buf_putc(out, '\n');
        put_events(out, trace, &next_event, i, client_names, exact);
    }
    ob_buf_printf(out, "    end: %s%s%s\n", ob_run_end_text(trace->end),
                  trace->reason[0] != '\0' ? ": " : "", trace->reason);
}

static bool same_completions(const struct ob_step *a, const struct ob_step *b)
{
    if (a->completion_count != b->completion_count)
        return false;
    for (size_t i = 0; i < a->completion_count; i++) {
        const struct ob_completion *x = &a->completions[i], *y = &b->completions[i];
        if (x->client != y->client || x->status != y->status || x->digest != y->digest ||
            x->row_count != y->row_count || strcmp(x->sqlstate, y->sqlstate) != 0)
            return false;
    }
    return true;
}

/* What differs between two records of the same step; NULL when nothing does. */
static const char *step_difference(const struct ob_step *a, const struct ob_step *b)
{
    if (a->client != b->client)
        return "another client moved";
    if (a->kind != b->kind || a->text_hash != b->text_hash)
        return "the operation is another one";
    if (a->enabled != b->enabled)
        return "other clients could have moved";
    if (a->blocked != b->blocked || a->holders != b->holders)
        return "other clients wait for locks";
    if (a->woken != b->woken)
        return "other clients were woken";
    if (a->gated != b->gated)
        return "other clients have the snapshot of their statement";
    if (!same_completions(a, b))
        return "the answers differ";
    return NULL;
}

static const char *event_difference(const struct ob_event *a, const struct ob_event *b)
{
    if (a->step != b->step || a->client != b->client || strcmp(a->kind, b->kind) != 0)
        return "another event was recorded";
    return strcmp(a->data, b->data) != 0 ? "an event's content differs" : NULL;
}

/* The first event that is not in both, as (step + 1), so that those before all steps come first;
 * SIZE_MAX: none. */
static size_t first_event_difference(const struct ob_trace *a, const struct ob_trace *b,
                                     size_t *index, const char **what)
{
    size_t count = a->event_count < b->event_count ? a->event_count : b->event_count;
    for (size_t i = 0; i < count; i++) {
        *what = event_difference(&a->events[i], &b->events[i]);
        if (*what) {
            *index = i;
            size_t x = a->events[i].step + 1, y = b->events[i].step + 1;
            return x < y ? x : y;
        }
    }
    if (a->event_count == b->event_count)
        return SIZE_MAX;
    const struct ob_trace *longer = a->event_count > b->event_count ? a : b;
    *index = count;
    *what = longer == a ? "an event is missing" : "an event was added";
    return longer->events[count].step + 1;
}

static void put_both(struct ob_buf *why, const struct ob_trace *expected,
                     const struct ob_trace *actual, size_t step, const char *const *names)
{
    const struct ob_trace *traces[] = {expected, actual};
    static const char *const labels[] = {"\n  recorded: ", "\n  now:      "};
    for (size_t i = 0; i < 2; i++) {
        ob_buf_puts(why, labels[i]);
        if (step < traces[i]->step_count)
            put_step(why, traces[i], step, names, true);
        else
            ob_buf_puts(why, "nothing, the run had ended");
    }
}

bool ob_trace_diff(const struct ob_trace *expected, const struct ob_trace *actual,
                   const char *const *client_names, size_t *step, struct ob_buf *why)
{
    size_t count =
        expected->step_count < actual->step_count ? expected->step_count : actual->step_count;
    size_t first = SIZE_MAX, event = SIZE_MAX;
    const char *what = NULL, *event_what = NULL;
    for (size_t i = 0; i < count && !what; i++) {
        what = step_difference(&expected->steps[i], &actual->steps[i]);
        first = what ? i : SIZE_MAX;
    }
    if (!what && expected->step_count != actual->step_count) {
        first = count;
        what = count < expected->step_count ? "the run ended early" : "the run went on";
    }
    size_t event_at = first_event_difference(expected, actual, &event, &event_what);
    if (event_at != SIZE_MAX && (first == SIZE_MAX || event_at <= first)) {
        *step = event_at == 0 ? 0 : event_at - 1;
        ob_buf_printf(why, "step %zu: %s", *step + 1, event_what);
        if (event < expected->event_count)
            ob_buf_printf(why, "\n  recorded: %s", expected->events[event].data);
        if (event < actual->event_count)
            ob_buf_printf(why, "\n  now:      %s", actual->events[event].data);
        return true;
    }
    if (what) {
        *step = first;
        ob_buf_printf(why, "step %zu: %s", first + 1, what);
        put_both(why, expected, actual, first, client_names);
        return true;
    }
    if (expected->end != actual->end) {
        *step = count;
        ob_buf_printf(why, "the run's end: recorded %s, now %s", ob_run_end_text(expected->end),
                      ob_run_end_text(actual->end));
        return true;
    }
    return false;
}
