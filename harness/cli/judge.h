/* judge.h - from what an exploration found to a verdict and a line of the report. */
#ifndef OB_CLI_JUDGE_H
#define OB_CLI_JUDGE_H

#include "cli/cli.h"
#include "explore/explore.h"
#include "report.h"
#include "scenario/scenario.h"

/* A new line of the report with what is known before anything has run. */
struct ob_report_result *ob_judge_begin(struct ob_report *report,
                                        const struct ob_scenario *scenario, size_t variant);

/* Fills the line in from the exploration. check names the invariants; server_version goes into
 * tokens. */
void ob_judge(struct ob_report *report, struct ob_report_result *result,
              const struct ob_scenario *scenario, size_t variant, const struct ob_rig *rig,
              const struct ob_exploration *exploration, unsigned server_version,
              bool require_exhausted);

/* Fills it in when the exploration failed. */
void ob_judge_error(struct ob_report *report, struct ob_report_result *result,
                    const struct ob_error *err);

#endif
