/*
 * step.h - overbook replay --step: a recorded run walked through, one step at a time.
 *
 * Commands are read from standard input, a line each, from a terminal or a pipe.  Between two steps
 * nobody moves, so that the locks, and what each session sees, stand still.  To go back the run is
 * made again from the clean state; and so it is before it goes on where somebody has asked
 * something in a client's session, which may leave more there than can be taken back.
 */
#ifndef OB_CLI_STEP_H
#define OB_CLI_STEP_H

#include "cli/again.h"
#include "repro/replay.h"

/* Walks until the user goes away; *out is the last run, of which only a part may have been made,
 * and which then counts as diverged only where a step that was made is not as recorded. Interrupted
 * it is as if left. */
OB_MUSTCHECK enum ob_result ob_step_walk(const struct ob_options *options,
                                         const struct ob_again_run *run, struct ob_replay *out,
                                         struct ob_error *err);

#endif
