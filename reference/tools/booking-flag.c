/*
 * booking-flag - shows and sets how many of the customers are on the fixed path; "off" is the way
 * back.
 */
#include "command.h"

#include <string.h>

static const struct argp_option options[] = {COMMAND_URL_OPTION, {0}};

static const struct argp argp = {.options = options,
                                 .parser = command_parse,
                                 .args_doc = "show\nset PERCENT\noff",
                                 .doc =
                                     "The feature flag of the fixed booking flow.\v"
                                     "Requests that begin after a change follow it; off is set 0."};

static int show(struct booking_db *db, const char *program)
{
    struct booking_error err;
    int percent;

    if (booking_flag_get(db, &percent, &err) != BOOKING_DB_OK)
        return command_fail(program, &err, COMMAND_DATABASE);
    printf("%d %%\n", percent);
    return COMMAND_DONE;
}

static int set(struct booking_db *db, const char *program, const char *word)
{
    struct booking_error err;
    long percent;

    if (!word || !command_number(word, 0, 100, &percent)) {
        fprintf(stderr, "%s: set needs a percentage from 0 to 100\n", program);
        return COMMAND_USAGE;
    }
    if (booking_flag_set(db, (int)percent, &err) != BOOKING_DB_OK)
        return command_fail(program, &err, COMMAND_DATABASE);
    return show(db, program);
}

static int run(struct booking_db *db, const char *program, const struct command *command)
{
    const char *word = command->words[0] ? command->words[0] : "";

    if (strcmp(word, "show") == 0)
        return show(db, program);
    if (strcmp(word, "set") == 0)
        return set(db, program, command->words[1]);
    if (strcmp(word, "off") == 0)
        return set(db, program, "0");
    fprintf(stderr, "%s: say one of show, set PERCENT, off (see --help)\n", program);
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    struct command command = command_read(&argp, argc, argv);
    struct booking_error err;
    struct booking_db *db;
    int code;

    if (booking_db_open(command.url, &db, &err) != BOOKING_DB_OK)
        return command_fail(argv[0], &err, COMMAND_DATABASE);
    code = run(db, argv[0], &command);
    booking_db_close(db);
    return code;
}
