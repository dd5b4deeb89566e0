#include "pg/probe.h"

#include "base/alloc.h"
#include "pg/tree.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define COPY_NAME "overbook_probe.so"

/* The folder of this program; the caller's to free. */
static char *program_folder(void)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0)
        return NULL;
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return ob_strdup(path);
}

char *ob_pg_probe_find(const struct ob_pg_install *install)
{
    static const char *const beside[] = {".", "..", "../lib/overbook"};
    const char *named = getenv("OVERBOOK_PROBE");
    if (named)
        return access(named, R_OK) == 0 ? ob_strdup(named) : NULL;
    char *folder = program_folder(), *found = NULL;
    for (size_t i = 0; folder && !found && i < sizeof beside / sizeof *beside; i++) {
        char *path =
            ob_asprintf("%s/%s/overbook_probe-%d.so", folder, beside[i], install->number / 10000);
        char *real = realpath(path, NULL);
        if (real && access(real, R_OK) == 0)
            found = ob_strdup(real);
        free(real);
        free(path);
    }
    free(folder);
    return found;
}

static bool can_load_from(const char *directory)
{
    struct statvfs status;
    return statvfs(directory, &status) == 0 && (status.f_flag & ST_NOEXEC) == 0;
}

enum ob_result ob_pg_probe_place(const struct ob_pg_install *install, const struct ob_pg_home *home,
                                 char **out, struct ob_error *err)
{
    uint64_t digest;
    char *found = can_load_from(home->path) ? ob_pg_probe_find(install) : NULL;
    *out = NULL;
    if (!found)
        return OB_OK;
    char *copy = ob_asprintf("%s/" COPY_NAME, home->path);
    enum ob_result result = ob_pg_tree_copy(found, copy, &home->account, &digest, err);
    free(found);
    if (result == OB_OK)
        *out = copy;
    else
        free(copy);
    return result == OB_OK ? OB_OK : OB_IO;
}
