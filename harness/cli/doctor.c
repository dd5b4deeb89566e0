/* doctor.c - overbook doctor: what was found, what is controlled, what is missing, and the cure. */
#include "base/version.h"
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "pg/find.h"
#include "pg/redact.h"
#include "pg/world.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static void print_plain(const char *text, size_t indent)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_report_plain(text, ob_cli_unicode(), indent, &out);
    fputs(out.data, stdout);
    ob_buf_clear(&out);
}

/* A line "ok" or "missing" with what it is about; an error adds its cure. */
static void say(bool ok, const char *what, const char *found, const struct ob_error *err)
{
    printf("%-8s %-18s ", ok ? "ok" : "missing", what);
    print_plain(found, 0);
    if (ok || !err)
        return;
    print_plain(err->detail, 28);
    print_plain(err->hint, 28);
}

static bool check_install(const struct ob_options *options)
{
    struct ob_pg_install install;
    struct ob_error err;
    if (ob_pg_find(&install, &err) != OB_OK) {
        say(false, "server programs", err.message, &err);
        return false;
    }
    char found[512];
    snprintf(found, sizeof found, "PostgreSQL %s in %s", install.version, install.bindir);
    if (options->verbosity >= 0)
        say(true, "server programs", found, NULL);
    ob_pg_install_clear(&install);
    return true;
}

struct controls {
    bool deadlock, wake, probe;
};

/* Why there is no probe: it is overbook that brings it to a server of its own, or the user. */
static void say_probe(bool there, bool embedded)
{
    static const char missing[] = "what a statement touches: no, ";
    printf("%-18s ", there ? "" : "not controlled");
    if (there)
        printf("what a statement touches: yes, the server has loaded the probe\n");
    else if (embedded)
        printf("%sthe probe has not been built for this server\n", missing);
    else
        printf("%sthe server has not loaded the probe\n", missing);
    if (!there)
        printf("%-18s (--strategy dpor then takes any two statements for dependent)\n", "");
}

static void say_controls(struct controls controls, bool embedded)
{
    printf("controlled         deadlock victims: %s\n",
           controls.deadlock ? "yes, the client that closes the cycle"
                             : "no, the role may not set deadlock_timeout");
    printf("                   virtual time: yes, %s\n",
           controls.probe ? "also what now() and its kin say"
                          : "where the code asks booking.now() or overbook.now()");
    printf("                   which of several waiters goes on: %s\n",
           controls.wake ? "yes" : "no, recorded and reported");
    printf("                   gates inside a statement: yes, by %s\n",
           controls.probe ? "the probe" : "triggers, where a scenario wants them");
    say_probe(controls.probe, embedded);
}

/* Makes a database, opens a world in it as a run would, and drops it again. */
static enum ob_result try_server(struct ob_server *server, struct controls *out,
                                 struct ob_error *err)
{
    char *conninfo = NULL;
    enum ob_result result = ob_server_create_database(server, NULL, &conninfo, err);
    if (result != OB_OK)
        return result;
    const struct ob_pg_world_options options = {.conninfo = conninfo};
    struct ob_pg_world *world = NULL;
    result = ob_pg_world_open(&options, &world, err);
    if (result == OB_OK)
        *out = (struct controls){.deadlock = ob_pg_world_controls_deadlock(world),
                                 .wake = ob_server_embedded(server),
                                 .probe = ob_pg_world_has_probe(world)};
    ob_pg_world_close(world);
    free(conninfo);
    return ob_server_drop_database(server, result, err);
}

static bool check_server(const struct ob_options *options)
{
    struct ob_server *server = NULL;
    struct controls controls = {0};
    struct ob_error err;
    const char *what = options->database_url ? "your server" : "embedded server";
    enum ob_result result = ob_server_open(options, &server, &err);
    if (result == OB_OK)
        result = try_server(server, &controls, &err);
    if (result == OB_OK) {
        char *url = options->database_url ? ob_pg_redact_url(options->database_url) : NULL;
        char found[512];
        snprintf(found, sizeof found, "PostgreSQL %s%s%s", ob_server_version(server),
                 url ? " at " : ", started and used", url ? url : "");
        if (options->verbosity >= 0) {
            say(true, what, found, NULL);
            say_controls(controls, ob_server_embedded(server));
        }
        free(url);
    } else {
        say(false, what, err.message, &err);
    }
    ob_server_close(server);
    return result == OB_OK;
}

static bool check_scenarios(const struct ob_options *options)
{
    struct ob_scenario_list list = {0};
    struct ob_error err;
    bool ok = ob_builtin_load(&(struct ob_options){0}, NULL, 0, &list, &err) == OB_OK;
    char *folder = ob_builtin_folder();
    char found[512];
    snprintf(found, sizeof found, "%zu load%s%s", list.count,
             options->verbosity > 0 && folder ? ", of " : "",
             options->verbosity > 0 && folder ? folder : "");
    if (!ok || options->verbosity >= 0)
        say(ok, "built-in scenarios", ok ? found : err.message, &err);
    free(folder);
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
    if (options.verbosity >= 0)
        printf("overbook %s\n", OB_VERSION);
    bool ok = check_scenarios(&options);
    ok = (options.database_url || check_install(&options)) && ok;
    ok = check_server(&options) && ok;
    int status = ok ? OB_EXIT_EXPECTED : OB_EXIT_FAILED;
    if (ob_cli_interrupted()) {
        ob_cli_say_interrupted();
        status = OB_EXIT_INCONCLUSIVE;
    }
    return ob_cli_finish(status);
}
