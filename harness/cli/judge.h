/*
 * judge.h - from what an exploration found to a verdict and a line of the report.
 *
 * A violation that replays are the same for decides, whatever else happened.  Where none decides,
 * the exploration must have been what was asked for: a violation that could not be made again, a
 * run that proved nothing, an interruption, no run at all or, if it was required, schedules that
 * were not tried make it inconclusive.  A wake that the server chose is reported, and makes a
 * result inconclusive only through one of these.
 */
#ifndef OB_CLI_JUDGE_H
#define OB_CLI_JUDGE_H

#include "explore/explore.h"
#include "report.h"
#include "scenario/scenario.h"

struct ob_study;

struct ob_judge_case {
    const struct ob_scenario *scenario;
    size_t variant;
    const struct ob_rig *rig;
    const struct ob_exploration *exploration;
    const struct ob_study *studies; /* of each finding; NULL: of none */
    unsigned server_version;        /* goes into tokens */
    bool named;                     /* not built in: a replay must name the scenario's file */
    bool require_exhausted;
    bool is_part;                  /* a shard's: what it did not find another one may */
    const char *const *invariants; /* that specs were given */
    size_t invariant_count;
};

/* A new line of the report with what is known before anything has run. */
struct ob_report_result *ob_judge_begin(struct ob_report *report,
                                        const struct ob_scenario *scenario, size_t variant);

/* Fills the line in. */
void ob_judge(struct ob_report *report, struct ob_report_result *result,
              const struct ob_judge_case *judged);

/* What is to be said where the expectation was not met, that this invariant is broken (NULL: that
 * all hold).  within_bound: all schedules of at most so many preemptions were run. */
const char *ob_judge_unexpected(struct ob_arena *arena, const struct ob_report_result *result,
                                const char *violates, bool within_bound);

/* What is to be said of a variant that holds where no run reached what some were to; else NULL. */
const char *ob_judge_unreached(struct ob_arena *arena, const struct ob_report_result *result);

/* What follows from every class of schedules having been run, and from all of at most bound
 * preemptions; "" where they were not.  footprints: the server tells what statements touch. */
const char *ob_judge_whole_claim(const struct ob_report_result *result, bool footprints);
const char *ob_judge_bound_claim(struct ob_arena *arena, const struct ob_report_result *result,
                                 bool within_bound, unsigned bound);

/* Whether a violation of that invariant (NULL: of any) was found, and was the same each time. */
bool ob_judge_confirmed(const struct ob_report_result *result, const char *invariant);

/* Fills it in when the exploration failed: inconclusive when a client did not come back (OB_STUCK)
 * or the user interrupted, else an error. */
void ob_judge_error(struct ob_report *report, struct ob_report_result *result,
                    const struct ob_error *err);

#endif
