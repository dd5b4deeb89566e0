/* progress.h - one line on standard error that says how far an exploration is. */
#ifndef OB_CLI_PROGRESS_H
#define OB_CLI_PROGRESS_H

#include "base/buf.h"
#include "cli/cli.h"
#include "explore/explore.h"

struct ob_progress {
    bool shown;
    bool bar;                       /* on a terminal */
    const char *scenario, *variant; /* borrowed */
    int64_t begun_us, drawn_us;     /* machine time of its begin and of the last drawing */
    bool dirty;                     /* there is a line to be wiped */
};

void ob_progress_init(struct ob_progress *progress, enum ob_when when, int verbosity);
void ob_progress_begin(struct ob_progress *progress, const char *scenario, const char *variant);
void ob_progress_end(struct ob_progress *progress); /* wipes the line */

/* Machine time, for saying how long something took. */
int64_t ob_progress_clock_us(void);

/* For ob_explore_options: false once the user has interrupted. */
bool ob_progress_tick(void *progress, const struct ob_explored *explored);

/* Appends "[#####-----] 47 %, about 2 min left" of a share that took so long; without the bar when
 * there is to be none, and nothing of a share that is not known (0). */
void ob_progress_describe(double share, int64_t spent_us, bool bar, struct ob_buf *out);

#endif
