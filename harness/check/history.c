/*
 * history.c - a run's events as the JSON that becomes the relation "history".
 *
 * Written after every run, so the texts that need no escaping, which are nearly all, are copied as
 * they are; jansson escapes the others.  An event's data is JSON already.
 */
#include "check/check_int.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_plain(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/* False: the text is not UTF-8. */
static bool add_text(struct ob_buf *out, const char *text)
{
    if (is_plain(text)) {
        ob_buf_putc(out, '"');
        ob_buf_puts(out, text);
        ob_buf_putc(out, '"');
        return true;
    }
    json_t *value = json_string(text);
    char *json = json_dumps(value, JSON_ENCODE_ANY);
    json_decref(value);
    if (!json)
        return false;
    ob_buf_puts(out, json);
    free(json);
    return true;
}

static bool add_event(struct ob_buf *out, size_t index, const struct ob_event *event,
                      const char *client)
{
    long step = event->step == OB_BEFORE_ALL ? -1 : (long)event->step;
    ob_buf_printf(out, "{\"seq\":%zu,\"step\":%ld,\"client\":", index, step);
    bool valid = true;
    if (client)
        valid = add_text(out, client);
    else
        ob_buf_puts(out, "null");
    ob_buf_puts(out, ",\"kind\":");
    valid = add_text(out, event->kind) && valid;
    ob_buf_puts(out, ",\"data\":");
    ob_buf_puts(out, event->data);
    ob_buf_putc(out, '}');
    return valid;
}

enum ob_result ob_check_history(const struct ob_trace *trace, const char *const *client_names,
                                struct ob_buf *out, struct ob_error *err)
{
    ob_buf_putc(out, '[');
    for (size_t i = 0; i < trace->event_count; i++) {
        const struct ob_event *event = &trace->events[i];
        const char *client = event->client == OB_NO_CLIENT ? NULL : client_names[event->client];
        if (i > 0)
            ob_buf_putc(out, ',');
        if (!add_event(out, i, event, client))
            return ob_error_set(
                err, OB_INTERNAL,
                "could not check the history: event %zu has a name that is not UTF-8", i);
    }
    ob_buf_putc(out, ']');
    return OB_OK;
}
