/* doctor.c - overbook doctor: what was found, what is controlled, what is missing, and the cure. */
#include "base/version.h"
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "pg/find.h"
#include "pg/redact.h"
#include "pg/world.h"

#include <stdio.h>
#include <stdlib.h>

/* A line "ok" or "missing" with what it is about; an error adds its cure. */
static void say(bool ok, const char *what, const char *found, const struct ob_error *err)
{
    printf("%-8s %-18s %s\n", ok ? "ok" : "missing", what, found);
    if (ok)
        return;
    if (err->detail[0] != '\0')
        printf("%-8s %-18s %s\n", "", "", err->detail);
    if (err->hint[0] != '\0')
        printf("%-8s %-18s %s\n", "", "", err->hint);
}

static bool check_install(void)
{
    struct ob_pg_install install;
    struct ob_error err;
    if (ob_pg_find(&install, &err) != OB_OK) {
        say(false, "server programs", err.message, &err);
        return false;
    }
    char found[512];
    snprintf(found, sizeof found, "PostgreSQL %s in %s", install.version, install.bindir);
    say(true, "server programs", found, NULL);
    ob_pg_install_clear(&install);
    return true;
}

static void say_controls(bool deadlock)
{
    printf("controlled         deadlock victims: %s\n",
           deadlock ? "yes, the client that closes the cycle"
                    : "no, the role may not set deadlock_timeout");
    printf("                   virtual time: yes, where the code asks booking.now() or "
           "overbook.now()\n");
    printf(
        "not controlled     which of several waiters on one lock goes on: recorded and reported\n");
    printf("                   gates inside a statement: none\n");
}

static bool check_server(const struct ob_options *options)
{
    struct ob_server *server = NULL;
    struct ob_pg_world *world = NULL;
    char *conninfo = NULL;
    struct ob_error err;
    enum ob_result result = ob_server_open(options, &server, &err);
    if (result == OB_OK)
        result = ob_server_create_database(server, &conninfo, &err);
    if (result == OB_OK) {
        const struct ob_pg_world_options world_options = {.conninfo = conninfo};
        result = ob_pg_world_open(&world_options, &world, &err);
    }
    if (result != OB_OK) {
        say(false, options->database_url ? "your server" : "embedded server", err.message, &err);
    } else {
        char *url = options->database_url ? ob_pg_redact_url(options->database_url) : NULL;
        char found[512];
        snprintf(found, sizeof found, "PostgreSQL %s%s%s", ob_server_version(server),
                 url ? " at " : ", started and used", url ? url : "");
        say(true, url ? "your server" : "embedded server", found, NULL);
        say_controls(ob_pg_world_controls_deadlock(world));
        free(url);
    }
    ob_pg_world_close(world);
    struct ob_error dropping;
    if (conninfo && ob_server_drop_database(server, &dropping) != OB_OK)
        result = ob_cli_error(&dropping) ? dropping.code : result;
    free(conninfo);
    ob_server_close(server);
    return result == OB_OK;
}

static bool check_scenarios(void)
{
    struct ob_scenario_list list = {0};
    struct ob_error err;
    bool ok = ob_builtin_load(NULL, 0, &list, &err) == OB_OK;
    char found[64];
    snprintf(found, sizeof found, "%zu load", list.count);
    say(ok, "built-in scenarios", ok ? found : err.message, &err);
    ob_scenario_list_clear(&list);
    return ok;
}

int ob_command_doctor(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_DOCTOR, argc, argv, &options);
    struct ob_error err;
    if (options.arg_count > 0) {
        ob_error_set(&err, OB_USAGE, "\"%s\" is one word too many", options.args[0]);
        ob_error_hint(&err, "\"overbook doctor --help\" tells the options.");
        return ob_cli_error(&err);
    }
    printf("overbook %s\n", OB_VERSION);
    bool ok = check_scenarios();
    ok = (options.database_url || check_install()) && ok;
    ok = check_server(&options) && ok;
    return ok ? OB_EXIT_EXPECTED : OB_EXIT_FAILED;
}
