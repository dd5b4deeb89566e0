/*
 * report_int.h - what the renderers share: how a result counts, and texts from outside (SQL, names,
 * rows of the tested application) made fit for the format they go into.  A text that is NULL counts
 * as "".  What is made of it lives in the arena.
 */
#ifndef OB_REPORTS_REPORT_INT_H
#define OB_REPORTS_REPORT_INT_H

#include "report.h"

#define OB_REPORT_WIDTH_MIN 50 /* columns */

/* How a result counts: as one of the four that a summary counts. */
enum ob_standing { OB_AS_EXPECTED, OB_UNEXPECTED, OB_UNDECIDED, OB_BROKE_OFF };
enum ob_standing ob_report_standing(const struct ob_report_result *result);

/* Whether two results are variants of one scenario. */
bool ob_report_same_scenario(const struct ob_report_result *a, const struct ob_report_result *b);

/* Valid UTF-8: each byte that is part of no character becomes U+FFFD. */
const char *ob_report_utf8(struct ob_arena *arena, const char *text);

/* The same, and only characters that XML 1.0 (section 2.2) can carry; others become U+FFFD. */
const char *ob_report_xml(struct ob_arena *arena, const char *text);

/* One line of visible characters for a terminal: white space becomes one space, control characters
 * (a terminal would obey them) and, without unicode, what is not ASCII become "?". */
const char *ob_report_line(struct ob_arena *arena, const char *text, bool unicode);

/* The same with each white space as a space of its own. */
const char *ob_report_spaced(struct ob_arena *arena, const char *text, bool unicode);

/* Appends the text, in the colour of an SGR code ("31") where there are to be colours. */
void ob_report_coloured(const struct ob_table_options *options, const char *code, const char *text,
                        struct ob_buf *out);

/* The line, shortened with an ellipsis when it has more than so many columns. */
const char *ob_report_fit(struct ob_arena *arena, const char *line, size_t columns, bool unicode);

/* How many violations, from the index on, were found in the same run. */
size_t ob_report_same_run(const struct ob_report_result *result, size_t first);

/* Columns of a line that ob_report_line made, one for each character. */
size_t ob_report_columns(const char *line);

/* The bytes of a line's first columns characters, or of all of it. */
size_t ob_report_prefix(const char *line, size_t columns);

/* The bytes of a line to print in so many columns: up to a space where there is one. */
size_t ob_report_wrap_at(const char *line, size_t columns);

/* A failed fwrite, fflush or fclose in the words of errno. */
enum ob_result ob_report_write_error(struct ob_error *err, const char *what);

#endif
