/*
 * conninfo.h - connection strings in libpq's keyword form, put together piece by piece.
 */
#ifndef OB_PG_CONNINFO_H
#define OB_PG_CONNINFO_H

#include "base/buf.h"

#define OB_PG_CONNINFO_MAX (64u << 10) /* for the buffer */

/* Appends keyword='value', quoted as libpq reads it, and a space. */
static inline void ob_pg_conninfo_add(struct ob_buf *text, const char *keyword, const char *value)
{
    ob_buf_printf(text, "%s='", keyword);
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            ob_buf_putc(text, '\\');
        ob_buf_putc(text, *value);
    }
    ob_buf_puts(text, "' ");
}

#endif
