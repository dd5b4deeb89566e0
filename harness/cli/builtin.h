/* builtin.h - where the scenarios that come with overbook are. */
#ifndef OB_CLI_BUILTIN_H
#define OB_CLI_BUILTIN_H

#include "cli/cli.h"
#include "scenario/scenario.h"

/* Loads the paths, or the built-in set when there are none: the folder $OVERBOOK_SCENARIOS, else
 * the one installed beside this program, else that of the source tree which this program was built
 * in. */
OB_MUSTCHECK enum ob_result ob_builtin_load(const struct ob_options *options, char *const *paths,
                                            size_t count, struct ob_scenario_list *out,
                                            struct ob_error *err);

/* Where they are; the caller's to free.  NULL when they were not found. */
char *ob_builtin_folder(void);

/* The path of the booking flow's own rollout plan, the same way. */
char *ob_builtin_plan(void);

/* OB_USAGE when --variant names one that no scenario of the list has. */
OB_MUSTCHECK enum ob_result ob_builtin_check_variant(const struct ob_scenario_list *list,
                                                     const struct ob_options *options,
                                                     struct ob_error *err);

#endif
