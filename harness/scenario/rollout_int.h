/*
 * rollout_int.h - what the two halves of loading a plan share.
 *
 *   rollout.c           the plan: phases, moves, orders
 *   rollout_scenario.c  a scenario made of the plan and one of its traffics
 */
#ifndef OB_SCENARIO_ROLLOUT_INT_H
#define OB_SCENARIO_ROLLOUT_INT_H

#include "scenario/rollout.h"
#include "scenario/tree.h"

/* Loads the traffic of that number as a scenario; data is the plan's text. */
OB_MUSTCHECK enum ob_result ob_rollout_scenario(const struct ob_rollout *rollout, size_t traffic,
                                                const char *data, size_t size,
                                                struct ob_scenario **out, struct ob_error *err);

#endif
