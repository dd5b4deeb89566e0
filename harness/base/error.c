/*
 * error.c - see error.h.  Every text is formatted into a scratch buffer before it is stored,
 * because callers quote an error in itself: ob_error_set(err, code, "…: %s", err->message).
 */
#include "base/error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const result_texts[] = {
#define OB_RESULT_TEXT(name, text) [OB_##name] = text,
    OB_RESULTS(OB_RESULT_TEXT)
#undef OB_RESULT_TEXT
};

const char *ob_result_text(enum ob_result code)
{
    size_t index = (size_t)code;
    assert(index < sizeof result_texts / sizeof *result_texts);
    return result_texts[index];
}

/* Copies text to out, of size bytes; too long, it is cut between characters and ends in "…". */
static void store(char *out, size_t size, const char *text)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t length = strlen(text);
    if (length < size) {
        memcpy(out, text, length + 1);
        return;
    }
    size_t kept = size - sizeof ellipsis;
    while (kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80)
        kept--;
    memcpy(out, text, kept);
    memcpy(out + kept, ellipsis, sizeof ellipsis);
}

static void format(char *out, size_t size, const char *fmt, va_list args)
{
    /* Longer than any of the texts, so that store() sees whether this one fits. */
    char scratch[sizeof(struct ob_error)];
    int length = vsnprintf(scratch, sizeof scratch, fmt, args);
    assert(length >= 0);
    store(out, size, scratch);
}

enum ob_result ob_error_set(struct ob_error *err, enum ob_result code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    format(err->message, sizeof err->message, fmt, args);
    va_end(args);
    err->code = code;
    err->sqlstate[0] = err->detail[0] = err->hint[0] = '\0';
    return code;
}

void ob_error_detail(struct ob_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    format(err->detail, sizeof err->detail, fmt, args);
    va_end(args);
}

void ob_error_hint(struct ob_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    format(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}

void ob_error_context(struct ob_error *err, const char *fmt, ...)
{
    char context[sizeof err->message];
    char whole[sizeof context + sizeof err->message + sizeof ": "];
    va_list args;
    va_start(args, fmt);
    format(context, sizeof context, fmt, args);
    va_end(args);
    int length = snprintf(whole, sizeof whole, "%s: %s", context, err->message);
    assert(length >= 0);
    store(err->message, sizeof err->message, whole);
}
