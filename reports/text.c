/*
 * text.c - see report_int.h.  One decoder for all formats: valid stretches are found by the base
 * layer's UTF-8 check, and are then only classified, character by character.
 */
#include "report_int.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

/* The bytes of the character that begins with lead, in valid UTF-8. */
static size_t char_size(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

static const char *keep(struct ob_arena *arena, struct ob_buf *text)
{
    const char *kept = ob_arena_strdup(arena, text->data);
    ob_buf_clear(text);
    return kept;
}

static void append_utf8(struct ob_buf *out, const char *text)
{
    size_t size = strlen(text), bad;
    while (!ob_parse_utf8(text, size, &bad)) {
        ob_buf_add(out, text, bad);
        ob_buf_puts(out, REPLACEMENT);
        text += bad + 1;
        size -= bad + 1;
    }
    ob_buf_add(out, text, size);
}

const char *ob_report_utf8(struct ob_arena *arena, const char *text)
{
    if (!text)
        return "";
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    append_utf8(&out, text);
    return keep(arena, &out);
}

/* True for the control characters and the two noncharacters that XML 1.0 has no way to write. */
static bool xml_refuses(const char *at)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    return strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
}

const char *ob_report_xml(struct ob_arena *arena, const char *text)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    for (const char *at = ob_report_utf8(arena, text); *at; at += char_size((unsigned char)*at)) {
        if (xml_refuses(at))
            ob_buf_puts(&out, REPLACEMENT);
        else
            ob_buf_add(&out, at, char_size((unsigned char)*at));
    }
    return keep(arena, &out);
}

/* C0, DEL, and C1 (U+0080 to U+009F), which some terminals obey as well. */
static bool is_control(const char *at)
{
    unsigned char c = (unsigned char)*at;
    return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)at[1] < 0xa0);
}

static bool is_space(const char *at)
{
    return strchr(" \t\n\r", *at) != NULL;
}

static void append_visible(struct ob_buf *out, const char *at, bool unicode)
{
    if (is_space(at))
        ob_buf_putc(out, ' ');
    else if (!unicode && strncmp(at, ELLIPSIS, 3) == 0)
        ob_buf_puts(out, "...");
    else if (is_control(at) || (!unicode && (unsigned char)*at >= 0x80))
        ob_buf_putc(out, '?');
    else
        ob_buf_add(out, at, char_size((unsigned char)*at));
}

const char *ob_report_line(struct ob_arena *arena, const char *text, bool unicode)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    bool space = false;
    for (const char *at = ob_report_utf8(arena, text); *at; at += char_size((unsigned char)*at)) {
        if (is_space(at)) {
            space = out.size > 0;
            continue;
        }
        if (space)
            ob_buf_putc(&out, ' ');
        space = false;
        append_visible(&out, at, unicode);
    }
    return keep(arena, &out);
}

const char *ob_report_spaced(struct ob_arena *arena, const char *text, bool unicode)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    for (const char *at = ob_report_utf8(arena, text); *at; at += char_size((unsigned char)*at))
        append_visible(&out, at, unicode);
    return keep(arena, &out);
}

size_t ob_report_columns(const char *line)
{
    size_t columns = 0;
    for (; *line; line += char_size((unsigned char)*line))
        columns++;
    return columns;
}

size_t ob_report_prefix(const char *line, size_t columns)
{
    const char *at = line;
    while (*at && columns-- > 0)
        at += char_size((unsigned char)*at);
    return (size_t)(at - line);
}

size_t ob_report_wrap_at(const char *line, size_t columns)
{
    size_t size = ob_report_prefix(line, columns);
    if (line[size] == '\0' || line[size] == ' ')
        return size;
    size_t end = size;
    while (end > 0 && line[end - 1] != ' ')
        end--;
    return end > 0 ? end - 1 : size;
}

void ob_report_wrapped(const char *text, const struct ob_table_options *options, size_t indent,
                       struct ob_buf *out)
{
    struct ob_arena arena;
    ob_arena_init(&arena);
    size_t width =
        (size_t)(options->width > OB_REPORT_WIDTH_MIN ? options->width : OB_REPORT_WIDTH_MIN);
    for (const char *line = ob_report_line(&arena, text, options->unicode); *line;) {
        size_t size = ob_report_wrap_at(line, width - indent);
        ob_buf_printf(out, "%*s%.*s\n", (int)indent, "", (int)size, line);
        line += size + (line[size] == ' ');
    }
    ob_arena_clear(&arena);
}

const char *ob_report_fit(struct ob_arena *arena, const char *line, size_t columns, bool unicode)
{
    if (ob_report_columns(line) <= columns)
        return line;
    const char *ellipsis = unicode ? ELLIPSIS : "...";
    size_t kept = ob_report_prefix(line, columns - ob_report_columns(ellipsis));
    return ob_arena_printf(arena, "%.*s%s", (int)kept, line, ellipsis);
}

enum ob_result ob_report_write_error(struct ob_error *err, const char *what)
{
    return ob_error_set(err, OB_IO, "could not write %s: %s", what, strerror(errno));
}

void ob_report_coloured(const struct ob_table_options *options, const char *code, const char *text,
                        struct ob_buf *out)
{
    if (options->color)
        ob_buf_printf(out, "\x1b[%sm%s\x1b[0m", code, text);
    else
        ob_buf_puts(out, text);
}
