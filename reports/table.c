/*
 * table.c - the report for a person at a terminal.
 *
 * One heading for each scenario with its sentence, below it one row for each variant: what was
 * expected, what was found, how many runs it took.  Below a row come the findings: why, and the
 * command that shows it again. Every line keeps within the terminal's width except that command,
 * since a token is of use only whole. Columns are counted in characters: one for each, which is
 * wrong for East Asian and combining ones.
 */
#include "report_int.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

#define COLUMN_MIN ((size_t)6)
#define INDENT ((size_t)5) /* of rows, behind the mark; of findings */
#define VIOLATIONS_SHOWN ((size_t)3)
#define TEXT_LINES ((size_t)3) /* of a reason or of offending rows */

enum style { PLAIN, BOLD, DIM, GREEN, RED, YELLOW, CYAN };

static const char *const style_codes[] = {
    [PLAIN] = "",       [BOLD] = "\x1b[1m",    [DIM] = "\x1b[2m",   [GREEN] = "\x1b[32m",
    [RED] = "\x1b[31m", [YELLOW] = "\x1b[33m", [CYAN] = "\x1b[36m",
};

enum column { VARIANT, EXPECTED, FOUND, RUNS, TIME, COLUMN_COUNT };

static const char *const headings[] = {
    [VARIANT] = "variant", [EXPECTED] = "expected", [FOUND] = "found",
    [RUNS] = "runs",       [TIME] = "time",
};

struct table {
    const struct ob_report *report;
    const struct ob_table_options *options;
    size_t width;
    size_t widths[COLUMN_COUNT];
    struct ob_arena arena;
    struct ob_buf out;
};

static void styled(struct table *t, enum style style, const char *text)
{
    bool colored = t->options->color && style != PLAIN;
    if (colored)
        ob_buf_puts(&t->out, style_codes[style]);
    ob_buf_puts(&t->out, text);
    if (colored)
        ob_buf_puts(&t->out, "\x1b[0m");
}

static void spaces(struct table *t, size_t count)
{
    ob_buf_printf(&t->out, "%*s", (int)count, "");
}

static const char *line_of(struct table *t, const char *text)
{
    return ob_report_line(&t->arena, text, t->options->unicode);
}

static const char *fit(struct table *t, const char *line, size_t columns)
{
    return ob_report_fit(&t->arena, line, columns, t->options->unicode);
}

/* Bytes of the line to print in so many columns: up to a space where there is one. */
static size_t wrap_at(const char *line, size_t columns)
{
    size_t size = ob_report_prefix(line, columns);
    if (line[size] == '\0' || line[size] == ' ')
        return size;
    size_t end = size;
    while (end > 0 && line[end - 1] != ' ')
        end--;
    return end > 0 ? end - 1 : size;
}

/* Text as lines of their own, at most so many, the last one shortened when there is more. */
static void paragraph(struct table *t, enum style style, const char *text, size_t indent,
                      size_t lines_max)
{
    const char *line = line_of(t, text);
    size_t columns = t->width - indent;
    for (size_t i = 1; *line; i++) {
        bool last = i == lines_max;
        size_t size = last ? strlen(line) : wrap_at(line, columns);
        const char *piece = ob_arena_strndup(&t->arena, line, size);
        spaces(t, indent);
        styled(t, style, fit(t, piece, columns));
        ob_buf_putc(&t->out, '\n');
        line += size;
        if (*line == ' ')
            line++;
    }
}

/* "1,204,000" */
static const char *grouped(struct table *t, uint64_t number)
{
    const char *rest = "";
    for (; number >= 1000; number /= 1000)
        rest = ob_arena_printf(&t->arena, ",%03" PRIu64 "%s", number % 1000, rest);
    return ob_arena_printf(&t->arena, "%" PRIu64 "%s", number, rest);
}

static const char *duration(struct table *t, double seconds)
{
    int digits = seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0;
    return ob_arena_printf(&t->arena, "%.*f s", digits, seconds);
}

static const char *found(struct table *t, const struct ob_report_result *result)
{
    if (result->verdict == OB_HOLDS && result->exhausted)
        return "holds, all tried";
    if (result->verdict == OB_VIOLATED && !result->as_expected && result->violation_count > 0)
        return ob_arena_printf(&t->arena, "violates %s",
                               line_of(t, result->violations[0].invariant));
    return ob_verdict_word(result->verdict);
}

static void cells_of(struct table *t, const struct ob_report_result *result,
                     const char *cells[COLUMN_COUNT])
{
    cells[VARIANT] = line_of(t, result->variant);
    cells[EXPECTED] = line_of(t, result->expected);
    cells[FOUND] = found(t, result);
    cells[RUNS] = grouped(t, result->runs);
    cells[TIME] = duration(t, result->seconds_total);
}

static bool is_shown(const struct table *t, const struct ob_report_result *result)
{
    return t->options->verbosity >= 0 || ob_report_standing(result) != OB_AS_EXPECTED;
}

static size_t row_columns(const struct table *t)
{
    size_t columns = INDENT + (size_t)2 * (COLUMN_COUNT - 1);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        columns += t->widths[i];
    return columns;
}

/* As wide as what stands in them; if that is too much for the line, the widest text gives way. */
static void measure(struct table *t)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        t->widths[c] = strlen(headings[c]);
    for (size_t i = 0; i < t->report->result_count; i++) {
        const char *cells[COLUMN_COUNT];
        if (!is_shown(t, &t->report->results[i]))
            continue;
        cells_of(t, &t->report->results[i], cells);
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            size_t columns = ob_report_columns(cells[c]);
            t->widths[c] = columns > t->widths[c] ? columns : t->widths[c];
        }
    }
    while (row_columns(t) > t->width) {
        enum column widest = VARIANT;
        for (enum column c = EXPECTED; c <= FOUND; c++)
            widest = t->widths[c] > t->widths[widest] ? c : widest;
        if (t->widths[widest] <= COLUMN_MIN)
            break;
        t->widths[widest]--;
    }
}

static void row(struct table *t, const char *const cells[COLUMN_COUNT], enum style style)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        const char *cell = fit(t, cells[c], t->widths[c]);
        size_t padding = t->widths[c] - ob_report_columns(cell);
        if (c >= RUNS)
            spaces(t, padding);
        styled(t, style, cell);
        if (c < RUNS)
            spaces(t, padding);
        if (c + 1 < COLUMN_COUNT)
            spaces(t, 2);
    }
    ob_buf_putc(&t->out, '\n');
}

/* In front of a row, two columns wide. */
static const struct {
    enum style style;
    const char *unicode, *ascii;
} marks[] = {
    [OB_AS_EXPECTED] = {GREEN, "\xe2\x9c\x93 ", "ok"},
    [OB_UNEXPECTED] = {RED, "\xe2\x9c\x97 ", "NO"},
    [OB_UNDECIDED] = {YELLOW, "? ", "??"},
    [OB_BROKE_OFF] = {RED, "! ", "!!"},
};

static void mark(struct table *t, enum ob_standing standing)
{
    styled(t, marks[standing].style,
           t->options->unicode ? marks[standing].unicode : marks[standing].ascii);
}

static const char *plural(struct table *t, size_t count, const char *word)
{
    return ob_arena_printf(&t->arena, "%zu %s%s", count, word, count == 1 ? "" : "s");
}

/* How big the run was, the command that makes it again and, if wanted, what happened in it. */
static void run_lines(struct table *t, const struct ob_report_violation *violation)
{
    const char *size = ob_arena_printf(
        &t->arena, "run %s: %s, %s, %s, %s", grouped(t, violation->run),
        plural(t, violation->clients, "client"), plural(t, violation->steps, "step"),
        plural(t, violation->preemptions, "preemption"), plural(t, violation->faults, "fault"));
    if (violation->replays > 0)
        size = ob_arena_printf(&t->arena, "%s; replayed %u/%u", size, violation->replays_same,
                               violation->replays);
    paragraph(t, DIM, size, INDENT, TEXT_LINES);
    if (violation->replay && *violation->replay) {
        spaces(t, INDENT);
        styled(t, CYAN, line_of(t, violation->replay));
        ob_buf_putc(&t->out, '\n');
    }
    if (t->options->verbosity > 0 && violation->trace)
        ob_report_trace(violation->trace, t->options, INDENT, &t->out);
}

static void findings(struct table *t, const struct ob_report_result *result)
{
    if (result->reason && *result->reason)
        paragraph(t, ob_report_standing(result) == OB_AS_EXPECTED ? PLAIN : YELLOW, result->reason,
                  INDENT, TEXT_LINES);
    for (size_t i = 0; i < result->warning_count; i++)
        paragraph(t, YELLOW, ob_arena_printf(&t->arena, "warning: %s", result->warnings[i]), INDENT,
                  TEXT_LINES);
    size_t left = t->options->verbosity > 0 ? SIZE_MAX : VIOLATIONS_SHOWN, first = 0;
    while (first < result->violation_count && left > 0) {
        const struct ob_report_violation *violations = &result->violations[first];
        size_t count = ob_report_same_run(result, first);
        size_t shown = count < left ? count : left;
        for (size_t i = 0; i < shown; i++)
            paragraph(t, PLAIN,
                      ob_arena_printf(&t->arena, "%s: %s", violations[i].invariant,
                                      violations[i].why ? violations[i].why : ""),
                      INDENT, TEXT_LINES);
        if (shown < count)
            paragraph(t, DIM,
                      ob_arena_printf(&t->arena, "and %zu more in this run (-v shows all)",
                                      count - shown),
                      INDENT, 1);
        run_lines(t, violations);
        first += count;
        left -= shown;
    }
    if (first < result->violation_count)
        paragraph(t, DIM,
                  ob_arena_printf(&t->arena, "and %s (-v shows all)",
                                  plural(t, result->violation_count - first, "more violation")),
                  INDENT, 1);
}

static void result_lines(struct table *t, const struct ob_report_result *result)
{
    const char *cells[COLUMN_COUNT];
    cells_of(t, result, cells);
    spaces(t, 2);
    mark(t, ob_report_standing(result));
    spaces(t, INDENT - 4);
    row(t, cells, PLAIN);
    findings(t, result);
}

static void heading(struct table *t)
{
    const struct ob_report *report = t->report;
    const char *line = ob_arena_printf(&t->arena, "overbook %s, PostgreSQL %s, seed %" PRIu64,
                                       report->version, report->postgres, report->seed);
    paragraph(t, PLAIN, line, 0, 1);
    const char *loose = ob_arena_printf(
        &t->arena, "%s%s%s%s", report->controlled_deadlock ? "" : ", deadlock victims",
        report->controlled_wake ? "" : ", the order in which waiters wake",
        report->controlled_clock ? "" : ", the clock",
        report->controlled_gates ? "" : ", gates inside statements");
    if (*loose)
        paragraph(t, YELLOW, ob_arena_printf(&t->arena, "Not controlled: %s.", loose + 2), 0,
                  TEXT_LINES);
    ob_buf_putc(&t->out, '\n');
    spaces(t, INDENT);
    row(t, headings, DIM);
}

static void scenario_lines(struct table *t, const struct ob_report_result *result)
{
    ob_buf_putc(&t->out, '\n');
    styled(t, BOLD, fit(t, line_of(t, result->scenario), t->width));
    ob_buf_putc(&t->out, '\n');
    paragraph(t, DIM, result->about, 0, TEXT_LINES);
}

/* What the word that looks like a proof means. */
static void legend(struct table *t)
{
    bool sampled = false, exhausted = false;
    for (size_t i = 0; i < t->report->result_count; i++) {
        const struct ob_report_result *result = &t->report->results[i];
        bool holds = is_shown(t, result) && result->verdict == OB_HOLDS;
        sampled |= holds && !result->exhausted;
        exhausted |= holds && result->exhausted;
    }
    if (sampled)
        paragraph(t, DIM, "holds: in each of these runs; there may be other schedules.", 0,
                  TEXT_LINES);
    if (exhausted)
        paragraph(t, DIM, "all tried: there is no other schedule.", 0, TEXT_LINES);
}

static void closing(struct table *t)
{
    struct ob_report_summary summary = ob_report_summarise(t->report);
    size_t holds = 0, violated = 0;
    double seconds = 0;
    for (size_t i = 0; i < t->report->result_count; i++) {
        holds += t->report->results[i].verdict == OB_HOLDS;
        violated += t->report->results[i].verdict == OB_VIOLATED;
        seconds += t->report->results[i].seconds_total;
    }
    const char *text =
        ob_arena_printf(&t->arena, "%zu of %zu as expected in %s", summary.as_expected,
                        summary.scenarios, duration(t, seconds));
    bool good = summary.as_expected == summary.scenarios;
    if (good)
        text = ob_arena_printf(&t->arena, "%s (%zu hold, %zu violated).", text, holds, violated);
    else
        text =
            ob_arena_printf(&t->arena, "%s; not as expected: %zu, inconclusive: %zu, errors: %zu.",
                            text, summary.unexpected, summary.inconclusive, summary.errors);
    if (t->out.size > 0) {
        ob_buf_putc(&t->out, '\n');
        legend(t);
    }
    paragraph(t, good ? GREEN : RED, summary.scenarios > 0 ? text : "Nothing was run.", 0,
              TEXT_LINES);
}

static void body(struct table *t)
{
    const struct ob_report_result *before = NULL;
    for (size_t i = 0; i < t->report->result_count; i++) {
        const struct ob_report_result *result = &t->report->results[i];
        if (!is_shown(t, result))
            continue;
        if (!before)
            heading(t);
        if (!before || !ob_report_same_scenario(before, result))
            scenario_lines(t, result);
        result_lines(t, result);
        before = result;
    }
}

enum ob_result ob_report_table(const struct ob_report *report,
                               const struct ob_table_options *options, FILE *out,
                               struct ob_error *err)
{
    enum ob_result result = OB_OK;
    struct table table = {.report = report, .options = options};
    table.width =
        (size_t)(options->width > OB_REPORT_WIDTH_MIN ? options->width : OB_REPORT_WIDTH_MIN);
    ob_arena_init(&table.arena);
    ob_buf_init(&table.out, SIZE_MAX);
    measure(&table);
    body(&table);
    closing(&table);
    if (fwrite(table.out.data, 1, table.out.size, out) != table.out.size)
        result = ob_report_write_error(err, "the table");
    ob_buf_clear(&table.out);
    ob_arena_clear(&table.arena);
    return result;
}
