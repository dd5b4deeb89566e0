/* trace.c - a run's trace, and other texts of many lines, for a person at a terminal. */
#include "report_int.h"

#include <string.h>

#define CAME_TO "  -> " /* what stands between a step and what it came to */

/* The last CAME_TO of the line; NULL when there is none. */
static const char *outcome_of(const char *line)
{
    const char *last = NULL;
    for (const char *at = line; (at = strstr(at, CAME_TO)); at++)
        last = at;
    return last;
}

/* Of a line that is too long, what the step came to stays, up to half of the columns. */
static const char *shorten(struct ob_arena *arena, const char *line, size_t columns, bool unicode)
{
    const char *outcome = outcome_of(line);
    if (ob_report_columns(line) <= columns || !outcome)
        return ob_report_fit(arena, line, columns, unicode);
    const char *step = ob_arena_strndup(arena, line, (size_t)(outcome - line));
    size_t kept = ob_report_columns(outcome), half = columns / 2;
    step = ob_report_fit(arena, step, columns - (kept < half ? kept : half), unicode);
    outcome = ob_report_fit(arena, outcome, columns - ob_report_columns(step), unicode);
    return ob_arena_printf(arena, "%s%s", step, outcome);
}

/* The next line of the text, visible; *text moves behind it. */
static const char *next_line(struct ob_arena *arena, const char **text, bool unicode)
{
    size_t size = strcspn(*text, "\n");
    const char *line = ob_report_spaced(arena, ob_arena_strndup(arena, *text, size), unicode);
    *text += size + ((*text)[size] == '\n');
    return line;
}

void ob_report_trace(const char *trace, const struct ob_table_options *options, size_t indent,
                     struct ob_buf *out)
{
    struct ob_arena arena;
    size_t width =
        options->width > OB_REPORT_WIDTH_MIN ? (size_t)options->width : (size_t)OB_REPORT_WIDTH_MIN;
    const char *dim = options->color ? "\x1b[2m" : "", *plain = options->color ? "\x1b[0m" : "";
    ob_arena_init(&arena);
    while (*trace) {
        const char *line = next_line(&arena, &trace, options->unicode);
        line = shorten(&arena, line, width - indent, options->unicode);
        ob_buf_printf(out, "%*s%s%s%s\n", (int)indent, "", dim, line, plain);
        ob_arena_reset(&arena);
    }
    ob_arena_clear(&arena);
}

void ob_report_plain(const char *text, bool unicode, size_t indent, struct ob_buf *out)
{
    struct ob_arena arena;
    ob_arena_init(&arena);
    size_t size = strlen(text);
    while (size > 0 && strchr(" \r\n", text[size - 1]))
        size--;
    text = ob_arena_strndup(&arena, text, size);
    while (*text) {
        const char *line = next_line(&arena, &text, unicode);
        ob_buf_printf(out, "%*s%s\n", (int)indent, "", line);
    }
    ob_arena_clear(&arena);
}
