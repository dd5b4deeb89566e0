/*
 * divergence.h - where a run that was made again first differs from its record, and how.
 *
 * What is compared of a step is what a replay goes by: who moved, what was done with what, the
 * rows, the SQLSTATE, who waits, who was woken, who stands at a gate, and what was noted.  The
 * texts of errors are shown and not compared, since a server may put ids into them.
 */
#ifndef OB_REPORTS_DIVERGENCE_H
#define OB_REPORTS_DIVERGENCE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "lanes.h"
#include "timeline.h"

#include <jansson.h>

struct ob_divergence {
    const struct ob_report_timeline *recorded; /* NULL: not kept, as with a token alone */
    const struct ob_report_timeline *now;
    size_t step; /* from 0; may be the one after the end of either */
    /* What a token tells of the recorded step when that is all there is: NULL, its record ends
     * before. */
    const char *client;
    const char *instead; /* why there is no such step now; "" or NULL: the run had ended */
};

/* How it differs, as words with commas between them: "rows, waits".  "" where nothing that is known
 * does, so that it must be what only the check of the step covers.  In the arena. */
const char *ob_divergence_differs(struct ob_arena *arena, const struct ob_divergence *divergence);

/* Appends both sides beside each other, as wide as options say and not wider than needed. */
void ob_divergence_draw(const struct ob_divergence *divergence,
                        const struct ob_lanes_options *options, struct ob_buf *out);

/* {"step", "differs", "recorded", "now"}, the last two as steps stand in results, or null. */
json_t *ob_divergence_json(const struct ob_divergence *divergence);

/* A run as it stands in results. */
json_t *ob_divergence_run_json(const struct ob_report_timeline *timeline);

#endif
