/* progress.h - one line on standard error that says how far an exploration is. */
#ifndef OB_CLI_PROGRESS_H
#define OB_CLI_PROGRESS_H

#include "cli/cli.h"

struct ob_progress {
    bool shown;
    const char *scenario, *variant; /* borrowed */
    int64_t drawn_us;               /* machine time of the last drawing */
    bool dirty;                     /* there is a line to be wiped */
};

void ob_progress_init(struct ob_progress *progress, enum ob_when when, int verbosity);
void ob_progress_begin(struct ob_progress *progress, const char *scenario, const char *variant);
void ob_progress_end(struct ob_progress *progress); /* wipes the line */

/* Machine time, for saying how long something took. */
int64_t ob_progress_clock_us(void);

/* For ob_explore_options: false once the user has interrupted. */
bool ob_progress_tick(void *progress, uint64_t runs, size_t findings);

#endif
