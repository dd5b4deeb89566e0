/*
 * table.c - the report for a person at a terminal.
 *
 * One heading for each scenario with its sentence, below it one row for each variant: what was
 * expected, what was found, how many runs it took.  Below a row come the findings: why, and the
 * command that shows it again.  It is printed as results come in, so columns are as wide as the
 * rows that were announced.  On a terminal every line keeps within the width except that command,
 * since a token is of use only whole; elsewhere nothing is shortened.  Columns are counted in
 * characters: one for each, which is wrong for East Asian and combining ones.
 */
#include "report_int.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define COLUMN_MIN ((size_t)6)
#define EXPECTED_MIN (sizeof "violates" - 1) /* what it violates may stand below */
#define INDENT ((size_t)5)                   /* of rows, behind the mark; of findings */
#define VIOLATIONS_SHOWN ((size_t)3)
#define TEXT_LINES ((size_t)3) /* of a reason or of offending rows */
#define EXPLAINED_LINES 8

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

struct ob_table {
    const struct ob_report *report;
    struct ob_table_options options;
    FILE *file;
    size_t width;
    size_t widths[COLUMN_COUNT];
    bool narrow;      /* too much for the width: cells are shortened */
    size_t announced; /* rows */
    size_t done;      /* of the report's results, from the first on */
    size_t shown;     /* the last one shown; SIZE_MAX: none yet */
    struct ob_arena arena;
    struct ob_buf out;
};

static void styled(struct ob_table *t, enum style style, const char *text)
{
    bool colored = t->options.color && style != PLAIN;
    if (colored)
        ob_buf_puts(&t->out, style_codes[style]);
    ob_buf_puts(&t->out, text);
    if (colored)
        ob_buf_puts(&t->out, "\x1b[0m");
}

static void spaces(struct ob_table *t, size_t count)
{
    ob_buf_printf(&t->out, "%*s", (int)count, "");
}

static const char *line_of(struct ob_table *t, const char *text)
{
    return ob_report_line(&t->arena, text, t->options.unicode);
}

static const char *fit(struct ob_table *t, const char *line, size_t columns)
{
    return ob_report_fit(&t->arena, line, columns, t->options.unicode);
}

/* Text as lines of their own, at most so many, the last one shortened when there is more. */
static void paragraph(struct ob_table *t, enum style style, const char *text, size_t indent,
                      size_t lines_max)
{
    const char *line = line_of(t, text);
    size_t columns = t->width - indent;
    if (t->options.whole)
        lines_max = SIZE_MAX;
    for (size_t i = 1; *line; i++) {
        bool last = i == lines_max;
        size_t size = last ? strlen(line) : ob_report_wrap_at(line, columns);
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
static const char *grouped(struct ob_table *t, uint64_t number)
{
    const char *rest = "";
    for (; number >= 1000; number /= 1000)
        rest = ob_arena_printf(&t->arena, ",%03" PRIu64 "%s", number % 1000, rest);
    return ob_arena_printf(&t->arena, "%" PRIu64 "%s", number, rest);
}

static const char *duration(struct ob_table *t, double seconds)
{
    int digits = seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0;
    return ob_arena_printf(&t->arena, "%.*f s", digits, seconds);
}

static const char *found(struct ob_table *t, const struct ob_report_result *result)
{
    if (result->verdict == OB_HOLDS && result->exhausted)
        return result->reduced ? "holds, all that matter" : "holds, all tried";
    if (result->verdict == OB_VIOLATED && result->violation_count > 0)
        return ob_arena_printf(&t->arena, "violated in run %s",
                               grouped(t, result->violations[0].run));
    return ob_verdict_word(result->verdict);
}

static void cells_of(struct ob_table *t, const struct ob_report_result *result,
                     const char *cells[COLUMN_COUNT])
{
    cells[VARIANT] = line_of(t, result->variant);
    cells[EXPECTED] = line_of(t, result->expected);
    cells[FOUND] = found(t, result);
    cells[RUNS] = grouped(t, result->runs);
    cells[TIME] = duration(t, result->seconds_total);
}

static bool is_shown(const struct ob_table *t, const struct ob_report_result *result)
{
    return t->options.verbosity >= 0 || ob_report_standing(result) != OB_AS_EXPECTED;
}

static size_t row_columns(const struct ob_table *t)
{
    size_t columns = INDENT + (size_t)2 * (COLUMN_COUNT - 1);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        columns += t->widths[i];
    return columns;
}

static void widen(struct ob_table *t, enum column column, const char *cell)
{
    size_t columns = ob_report_columns(cell);
    t->widths[column] = columns > t->widths[column] ? columns : t->widths[column];
}

void ob_table_announce(struct ob_table *t, const struct ob_report_result *result)
{
    const char *runs = grouped(t, result->runs);
    t->announced++;
    widen(t, VARIANT, line_of(t, result->variant));
    widen(t, EXPECTED, line_of(t, result->expected));
    widen(t, FOUND, ob_arena_printf(&t->arena, "violated in run %s", runs));
    widen(t, RUNS, runs);
}

/* When all that stands in the columns is too much for the line, what is expected wraps, and then
 * the widest text gives way. */
static void lay_out(struct ob_table *t)
{
    for (size_t i = 0; i < t->report->result_count; i++) /* in case they were not announced */
        widen(t, VARIANT, line_of(t, t->report->results[i].variant));
    if (t->options.whole || row_columns(t) <= t->width)
        return;
    size_t over = row_columns(t) - t->width, spare = t->widths[EXPECTED] - EXPECTED_MIN;
    t->widths[EXPECTED] -= over < spare ? over : spare;
    while (row_columns(t) > t->width) {
        enum column widest = VARIANT;
        for (enum column c = EXPECTED; c <= FOUND; c++)
            widest = t->widths[c] > t->widths[widest] ? c : widest;
        if (t->widths[widest] <= COLUMN_MIN)
            break;
        t->widths[widest]--;
        t->narrow = true;
    }
}

/* The bytes of a cell that stand in its row, the rest below it: all of them, or its first word. */
static size_t split_at(const struct ob_table *t, const char *cell, enum column column)
{
    size_t word = strcspn(cell, " ");
    bool splits = column == EXPECTED && ob_report_columns(cell) > t->widths[column] &&
                  ob_report_prefix(cell, t->widths[column]) >= word;
    return splits ? word : strlen(cell);
}

static void row(struct ob_table *t, const char *const cells[COLUMN_COUNT], enum style style)
{
    for (enum column c = VARIANT; c < COLUMN_COUNT; c++) {
        const char *cell = ob_arena_strndup(&t->arena, cells[c], split_at(t, cells[c], c));
        if (t->narrow)
            cell = fit(t, cell, t->widths[c]);
        size_t columns = ob_report_columns(cell);
        size_t padding = t->widths[c] > columns ? t->widths[c] - columns : 0;
        if (c >= RUNS)
            spaces(t, padding);
        styled(t, style, cell);
        if (c < RUNS)
            spaces(t, padding);
        if (c + 1 < COLUMN_COUNT)
            spaces(t, 2);
    }
    ob_buf_putc(&t->out, '\n');
    const char *below = cells[EXPECTED] + split_at(t, cells[EXPECTED], EXPECTED);
    if (*below)
        paragraph(t, style, below + 1, INDENT + t->widths[VARIANT] + 2, 1);
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

static void mark(struct ob_table *t, enum ob_standing standing)
{
    styled(t, marks[standing].style,
           t->options.unicode ? marks[standing].unicode : marks[standing].ascii);
}

static const char *plural(struct ob_table *t, size_t count, const char *word)
{
    return ob_arena_printf(&t->arena, "%zu %s%s", count, word, count == 1 ? "" : "s");
}

static void size_line(struct ob_table *t, const char *of, size_t clients, size_t steps,
                      size_t preemptions, size_t faults, unsigned replays_same, unsigned replays)
{
    const char *size = ob_arena_printf(
        &t->arena, "%s: %s, %s, %s, %s", of, plural(t, clients, "client"), plural(t, steps, "step"),
        plural(t, preemptions, "preemption"), plural(t, faults, "fault"));
    if (replays > 0)
        size = ob_arena_printf(&t->arena, "%s; replayed %u/%u", size, replays_same, replays);
    paragraph(t, DIM, size, INDENT, TEXT_LINES);
}

static const char *explanation(struct ob_table *t, const struct ob_report_explanation *explained)
{
    bool named = explained->anomaly && *explained->anomaly;
    return ob_arena_printf(&t->arena, "%s: %s", named ? explained->anomaly : "why",
                           explained->sentence);
}

/* What each cure came to. */
static void cure_lines(struct ob_table *t, const struct ob_report_violation *violation)
{
    for (size_t i = 0; i < violation->cure_count; i++)
        paragraph(t, PLAIN, ob_report_cure_line(&t->arena, &violation->cures[i]), INDENT,
                  TEXT_LINES);
}

/* How big the run was and the smallest that was made of it, the command that makes that again and,
 * if wanted, what happened in the run; closely: also why. */
static void run_lines(struct ob_table *t, const struct ob_report_violation *violation, bool closely)
{
    const struct ob_report_shrunk *shrunk = violation->shrunk;
    const char *replay = shrunk ? shrunk->replay : violation->replay;
    size_line(t, ob_arena_printf(&t->arena, "run %s", grouped(t, violation->run)),
              violation->clients, violation->steps, violation->preemptions, violation->faults,
              violation->replays_same, violation->replays);
    if (shrunk)
        size_line(t, shrunk->complete ? "smallest" : "smaller", shrunk->clients, shrunk->steps,
                  shrunk->preemptions, shrunk->faults, shrunk->replays_same, shrunk->replays);
    if (shrunk && *shrunk->left_out)
        paragraph(t, DIM, ob_arena_printf(&t->arena, "without: %s", shrunk->left_out), INDENT,
                  TEXT_LINES);
    if (closely && violation->explanation)
        paragraph(t, PLAIN, explanation(t, violation->explanation), INDENT, EXPLAINED_LINES);
    cure_lines(t, violation);
    if (replay && *replay) {
        spaces(t, INDENT);
        styled(t, CYAN, line_of(t, replay));
        ob_buf_putc(&t->out, '\n');
    }
    if (!violation->replay || !*violation->replay)
        paragraph(t, DIM, "no token: the clients raced freely", INDENT, 1);
    if (t->options.verbosity > 0 && violation->trace) {
        struct ob_table_options options = t->options;
        options.width = options.whole ? INT_MAX : options.width;
        ob_report_trace(violation->trace, &options, INDENT, &t->out);
    }
}

/* What follows from having found nothing, and for who asks how much was not seen. */
static void claims(struct ob_table *t, const struct ob_report_result *result)
{
    if (result->claim && *result->claim)
        paragraph(t, PLAIN, result->claim, INDENT, TEXT_LINES);
    if (t->options.verbosity > 0 && result->sampled && result->violation_count == 0)
        paragraph(t, DIM,
                  ob_arena_printf(&t->arena,
                                  "of further runs of %s about %.1f %% show a new outcome, %.1f %% "
                                  "a new class",
                                  result->sampler, 100 * result->unseen_outcomes,
                                  100 * result->unseen_classes),
                  INDENT, TEXT_LINES);
}

/* How much of an enumeration is left, for who asks. */
static void estimate(struct ob_table *t, const struct ob_report_result *result)
{
    if (t->options.verbosity > 0 && result->estimate > 0)
        paragraph(t, DIM,
                  ob_arena_printf(&t->arena,
                                  "estimated: %.0f runs in all, of which these are %.1f %%",
                                  result->estimate, 100 * (double)result->runs / result->estimate),
                  INDENT, TEXT_LINES);
}

/* In how many runs there was what some were to reach, for who asks. */
static void reached(struct ob_table *t, const struct ob_report_result *result)
{
    for (size_t i = 0; i < result->reached_count && t->options.verbosity > 0; i++)
        paragraph(t, DIM,
                  ob_arena_printf(&t->arena, "reached in %s of %s runs: %s",
                                  grouped(t, result->reached[i].runs), grouped(t, result->runs),
                                  result->reached[i].name),
                  INDENT, TEXT_LINES);
}

static void findings(struct ob_table *t, const struct ob_report_result *result)
{
    claims(t, result);
    estimate(t, result);
    reached(t, result);
    if (result->reason && *result->reason)
        paragraph(t, ob_report_standing(result) == OB_AS_EXPECTED ? PLAIN : YELLOW, result->reason,
                  INDENT, TEXT_LINES);
    for (size_t i = 0; i < result->warning_count; i++)
        paragraph(t, YELLOW, ob_arena_printf(&t->arena, "warning: %s", result->warnings[i]), INDENT,
                  TEXT_LINES);
    size_t left = t->options.verbosity > 0 ? SIZE_MAX : VIOLATIONS_SHOWN, first = 0;
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
        run_lines(t, violations, !result->as_expected || t->options.verbosity > 0);
        first += count;
        left -= shown;
    }
    if (first < result->violation_count)
        paragraph(t, DIM,
                  ob_arena_printf(&t->arena, "and %s (-v shows all)",
                                  plural(t, result->violation_count - first, "more violation")),
                  INDENT, 1);
}

static void result_lines(struct ob_table *t, const struct ob_report_result *result)
{
    const char *cells[COLUMN_COUNT];
    cells_of(t, result, cells);
    spaces(t, 2);
    mark(t, ob_report_standing(result));
    spaces(t, INDENT - 4);
    row(t, cells, PLAIN);
    findings(t, result);
}

static void heading(struct ob_table *t)
{
    const struct ob_report *report = t->report;
    const char *line = ob_arena_printf(&t->arena, "overbook %s, PostgreSQL %s, seed %" PRIu64,
                                       report->version, report->postgres, report->seed);
    paragraph(t, PLAIN, line, 0, 1);
    const char *loose = ob_arena_printf(
        &t->arena, "%s%s%s%s%s%s%s", report->controlled_steps ? "" : ", the order of steps",
        report->controlled_deadlock ? "" : ", deadlock victims",
        report->controlled_wake ? "" : ", the order in which waiters wake",
        report->controlled_clock ? "" : ", the clock",
        report->controlled_now ? "" : ", now() and its kin",
        report->controlled_footprints
            ? ""
            : ", what statements touch (no probe: dpor takes any two for dependent)",
        report->controlled_gates ? "" : ", gates inside statements");
    if (*loose)
        paragraph(t, YELLOW, ob_arena_printf(&t->arena, "Not controlled: %s.", loose + 2), 0,
                  TEXT_LINES);
    ob_buf_putc(&t->out, '\n');
    spaces(t, INDENT);
    row(t, headings, DIM);
}

static void scenario_lines(struct ob_table *t, const struct ob_report_result *result)
{
    ob_buf_putc(&t->out, '\n');
    styled(t, BOLD, fit(t, line_of(t, result->scenario), t->width));
    ob_buf_putc(&t->out, '\n');
    paragraph(t, DIM, result->about, 0, SIZE_MAX);
}

static const char *const meanings[] = {
    [OB_AS_EXPECTED] = "as expected",
    [OB_UNEXPECTED] = "not as expected",
    [OB_UNDECIDED] = "inconclusive",
    [OB_BROKE_OFF] = "error",
};

/* The marks other than that of success, on one line, of those that occur. */
static void explain_marks(struct ob_table *t)
{
    bool seen[OB_BROKE_OFF + 1] = {false}, any = false;
    for (size_t i = 0; i < t->report->result_count; i++)
        seen[ob_report_standing(&t->report->results[i])] = true;
    for (enum ob_standing standing = OB_UNEXPECTED; standing <= OB_BROKE_OFF; standing++) {
        if (!seen[standing])
            continue;
        spaces(t, any ? 3 : 0);
        mark(t, standing);
        spaces(t, t->options.unicode ? 0 : 1);
        styled(t, DIM, meanings[standing]);
        any = true;
    }
    if (any)
        ob_buf_putc(&t->out, '\n');
}

/* What the signs mean, and the word that looks like a proof: of those that occur. */
static void legend(struct ob_table *t)
{
    bool sampled = false, exhausted = false, reduced = false;
    for (size_t i = 0; i < t->report->result_count; i++) {
        const struct ob_report_result *result = &t->report->results[i];
        bool holds = is_shown(t, result) && result->verdict == OB_HOLDS;
        sampled |= holds && !result->exhausted;
        exhausted |= holds && result->exhausted && !result->reduced;
        reduced |= holds && result->exhausted && result->reduced;
    }
    explain_marks(t);
    if (sampled)
        paragraph(t, DIM, "holds: in each of these runs; there may be other schedules.", 0,
                  TEXT_LINES);
    if (exhausted)
        paragraph(t, DIM, "holds, all tried: there is no other schedule of that variant.", 0,
                  TEXT_LINES);
    if (reduced)
        paragraph(t, DIM,
                  "holds, all that matter: every other schedule of that variant orders only what "
                  "cannot matter in another way.",
                  0, TEXT_LINES);
}

static const char *totals(struct ob_table *t, const struct ob_report_summary *summary, size_t count)
{
    const char *text =
        ob_arena_printf(&t->arena, "%zu of %zu as expected in %s", summary->as_expected, count,
                        duration(t, t->report->seconds));
    size_t holds = 0, violated = 0;
    for (size_t i = 0; i < t->report->result_count; i++) {
        holds += t->report->results[i].verdict == OB_HOLDS;
        violated += t->report->results[i].verdict == OB_VIOLATED;
    }
    if (summary->as_expected == count)
        return ob_arena_printf(&t->arena, "%s (%zu hold, %zu violated).", text, holds, violated);
    const struct {
        const char *word;
        size_t count;
    } parts[] = {{"not as expected", summary->unexpected},
                 {"inconclusive", summary->inconclusive},
                 {"errors", summary->errors},
                 {"not begun", count - summary->scenarios}};
    const char *separator = ";";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count == 0)
            continue;
        text = ob_arena_printf(&t->arena, "%s%s %s: %zu", text, separator, parts[i].word,
                               parts[i].count);
        separator = ",";
    }
    return ob_arena_printf(&t->arena, "%s.", text);
}

static void show(struct ob_table *t, size_t index)
{
    const struct ob_report_result *result = &t->report->results[index];
    if (t->shown == SIZE_MAX) {
        lay_out(t);
        heading(t);
    }
    if (t->shown == SIZE_MAX || !ob_report_same_scenario(&t->report->results[t->shown], result))
        scenario_lines(t, result);
    result_lines(t, result);
    t->shown = index;
}

static enum ob_result put(struct ob_table *t, struct ob_error *err)
{
    bool written = fwrite(t->out.data, 1, t->out.size, t->file) == t->out.size;
    ob_buf_reset(&t->out);
    if (written && fflush(t->file) == 0)
        return OB_OK;
    return ob_report_write_error(err, "the table");
}

struct ob_table *ob_table_new(const struct ob_report *report,
                              const struct ob_table_options *options, FILE *file)
{
    struct ob_table *t = ob_alloc(sizeof *t);
    t->report = report;
    t->options = *options;
    t->file = file;
    t->width =
        (size_t)(options->width > OB_REPORT_WIDTH_MIN ? options->width : OB_REPORT_WIDTH_MIN);
    t->shown = SIZE_MAX;
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        t->widths[c] = strlen(headings[c]);
    t->widths[TIME] = strlen("9.99 s");
    ob_arena_init(&t->arena);
    ob_buf_init(&t->out, SIZE_MAX);
    return t;
}

void ob_table_free(struct ob_table *t)
{
    if (!t)
        return;
    ob_buf_clear(&t->out);
    ob_arena_clear(&t->arena);
    free(t);
}

enum ob_result ob_table_print(struct ob_table *t, struct ob_error *err)
{
    for (; t->done < t->report->result_count; t->done++)
        if (is_shown(t, &t->report->results[t->done]))
            show(t, t->done);
    return put(t, err);
}

enum ob_result ob_table_end(struct ob_table *t, struct ob_error *err)
{
    enum ob_result result = ob_table_print(t, err);
    if (result != OB_OK)
        return result;
    struct ob_report_summary summary = ob_report_summarise(t->report);
    size_t count = t->announced > summary.scenarios ? t->announced : summary.scenarios;
    if (t->shown != SIZE_MAX) {
        ob_buf_putc(&t->out, '\n');
        legend(t);
    }
    paragraph(t, summary.as_expected == count ? GREEN : RED,
              summary.scenarios > 0 ? totals(t, &summary, count) : "Nothing was run.", 0,
              TEXT_LINES);
    return put(t, err);
}

enum ob_result ob_report_table(const struct ob_report *report,
                               const struct ob_table_options *options, FILE *out,
                               struct ob_error *err)
{
    struct ob_table *t = ob_table_new(report, options, out);
    for (size_t i = 0; i < report->result_count; i++)
        ob_table_announce(t, &report->results[i]);
    enum ob_result result = ob_table_end(t, err);
    ob_table_free(t);
    return result;
}
