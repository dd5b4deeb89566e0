#include "pg/pidfile.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "pg/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

#define PIDFILE_SIZE_MAX 4096

enum { LINE_PID = 1, LINE_SEGMENT = 7, LINE_STATUS = 8 };

/* The line's first and last words as numbers, where they are numbers of an int's range. */
static bool read_int(const char *word, size_t size, int *out)
{
    char text[24];
    uint64_t value;

    if (size == 0 || size >= sizeof text)
        return false;
    memcpy(text, word, size);
    text[size] = '\0';
    if (!ob_parse_u64(text, 0, INT_MAX, &value))
        return false;
    *out = (int)value;
    return true;
}

static void read_segment(const char *line, size_t size, struct ob_pg_pidfile *out)
{
    while (size > 0 && *line == ' ')
        line++, size--;
    const char *space = memchr(line, ' ', size);
    if (space == NULL)
        return;
    const char *id = space;
    while (id < line + size && *id == ' ')
        id++;
    int value;
    if (read_int(id, (size_t)(line + size - id), &value))
        out->shm_id = value;
}

bool ob_pg_pidfile_parse(const char *text, struct ob_pg_pidfile *out)
{
    struct ob_pg_pidfile found = {.pid = 0, .shm_id = -1};

    for (int number = 1; *text != '\0'; number++) {
        const char *end = strchr(text, '\n');
        if (end == NULL)
            break; /* a line without its end is still being written */
        size_t size = (size_t)(end - text);
        /* The standalone servers that initdb runs write theirs with a minus sign. */
        size_t sign = number == LINE_PID && *text == '-' ? 1 : 0;
        if (number == LINE_PID && !read_int(text + sign, size - sign, &found.pid))
            return false;
        if (number == LINE_SEGMENT)
            read_segment(text, size, &found);
        if (number == LINE_STATUS)
            found.ready = size >= 5 && memcmp(text, "ready", 5) == 0;
        text = end + 1;
    }
    if (found.pid == 0)
        return false;
    *out = found;
    return true;
}

bool ob_pg_pidfile_read(const char *data, struct ob_pg_pidfile *out)
{
    char text[PIDFILE_SIZE_MAX];
    char *path = ob_asprintf("%s/postmaster.pid", data);
    bool found = ob_pg_tree_read_end(path, text, sizeof text) && ob_pg_pidfile_parse(text, out);

    free(path);
    return found;
}

bool ob_pg_pidfile_remove_segment(const struct ob_pg_pidfile *pidfile)
{
    struct shmid_ds state;

    if (pidfile->shm_id < 0 || shmctl(pidfile->shm_id, IPC_STAT, &state) != 0)
        return true;
    /* An id is given to somebody else's segment sooner or later: that one is not ours to remove. */
    if (state.shm_perm.cuid != geteuid())
        return true;
    return state.shm_nattch == 0 && shmctl(pidfile->shm_id, IPC_RMID, NULL) == 0;
}
