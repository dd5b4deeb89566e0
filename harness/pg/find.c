/*
 * find.c - see find.h.  Each place is looked at with the same function; what is wrong with one is
 * kept in words, so that an error can say what was found where.
 */
#include "pg/find.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS_MAX 10000

struct search {
    struct ob_pg_install found; /* bindir NULL: nothing yet */
    struct ob_buf tried;        /* a clause for each place that does not count */
};

/* Reads until end of file, until text (size bytes) is full or until the program has been silent for
 * too long; false in the last case. */
static bool read_answer(int fd, char *text, size_t size)
{
    size_t done = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    while (done < size - 1) {
        int count = poll(&ready, 1, ANSWER_MS_MAX);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        ssize_t got = read(fd, text + done, size - 1 - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    text[done] = '\0';
    return true;
}

static pid_t spawn_answer(const char *path, const char *argument, int out)
{
    char *argv[] = {ob_strdup(path), ob_strdup(argument), NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, path, &actions, NULL, argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    free(argv[0]);
    free(argv[1]);
    return pid;
}

/* The first line that "path argument" prints; false when it cannot be run or fails. */
static bool ask(const char *path, const char *argument, char *line, size_t size)
{
    int ends[2];
    int status = -1;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t pid = spawn_answer(path, argument, ends[1]);
    close(ends[1]);
    bool answered = pid > 0 && read_answer(ends[0], line, size);
    close(ends[0]);
    if (pid > 0 && !answered)
        kill(pid, SIGKILL);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!answered || status != 0)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

int ob_pg_find_version(const char *line, char *version, unsigned size)
{
    static const char prefix[] = "postgres (PostgreSQL) ";

    assert(size > 0);
    if (strncmp(line, prefix, sizeof prefix - 1) != 0)
        return 0;
    line += sizeof prefix - 1;
    size_t length = strcspn(line, " \n");
    char major_text[8], minor_text[8];
    size_t major_length = strspn(line, "0123456789");
    uint64_t major, minor = 0;
    if (length >= size || major_length >= sizeof major_text)
        return 0;
    snprintf(major_text, sizeof major_text, "%.*s", (int)major_length, line);
    if (!ob_parse_u64(major_text, 1, 999, &major))
        return 0;
    if (line[major_length] == '.') {
        const char *dot = line + major_length + 1;
        snprintf(minor_text, sizeof minor_text, "%.*s", (int)strspn(dot, "0123456789"), dot);
        if (!ob_parse_u64(minor_text, 0, 9999, &minor))
            return 0;
    }
    memcpy(version, line, length);
    version[length] = '\0';
    /* Up to version 9 the second number counted as a part of the major one. */
    return (int)(major >= 10 ? major * 10000 + minor : major * 10000 + minor * 100);
}

enum ob_result ob_pg_find_recent(int number, const char *version, struct ob_error *err)
{
    if (number >= OB_PG_VERSION_MIN)
        return OB_OK;
    ob_error_set(err, OB_REFUSED, "the server is PostgreSQL %s, and overbook works on 13 or newer",
                 version);
    ob_error_detail(err, "It drops its databases WITH (FORCE), which came with version 13.");
    ob_error_hint(err, "Name a newer server, or leave --database-url out: overbook then starts one "
                       "of its own.");
    return OB_REFUSED;
}

static bool is_program(const char *dir, const char *name)
{
    char *path = ob_asprintf("%s/%s", dir, name);
    bool found = access(path, X_OK) == 0;

    free(path);
    return found;
}

/* Takes dir if it is a whole and recent server, and newer than what was found; notes why
 * otherwise. */
static void consider(struct search *search, const char *dir)
{
    char line[256], version[32] = "";

    if (!is_program(dir, "postgres") || !is_program(dir, "initdb")) {
        ob_buf_printf(&search->tried, "; %s has no %s", dir,
                      is_program(dir, "postgres") ? "initdb" : "postgres");
        return;
    }
    char *program = ob_asprintf("%s/postgres", dir);
    bool answered = ask(program, "--version", line, sizeof line);
    int number = answered ? ob_pg_find_version(line, version, sizeof version) : 0;
    free(program);
    if (number == 0) {
        ob_buf_printf(&search->tried, "; %s/postgres does not tell its version", dir);
    } else if (number < OB_PG_VERSION_MIN) {
        ob_buf_printf(&search->tried, "; %s holds version %s, older than 13", dir, version);
    } else if (number > search->found.number) {
        ob_pg_install_clear(&search->found);
        search->found = (struct ob_pg_install){
            .bindir = realpath(dir, NULL), .version = ob_strdup(version), .number = number};
        if (search->found.bindir == NULL)
            search->found.bindir = ob_strdup(dir);
    }
}

static void consider_pg_config(struct search *search)
{
    char dir[1024];

    if (ask("pg_config", "--bindir", dir, sizeof dir))
        consider(search, dir);
}

static void consider_debian(struct search *search)
{
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin", GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            consider(search, found.gl_pathv[i]);
    globfree(&found);
}

static void consider_path(struct search *search)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0' && search->found.bindir == NULL) {
        size_t length = strcspn(path, ":");
        char *dir = ob_asprintf("%.*s", (int)length, path);
        if (*dir == '/' && is_program(dir, "postgres"))
            consider(search, dir);
        free(dir);
        path += length + (path[length] == ':');
    }
}

static enum ob_result missing(const struct search *search, const char *only, struct ob_error *err)
{
    const char *tried = search->tried.size > 2 ? search->tried.data + 2 : "";

    if (only != NULL) {
        ob_error_set(err, OB_SERVER, "$OVERBOOK_PG_BINDIR names no usable PostgreSQL server");
        ob_error_detail(err, "%s.", tried);
        ob_error_hint(err, "Set it to the bin directory of a PostgreSQL server of version 13 or "
                           "newer, or unset it.");
        return OB_SERVER;
    }
    ob_error_set(err, OB_SERVER, "found no usable PostgreSQL server of version 13 or newer");
    ob_error_detail(err,
                    "Looked where pg_config says, in /usr/lib/postgresql/*/bin and in "
                    "PATH%s%s.",
                    *tried != '\0' ? ": " : "", tried);
    ob_error_hint(err, "Install one (Debian: apt-get install postgresql), set $OVERBOOK_PG_BINDIR "
                       "to its bin directory, or use a server of yours with --database-url.");
    return OB_SERVER;
}

enum ob_result ob_pg_find(struct ob_pg_install *out, struct ob_error *err)
{
    struct search search = {.found = {.number = 0}};
    const char *only = getenv("OVERBOOK_PG_BINDIR");
    enum ob_result result = OB_OK;

    if (only != NULL && *only == '\0')
        only = NULL;
    ob_buf_init(&search.tried, sizeof err->detail);
    if (only != NULL)
        consider(&search, only);
    else
        consider_pg_config(&search);
    if (only == NULL && search.found.bindir == NULL)
        consider_debian(&search);
    if (only == NULL && search.found.bindir == NULL)
        consider_path(&search);
    if (search.found.bindir != NULL)
        *out = search.found;
    else
        result = missing(&search, only, err);
    ob_buf_clear(&search.tried);
    return result;
}

void ob_pg_install_clear(struct ob_pg_install *install)
{
    free(install->bindir);
    free(install->version);
    *install = (struct ob_pg_install){.number = 0};
}
