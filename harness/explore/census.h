/*
 * census.h - how many steps each client makes and how many of them were chosen among several, as
 * far as was seen.
 *
 * What runs go by is brought up to date before the runs whose numbers are powers of two, and for
 * the last time before number OB_CENSUS_RUNS: so all runs from there on depend on the seed and on
 * their own number only.  Each shard makes the runs before that, also those that do not count.
 */
#ifndef OB_EXPLORE_CENSUS_H
#define OB_EXPLORE_CENSUS_H

#include "engine/choice.h"

#define OB_CENSUS_RUNS 8 /* a power of two */

struct ob_census_count {
    uint64_t steps[OB_CLIENTS_MAX];
    uint64_t decisions; /* steps that were chosen among two clients or more */
};

struct ob_census {
    struct ob_census_count now;   /* of the present run */
    struct ob_census_count most;  /* the most of any run so far */
    struct ob_census_count known; /* what the present run goes by; 0: nothing yet */
};

void ob_census_next(struct ob_census *census, uint64_t run); /* from 0, in order */
void ob_census_restart(struct ob_census *census);
void ob_census_step(struct ob_census *census, const struct ob_choice_point *point, size_t option);

#endif
