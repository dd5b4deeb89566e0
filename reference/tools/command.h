/*
 * command.h - what the commands share: the database's URL, and how an error is told.
 *
 * Exit statuses: 0 done, 1 the answer is no (dirty rows), 2 usage, 3 the database failed.
 */
#ifndef BOOKING_COMMAND_H
#define BOOKING_COMMAND_H

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "booking.h"

enum { COMMAND_DONE = 0, COMMAND_NO = 1, COMMAND_USAGE = 2, COMMAND_DATABASE = 3 };

struct command {
    const char *url;
    char *words[2]; /* arguments, NULL where there is none */
    double every_s; /* booking-cleanup only */
};

#define COMMAND_URL_OPTION                                                       \
    {                                                                            \
        "database-url", 'd', "URL", 0, "the database; default: $DATABASE_URL", 0 \
    }

/* Takes the URL and up to two words; for an argp parser. */
static inline error_t command_parse(int key, char *arg, struct argp_state *state)
{
    struct command *command = state->input;

    if (key == 'd')
        command->url = arg;
    else if (key == ARGP_KEY_ARG && state->arg_num < 2)
        command->words[state->arg_num] = arg;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

/* Prints the three texts of an error. */
static inline int command_fail(const char *program, const struct booking_error *err, int status)
{
    fprintf(stderr, "%s: %s\n", program, err->message);
    if (err->detail[0])
        fprintf(stderr, "  detail: %s\n", err->detail);
    if (err->hint[0])
        fprintf(stderr, "  hint: %s\n", err->hint);
    return status;
}

/* Parses the command line; a usage error ends the program. */
static inline struct command command_read(const struct argp *argp, int argc, char **argv)
{
    struct command command = {.url = getenv("DATABASE_URL")};

    argp_err_exit_status = COMMAND_USAGE;
    argp_parse(argp, argc, argv, 0, NULL, &command);
    return command;
}

/* Opens the database of a command line whose words are right; an exit status. */
static inline int command_open(const char *program, const struct command *command,
                               struct booking_db **out)
{
    struct booking_error err;

    if (!command->url || !*command->url) {
        fprintf(stderr, "%s: no database\n  hint: set DATABASE_URL or use --database-url URL\n",
                program);
        return COMMAND_USAGE;
    }
    if (booking_db_open(command->url, out, &err) != BOOKING_DB_OK)
        return command_fail(program, &err, COMMAND_DATABASE);
    return COMMAND_DONE;
}

/* A whole number from min to max; false for anything else. */
static inline bool command_number(const char *text, long min, long max, long *out)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

#endif
