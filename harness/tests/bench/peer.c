#include "peer.h"

#include "base/alloc.h"
#include "bench.h"
#include "pg/find.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

char *ob_peer_find(void)
{
    struct ob_pg_install install;
    struct ob_error err;
    const char *given = getenv("OVERBOOK_ISOLATIONTESTER");
    ob_bench_must(ob_pg_find(&install, &err), &err);
    char *tester =
        given ? ob_strdup(given)
              : ob_asprintf("%s/../lib/pgxs/src/test/isolation/isolationtester", install.bindir);
    ob_pg_install_clear(&install);
    if (access(tester, X_OK) == 0)
        return tester;
    printf("isolationtester is not installed: specs are compared with nothing\n");
    free(tester);
    return NULL;
}

double ob_peer_run(const char *tester, const char *conninfo, const char *spec)
{
    posix_spawn_file_actions_t files;
    char name[] = "isolationtester", *at = ob_strdup(conninfo), *argv[] = {name, at, NULL};
    pid_t pid;
    int status = 0;
    double began = ob_bench_seconds();
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, spec, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    int failed = posix_spawn(&pid, tester, &files, NULL, argv, environ);
    while (!failed && waitpid(pid, &status, 0) < 0)
        failed = errno != EINTR;
    if (failed || !WIFEXITED(status)) {
        fprintf(stderr, "overbook-bench: %s did not run %s\n", tester, spec);
        exit(3);
    }
    posix_spawn_file_actions_destroy(&files);
    free(at);
    return ob_bench_seconds() - began;
}
