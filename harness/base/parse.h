/*
 * parse.h - checked parsers for what people type: whole numbers, durations, times, UTF-8, and the
 * word they meant.
 */
#ifndef OB_BASE_PARSE_H
#define OB_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole text is a decimal number in [min, max], or the result is false and *out untouched. */
bool ob_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);
bool ob_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out);

/* Compares two decimal numbers ("-12.50": a sign, digits, a point and digits), of any length,
 * exactly: *out is -1, 0 or 1.  False, and *out untouched, when one of them is not such a number,
 * as "1e3", "NaN" and ".5" are not. */
bool ob_parse_compare_decimals(const char *a, const char *b, int *out);

/* "250ms", "60s", "15min" or "2h" in microseconds; a bare number is refused. */
bool ob_parse_duration_us(const char *text, int64_t *out);

/* RFC 3339 UTC, "2026-06-01T10:00:00Z" (seconds and Z may be left out), in microseconds since 1970.
 * Years 1 to 9999; a day that is not in the calendar is refused. */
bool ob_parse_time_us(const char *text, int64_t *out);

/* The one of count words nearest to text (Damerau-Levenshtein; of equals the first), or NULL when
 * none is near enough to suggest. */
const char *ob_parse_nearest(const char *text, const char *const *words, size_t count);

/* True when data is valid UTF-8; otherwise *bad_offset is where the first wrong sequence begins. */
bool ob_parse_utf8(const char *data, size_t size, size_t *bad_offset);

#endif
