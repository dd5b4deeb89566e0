/* buf.c - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define OB_BUF_CAPACITY_MIN ((size_t)128)

static void check(const struct ob_buf *buf)
{
    assert(buf->data);
    assert(buf->size < buf->capacity);
    assert(buf->size <= buf->size_max);
    assert(buf->data[buf->size] == '\0');
}

void ob_buf_init(struct ob_buf *buf, size_t size_max)
{
    *buf = (struct ob_buf){.size_max = size_max, .capacity = OB_BUF_CAPACITY_MIN};
    buf->data = ob_alloc(buf->capacity);
}

void ob_buf_clear(struct ob_buf *buf)
{
    free(buf->data);
    *buf = (struct ob_buf){0};
}

void ob_buf_reset(struct ob_buf *buf)
{
    check(buf);
    buf->size = 0;
    buf->data[0] = '\0';
    buf->failed = false;
}

/* Makes room for size more bytes and a NUL; when that is over the maximum, breaks the buffer. */
static bool reserve(struct ob_buf *buf, size_t size)
{
    check(buf);
    if (buf->failed)
        return false;
    if (size > buf->size_max - buf->size) {
        buf->failed = true;
        return false;
    }
    buf->data = ob_grow(buf->data, &buf->capacity, buf->size + size + 1, 1);
    return true;
}

void ob_buf_add(struct ob_buf *buf, const void *data, size_t size)
{
    if (size == 0 || !reserve(buf, size))
        return;
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void ob_buf_puts(struct ob_buf *buf, const char *text)
{
    ob_buf_add(buf, text, strlen(text));
}

void ob_buf_putc(struct ob_buf *buf, char c)
{
    ob_buf_add(buf, &c, 1);
}

void ob_buf_printf(struct ob_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    assert(length >= 0);
    if (reserve(buf, (size_t)length)) {
        vsnprintf(buf->data + buf->size, (size_t)length + 1, fmt, again);
        buf->size += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

void ob_buf_put_line(struct ob_buf *buf, const char *text, size_t size_max)
{
    size_t size = 0;
    bool blank = false;
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr(" \t\r\n\f", *c)) {
            blank = size > 0;
            continue;
        }
        if (blank) {
            ob_buf_putc(buf, ' ');
            size++;
        }
        blank = false;
        if (size >= size_max && ((unsigned char)*c & 0xc0) != 0x80) {
            ob_buf_puts(buf, "…");
            return;
        }
        ob_buf_putc(buf, *c);
        size++;
    }
}

bool ob_buf_failed(const struct ob_buf *buf)
{
    return buf->failed;
}

char *ob_buf_take(struct ob_buf *buf)
{
    check(buf);
    char *text = buf->data;
    *buf = (struct ob_buf){0};
    return text;
}
