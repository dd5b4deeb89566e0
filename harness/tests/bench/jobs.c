/*
 * jobs.c - the whole built-in set as a user runs it, each variant with its usual number of runs, by
 * one worker and by two: from the first process's start to the last one's end.
 */
#include "bench.h"

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 2

/* A command of overbook leaves signals and options set, so it has a process of its own. */
static _Noreturn void run_all(char *jobs)
{
    char run[] = "run", scenarios[] = "scenarios", keep_going[] = "--keep-going", quiet[] = "-q",
         no_shrink[] = "--no-shrink", option[] = "--jobs";
    char *argv[] = {run, scenarios, keep_going, no_shrink, quiet, option, jobs, NULL};
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        _exit(OB_EXIT_FAILED);
    exit(ob_command_run((int)(sizeof argv / sizeof *argv) - 1, argv));
}

static double seconds_of(char *jobs)
{
    double started = ob_bench_seconds();
    int status = -1;
    (void)fflush(NULL); /* or both would print what is not printed yet */
    pid_t child = fork();
    if (child == 0)
        run_all(jobs);
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "overbook-bench: overbook run --jobs %s failed\n", jobs);
        exit(3);
    }
    return ob_bench_seconds() - started;
}

void ob_bench_jobs(json_t *figures)
{
    char one[] = "1", two[] = "2";
    double one_s = 0, two_s = 0;
    for (int round = 0; round < ROUNDS; round++) {
        one_s += seconds_of(one);
        two_s += seconds_of(two);
    }
    ob_bench_report(figures, "the built-in set, two workers against one", "1/min",
                    60 * ROUNDS / two_s, 60 * ROUNDS / one_s);
}
