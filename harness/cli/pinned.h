/* pinned.h - scenarios that are one run and no other: explore: {schedule: TOKEN}. */
#ifndef OB_CLI_PINNED_H
#define OB_CLI_PINNED_H

#include "cli/cli.h"
#include "repro/token.h"
#include "scenario/scenario.h"

/* Whether that one run is what was asked for: a strategy on the command line wins. */
bool ob_pinned_is(const struct ob_options *options, const struct ob_scenario *scenario);

/* The scenario's run.  Its token was recorded of another file, of which this one is a copy, so the
 * hash in it says nothing here.  OB_INPUT: it is no token, or of a variant that is not there.
 * *out is the caller's to clear on OB_OK only. */
OB_MUSTCHECK enum ob_result ob_pinned_read(const struct ob_scenario *scenario, struct ob_token *out,
                                           struct ob_error *err);

/* Whether the variant is not the one that the run is of. */
bool ob_pinned_skips(const struct ob_options *options, const struct ob_scenario *scenario,
                     size_t variant);

#endif
