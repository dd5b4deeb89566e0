/*
 * clock.h - the monotonic clock for limits on waiting; nothing that a run shows depends on it.
 */
#ifndef OB_PG_CLOCK_H
#define OB_PG_CLOCK_H

#include <time.h>

static inline double ob_pg_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The whole milliseconds until deadline, rounded up; 0 once it has passed. */
static inline int ob_pg_clock_left_ms(double deadline)
{
    double left = deadline - ob_pg_clock_ms();

    return left <= 0 ? 0 : (int)left + 1;
}

#endif
