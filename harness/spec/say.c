#include "spec/spec_int.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE ((size_t)64 << 20)

static void say(const struct ob_spec_out *out, bool complaint, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, fmt, args);
    assert(size >= 0);
    char *text = ob_alloc((size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, fmt, again);
    va_end(again);
    out->write(out->self, complaint, text, (size_t)size);
    free(text);
}

void ob_spec_say(const struct ob_spec_out *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(out, false, fmt, args);
    va_end(args);
}

void ob_spec_complain(const struct ob_spec_out *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(out, true, fmt, args);
    va_end(args);
}

/* Whether a value looks like a number: of these characters, not beginning with an exponent, and
 * with a digit at its end. */
static bool is_numeric(const char *value)
{
    size_t size = strlen(value);
    if (strspn(value, "0123456789.Ee -") != size || value[0] == 'E' || value[0] == 'e')
        return false;
    return value[size - 1] >= '0' && value[size - 1] <= '9';
}

struct column {
    size_t width;
    bool right;
};

static struct column measure(const PGresult *result, int column)
{
    struct column measured = {.width = strlen(PQfname(result, column)), .right = true};
    for (int row = 0; row < PQntuples(result); row++) {
        const char *value = PQgetvalue(result, row, column);
        size_t size = strlen(value);
        if (size > measured.width)
            measured.width = size;
        measured.right = measured.right && (size == 0 || is_numeric(value));
    }
    return measured;
}

static void add_cell(struct ob_buf *buf, const struct column *column, const char *text)
{
    ob_buf_printf(buf, column->right ? "%*s" : "%-*s", (int)column->width, text);
}

static void add_rule(struct ob_buf *buf, const struct column *columns, int count)
{
    for (int c = 0; c < count; c++) {
        if (c > 0)
            ob_buf_putc(buf, '+');
        for (size_t i = 0; i < columns[c].width; i++)
            ob_buf_putc(buf, '-');
    }
    ob_buf_putc(buf, '\n');
}

void ob_spec_say_table(const struct ob_spec_out *out, const PGresult *result)
{
    int rows = PQntuples(result), count = PQnfields(result);
    if (count == 0)
        return;
    struct column *columns = ob_alloc((size_t)count * sizeof *columns);
    struct ob_buf buf;
    ob_buf_init(&buf, LINE_MAX_SIZE);
    for (int c = 0; c < count; c++) {
        columns[c] = measure(result, c);
        ob_buf_puts(&buf, c > 0 ? "|" : "");
        add_cell(&buf, &columns[c], PQfname(result, c));
    }
    ob_buf_putc(&buf, '\n');
    add_rule(&buf, columns, count);
    for (int row = 0; row < rows; row++) {
        for (int c = 0; c < count; c++) {
            ob_buf_puts(&buf, c > 0 ? "|" : "");
            add_cell(&buf, &columns[c], PQgetvalue(result, row, c));
        }
        ob_buf_putc(&buf, '\n');
    }
    ob_buf_printf(&buf, "(%d row%s)\n\n", rows, rows == 1 ? "" : "s");
    out->write(out->self, false, buf.data, buf.size);
    ob_buf_clear(&buf);
    free(columns);
}

static void say_error(const struct ob_spec_out *out, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (severity && message)
        ob_spec_say(out, "%s:  %s\n", severity, message);
    else
        ob_spec_say(out, "%s\n", PQresultErrorMessage(result)); /* libpq's own */
}

void ob_spec_say_result(const struct ob_spec_out *out, const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        return;
    case PGRES_TUPLES_OK:
        ob_spec_say_table(out, result);
        return;
    case PGRES_FATAL_ERROR:
        say_error(out, result);
        return;
    default:
        ob_spec_say(out, "unexpected result status: %s\n", PQresStatus(PQresultStatus(result)));
    }
}
