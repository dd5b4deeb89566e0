/*
 * hold.c - keeping a client's backend from going on, by SIGSTOP.
 *
 * Only ever while it sleeps in a wait for a lock: then it holds nothing within the server that
 * others could need, and what it is sent meanwhile is there when it goes on.  A server that is
 * ended lets everybody go on first (keep.c), so nothing stays stopped, however overbook ends.
 */
#include "pg/world_int.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* "PID (NAME) STATE …"; the name may hold anything.  '\0': there is no such process. */
static char state_of(int pid)
{
    char path[32], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return '\0';
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *end = strrchr(text, ')');
    return end && end[1] == ' ' ? end[2] : '\0';
}

/* A signal is on its way until the process is seen to have stopped. */
static bool await_stop(int pid)
{
    for (;;) {
        char state = state_of(pid);
        if (state == 'T' || state == 't')
            return true;
        if (state == '\0' || state == 'Z' || state == 'X')
            return false;
        sched_yield();
    }
}

enum ob_result ob_pg_session_hold(void *self, size_t client, bool held, struct ob_error *err)
{
    struct ob_pg_world *world = self;
    int pid = world->sessions[client].pid;
    bool done = kill(pid, held ? SIGSTOP : SIGCONT) == 0 && (!held || await_stop(pid));
    if (done || !held) /* who is gone needs not be let go on */
        return OB_OK;
    return ob_error_set(err, OB_SERVER, "could not hold a client's server process: %s",
                        strerror(errno));
}
