/* violation.h - what an exploration found, and the smallest run that shows it, for the report. */
#ifndef OB_CLI_VIOLATION_H
#define OB_CLI_VIOLATION_H

#include "cli/judge.h"

/* Fills in the violation at that place, those before it being filled, from the finding of that
 * index. */
void ob_violation_add(struct ob_report *report, struct ob_report_result *result, size_t place,
                      const struct ob_judge_case *judged, size_t index);

#endif
