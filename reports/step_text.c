#include "step_text.h"

#include "base/buf.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

const char *ob_step_text_names(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                               ob_report_clients set)
{
    const char *text = NULL;
    for (size_t i = 0; i < timeline->client_count; i++)
        if (ob_step_has(set, i))
            text = text ? ob_arena_printf(arena, "%s, %s", text, timeline->clients[i])
                        : timeline->clients[i];
    return text ? text : "nobody";
}

/* --- what an operation came to */

/* Of what only begins or ends a transaction the number of rows says nothing. */
static bool counts_rows(const struct ob_report_step *step, size_t client)
{
    static const char *const rowless[] = {"begin", "commit", "rollback", "kill"};
    for (size_t i = 0; client == step->client && i < sizeof rowless / sizeof *rowless; i++)
        if (strcmp(step->kind, rowless[i]) == 0)
            return false;
    return true;
}

static const char *ended_text(struct ob_arena *arena, const struct ob_report_step *step,
                              const struct ob_report_ended *ended)
{
    if (strcmp(ended->status, "done") != 0)
        return ended->status;
    if (strcmp(ended->sqlstate, "00000") != 0 && ended->sqlstate[0] != '\0')
        return ob_arena_printf(arena, "error %s%s%s", ended->sqlstate,
                               ended->message[0] != '\0' ? ": " : "", ended->message);
    if (ended->sqlstate[0] == '\0' || !counts_rows(step, ended->client))
        return "";
    return ob_arena_printf(arena, "%" PRIu64 " row%s", ended->rows, ended->rows == 1 ? "" : "s");
}

const char *ob_step_text_came_to(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                                 const struct ob_report_step *step, size_t client)
{
    bool own = client == step->client;
    const char *told = NULL;
    for (size_t i = 0; i < step->ended_count && !told; i++)
        if (step->ended[i].client == client)
            told = ended_text(arena, step, &step->ended[i]);
    if (!told && ob_step_has(step->gated, client))
        told = "has its snapshot";
    if (!told && own && step->holders != 0)
        told = ob_arena_printf(arena, "waits for %s",
                               ob_step_text_names(arena, timeline, step->holders));
    if (!told && own && ob_step_has(step->blocked, client))
        told = "in flight";
    if (!told && !own && ob_step_has(step->woken, client))
        told = ob_step_has(step->blocked, client) ? "waits for others now" : "";
    if (!own || !step->uncontrolled)
        return told || !own ? told : "";
    return ob_arena_printf(arena, "%s%s(uncontrolled)", told ? told : "",
                           told && told[0] != '\0' ? " " : "");
}

/* --- notes */

static const char *time_text(struct ob_arena *arena, json_int_t at_us)
{
    char date[40];
    struct tm tm;
    time_t seconds = (time_t)(at_us / 1000000);
    if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        return ob_arena_printf(arena, "%" JSON_INTEGER_FORMAT " us", at_us);
    json_int_t rest = at_us % 1000000;
    return rest == 0 ? ob_arena_printf(arena, "%s UTC", date)
                     : ob_arena_printf(arena, "%s.%06d UTC", date, (int)rest);
}

static void put_value(struct ob_buf *out, const json_t *value)
{
    char *text = json_is_string(value)
                     ? NULL
                     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    ob_buf_puts(out, text ? text : json_string_value(value));
    free(text);
}

const char *ob_step_text_note(struct ob_arena *arena, const struct ob_report_note *note)
{
    json_t *data = json_loads(note->data, 0, NULL);
    const json_t *at = json_object_get(data, "at_us");
    const char *text = note->data;
    if (at && strcmp(note->kind, "clock") == 0) {
        text = time_text(arena, json_integer_value(at));
    } else if (json_is_object(data)) {
        const char *key, *separator = "";
        json_t *value;
        struct ob_buf line;
        ob_buf_init(&line, SIZE_MAX);
        json_object_foreach(data, key, value)
        {
            ob_buf_printf(&line, "%s%s: ", separator, key);
            put_value(&line, value);
            separator = ", ";
        }
        text = ob_arena_strdup(arena, line.data);
        ob_buf_clear(&line);
    }
    json_decref(data);
    return text;
}
