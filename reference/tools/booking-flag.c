/*
 * booking-flag - shows and sets how many of the customers are on the fixed path; "off" is the way
 * back.
 */
#include "command.h"

#include <string.h>

#define UNDEFINED_TABLE "42P01"

enum { SHOW = -1, NONSENSE = -2 };

static const struct argp_option options[] = {COMMAND_URL_OPTION, {0}};

static const struct argp argp = {.options = options,
                                 .parser = command_parse,
                                 .args_doc = "show\nset PERCENT\noff",
                                 .doc =
                                     "The feature flag of the fixed booking flow.\v"
                                     "Requests that begin after a change follow it; off is set 0."};

/* Without the flag's table everybody is on the legacy path. */
static int show(struct booking_db *db, const char *program)
{
    struct booking_error err;
    int percent;

    if (booking_flag_get(db, &percent, &err) == BOOKING_DB_OK)
        printf("%d %%\n", percent);
    else if (strcmp(err.sqlstate, UNDEFINED_TABLE) == 0)
        printf("0 %% (no flag yet: it comes with migration 6)\n");
    else
        return command_fail(program, &err, COMMAND_DATABASE);
    return COMMAND_DONE;
}

static int set(struct booking_db *db, const char *program, int percent)
{
    struct booking_error err;

    if (booking_flag_set(db, percent, &err) != BOOKING_DB_OK)
        return command_fail(program, &err, COMMAND_DATABASE);
    return show(db, program);
}

/* The percentage to set; SHOW for none, NONSENSE when the words are wrong, which is told. */
static long wanted(const char *program, const struct command *command)
{
    const char *word = command->words[0] ? command->words[0] : "", *number = command->words[1];
    long percent;

    if (strcmp(word, "show") == 0)
        return SHOW;
    if (strcmp(word, "off") == 0)
        return 0;
    if (strcmp(word, "set") != 0)
        fprintf(stderr, "%s: say one of show, set PERCENT, off (see --help)\n", program);
    else if (!number || !command_number(number, 0, 100, &percent))
        fprintf(stderr, "%s: set needs a percentage from 0 to 100\n", program);
    else
        return percent;
    return NONSENSE;
}

int main(int argc, char **argv)
{
    struct command command = command_read(&argp, argc, argv);
    long percent = wanted(argv[0], &command);
    struct booking_db *db;
    int code;

    if (percent == NONSENSE)
        return COMMAND_USAGE;
    code = command_open(argv[0], &command, &db);
    if (code != COMMAND_DONE)
        return code;
    code = percent == SHOW ? show(db, argv[0]) : set(db, argv[0], (int)percent);
    booking_db_close(db);
    return code;
}
