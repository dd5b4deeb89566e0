/*
 * cli.h - the commands of overbook, and what they share.  Only this folder prints and decides on
 * exit statuses.
 */
#ifndef OB_CLI_CLI_H
#define OB_CLI_CLI_H

#include "base/error.h"
#include "explore/strategy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ob_exit {
    OB_EXIT_EXPECTED = 0,
    OB_EXIT_UNEXPECTED = 1,   /* an expectation was not met */
    OB_EXIT_USAGE = 2,        /* usage, or a scenario that does not load */
    OB_EXIT_FAILED = 3,       /* the harness or the database failed */
    OB_EXIT_INCONCLUSIVE = 4, /* replay diverged, something uncontrolled, a budget ran out */
};

#define OB_INVARIANTS_MAX 64 /* on the command line */
#define OB_SETTINGS_MAX 16

enum ob_when { OB_AUTO, OB_ALWAYS, OB_NEVER };

/* Of which variants. */
enum ob_want { OB_WANT_ANY, OB_WANT_HOLDS, OB_WANT_VIOLATES };

/* The options of all commands; each command accepts those that mean something to it (options.c). */
struct ob_options {
    char *database_url;    /* a copy, for the process's life; NULL: the embedded server */
    bool disposable;       /* --disposable: mark the database of the URL */
    const char *variant;   /* NULL: all */
    enum ob_want expected; /* only variants of which this is expected */
    bool strategy_given;
    enum ob_strategy_kind strategy;
    unsigned strategy_argument;
    uint64_t runs;     /* 0: the scenario's wish, else OB_RUNS_DEFAULT */
    int64_t budget_us; /* for each scenario and variant; INT64_MAX: none */
    uint64_t seed;
    const unsigned *faults; /* NULL: the scenario's budget */
    unsigned faults_value;
    bool no_shrink;
    uint64_t shrink_runs; /* at most so many to make one violation small; 0: OB_SHRINK_RUNS */
    bool quick;           /* and nothing is made small */
    bool cures;           /* tried for what was expected too */
    bool no_cures;        /* for nothing */
    bool crosses;         /* cures are tried at each isolation level, with each setting */
    const char *settings[OB_SETTINGS_MAX]; /* "NAME=VALUE", beside the server's own */
    size_t setting_count;
    bool keep_going, require_exhausted, from_permutations;
    bool fail_fast; /* nothing more after a result that is not as expected */
    const char *invariants[OB_INVARIANTS_MAX]; /* "NAME: SQL", of specs */
    size_t invariant_count;
    const char *json, *junit, *html, *perfetto, *gitlab;
    bool github; /* annotations on standard output */
    enum ob_when progress, color;
    int verbosity;
    bool go_on, step;        /* of a replay: past what cannot be followed; one step at a time */
    bool regress;            /* a folder of specs and one of their output */
    const char *checkpoint;  /* a folder of journals; NULL: none */
    struct ob_shard shard;   /* count 0: all the work */
    size_t jobs;             /* workers; 0: the usual number */
    const char *as, *output; /* of export */
    const char *isolation;   /* the default level of specs; NULL: the server's */
    uint64_t given;          /* bits of the options with a value that came (options.c) */
    char **args;             /* what is no option */
    size_t arg_count;
};

#define OB_RUNS_DEFAULT 80

/* With --quick a variant that is to hold has the so manieth part of its runs.  One that is to be
 * broken keeps all, since it ends with the violation. */
#define OB_QUICK_PART 8

enum ob_command {
    OB_COMMAND_RUN = 1,
    OB_COMMAND_REPLAY = 2,
    OB_COMMAND_LIST = 4,
    OB_COMMAND_DOCTOR = 8,
    OB_COMMAND_SPEC = 16,
    OB_COMMAND_MERGE = 32,
    OB_COMMAND_REPORT = 64,
    OB_COMMAND_SHRINK = 128,
    OB_COMMAND_ROLLOUT = 256,
    OB_COMMAND_EXPORT = 512,
    OB_COMMAND_MATRIX = 1024
};

/* Parses argv (argv[0] is the command's name); prints help and errors itself and then exits. */
void ob_options_parse(enum ob_command command, int argc, char **argv, struct ob_options *out);

int ob_command_run(int argc, char **argv);
int ob_command_replay(int argc, char **argv);
int ob_command_shrink(int argc, char **argv);
int ob_command_rollout(int argc, char **argv);
int ob_command_matrix(int argc, char **argv);
int ob_command_list(int argc, char **argv);
int ob_command_spec(int argc, char **argv);
int ob_command_merge(int argc, char **argv);
int ob_command_report(int argc, char **argv);
int ob_command_export(int argc, char **argv);
int ob_command_doctor(int argc, char **argv);

/* Prints an error on standard error, and returns the exit status that it calls for. */
int ob_cli_error(const struct ob_error *err);

/* The status, or that of an error when not all that was printed has left standard output. */
int ob_cli_finish(int status);

/* Whether standard output, or standard error, shows colours and is a terminal. */
bool ob_cli_color(enum ob_when when, int fd);
int ob_cli_width(int fd);
bool ob_cli_unicode(void);

/* From here on SIGINT and SIGTERM, and what an owner sends its workers (SIGUSR1), cancel a setup or
 * a check and end what is under way at the next run; a second one kills. */
void ob_cli_catch_signals(void);
bool ob_cli_interrupted(void);
void ob_cli_say_interrupted(void); /* on standard error */

#endif
