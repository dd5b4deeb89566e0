/*
 * claim.h - what follows from runs in which nothing was found.
 */
#ifndef OB_EXPLORE_CLAIM_H
#define OB_EXPLORE_CLAIM_H

#include "explore/strategy.h"

#define OB_CLAIM_PERCENT 99 /* a confidence is claimed from here on */

/* How many runs pct must make before not having found a bug of its depth means, with a confidence
 * of OB_CLAIM_PERCENT, that there is none: ln(1 - c) / ln(1 - p), where p is the probability that a
 * run finds it (Burckhardt and others, ASPLOS 2010).  UINT64_MAX where no number of runs will do.
 */
uint64_t ob_claim_runs(size_t clients, uint64_t steps, unsigned depth);

/* Whether the promise has been kept for so many runs. */
bool ob_claim_confident(const struct ob_strategy_promise *promise);

/* The share of all runs to come, of about, that show what no run has shown: of run_count runs once
 * ones were the only of their kind. */
double ob_claim_unseen(uint64_t once, uint64_t run_count);

#endif
