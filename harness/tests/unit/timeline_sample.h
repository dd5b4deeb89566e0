/*
 * timeline_sample.h - a violation with all that a report can say about one: the run, the same made
 * small, why it happens, and what cures it.
 */
#ifndef OB_TESTS_TIMELINE_SAMPLE_H
#define OB_TESTS_TIMELINE_SAMPLE_H

#include "report.h"

/* Two customers book a slot that nothing guards; the violations share the run. */
void timeline_sample(struct ob_report *report);

#endif
