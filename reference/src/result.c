/*
 * result.c - reading a PGresult.
 */
#include "result_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *booking_result_sqlstate(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return sqlstate ? sqlstate : "";
}

const char *booking_result_text(const PGresult *result, const char *column)
{
    int number = PQfnumber(result, column);

    if (PQntuples(result) == 0)
        return NULL;
    assert(number >= 0);
    return PQgetisnull(result, 0, number) ? NULL : PQgetvalue(result, 0, number);
}

int64_t booking_result_int(const PGresult *result, const char *column)
{
    const char *text = booking_result_text(result, column);

    return text ? strtoll(text, NULL, 10) : 0;
}

bool booking_result_bool(const PGresult *result, const char *column)
{
    const char *text = booking_result_text(result, column);

    return text && text[0] == 't';
}

void booking_copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

void booking_error_from_result(struct booking_error *err, const PGresult *result,
                               const char *attempted)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

    booking_error_set(err, "could not %s: %s", attempted, message ? message : "no answer");
    booking_copy_text(err->sqlstate, sizeof err->sqlstate, booking_result_sqlstate(result));
    if (detail)
        booking_error_detail(err, "%s", detail);
    if (hint)
        booking_error_hint(err, "%s", hint);
}

struct booking_number booking_number(int64_t value)
{
    struct booking_number number;

    snprintf(number.text, sizeof number.text, "%" PRId64, value);
    return number;
}
