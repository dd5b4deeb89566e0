/*
 * share.h - how much of a tree of choices a search has been through.
 *
 * Each choice gives each of its options the same part of what it has itself: the product of
 * 1 / options along a run's path is the run's part (Knuth, Mathematics of Computation 1975).  The
 * parts of all runs sum up to 1, so those of the runs that have been are the share that is done,
 * and their number divided by it is an estimate of how many there are in all.  Depth first the
 * sum need not be kept: along the path, it is the options that come before the one taken.
 */
#ifndef OB_EXPLORE_SHARE_H
#define OB_EXPLORE_SHARE_H

#include <stddef.h>

struct ob_share {
    double done; /* the parts of the runs that are no continuation of the path so far */
    double rest; /* the path's own part */
};

struct ob_share ob_share_begin(void);

/* The next choice of the path: so many of its options have been searched, and the present one is
 * another. */
void ob_share_choice(struct ob_share *share, size_t searched, size_t options);

/* With the run at the end of the path: in (0, 1]. */
double ob_share_end(const struct ob_share *share);

#endif
