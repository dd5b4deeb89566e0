/*
 * report_sample.h - a report with one result of every kind, for the renderers' tests, and what they
 * rendered as text.
 */
#ifndef OB_TESTS_REPORT_SAMPLE_H
#define OB_TESTS_REPORT_SAMPLE_H

#include "report.h"

#include <jansson.h>

/* Two scenarios as expected: one that is broken and fixed, one that holds in every schedule. */
void report_sample_good(struct ob_report *report);

/* The good ones, and after them a violation that was not expected, one that was expected and not
 * found, an inconclusive result, and an error. */
void report_sample_mixed(struct ob_report *report);

/* What the renderer writes; the caller frees.  NULL when it fails. */
char *report_sample_render(const struct ob_report *report, ob_report_renderer *renderer);

/* The same read again: valid JSON, in which no key stands twice.  The caller's. */
json_t *report_sample_json(const struct ob_report *report, ob_report_renderer *renderer);

/* The renderer's writing onto a full disk is this error. */
void report_sample_full_disk(ob_report_renderer *renderer, const char *message);

#endif
