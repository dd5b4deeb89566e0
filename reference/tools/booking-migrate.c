/*
 * booking-migrate - brings the schema up or down, says where it is, and lists what the constraints
 * would refuse.
 */
#include "command.h"

#include <string.h>

static const struct argp_option options[] = {COMMAND_URL_OPTION, {0}};

static const struct argp argp = {
    .options = options,
    .parser = command_parse,
    .args_doc = "up [VERSION]\ndown VERSION\nstatus\ncheck",
    .doc = "Migrates the booking schema.\v"
           "up goes to VERSION or to the latest; down keeps every row (tables that it removes are "
           "moved to the schema booking_archive). check lists rows that the constraints would "
           "refuse, and exits with 1 when there are some."};

static void print_step(void *arg, int version, const char *name)
{
    printf("%s %d %s\n", (const char *)arg, version, name);
}

static void print_row(void *arg, const char *line)
{
    (void)arg;
    puts(line);
}

static int move(PGconn *conn, const char *program, const struct command *command)
{
    const char *direction = command->words[0], *word = command->words[1];
    struct booking_error err;
    long target = BOOKING_SCHEMA_LATEST;
    int version;
    bool up = strcmp(direction, "up") == 0;

    if ((word || !up) && (!word || !command_number(word, 0, BOOKING_SCHEMA_LATEST, &target))) {
        fprintf(stderr, "%s: %s needs a version from 0 to %d\n", program, direction,
                BOOKING_SCHEMA_LATEST);
        return COMMAND_USAGE;
    }
    if (!booking_migrate_version(conn, &version, &err))
        return command_fail(program, &err, COMMAND_DATABASE);
    if (up ? target < version : target > version) {
        fprintf(stderr, "%s: the schema is at version %d: that is not %s\n", program, version,
                direction);
        return COMMAND_USAGE;
    }
    if (!booking_migrate(conn, (int)target, print_step, (void *)direction, &err))
        return command_fail(program, &err, COMMAND_DATABASE);
    printf("schema version %ld\n", target);
    return COMMAND_DONE;
}

static int status(PGconn *conn, const char *program, const struct command *command)
{
    const struct booking_migration *migrations;
    struct booking_error err;
    size_t count;
    int version;

    (void)command;
    if (!booking_migrate_version(conn, &version, &err))
        return command_fail(program, &err, COMMAND_DATABASE);
    migrations = booking_migrations(&count);
    for (size_t i = 0; i < count; i++)
        printf("%s %d %s\n", migrations[i].version <= version ? "applied" : "pending",
               migrations[i].version, migrations[i].name);
    return COMMAND_DONE;
}

static int check(PGconn *conn, const char *program, const struct command *command)
{
    struct booking_error err;
    size_t count;

    (void)command;
    if (!booking_migrate_check(conn, print_row, NULL, &count, &err))
        return command_fail(program, &err, COMMAND_DATABASE);
    printf("%zu rows that a constraint would refuse\n", count);
    return count > 0 ? COMMAND_NO : COMMAND_DONE;
}

static const struct action {
    const char *word;
    int (*run)(PGconn *conn, const char *program, const struct command *command);
} actions[] = {{"up", move}, {"down", move}, {"status", status}, {"check", check}};

static const struct action *find_action(const char *word)
{
    for (size_t i = 0; word && i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].word, word) == 0)
            return &actions[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct command command = command_read(&argp, argc, argv);
    const struct action *action = find_action(command.words[0]);
    struct booking_db *db;
    int code;

    if (!action) {
        fprintf(stderr, "%s: say one of up, down, status, check (see --help)\n", argv[0]);
        return COMMAND_USAGE;
    }
    code = command_open(argv[0], &command, &db);
    if (code != COMMAND_DONE)
        return code;
    code = action->run(booking_db_connection(db), argv[0], &command);
    booking_db_close(db);
    return code;
}
