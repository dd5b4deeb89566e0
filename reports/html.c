/*
 * html.c - the report as one page for a browser, which needs nothing else: the page's own files and
 * the result as JSON, in an element that is never run.
 *
 * Nothing of the result becomes markup, since "<" is written as an escape of JSON's; and the page's
 * Content-Security-Policy names its script and its style by their digests, and allows nothing else.
 *
 * What makes the page too large is cut: texts first, then steps, violations and results, by half
 * each time until it fits; runs keep 10,000 steps as long as shorter texts may do.  The limits are
 * in the JSON as "cut", and the page tells them.
 */
#include "json_int.h"
#include "page_int.h"

#include "base/digest.h"

#include <string.h>

#define SHA256_BASE64_SIZE 48 /* with a NUL; 44 are used */

#define TEXT_LEAST 64    /* bytes */
#define STEPS_KEPT 10000 /* of a run, while texts can be cut */

/* --- the policy */

/* RFC 4648, section 4; 32 bytes are 44 characters, the last of them "=". */
static void encode_base64(const uint8_t bytes[32], char out[SHA256_BASE64_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = 0;
    for (size_t i = 0; i < 33; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8;
        bool last = i + 2 == 32;
        three |= last ? 0 : bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            out[used++] = digits[three >> shift & 63];
        if (last)
            out[used - 1] = '=';
    }
    out[used] = '\0';
}

static const char *policy_of(struct ob_arena *arena)
{
    uint8_t digest[32];
    char script[SHA256_BASE64_SIZE], style[SHA256_BASE64_SIZE];
    ob_sha256(ob_page_script, strlen(ob_page_script), digest);
    encode_base64(digest, script);
    ob_sha256(ob_page_style, strlen(ob_page_style), digest);
    encode_base64(digest, style);
    return ob_arena_printf(arena,
                           "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
                           "base-uri 'none'; form-action 'none'",
                           script, style);
}

/* --- the result */

/* Within JSON a "<" stands in texts only. */
static int add_escaped(const char *data, size_t size, void *arg)
{
    struct ob_buf *out = arg;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '<')
            ob_buf_puts(out, "\\u003c");
        else
            ob_buf_putc(out, data[i]);
    }
    return ob_buf_failed(out) ? -1 : 0;
}

/* Breaks out where it has more bytes than it may. */
static bool put_data(const struct ob_report *report, const struct ob_json_limits *limits,
                     struct ob_buf *out, bool *no_memory)
{
    struct ob_json_builder builder = {.limits = *limits, .for_page = true};
    ob_arena_init(&builder.arena);
    json_t *root = ob_json_report(&builder, report);
    *no_memory = builder.failed;
    if (!builder.failed)
        (void)(json_dump_callback(root, add_escaped, out, JSON_COMPACT) < 0);
    json_decref(root);
    ob_arena_clear(&builder.arena);
    return !builder.failed && !ob_buf_failed(out);
}

static size_t lower(size_t limit, size_t first, size_t divisor, size_t least)
{
    if (limit == SIZE_MAX)
        return first;
    return limit / divisor > least ? limit / divisor : least;
}

/* Texts are cut faster than what the report is about. */
static struct ob_json_limits tighten(const struct ob_json_limits *limits)
{
    size_t steps_least = limits->text > TEXT_LEAST ? STEPS_KEPT : 16;
    return (struct ob_json_limits){
        .text = lower(limits->text, 65536, 4, TEXT_LEAST),
        .steps = lower(limits->steps, 40000, 2, steps_least),
        .violations = lower(limits->violations, 8192, 2, 1),
        .results = lower(limits->results, 16384, 2, 1),
    };
}

static enum ob_result fit_data(const struct ob_report *report, size_t room, struct ob_buf *out,
                               struct ob_error *err)
{
    struct ob_json_limits limits = ob_json_unlimited;
    bool no_memory = false, tightest = false;
    ob_buf_init(out, room);
    while (!put_data(report, &limits, out, &no_memory) && !no_memory && !tightest) {
        struct ob_json_limits next = tighten(&limits);
        tightest = memcmp(&next, &limits, sizeof next) == 0;
        limits = next;
        ob_buf_reset(out);
    }
    if (no_memory)
        return ob_error_set(err, OB_INTERNAL, "could not build the report page: out of memory");
    if (ob_buf_failed(out))
        return ob_error_set(err, OB_INTERNAL, "could not cut the result to the size of a page");
    return OB_OK;
}

/* --- the page */

struct part {
    const char *mark, *text;
};

/* The template with each mark replaced by its part, once. */
static bool put_page(const struct part *parts, size_t count, FILE *out)
{
    const char *at = ob_page_html;
    for (size_t i = 0; i < count; i++) {
        const char *mark = strstr(at, parts[i].mark);
        if (!mark || fwrite(at, 1, (size_t)(mark - at), out) != (size_t)(mark - at) ||
            fputs(parts[i].text, out) == EOF)
            return false;
        at = mark + strlen(parts[i].mark);
    }
    return fputs(at, out) != EOF;
}

enum ob_result ob_report_html(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    struct ob_arena arena;
    struct ob_buf data;
    ob_arena_init(&arena);
    const char *policy = policy_of(&arena);
    size_t taken =
        strlen(ob_page_html) + strlen(ob_page_style) + strlen(ob_page_script) + strlen(policy);
    enum ob_result result = fit_data(report, OB_REPORT_HTML_SIZE_MAX - taken, &data, err);
    const struct part parts[] = {
        {"{{policy}}", policy},
        {"{{style}}", ob_page_style},
        {"{{data}}", data.data},
        {"{{script}}", ob_page_script},
    };
    if (result == OB_OK && !put_page(parts, sizeof parts / sizeof *parts, out))
        result = ob_report_write_error(err, "the report page");
    ob_buf_clear(&data);
    ob_arena_clear(&arena);
    return result;
}
