/*
 * annotations.c - what is not as expected, beside the scenario's file in a change that is reviewed:
 * GitHub's workflow commands, and GitLab's Code Quality report.
 *
 * Both want a line of the file, and a result is about all of it: the first one is named.
 */
#include "json_int.h"

#include "base/buf.h"
#include "base/digest.h"

#include <inttypes.h>
#include <string.h>

/* "SCENARIO, VARIANT: REASON" and how to see it again. */
static const char *told(struct ob_arena *arena, const struct ob_report_result *result)
{
    const char *text = ob_arena_printf(arena, "%s, %s: %s", ob_report_utf8(arena, result->scenario),
                                       ob_report_utf8(arena, result->variant),
                                       ob_report_utf8(arena, result->reason));
    if (result->violation_count == 0)
        return text;
    const struct ob_report_violation *first = &result->violations[0];
    text = ob_arena_printf(arena, "%s\n%s: %s", text, ob_report_utf8(arena, first->invariant),
                           ob_report_utf8(arena, first->why));
    const char *replay = first->shrunk ? first->shrunk->replay : first->replay;
    return replay[0] == '\0' ? text : ob_arena_printf(arena, "%s\n%s", text, replay);
}

/* Both know files by their paths within the repository, which begin with no "./". */
static const char *path_of(const struct ob_report_result *result)
{
    const char *path = result->file;
    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    return path;
}

/* --- GitHub */

/* As actions/toolkit does (packages/core/src/command.ts): a property's value ends at "," or ":". */
static void put_escaped(struct ob_buf *out, const char *text, bool property)
{
    for (; *text; text++) {
        if (strchr("%\r\n", *text) || (property && strchr(":,", *text)))
            ob_buf_printf(out, "%%%02X", (unsigned char)*text);
        else
            ob_buf_putc(out, *text);
    }
}

static void put_command(struct ob_buf *out, struct ob_arena *arena,
                        const struct ob_report_result *result)
{
    bool undecided = ob_report_standing(result) == OB_UNDECIDED;
    ob_buf_puts(out, undecided ? "::warning file=" : "::error file=");
    put_escaped(out, ob_report_utf8(arena, path_of(result)), true);
    ob_buf_puts(out, ",line=1,title=overbook");
    put_escaped(out, ": ", true);
    put_escaped(out, ob_verdict_word(result->verdict), true);
    ob_buf_puts(out, "::");
    put_escaped(out, told(arena, result), false);
    ob_buf_putc(out, '\n');
}

enum ob_result ob_report_github(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    struct ob_arena arena;
    struct ob_buf text;
    enum ob_result result = OB_OK;
    ob_arena_init(&arena);
    ob_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < report->result_count; i++)
        if (ob_report_standing(&report->results[i]) != OB_AS_EXPECTED)
            put_command(&text, &arena, &report->results[i]);
    if (fwrite(text.data, 1, text.size, out) != text.size || fflush(out) == EOF)
        result = ob_report_write_error(err, "the annotations");
    ob_buf_clear(&text);
    ob_arena_clear(&arena);
    return result;
}

/* --- GitLab */

/* What stays the same from one job to the next, so that the old ones are told from the new ones. */
static const char *fingerprint_of(struct ob_arena *arena, const struct ob_report_result *result)
{
    const char *invariant =
        result->violation_count > 0 ? result->violations[0].invariant : result->expected;
    uint64_t hash = ob_hash_text(OB_HASH_START, result->scenario);
    hash = ob_hash_text(hash, result->variant);
    hash = ob_hash_text(hash, ob_verdict_word(result->verdict));
    return ob_arena_printf(arena, "%016" PRIx64, ob_hash_end(ob_hash_text(hash, invariant)));
}

static json_t *issue_json(struct ob_json_builder *b, const struct ob_report_result *result)
{
    bool undecided = ob_report_standing(result) == OB_UNDECIDED;
    json_t *issue = json_object(), *location = json_object(), *lines = json_object();
    ob_json_put_text(b, issue, "description", told(&b->arena, result));
    ob_json_put_text(b, issue, "check_name",
                     ob_arena_printf(&b->arena, "overbook: %s", ob_verdict_word(result->verdict)));
    ob_json_put_text(b, issue, "fingerprint", fingerprint_of(&b->arena, result));
    ob_json_put_text(b, issue, "severity", undecided ? "minor" : "critical");
    ob_json_put_count(b, lines, "begin", 1);
    ob_json_put_text(b, location, "path", path_of(result));
    ob_json_put(b, location, "lines", lines);
    ob_json_put(b, issue, "location", location);
    return issue;
}

enum ob_result ob_report_gitlab(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    struct ob_json_builder b = {.limits = ob_json_unlimited};
    json_t *issues = json_array();
    enum ob_result result = OB_OK;
    ob_arena_init(&b.arena);
    for (size_t i = 0; i < report->result_count; i++)
        if (ob_report_standing(&report->results[i]) != OB_AS_EXPECTED)
            ob_json_append(&b, issues, issue_json(&b, &report->results[i]));
    if (b.failed)
        result = ob_error_set(err, OB_INTERNAL, "could not build the annotations: out of memory");
    else if (json_dumpf(issues, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF)
        result = ob_report_write_error(err, "the annotations");
    json_decref(issues);
    ob_arena_clear(&b.arena);
    return result;
}
