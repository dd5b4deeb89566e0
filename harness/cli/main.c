#include "base/parse.h"
#include "base/version.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"run", ob_command_run, "explore scenarios, check their invariants, report"},
    {"replay", ob_command_replay, "run one schedule again and compare it with its record"},
    {"shrink", ob_command_shrink, "make a run that breaks an invariant as small as it gets"},
    {"export", ob_command_export, "write a run as a spec, or as other tools can run it"},
    {"matrix", ob_command_matrix, "try cures at each isolation level"},
    {"rollout", ob_command_rollout, "say which orders of deployment are safe"},
    {"spec", ob_command_spec, "run PostgreSQL isolation specs, printing isolationtester's output"},
    {"merge", ob_command_merge, "make one result of the shards' results"},
    {"report", ob_command_report, "show a stored result, and write it in other forms"},
    {"list", ob_command_list, "scenarios, their variants and what is expected of them"},
    {"doctor", ob_command_doctor, "what was found, what is controlled, what is missing"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_usage(FILE *out)
{
    fprintf(out, "overbook tries to double-book a booking system, one step at a time.\n\n"
                 "Usage: overbook COMMAND [OPTION…]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].about);
    fprintf(out, "\n\"overbook COMMAND --help\" tells the options.\n");
}

/* No file or socket may get the number of a standard stream that is closed, or what is printed
 * would end up in it.  Opened the wrong way round, so that printing is an error still. */
static void fill_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

int main(int argc, char **argv)
{
    fill_closed_streams();
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE,
           SIG_IGN); /* a reader that went away is a failed write, and the server is stopped */
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("overbook %s\n", OB_VERSION);
        return ob_cli_finish(OB_EXIT_EXPECTED);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return ob_cli_finish(OB_EXIT_EXPECTED);
    }
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
        if (strcmp(name, names[i]) != 0)
            continue;
        char title[64];
        snprintf(title, sizeof title, "overbook %s", name);
        argv[1] = title; /* what help and errors call the program */
        return commands[i].run(argc - 1, argv + 1);
    }
    if (argc < 2) {
        print_usage(stderr);
        return OB_EXIT_USAGE;
    }
    const char *nearest = ob_parse_nearest(name, names, COMMAND_COUNT);
    fprintf(stderr, "overbook: unknown command \"%s\"\n", name);
    if (nearest)
        fprintf(stderr, "  Hint: did you mean \"%s\"?\n", nearest);
    fprintf(stderr, "  \"overbook --help\" lists the commands.\n");
    return OB_EXIT_USAGE;
}
