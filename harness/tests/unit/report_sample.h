/*
 * report_sample.h - a report with one result of every kind, for the renderers' tests, and what they
 * rendered as text.
 */
#ifndef OB_TESTS_REPORT_SAMPLE_H
#define OB_TESTS_REPORT_SAMPLE_H

#include "report.h"

/* Two scenarios as expected: one that is broken and fixed, one that holds in every schedule. */
void report_sample_good(struct ob_report *report);

/* The good ones, and after them a violation that was not expected, one that was expected and not
 * found, an inconclusive result, and an error. */
void report_sample_mixed(struct ob_report *report);

/* What the renderer writes; the caller frees.  NULL when it fails. */
char *report_sample_render(const struct ob_report *report, ob_report_renderer *renderer);

#endif
