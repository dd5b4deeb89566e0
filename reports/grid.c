#include "grid.h"

#include "report_int.h"

#include <stdlib.h>

#define CELL_COLUMNS_MAX 40

static const char *cell_text(struct ob_arena *arena, const char *text, bool unicode)
{
    const char *line = text ? ob_report_line(arena, text, unicode) : "null";
    return ob_report_fit(arena, line, CELL_COLUMNS_MAX, unicode);
}

/* Row 0 is the columns' names. */
static const char *cell_of(const struct ob_rows *rows, size_t row, size_t column)
{
    return row == 0 ? rows->columns[column] : rows->cells[(row - 1) * rows->column_count + column];
}

void ob_grid_put(const struct ob_rows *rows, size_t rows_max, size_t indent, bool unicode,
                 struct ob_buf *out)
{
    size_t shown = rows->row_count < rows_max ? rows->row_count : rows_max;
    size_t *widths = ob_alloc(rows->column_count * sizeof *widths);
    struct ob_arena arena;
    ob_arena_init(&arena);
    for (size_t r = 0; r <= shown; r++)
        for (size_t c = 0; c < rows->column_count; c++) {
            size_t columns = ob_report_columns(cell_text(&arena, cell_of(rows, r, c), unicode));
            widths[c] = columns > widths[c] ? columns : widths[c];
        }
    for (size_t r = 0; r <= shown && rows->column_count > 0; r++) {
        ob_buf_printf(out, "%*s", (int)indent, "");
        for (size_t c = 0; c < rows->column_count; c++) {
            const char *text = cell_text(&arena, cell_of(rows, r, c), unicode);
            bool last = c + 1 == rows->column_count;
            ob_buf_printf(out, "%s%*s", text,
                          last ? 0 : (int)(widths[c] - ob_report_columns(text)) + 2, "");
        }
        ob_buf_putc(out, '\n');
    }
    if (shown < rows->row_count)
        ob_buf_printf(out, "%*sand more\n", (int)indent, "");
    else
        ob_buf_printf(out, "%*s(%zu row%s)\n", (int)indent, "", rows->row_count,
                      rows->row_count == 1 ? "" : "s");
    ob_arena_clear(&arena);
    free(widths);
}
