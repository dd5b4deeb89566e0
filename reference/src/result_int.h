/*
 * result_int.h - reading a PGresult, shared by the library's own files.
 */
#ifndef BOOKING_RESULT_INT_H
#define BOOKING_RESULT_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <libpq-fe.h>

#include "booking/error.h"

/* The SQLSTATE of a result, "" when it has none. */
const char *booking_result_sqlstate(const PGresult *result);

/* A column of the first row by its name; it must exist.  NULL when there is no row or it is null.
 */
const char *booking_result_text(const PGresult *result, const char *column);

/* The same as a number, 0 for NULL, and as a truth value, false for NULL. */
int64_t booking_result_int(const PGresult *result, const char *column);
bool booking_result_bool(const PGresult *result, const char *column);

/* Copies a text into a field of fixed size; NULL leaves "".  What does not fit is cut. */
void booking_copy_text(char *out, size_t size, const char *text);

/* Fills err from a failed result: what was attempted, and the server's three texts. */
void booking_error_from_result(struct booking_error *err, const PGresult *result,
                               const char *attempted);

/* A number as a parameter of a statement. */
struct booking_number {
    char text[24];
};
struct booking_number booking_number(int64_t value);

#endif
