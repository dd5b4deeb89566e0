/*
 * crew.h - the workers of "overbook run": variants explored side by side, their results in order.
 *
 * A worker is a process, since libfiu's points of failure are one table for a process, with a
 * server of its own, since more than databases can tell of each other within a server: names of
 * prepared transactions, waits for safe snapshots, roles, object identifiers.  So a result is the
 * same whatever goes on beside it.  On a server of the user's a worker has a session of its own,
 * and for each variant a database.
 *
 * Results come as JSON (report.h), also from a single worker, so that what is said does not depend
 * on how many there are.
 */
#ifndef OB_CLI_CREW_H
#define OB_CLI_CREW_H

#include "cli/cli.h"
#include "explore/explore.h"
#include "report.h"
#include "scenario/scenario.h"

struct ob_crew_task {
    const struct ob_scenario *scenario;
    size_t variant;
    bool tells_requests; /* what became of each beside a migration (requests.h) */
};

struct ob_crew;

/* Starts workers, one for each job but not more than tasks, and waits until each has its server.
 * Before any thread; signals are caught from then on, and the caller asks ob_cli_interrupted().
 * The options and tasks are borrowed for the crew's life. */
OB_MUSTCHECK enum ob_result ob_crew_open(const struct ob_options *options,
                                         const struct ob_crew_task *tasks, size_t task_count,
                                         struct ob_crew **out, struct ob_error *err);
void ob_crew_close(struct ob_crew *crew); /* NULL is legal */

/* Fills in what the report says of all: the server, the seed, and what is in overbook's hands as
 * far as no line says otherwise. */
void ob_crew_describe(const struct ob_crew *crew, struct ob_report *report);

struct ob_crew_listener {
    void *arg;
    /* A task is the first that is under way, and how far it is. */
    void (*begin)(void *arg, const struct ob_crew_task *task);
    void (*tick)(void *arg, const struct ob_explored *explored);
    bool ticks; /* the latter is wanted */
    /* The next line was added to the report.  False: no more are wanted. */
    bool (*line)(void *arg);
};

/* Has the tasks done, and their lines added to the report in the order of the tasks.  An error is
 * what ended everything at the report's last line.  Once only. */
OB_MUSTCHECK enum ob_result ob_crew_run(struct ob_crew *crew, struct ob_report *report,
                                        const struct ob_crew_listener *listener,
                                        struct ob_error *err);

#endif
