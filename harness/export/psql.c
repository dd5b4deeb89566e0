/*
 * psql.c - an export as a text to paste into psql, window by window.
 *
 * A step of several statements is sent as one, as the client did: psql does that where "\;" stands
 * between them.
 */
#include "export/export_int.h"

#include "base/sql.h"

#include <string.h>

/* Where the last thing begins that is neither blank, comment nor semicolon. */
static const char *last_token(const char *sql)
{
    const char *last = sql;
    enum ob_lexeme kind;
    for (size_t size; (size = ob_sql_lexeme(sql, &kind)) > 0; sql += size)
        if (kind != OB_LEX_SPACE && kind != OB_LEX_COMMENT &&
            !(kind == OB_LEX_OTHER && *sql == ';'))
            last = sql;
    return last;
}

/* Without the blanks and semicolons at its end; between signs what parts two statements. */
static void put_sql(struct ob_buf *out, const char *sql, const char *between)
{
    const char *last = last_token(sql);
    enum ob_lexeme kind = OB_LEX_SPACE;
    for (size_t size; sql <= last && (size = ob_sql_lexeme(sql, &kind)) > 0; sql += size) {
        if (kind == OB_LEX_OTHER && *sql == ';')
            ob_buf_puts(out, between);
        else
            ob_buf_add(out, sql, size);
    }
    ob_buf_puts(out, ";\n");
}

static void put_heading(const struct ob_export *export, size_t index, struct ob_buf *out)
{
    const struct ob_export_step *step = &export->steps[index];
    ob_buf_printf(out, "\n-- %zu. window %zu (", index + 1, step->session + 1);
    ob_buf_put_line(out, export->sessions[step->session].name, OB_EXPORT_TEXT_MAX);
    ob_buf_putc(out, ')');
    if (step->waits && step->end != SIZE_MAX)
        ob_buf_printf(out, ": waits until step %zu", step->end + 1);
    else if (step->waits)
        ob_buf_puts(out, ": waits");
    if (step->sqlstate[0] != '\0' && strcmp(step->sqlstate, "00000") != 0)
        ob_buf_printf(out, "%s fails with %s", step->waits ? ", then" : ":", step->sqlstate);
    if (index == export->check)
        ob_buf_puts(out, ": shows what breaks the invariant");
    ob_buf_putc(out, '\n');
    if (step->remark) {
        ob_buf_puts(out, "-- before it ");
        ob_buf_put_line(out, step->remark, OB_EXPORT_TEXT_MAX);
        ob_buf_putc(out, '\n');
    }
}

enum ob_result ob_export_psql(const struct ob_export *export, struct ob_buf *out,
                              struct ob_error *err)
{
    size_t count = export->session_count;
    (void)err;
    ob_export_put_head(export, "-- ", out);
    ob_buf_printf(
        out,
        "--\n-- Open psql in %zu windows, in a database that may be thrown away, and paste "
        "each part\n-- into the window that it names, one after the other.\n",
        count);
    ob_buf_printf(out, "\n-- setup. window %zu\n", count);
    put_sql(out, export->sessions[count - 1].setup, ";");
    for (size_t i = 0; i < export->setup_count; i++)
        put_sql(out, export->setups[i], ";");
    for (size_t i = 0; i + 1 < count; i++) {
        ob_buf_printf(out, "\n-- begin. window %zu (", i + 1);
        ob_buf_put_line(out, export->sessions[i].name, OB_EXPORT_TEXT_MAX);
        ob_buf_puts(out, ")\n");
        put_sql(out, export->sessions[i].setup, ";");
    }
    for (size_t i = 0; i < export->step_count; i++) {
        put_heading(export, i, out);
        put_sql(out, export->steps[i].sql, " \\;");
    }
    if (export->teardown) {
        ob_buf_printf(out, "\n-- teardown, when the other windows are closed. window %zu\n", count);
        put_sql(out, export->teardown, ";");
    }
    return OB_OK;
}
