/*
 * error.c - texts of an error, cut to their fields.
 */
#include "booking/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void booking_error_set(struct booking_error *err, const char *fmt, ...)
{
    va_list args;

    memset(err, 0, sizeof *err);
    va_start(args, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
}

void booking_error_detail(struct booking_error *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err->detail, sizeof err->detail, fmt, args);
    va_end(args);
}

void booking_error_hint(struct booking_error *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}
