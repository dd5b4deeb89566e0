/*
 * spec.c - an export as an isolation spec.
 *
 * Names are quoted, as isolationtester wanted it before PostgreSQL 14.  The only marker is that of
 * a deadlock's victim, which is reported as waiting however soon it dies.
 */
#include "export/export_int.h"

#include "base/sql.h"

#include <string.h>

#define LINE_MAX_SIZE 100

static enum ob_result put_block(struct ob_buf *out, const char *sql, const char *where,
                                struct ob_error *err)
{
    ob_buf_puts(out, "{ ");
    bool done = ob_sql_put_without_brace(out, sql);
    ob_buf_puts(out, " }\n");
    if (done)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "the SQL of %s has a } that a spec cannot have", where);
    ob_error_detail(err, "In a spec, SQL ends at the first }.");
    ob_error_hint(err, "Write it in a string or a quoted name, or without escapes of its own.");
    return OB_INPUT;
}

void ob_export_put_head(const struct ob_export *export, const char *mark, struct ob_buf *out)
{
    ob_buf_printf(out, "%s%s, %s: breaks %s.\n%s", mark, export->scenario, export->variant,
                  export->invariant, mark);
    ob_buf_put_line(out, export->about, OB_EXPORT_TEXT_MAX);
    ob_buf_printf(out, "\n%sWhat was found: ", mark);
    ob_buf_put_line(out, export->rows, OB_EXPORT_TEXT_MAX);
    ob_buf_printf(out, "\n%sMade by overbook of %s\n", mark, export->token);
    if (export->reads_history)
        ob_buf_printf(out,
                      "%sThe last query looks at the history, which is that of the run it was "
                      "made of.\n",
                      mark);
}

static enum ob_result put_setups(const struct ob_export *export, struct ob_buf *out,
                                 struct ob_error *err)
{
    enum ob_result result = OB_OK;
    ob_buf_puts(out, "\nsetup\n");
    result = put_block(out, export->sessions[export->session_count - 1].setup, "the setup", err);
    for (size_t i = 0; i < export->setup_count && result == OB_OK; i++) {
        ob_buf_puts(out, "setup\n");
        result = put_block(out, export->setups[i], "the setup", err);
    }
    if (result == OB_OK && export->teardown) {
        ob_buf_puts(out, "teardown\n");
        result = put_block(out, export->teardown, "the teardown", err);
    }
    return result;
}

static enum ob_result put_step(const struct ob_export *export, const struct ob_export_step *step,
                               struct ob_buf *out, struct ob_error *err)
{
    if (step->remark) {
        ob_buf_puts(out, "# ");
        ob_buf_put_line(out, step->remark, OB_EXPORT_TEXT_MAX);
        ob_buf_putc(out, '\n');
    }
    (void)export;
    ob_buf_puts(out, "step ");
    ob_sql_put_name(out, step->name);
    ob_buf_putc(out, ' ');
    return put_block(out, step->sql, step->name, err);
}

static enum ob_result put_session(const struct ob_export *export, size_t session,
                                  struct ob_buf *out, struct ob_error *err)
{
    ob_buf_puts(out, "\nsession ");
    ob_sql_put_name(out, export->sessions[session].name);
    ob_buf_puts(out, "\nsetup\n");
    enum ob_result result =
        put_block(out, export->sessions[session].setup, export->sessions[session].name, err);
    for (size_t i = 0; i < export->step_count && result == OB_OK; i++)
        if (export->steps[i].session == session)
            result = put_step(export, &export->steps[i], out, err);
    return result;
}

static void put_permutation(const struct ob_export *export, struct ob_buf *out)
{
    size_t begin = out->size + 1;
    ob_buf_puts(out, "\npermutation");
    for (size_t i = 0; i < export->step_count; i++) {
        const struct ob_export_step *step = &export->steps[i];
        bool full = out->size - begin + strlen(step->name) + 6 > LINE_MAX_SIZE;
        begin = full ? out->size + 1 : begin;
        ob_buf_puts(out, full ? "\n " : " ");
        ob_sql_put_name(out, step->name);
        ob_buf_puts(out, step->dies ? "(*)" : "");
    }
    ob_buf_putc(out, '\n');
}

enum ob_result ob_export_spec(const struct ob_export *export, struct ob_buf *out,
                              struct ob_error *err)
{
    ob_export_put_head(export, "# ", out);
    enum ob_result result = put_setups(export, out, err);
    for (size_t i = 0; i < export->session_count && result == OB_OK; i++)
        result = put_session(export, i, out, err);
    put_permutation(export, out);
    return result;
}
