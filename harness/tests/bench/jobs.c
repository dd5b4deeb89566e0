/*
 * jobs.c - the built-in set as a user runs it, by two workers: all of it, and the part that is for
 * every push.  And two workers against one, on one family of it with nothing made small, so that it
 * is the runs that count, and not how the last and longest of them end.  Each from the first
 * process's start to the last one's end.
 */
#include "bench.h"

#include "base/alloc.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 12

/* A command of overbook leaves signals and options set, so it has a process of its own. */
static _Noreturn void run(int argc, char **argv)
{
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        _exit(OB_EXIT_FAILED);
    exit(ob_command_run(argc, argv));
}

/* Of "overbook run" with the words, which are parted by one blank each; all is as expected. */
static double seconds_of(const char *words)
{
    char *text = ob_asprintf("run %s", words), *argv[ARGS_MAX + 1] = {NULL};
    int argc = 0;
    for (char *rest = text, *word; argc < ARGS_MAX && (word = strsep(&rest, " "));)
        argv[argc++] = word;
    double started = ob_bench_seconds();
    int status = -1;
    (void)fflush(NULL); /* or both would print what is not printed yet */
    pid_t child = fork();
    if (child == 0)
        run(argc, argv);
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "overbook-bench: overbook run %s failed\n", words);
        exit(3);
    }
    free(text);
    return ob_bench_seconds() - started;
}

#define FAMILY \
    "scenarios/concurrent-booking -q --runs 200 --strategy random --keep-going --no-shrink "

void ob_bench_jobs(json_t *figures)
{
    double two_s = seconds_of(FAMILY "--jobs 2"), one_s = seconds_of(FAMILY "--jobs 1");
    ob_bench_report(figures, "concurrent-booking, two workers against one", "1/min", 60 / two_s,
                    60 / one_s);
    ob_bench_report(figures, "the built-in set with --quick", "s",
                    seconds_of("scenarios -q --jobs 2 --quick"), 0);
    ob_bench_report(figures, "the built-in set", "s", seconds_of("scenarios -q --jobs 2"), 0);
}
