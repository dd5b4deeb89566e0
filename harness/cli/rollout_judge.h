/* rollout_judge.h - what follows for a plan from the results of its scenarios. */
#ifndef OB_CLI_ROLLOUT_JUDGE_H
#define OB_CLI_ROLLOUT_JUDGE_H

#include "report.h"
#include "scenario/rollout.h"

/*
 * A move is safe when neither it nor the phase that it leads to breaks an invariant that the phase
 * before it does not.  The way back is safe when it breaks none that neither of the two phases
 * breaks.  An order is safe when all of its moves are and in its last phase everything holds.
 *
 * Everything lives in the report's arena.
 */
const struct ob_report_rollout *ob_rollout_judge(struct ob_report *report,
                                                 const struct ob_rollout *rollout);

#endif
