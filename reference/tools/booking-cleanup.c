/*
 * booking-cleanup - expires overdue holds, once or every so many seconds.
 *
 * Its session has the points of failure of the flow, so fiu-run works on it.  Pending refunds need
 * the process that has the payment provider, and are completed there.
 */
#include "command.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static const struct argp_option options[] = {
    COMMAND_URL_OPTION,
    {"every", 'e', "SECONDS", 0, "again and again, until SIGINT or SIGTERM", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *command = state->input;
    char *end;

    if (key != 'e')
        return command_parse(key, arg, state);
    command->every_s = strtod(arg, &end);
    if (end == arg || *end != '\0' || !isfinite(command->every_s) || command->every_s < 0.001 ||
        command->every_s > 86400)
        argp_error(state, "--every takes seconds, from 0.001 to 86400");
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[once]",
    .doc = "Expires holds whose time is over. It never touches a paid one."};

static int clean(const struct booking_app *app, struct booking_db *db, const char *program)
{
    struct booking_answer answer;

    if (booking_cleanup(app, db, &answer) != BOOKING_OK) {
        fprintf(stderr, "%s: the cleanup failed: %s %s\n", program, answer.reason, answer.sqlstate);
        fprintf(stderr, "  hint: is the schema there? \"booking-migrate status\" tells\n");
        return COMMAND_DATABASE;
    }
    printf("expired %lld holds\n", (long long)answer.count);
    fflush(stdout);
    return COMMAND_DONE;
}

/* Waits for a signal to end, up to the next turn; true when one came. */
static bool told_to_end(const sigset_t *signals, double seconds)
{
    struct timespec limit = {.tv_sec = (time_t)seconds};

    limit.tv_nsec = (long)((seconds - (double)limit.tv_sec) * 1e9);
    return sigtimedwait(signals, NULL, &limit) > 0;
}

/* A turn that fails is told and does not end the rest: the server may come back. */
static int run(const struct booking_app *app, struct booking_db *db, const struct command *command,
               const char *program)
{
    sigset_t signals;
    int code;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (command->every_s > 0)
        sigprocmask(SIG_BLOCK, &signals, NULL);
    do {
        code = clean(app, db, program);
    } while (command->every_s > 0 && !told_to_end(&signals, command->every_s));
    return code;
}

int main(int argc, char **argv)
{
    struct command command = command_read(&argp, argc, argv);
    struct booking_monitor *monitor;
    struct booking_db_faulty faulty;
    struct booking_app app;
    struct booking_db *db;
    int code;

    if (command.words[0] && strcmp(command.words[0], "once") != 0) {
        fprintf(stderr, "%s: say once, or --every SECONDS (see --help)\n", argv[0]);
        return COMMAND_USAGE;
    }
    code = command_open(argv[0], &command, &db);
    if (code != COMMAND_DONE)
        return code;
    code = COMMAND_DATABASE;
    monitor = booking_monitor_new(NULL, NULL);
    if (monitor) {
        booking_db_faulty_init(&faulty, db);
        booking_app_init(&app, NULL, monitor, "");
        code = run(&app, &faulty.db, &command, argv[0]);
    }
    booking_monitor_free(monitor);
    booking_db_close(db);
    return code;
}
