/* rows.c - offending rows as text for people. */
#include "check/check_int.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

static void add_value(struct ob_buf *out, const json_t *value)
{
    if (json_is_string(value)) {
        ob_buf_puts(out, json_string_value(value));
        return;
    }
    char *json = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    ob_buf_puts(out, json ? json : "?");
    free(json);
}

enum ob_result ob_check_row(const char *json, struct ob_buf *out, struct ob_error *err)
{
    /* PostgreSQL may write \u0000 inside a json column; texts end there. */
    json_t *row = json_loads(json, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(row)) {
        json_decref(row);
        return ob_error_set(err, OB_INTERNAL, "could not read an offending row: %s", json);
    }
    bool single = json_object_size(row) == 1, first = true;
    const char *column;
    json_t *value;
    json_object_foreach(row, column, value)
    {
        ob_buf_puts(out, first ? "" : ", ");
        if (!single) {
            ob_buf_puts(out, column);
            ob_buf_putc(out, ' ');
        }
        add_value(out, value);
        first = false;
    }
    if (json_object_size(row) == 0)
        ob_buf_puts(out, "a row without columns");
    json_decref(row);
    return OB_OK;
}

void ob_check_shorten(struct ob_buf *text)
{
    if (text->size <= OB_BROKEN_SIZE_MAX)
        return;
    size_t kept = OB_BROKEN_SIZE_MAX - (sizeof ELLIPSIS - 1);
    while (kept > 0 && ((unsigned char)text->data[kept] & 0xc0) == 0x80)
        kept--;
    text->size = kept;
    text->data[kept] = '\0';
    ob_buf_puts(text, ELLIPSIS);
}
