/*
 * matrix.c - matrices for a person at a terminal: a table for each setting, with a line for each
 * cure and a column for each isolation level, and below it what a word in it leaves open.
 */
#include "report_int.h"

#include <inttypes.h>
#include <string.h>

#define INDENT ((size_t)2)
#define COLUMN ((int)18) /* of a level */

struct matrix_text {
    const struct ob_report *report;
    const struct ob_table_options *options;
    bool retries, counts; /* words of some cell that the foot is to tell about */
    struct ob_arena arena;
    struct ob_buf out;
};

enum look { LOOK_GOOD, LOOK_BAD, LOOK_DOUBT, LOOK_NONE };

static const struct {
    const char *sign, *ascii, *code;
} looks[] = {
    [LOOK_GOOD] = {"\xe2\x9c\x93", "+", "32"},
    [LOOK_BAD] = {"\xe2\x9c\x97", "x", "31"},
    [LOOK_DOUBT] = {"!", "!", "33"},
    [LOOK_NONE] = {"-", "-", "2"},
};

static const char *line_of(struct matrix_text *t, const char *text)
{
    return ob_report_line(&t->arena, text, t->options->unicode);
}

static bool holds(const struct ob_report_matrix_cell *cell)
{
    return strcmp(cell->verdict, "holds") == 0;
}

static enum look look_of(const struct ob_report_matrix_cell *cell)
{
    if (!cell || strcmp(cell->verdict, "not applied") == 0)
        return LOOK_NONE;
    if (holds(cell))
        return LOOK_GOOD;
    return strncmp(cell->verdict, "breaks", strlen("breaks")) == 0 ? LOOK_BAD : LOOK_DOUBT;
}

/* What stands in the cell beside the sign. */
static const char *words_of(struct matrix_text *t, const struct ob_report_matrix_cell *cell)
{
    if (!cell)
        return "not tried";
    if (!holds(cell))
        return line_of(t, cell->verdict);
    const char *word = cell->retries ? "retry" : "holds";
    t->retries |= cell->retries;
    if (t->options->verbosity < 0)
        return word;
    t->counts = true;
    return *cell->claim != '\0' ? ob_arena_printf(&t->arena, "%s, all", word)
                                : ob_arena_printf(&t->arena, "%s, %" PRIu64, word, cell->runs);
}

static void put_cell(struct matrix_text *t, const struct ob_report_matrix_cell *cell, bool last)
{
    enum look look = look_of(cell);
    const char *words = words_of(t, cell);
    ob_report_coloured(t->options, looks[look].code,
                       t->options->unicode ? looks[look].sign : looks[look].ascii, &t->out);
    ob_buf_printf(&t->out, " %s", words);
    if (!last)
        ob_buf_printf(&t->out, "%*s", COLUMN - 2 - (int)ob_report_columns(words), "");
}

static void put_row(struct matrix_text *t, const struct ob_report_matrix *matrix, size_t row,
                    size_t setting, int width)
{
    const char *name = line_of(t, matrix->rows[row].name);
    ob_buf_printf(&t->out, "  %s%*s", name, width - (int)ob_report_columns(name), "");
    for (size_t i = 0; i < matrix->level_count; i++)
        put_cell(t, ob_report_matrix_at(matrix, row, i, setting), i + 1 == matrix->level_count);
    ob_buf_putc(&t->out, '\n');
}

static void put_head(struct matrix_text *t, const struct ob_report_matrix *matrix, int width)
{
    ob_buf_printf(&t->out, "%*s", width + 2, "");
    for (size_t i = 0; i < matrix->level_count; i++) {
        const char *level = line_of(t, matrix->levels[i]);
        int left = COLUMN - (int)ob_report_columns(level);
        ob_report_coloured(t->options, "1", level, &t->out);
        if (i + 1 < matrix->level_count)
            ob_buf_printf(&t->out, "%*s", left > 1 ? left : 1, "");
    }
    ob_buf_putc(&t->out, '\n');
}

static int widest(struct matrix_text *t, const struct ob_report_matrix *matrix)
{
    size_t width = 0;
    for (size_t i = 0; i < matrix->row_count; i++) {
        size_t columns = ob_report_columns(line_of(t, matrix->rows[i].name));
        width = columns > width ? columns : width;
    }
    return (int)width + 2;
}

/* --- what the words leave open */

static const char *note_of(struct matrix_text *t, const struct ob_report_matrix_cell *cell)
{
    if (*cell->why != '\0')
        return cell->why;
    if (strcmp(cell->verdict, "breaks another") == 0)
        return ob_arena_printf(&t->arena, "breaks %s", cell->breaks);
    return "";
}

/* Each is told once for a row and setting. */
static void put_notes(struct matrix_text *t, const struct ob_report_matrix *matrix)
{
    const struct ob_report_matrix_cell *before = NULL;
    const char *said = "";
    for (size_t i = 0; i < matrix->cell_count; i++) {
        const struct ob_report_matrix_cell *cell = &matrix->cells[i];
        const char *note = note_of(t, cell);
        bool again = before && before->row == cell->row && before->setting == cell->setting &&
                     strcmp(said, note) == 0;
        if (*note == '\0' || again)
            continue;
        const char *setting = matrix->settings[cell->setting];
        ob_report_wrapped(ob_arena_printf(&t->arena, "%s, %s%s%s: %s", matrix->rows[cell->row].name,
                                          matrix->levels[cell->level], *setting != '\0' ? ", " : "",
                                          setting, note),
                          t->options, INDENT, &t->out);
        before = cell;
        said = note;
    }
}

static void put_details(struct matrix_text *t, const struct ob_report_matrix *matrix)
{
    for (size_t i = 0; i < matrix->row_count; i++) {
        const struct ob_report_matrix_row *row = &matrix->rows[i];
        ob_buf_printf(&t->out, "\n  %s: %s\n", line_of(t, row->name), line_of(t, row->what));
        if (*row->change != '\0') {
            ob_report_plain(row->change, t->options->unicode, 2 * INDENT, &t->out);
            ob_buf_putc(&t->out, '\n');
        }
        for (size_t k = 0; k < matrix->cell_count; k++) {
            const struct ob_report_matrix_cell *cell = &matrix->cells[k];
            const char *setting = matrix->settings[cell->setting];
            if (cell->row != i)
                continue;
            ob_buf_printf(&t->out,
                          "    %s%s%s%s: %s; the schedule: %s; explored: %s, %" PRIu64 " runs\n",
                          line_of(t, matrix->levels[cell->level]), *setting != '\0' ? ", " : "",
                          line_of(t, setting), cell->retries ? ", with retries" : "",
                          line_of(t, cell->verdict), line_of(t, cell->on_schedule),
                          line_of(t, cell->in_exploration), cell->runs);
        }
    }
}

/* --- all of it */

static void put_matrix(struct matrix_text *t, const struct ob_report_matrix *matrix)
{
    int width = widest(t, matrix);
    for (size_t setting = 0; setting < matrix->setting_count; setting++) {
        if (*matrix->settings[setting] != '\0')
            ob_buf_printf(&t->out, "\n  with %s\n", line_of(t, matrix->settings[setting]));
        put_head(t, matrix, width);
        for (size_t row = 0; row < matrix->row_count; row++)
            put_row(t, matrix, row, setting, width);
    }
    if (t->options->verbosity >= 0)
        put_notes(t, matrix);
    if (t->options->verbosity > 0)
        put_details(t, matrix);
}

static void put_result(struct matrix_text *t, const struct ob_report_result *result)
{
    const char *name = ob_arena_printf(&t->arena, "%s, %s", line_of(t, result->scenario),
                                       line_of(t, result->variant));
    ob_report_coloured(t->options, "1", name, &t->out);
    if (result->matrix) {
        ob_buf_printf(&t->out, ": breaks %s\n", line_of(t, result->matrix->invariant));
        put_matrix(t, result->matrix);
        return;
    }
    ob_buf_printf(&t->out, ": %s\n", ob_verdict_word(result->verdict));
    if (*result->reason != '\0')
        ob_report_wrapped(result->reason, t->options, INDENT, &t->out);
}

static void put_foot(struct matrix_text *t)
{
    if (t->options->verbosity < 0 || !t->counts)
        return;
    ob_buf_putc(&t->out, '\n');
    ob_report_wrapped("all: every order of steps was run, or every one that can matter; a number: "
                      "in so many runs nothing broke.",
                      t->options, 0, &t->out);
    if (t->retries)
        ob_report_wrapped("retry: it holds with clients that begin again after 40001 or 40P01.",
                          t->options, 0, &t->out);
}

bool ob_report_has_matrix(const struct ob_report *report)
{
    for (size_t i = 0; i < report->result_count; i++)
        if (report->results[i].matrix)
            return true;
    return false;
}

enum ob_result ob_report_matrix(const struct ob_report *report,
                                const struct ob_table_options *options, FILE *out,
                                struct ob_error *err)
{
    struct matrix_text text = {.report = report, .options = options};
    ob_arena_init(&text.arena);
    ob_buf_init(&text.out, SIZE_MAX);
    if (options->verbosity >= 0)
        ob_buf_printf(&text.out, "overbook %s, PostgreSQL %s, seed %" PRIu64 "\n\n",
                      report->version, report->postgres, report->seed);
    for (size_t i = 0; i < report->result_count; i++) {
        if (i > 0)
            ob_buf_putc(&text.out, '\n');
        put_result(&text, &report->results[i]);
    }
    put_foot(&text);
    bool written = fwrite(text.out.data, 1, text.out.size, out) == text.out.size;
    ob_buf_clear(&text.out);
    ob_arena_clear(&text.arena);
    return written && fflush(out) == 0 ? OB_OK : ob_report_write_error(err, "the matrix");
}
