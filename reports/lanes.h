/*
 * lanes.h - a run drawn for a terminal: a line for each step, and beside it a lane for each client.
 *
 *     5 │ ●  bob    sql      UPDATE slot SET taken = true WHERE id = 1 → 1 row
 *     6 ◌╌┤  alice  sql      UPDATE slot SET taken = true WHERE id = 1 → waits for bob
 *     7 ┊ ●  bob    commit   COMMIT
 *       ○─┤  alice  goes on  1 row
 *
 * Lanes are there for those who make a step or of whom something is told, from their first line to
 * their last one.  Notes (answers, faults, the clock) have lines of their own.
 */
#ifndef OB_REPORTS_LANES_H
#define OB_REPORTS_LANES_H

#include "base/buf.h"
#include "timeline.h"

#define OB_LANES_NONE SIZE_MAX /* a step: none */

struct ob_lanes_options {
    bool color;
    bool unicode;
    int width; /* columns, fewer than 50 count as 50; INT_MAX: nothing is shortened */
    /* Steps from 0, or OB_LANES_NONE. */
    size_t first, second; /* the two in conflict; the same: none are */
    size_t other;         /* the first that is not as recorded */
};

/* Appends all of the run. */
void ob_lanes_draw(const struct ob_report_timeline *timeline,
                   const struct ob_lanes_options *options, struct ob_buf *out);

/* Appends the lines of one step, of a run that may go on: each of its clients has a lane. */
void ob_lanes_draw_step(const struct ob_report_timeline *timeline, size_t step,
                        const struct ob_lanes_options *options, struct ob_buf *out);

#endif
