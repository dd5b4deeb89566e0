/*
 * jobs.c - the whole built-in set as a user runs it, with its usual budgets and all that comes
 * after a violation: by two workers, which is the usual number on two processors, by one, and the
 * part of it that is for every push.  Each from the first process's start to the last one's end.
 */
#include "bench.h"

#include "cli/cli.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A command of overbook leaves signals and options set, so it has a process of its own. */
static _Noreturn void run_all(char *jobs, bool quick)
{
    char run[] = "run", scenarios[] = "scenarios", quiet[] = "-q", option[] = "--jobs",
         part[] = "--quick";
    char *argv[] = {run, scenarios, quiet, option, jobs, quick ? part : NULL, NULL};
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        _exit(OB_EXIT_FAILED);
    exit(ob_command_run(quick ? 6 : 5, argv));
}

static double seconds_of(char *jobs, bool quick)
{
    double started = ob_bench_seconds();
    int status = -1;
    (void)fflush(NULL); /* or both would print what is not printed yet */
    pid_t child = fork();
    if (child == 0)
        run_all(jobs, quick);
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "overbook-bench: overbook run --jobs %s failed\n", jobs);
        exit(3);
    }
    return ob_bench_seconds() - started;
}

void ob_bench_jobs(json_t *figures)
{
    char one[] = "1", two[] = "2";
    double quick_s = seconds_of(two, true), two_s = seconds_of(two, false),
           one_s = seconds_of(one, false);
    ob_bench_report(figures, "the built-in set with --quick", "s", quick_s, 0);
    ob_bench_report(figures, "the built-in set", "s", two_s, 0);
    ob_bench_report(figures, "the built-in set, two workers against one", "1/min", 60 / two_s,
                    60 / one_s);
}
