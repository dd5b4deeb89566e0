/* violation.h - what an exploration found, and the smallest run that shows it, for the report. */
#ifndef OB_CLI_VIOLATION_H
#define OB_CLI_VIOLATION_H

#include "cli/judge.h"

/* Fills in the violation at that place, those before it being filled, from the finding of that
 * index. */
void ob_violation_add(struct ob_report *report, struct ob_report_result *result, size_t place,
                      const struct ob_judge_case *judged, size_t index);

/* The finding's token; the caller's to free. */
char *ob_violation_token(const struct ob_finding *finding, const struct ob_scenario *scenario,
                         size_t variant, unsigned server_version);

/* The command that replays it.  file: the scenario's, which must be named; NULL: it is built in.  A
 * spec has no invariants of its own, so those that were given are given again. */
const char *ob_violation_replay(struct ob_arena *arena, const char *token, const char *file,
                                const char *const *invariants, size_t invariant_count);

#endif
