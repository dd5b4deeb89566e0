/*
 * cluster.c - see cluster.h.  In the cache directory, for each name:
 *
 *     NAME/        the cluster
 *     NAME.stamp   the digest of it, written last and removed first
 *     NAME.new     one that is being copied in
 *     NAME.lock    the lock (flock) for these
 */
#include "pg/cluster.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "pg/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1 /* of the cache; another one has other names */
#define INITDB_MS_MAX 300000
#define ARGUMENTS_MAX 16

struct cache {
    char *path, *stamp, *fresh; /* see above */
    int lock_fd;                /* open, not yet locked */
};

static void cache_clear(struct cache *cache)
{
    if (cache->lock_fd >= 0)
        close(cache->lock_fd);
    free(cache->path);
    free(cache->stamp);
    free(cache->fresh);
}

/* The options of initdb that make a difference to the cluster; the last is NULL. */
static void initdb_options(const struct ob_pg_install *install, const char **options)
{
    size_t count = 0;

    options[count++] = "--username=" OB_PG_SUPERUSER;
    options[count++] = "--auth=trust"; /* the socket's directory keeps others out */
    options[count++] = "--locale=C";
    options[count++] = "--encoding=UTF8";
    options[count++] = "--wal-segsize=1";
    if (install->number >= 180000)
        options[count++] = "--no-data-checksums";
    options[count] = NULL;
}

static char *cluster_name(const struct ob_pg_install *install)
{
    const char *options[ARGUMENTS_MAX];
    uint64_t hash = ob_hash_u64(OB_HASH_START, FORMAT);

    /* Two builds of one version may differ in block size or libraries. */
    hash = ob_hash_text(hash, install->bindir);
    initdb_options(install, options);
    for (size_t i = 0; options[i] != NULL; i++)
        hash = ob_hash_text(hash, options[i]);
    return ob_asprintf("pg%s-%016" PRIx64, install->version, ob_hash_end(hash));
}

/* Makes path if need be; true when it then is a directory of ours that nobody else writes to. */
static bool own_directory(const char *path)
{
    struct stat state;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    return lstat(path, &state) == 0 && S_ISDIR(state.st_mode) && state.st_uid == geteuid() &&
           (state.st_mode & 022) == 0 && access(path, W_OK | X_OK) == 0;
}

/* parent/name if parent is ours and that can be made in it, NULL otherwise. */
static char *own_below(const char *parent, const char *name)
{
    struct stat state;

    if (stat(parent, &state) != 0 || state.st_uid != geteuid())
        return NULL;
    char *path = ob_asprintf("%s/%s", parent, name);
    if (own_directory(path))
        return path;
    free(path);
    return NULL;
}

static char *cache_in_xdg(void)
{
    const char *parent = getenv("XDG_CACHE_HOME");

    if (parent == NULL || *parent != '/')
        return NULL;
    (void)mkdir(parent, 0700);
    return own_below(parent, "overbook");
}

/* Root may have the home of the user who called sudo: then nothing of root's is left in it. */
static char *cache_in_home(void)
{
    const char *home = getenv("HOME");

    if (home == NULL || *home != '/')
        return NULL;
    char *parent = own_below(home, ".cache");
    char *path = parent != NULL ? own_below(parent, "overbook") : NULL;
    free(parent);
    return path;
}

enum ob_result ob_pg_cluster_cache_dir(char **out, struct ob_error *err)
{
    const char *place = getenv("TMPDIR");
    char *path = cache_in_xdg();

    if (path == NULL)
        path = cache_in_home();
    if (path == NULL) {
        path = ob_asprintf("%s/overbook-cache-%ju",
                           place != NULL && *place != '\0' ? place : "/tmp", (uintmax_t)geteuid());
        if (!own_directory(path)) {
            ob_error_set(err, OB_IO, "found no directory for the cache of clusters");
            ob_error_detail(err,
                            "Neither $XDG_CACHE_HOME nor ~/.cache is ours to write, and "
                            "\"%s\" cannot be made or is not ours alone.",
                            path);
            ob_error_hint(err, "Set XDG_CACHE_HOME to a directory of yours.");
            free(path);
            return OB_IO;
        }
    }
    *out = path;
    return OB_OK;
}

static enum ob_result cache_open(const struct ob_pg_install *install, struct cache *out,
                                 struct ob_error *err)
{
    char *dir = NULL;
    enum ob_result result = ob_pg_cluster_cache_dir(&dir, err);

    *out = (struct cache){.lock_fd = -1};
    if (result != OB_OK)
        return result;
    char *name = cluster_name(install);
    char *lock = ob_asprintf("%s/%s.lock", dir, name);
    out->path = ob_asprintf("%s/%s", dir, name);
    out->stamp = ob_asprintf("%s/%s.stamp", dir, name);
    out->fresh = ob_asprintf("%s/%s.new", dir, name);
    out->lock_fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out->lock_fd < 0)
        result = ob_error_set(err, OB_IO, "could not open \"%s\": %s", lock, strerror(errno));
    free(lock);
    free(name);
    free(dir);
    return result;
}

static void stamp_text(char *text, size_t size, uint64_t digest)
{
    snprintf(text, size, "overbook cluster, format %d, digest %016" PRIx64 "\n", FORMAT, digest);
}

/* Copies the cached cluster; *copied is false when there is none or not a sound one. */
static enum ob_result copy_cached(const struct cache *cache, const struct ob_pg_home *home,
                                  bool *copied, struct ob_error *err)
{
    char found[128], expected[128];
    uint64_t digest = 0;

    *copied = false;
    if (flock(cache->lock_fd, LOCK_SH | LOCK_NB) != 0)
        return OB_OK;
    enum ob_result result = OB_INPUT;
    if (ob_pg_tree_read_end(cache->stamp, found, sizeof found))
        result = ob_pg_tree_copy(cache->path, home->data, &home->account, &digest, err);
    (void)flock(cache->lock_fd, LOCK_UN);
    if (result == OB_IO)
        return result;
    if (result == OB_OK) {
        stamp_text(expected, sizeof expected, digest);
        *copied = strcmp(found, expected) == 0;
    }
    if (!*copied)
        (void)ob_pg_tree_remove(home->data);
    return OB_OK;
}

/* Puts the cluster in data into the cache.  OB_OK too when another process has the lock. */
static enum ob_result publish(const struct cache *cache, const char *data, struct ob_error *err)
{
    static const struct ob_pg_account ourselves = {.other = false};
    char text[128];
    uint64_t digest;

    if (flock(cache->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return OB_OK;
    (void)unlink(cache->stamp);
    (void)ob_pg_tree_remove(cache->path);
    (void)ob_pg_tree_remove(cache->fresh);
    enum ob_result result = ob_pg_tree_copy(data, cache->fresh, &ourselves, &digest, err);
    if (result == OB_OK && rename(cache->fresh, cache->path) != 0)
        result = ob_error_set(err, OB_IO, "could not rename \"%s\" to \"%s\": %s", cache->fresh,
                              cache->path, strerror(errno));
    if (result == OB_OK) {
        stamp_text(text, sizeof text, digest);
        result = ob_pg_tree_write(cache->stamp, text, err);
    }
    if (result != OB_OK)
        (void)ob_pg_tree_remove(cache->fresh);
    (void)flock(cache->lock_fd, LOCK_UN);
    return result;
}

static enum ob_result run_initdb(const struct ob_pg_install *install, struct ob_pg_keeper *keeper,
                                 struct ob_error *err)
{
    const char *argv[ARGUMENTS_MAX + 5];
    char *program = ob_asprintf("%s/initdb", install->bindir);
    size_t count = 0;
    bool ended = false;
    int status = 0;
    pid_t pid;

    argv[count++] = program;
    argv[count++] = "--no-sync";
    argv[count++] = "--no-clean"; /* postmaster.pid is how we know of shared memory it has left */
    argv[count++] = "-D";
    argv[count++] = keeper->home.data;
    initdb_options(install, argv + count);
    enum ob_result result = ob_pg_keeper_run(keeper, argv, &pid, err);
    if (result == OB_OK)
        result = ob_pg_keeper_wait(keeper, -1, INITDB_MS_MAX, &ended, &status, err);
    if (result == OB_OK && status != 0)
        result = ob_pg_keeper_program_error(keeper, "initdb", status, err);
    free(program);
    return result;
}

enum ob_result ob_pg_cluster_fill(const struct ob_pg_install *install, struct ob_pg_keeper *keeper,
                                  struct ob_pg_cluster_origin *origin, struct ob_error *err)
{
    struct cache cache;
    struct ob_error reason;
    bool copied = false;
    enum ob_result cached = cache_open(install, &cache, &reason);
    enum ob_result result = OB_OK;

    *origin = (struct ob_pg_cluster_origin){.cached = false};
    if (cached == OB_OK)
        result = copy_cached(&cache, &keeper->home, &copied, err);
    if (result == OB_OK)
        result = ob_pg_home_hand_over(&keeper->home, err);
    if (result == OB_OK && !copied) {
        result = run_initdb(install, keeper, err);
        if (result == OB_OK && cached == OB_OK)
            cached = publish(&cache, keeper->home.data, &reason);
    }
    origin->cached = copied;
    /* A cache that cannot be written costs time at each start; it is no reason not to start. */
    if (cached != OB_OK)
        snprintf(origin->note, sizeof origin->note, "%s", reason.message);
    cache_clear(&cache);
    return result;
}
