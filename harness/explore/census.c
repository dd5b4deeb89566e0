#include "explore/census.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void ob_census_next(struct ob_census *census, uint64_t run)
{
    struct ob_census_count *most = &census->most;
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        most->steps[i] = larger(most->steps[i], census->now.steps[i]);
    most->decisions = larger(most->decisions, census->now.decisions);
    if (run <= OB_CENSUS_RUNS && (run & (run - 1)) == 0)
        census->known = *most;
    ob_census_restart(census);
}

void ob_census_restart(struct ob_census *census)
{
    census->now = (struct ob_census_count){0};
}

void ob_census_step(struct ob_census *census, const struct ob_choice_point *point, size_t option)
{
    census->now.steps[point->clients[option]]++;
    census->now.decisions += point->option_count > 1;
}
