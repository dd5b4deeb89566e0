/* spec.c - overbook spec: isolation specs, printing what isolationtester prints. */
#include "cli/cli.h"
#include "cli/database.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "base/version.h"
#include "spec/file.h"
#include "spec/place.h"
#include "spec/player.h"
#include "spec/regress.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 300
#define LIMIT_S_MAX 1000000

/* A limit that isolationtester takes for 0 lets it give up at once, so it is refused here. */
static enum ob_result read_limit(int *limit_s, struct ob_error *err)
{
    const char *given = getenv("PGISOLATIONTIMEOUT"); /* isolationtester's own */
    uint64_t limit = LIMIT_S;
    if (given && !ob_parse_u64(given, 1, LIMIT_S_MAX, &limit)) {
        ob_error_set(err, OB_USAGE, "PGISOLATIONTIMEOUT takes no time \"%s\"", given);
        ob_error_hint(err, "It is a whole number of seconds from 1 to %d.", LIMIT_S_MAX);
        return OB_USAGE;
    }
    *limit_s = (int)limit;
    return OB_OK;
}

/* What would be left out without a word. */
static enum ob_result check_options(const struct ob_options *options, struct ob_error *err)
{
    const char *alone = options->json ? "json" : options->jobs > 0 ? "jobs" : NULL;
    if (options->database_url && options->jobs > 1) {
        ob_error_set(err, OB_USAGE, "--jobs goes without --database-url");
        ob_error_detail(err, "Specs are played in one database of a server of yours.");
        return OB_USAGE;
    }
    if (options->regress || !alone)
        return OB_OK;
    return ob_error_set(err, OB_USAGE, "--%s goes with --regress", alone);
}

/* --- one after the other, on standard output */

static void write_out(void *self, bool complaint, const char *text, size_t size)
{
    (void)self;
    if (complaint)
        fflush(stdout);
    fwrite(text, 1, size, complaint ? stderr : stdout);
}

/* A spec that does not parse, in isolationtester's words: its message is what scripts compare. */
static int say_unreadable(const struct ob_error *err)
{
    if (err->detail[0] == '\0') /* not even a file */
        return ob_cli_error(err);
    fprintf(stderr, "%s\n  %s\n", err->message, err->detail);
    return OB_EXIT_UNEXPECTED;
}

static enum ob_result play(struct ob_spec_place *place, const char *path,
                           const struct ob_spec *spec, int limit_s, bool *played,
                           struct ob_error *err)
{
    char *name = ob_spec_file_name(path), *application = ob_asprintf("isolation/%s", name);
    const struct ob_spec_options options = {.application = application, .limit_s = limit_s};
    const struct ob_spec_out out = {.write = write_out};
    enum ob_result result =
        ob_spec_play(spec, ob_spec_place_plain(place), &options, &out, played, err);
    free(application);
    free(name);
    return result;
}

static int say_interrupted(void)
{
    ob_cli_say_interrupted();
    return OB_EXIT_INCONCLUSIVE;
}

static int play_files(const struct ob_options *options, int limit_s, const char *conninfo)
{
    struct ob_error err;
    struct ob_spec_place *place = NULL;
    enum ob_result result =
        conninfo ? ob_spec_place_open_at(conninfo, &place, &err) : ob_spec_place_open(&place, &err);
    int status = OB_EXIT_EXPECTED;
    setvbuf(stdout, NULL, _IOLBF, 0); /* so that a reader sees which step takes long */
    bool going = result == OB_OK && !ob_cli_interrupted();
    for (size_t i = 0; i < options->arg_count && going; i++) {
        struct ob_spec *spec = NULL;
        bool played = false;
        if (ob_spec_file_read(options->args[i], &spec, &err) != OB_OK)
            status = say_unreadable(&err);
        else
            result = play(place, options->args[i], spec, limit_s, &played, &err);
        if (status == 0 && !played)
            status = OB_EXIT_UNEXPECTED;
        going = result == OB_OK && status == 0 && !ob_cli_interrupted() && !ferror(stdout);
        ob_spec_free(spec);
    }
    ob_spec_place_close(place);
    if (result != OB_OK && result != OB_INTERRUPTED)
        status = ob_cli_error(&err);
    else if (ob_cli_interrupted())
        status = say_interrupted();
    return ob_cli_finish(status);
}

/* --- a folder, compared */

/* Where a server is given, that is one place to play at. */
static size_t workers(const struct ob_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (options->database_url || processors < 1)
        return 1;
    return options->jobs > 0 ? options->jobs : (size_t)processors;
}

/* The output as a file that another program can open by path, or -1. */
static int output_file(const struct ob_regress_test *test)
{
    int fd = memfd_create("output", 0);
    if (fd < 0 || write(fd, test->output, test->output_size) != (ssize_t)test->output_size)
        return -1;
    return fd;
}

/* Where what people read goes: standard output is JSON's when that was asked for. */
static FILE *for_people(const struct ob_options *options)
{
    return options->json && strcmp(options->json, "-") == 0 ? stderr : stdout;
}

static void print_diff(const struct ob_regress_test *test, FILE *out)
{
    int fd = output_file(test);
    char *path = ob_asprintf("/proc/self/fd/%d", fd);
    char *label = ob_asprintf("%s (as printed)", test->name);
    char *argv[] = {"diff",         "-u", "--label", test->expected, "--label", label,
                    test->expected, path, NULL};
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    fflush(out);
    if (posix_spawnp(&pid, "diff", &actions, NULL, argv, environ) == 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    else
        fprintf(out, "(diff is not installed)\n");
    posix_spawn_file_actions_destroy(&actions);
    free(label);
    free(path);
    close(fd);
}

static void print_done(void *arg, const struct ob_regress_test *test)
{
    const struct ob_options *options = arg;
    FILE *out = for_people(options);
    if (options->verbosity >= 0 || !test->passed)
        fprintf(out, "test %-40s %-6s %6.0f ms\n", test->name, test->passed ? "ok" : "FAILED",
                (double)test->us / 1000);
    if (!test->passed)
        print_diff(test, out);
    fflush(out);
}

static json_t *json_of(const struct ob_regress_test *test)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:f}", "spec", test->name, "file", test->spec,
                     "expected", test->expected, "passed", test->passed, "seconds",
                     (double)test->us / 1e6);
}

/* With what ended the whole before its end, or NULL. */
static int write_json(const char *path, const struct ob_regress *regress, const char *error)
{
    json_t *tests = json_array();
    for (size_t i = 0; i < regress->test_count; i++)
        if (regress->tests[i].done)
            json_array_append_new(tests, json_of(&regress->tests[i]));
    size_t played = regress->passed + regress->failed;
    json_t *root =
        json_pack("{s:s, s:o, s:s*, s:{s:i, s:i, s:i}}", "overbook", OB_VERSION, "results", tests,
                  "error", error, "summary", "passed", (int)regress->passed, "failed",
                  (int)regress->failed, "not_played", (int)(regress->test_count - played));
    bool standard = strcmp(path, "-") == 0;
    int failed = standard ? json_dumpf(root, stdout, JSON_INDENT(1)) || putchar('\n') == EOF
                          : json_dump_file(root, path, JSON_INDENT(1));
    json_decref(root);
    if (!failed)
        return OB_EXIT_EXPECTED;
    struct ob_error err;
    ob_error_set(&err, OB_IO, "could not write \"%s\": %s", path, strerror(errno));
    return ob_cli_error(&err);
}

static int compare_folder(struct ob_options *options, int limit_s, const char *conninfo)
{
    struct ob_regress regress;
    struct ob_error err;
    const struct ob_regress_options how = {
        .specs = options->args[0],
        .expected = options->args[1],
        .workers = workers(options),
        .worker = {.limit_s = limit_s, .conninfo = conninfo},
        .done = print_done,
        .stopped = ob_cli_interrupted,
        .arg = options,
    };
    ob_cli_catch_signals();
    enum ob_result result = ob_regress_run(&how, &regress, &err);
    int status = regress.failed > 0 ? OB_EXIT_UNEXPECTED : OB_EXIT_EXPECTED;
    if (result != OB_OK)
        status = ob_cli_error(&err);
    else if (regress.passed + regress.failed < regress.test_count)
        status = say_interrupted();
    if (options->json && result != OB_INPUT) {
        int written = write_json(options->json, &regress, result == OB_OK ? NULL : err.message);
        status = written != 0 ? written : status;
    }
    if (result != OB_INPUT)
        fprintf(for_people(options), "%zu passed, %zu failed\n", regress.passed, regress.failed);
    ob_regress_clear(&regress);
    return ob_cli_finish(status);
}

static int play_at(struct ob_options *options, int limit_s, const char *conninfo)
{
    return options->regress ? compare_folder(options, limit_s, conninfo)
                            : play_files(options, limit_s, conninfo);
}

/* In a database of its own beside the URL's. */
static int play_on_users_server(struct ob_options *options, int limit_s)
{
    struct ob_server *server = NULL;
    struct ob_error err;
    char *conninfo = NULL;
    int status = OB_EXIT_EXPECTED;
    enum ob_result result = ob_server_open(options, &server, &err);
    if (result == OB_OK)
        result = ob_server_create_database(server, OB_SPEC_DATABASE, &conninfo, &err);
    if (result == OB_OK) {
        status = play_at(options, limit_s, conninfo);
        result = ob_server_drop_database(server, OB_OK, &err);
    }
    free(conninfo);
    ob_server_close(server);
    return result == OB_OK ? status : ob_cli_error(&err);
}

int ob_command_spec(int argc, char **argv)
{
    static char standard_input[] = "-", *standard_inputs[] = {standard_input};
    struct ob_options options;
    ob_options_parse(OB_COMMAND_SPEC, argc, argv, &options);
    if (options.arg_count == 0) {
        options.args = standard_inputs;
        options.arg_count = 1;
    }
    struct ob_error err;
    int limit_s;
    if (check_options(&options, &err) != OB_OK || read_limit(&limit_s, &err) != OB_OK)
        return ob_cli_error(&err);
    ob_spec_place_conditions(options.isolation);
    if (options.database_url)
        return play_on_users_server(&options, limit_s);
    return play_at(&options, limit_s, NULL);
}
