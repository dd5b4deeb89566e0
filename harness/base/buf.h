/*
 * buf.h - a growing text buffer with a declared maximum and a sticky failure.
 *
 * What would go past the maximum is left out as a whole and breaks the buffer: every later
 * operation is a no-op, and one check at the end (ob_buf_failed) tells.  The text is always
 * NUL-terminated.
 */
#ifndef OB_BASE_BUF_H
#define OB_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct ob_buf {
    char *data; /* size bytes and a NUL; owned */
    size_t size, capacity, size_max;
    bool failed;
};

void ob_buf_init(struct ob_buf *buf, size_t size_max); /* at most size_max bytes of text */
void ob_buf_clear(struct ob_buf *buf);
void ob_buf_reset(struct ob_buf *buf); /* empty, not failed, memory kept */
void ob_buf_add(struct ob_buf *buf, const void *data, size_t size);
void ob_buf_puts(struct ob_buf *buf, const char *text);
void ob_buf_putc(struct ob_buf *buf, char c);
void ob_buf_printf(struct ob_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text on one line, each run of white space as one blank and none at its ends; one of more than
 * size_max bytes is cut between characters and ends in "…". */
void ob_buf_put_line(struct ob_buf *buf, const char *text, size_t size_max);
bool ob_buf_failed(const struct ob_buf *buf);

/* The text, now the caller's to free; the buffer is as after ob_buf_clear. */
char *ob_buf_take(struct ob_buf *buf);

#endif
