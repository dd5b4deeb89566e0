/*
 * cmocka.c - an export as a test in C: tables of what is sent, and the program that sends it
 * (race_test.inc), which stands below them.
 */
#include "export/export_int.h"

#include <string.h>

/* A string of C: in octal whatever is not plain, a new one for each line. */
static void put_string(struct ob_buf *out, const char *text)
{
    ob_buf_putc(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n')
            ob_buf_puts(out, text[1] != '\0' ? "\\n\"\n     \"" : "\\n");
        else if (c == '"' || c == '\\' || c == '?') /* no trigraphs */
            ob_buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            ob_buf_printf(out, "\\%03o", c);
        else
            ob_buf_putc(out, *text);
    }
    ob_buf_putc(out, '"');
}

/* A comment cannot end in what is said there. */
static void put_remark(struct ob_buf *out, const char *text)
{
    struct ob_buf line;
    ob_buf_init(&line, OB_EXPORT_TEXT_MAX + 8);
    ob_buf_put_line(&line, text, OB_EXPORT_TEXT_MAX);
    ob_buf_puts(out, "    /* ");
    for (const char *at = line.data; *at != '\0'; at++) {
        ob_buf_putc(out, *at);
        if ((*at == '*' && at[1] == '/') || (*at == '/' && at[1] == '*'))
            ob_buf_putc(out, ' ');
    }
    ob_buf_puts(out, " */\n");
    ob_buf_clear(&line);
}

static void put_step(const struct ob_export_step *step, struct ob_buf *out)
{
    if (step->remark)
        put_remark(out, step->remark);
    ob_buf_printf(out, "    {%zu, ", step->session);
    put_string(out, step->name);
    ob_buf_puts(out, ",\n     ");
    put_string(out, step->sql);
    ob_buf_puts(out, "},\n");
}

static void put_head(const struct ob_export *export, struct ob_buf *out)
{
    struct ob_buf head;
    ob_buf_init(&head, SIZE_MAX);
    ob_export_put_head(export, "", &head);
    ob_buf_puts(out, "/*\n");
    for (const char *line = head.data; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        ob_buf_puts(out, " * ");
        for (size_t i = 0; i < size; i++) {
            ob_buf_putc(out, line[i]);
            if ((line[i] == '*' && line[i + 1] == '/') || (line[i] == '/' && line[i + 1] == '*'))
                ob_buf_putc(out, ' ');
        }
        ob_buf_putc(out, '\n');
        line += size + (line[size] == '\n');
    }
    ob_buf_clear(&head);
}

static void put_tables(const struct ob_export *export, struct ob_buf *out)
{
    ob_buf_puts(out, "static const char *const setups[] = {\n");
    for (size_t i = 0; i < export->setup_count; i++) {
        ob_buf_puts(out, "    (");
        put_string(out, export->setups[i]);
        ob_buf_puts(out, "),\n");
    }
    ob_buf_puts(out, "    0};\n\nstatic const char teardown[] =\n    ");
    put_string(out, export->teardown ? export->teardown : "");
    ob_buf_puts(out, ";\n\n/* The last one asks for the offending rows. */\n"
                     "static const struct session sessions[] = {\n");
    for (size_t i = 0; i < export->session_count; i++) {
        ob_buf_puts(out, "    {");
        put_string(out, export->sessions[i].name);
        ob_buf_puts(out, ",\n     ");
        put_string(out, export->sessions[i].setup);
        ob_buf_puts(out, "},\n");
    }
    ob_buf_puts(out,
                "};\n\n/* In the order of the run. */\nstatic const struct step steps[] = {\n");
    for (size_t i = 0; i < export->step_count; i++)
        put_step(&export->steps[i], out);
    ob_buf_printf(out, "};\n\n#define CHECK %zu /* the step that asks */\n\n", export->check);
}

enum ob_result ob_export_cmocka(const struct ob_export *export, struct ob_buf *out,
                                struct ob_error *err)
{
    if (export->reads_history) {
        ob_error_set(err, OB_INPUT, "a test cannot ask whether %s holds", export->invariant);
        ob_error_detail(err, "Its query looks at what the clients were told, which a test of other "
                             "code does not know.");
        ob_error_hint(err, "Export it with --as spec: that shows this run only.");
        return OB_INPUT;
    }
    put_head(export, out);
    ob_buf_puts(out, ob_export_text_head);
    put_tables(export, out);
    ob_buf_puts(out, ob_export_text_test);
    return OB_OK;
}
