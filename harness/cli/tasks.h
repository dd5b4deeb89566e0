/* tasks.h - variants explored by a crew that is there for them alone, with a line that says how far
 * they are. */
#ifndef OB_CLI_TASKS_H
#define OB_CLI_TASKS_H

#include "cli/crew.h"
#include "cli/progress.h"

struct ob_tasks {
    struct ob_crew_task *items; /* owned: free() */
    size_t count, capacity;
};

/* The new task is valid until the next one is added. */
struct ob_crew_task *ob_tasks_add(struct ob_tasks *tasks, const struct ob_scenario *scenario,
                                  size_t variant);

/* Has them done, their lines added to the report.  OB_INTERRUPTED: some may lack. */
OB_MUSTCHECK enum ob_result ob_tasks_run(const struct ob_tasks *tasks,
                                         const struct ob_options *options,
                                         struct ob_progress *progress, struct ob_report *report,
                                         struct ob_error *err);

#endif
