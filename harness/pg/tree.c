#include "pg/tree.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A cluster's largest file is a megabyte; more than this is not one of ours. */
#define FILE_SIZE_MAX (64u << 20)

struct copy {
    const char *from, *to;
    const struct ob_pg_account *owner;
    uint64_t digest;
    unsigned char *content; /* of the file at hand, in a buffer used again */
    size_t capacity;
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum ob_result source_error(struct ob_error *err, const char *path, int reason)
{
    return ob_error_set(err, OB_INPUT, "could not read \"%s\": %s", path, strerror(reason));
}

static enum ob_result target_error(struct ob_error *err, const char *path, int reason)
{
    ob_error_set(err, OB_IO, "could not write \"%s\": %s", path, strerror(reason));
    if (reason == ENOSPC || reason == EDQUOT)
        ob_error_hint(err, "Free some space there (a server needs about 100 MB), or set TMPDIR to "
                           "a directory that has it.");
    return OB_IO;
}

static enum ob_result write_all(int fd, const void *data, size_t size, const char *path,
                                struct ob_error *err)
{
    const char *at = data;

    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return target_error(err, path, errno);
        at += written;
        size -= (size_t)written;
    }
    return OB_OK;
}

/* Reads the whole file of the size given into copy->content. */
static enum ob_result read_content(struct copy *copy, const char *path, size_t size,
                                   struct ob_error *err)
{
    size_t done = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return source_error(err, path, errno);
    copy->content = ob_grow(copy->content, &copy->capacity, size + 1, 1);
    /* One byte more than it should have, so that a file that grew is noticed. */
    while (done <= size) {
        ssize_t got = read(fd, copy->content + done, size + 1 - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    int reason = done == size ? 0 : EIO;
    close(fd);
    return reason == 0 ? OB_OK : source_error(err, path, reason);
}

static enum ob_result write_content(const struct copy *copy, const char *path, size_t size,
                                    struct ob_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return target_error(err, path, errno);
    enum ob_result result = write_all(fd, copy->content, size, path, err);
    if (result == OB_OK && copy->owner->other &&
        fchown(fd, copy->owner->uid, copy->owner->gid) != 0)
        result = target_error(err, path, errno);
    /* Network file systems report a full disk only here. */
    if (close(fd) != 0 && result == OB_OK)
        result = target_error(err, path, errno);
    return result;
}

static enum ob_result copy_file(struct copy *copy, const FTSENT *entry, const char *target,
                                struct ob_error *err)
{
    uint8_t sum[32];

    if (entry->fts_statp->st_size > (off_t)FILE_SIZE_MAX)
        return source_error(err, entry->fts_path, EFBIG);
    size_t size = (size_t)entry->fts_statp->st_size;
    enum ob_result result = read_content(copy, entry->fts_path, size, err);
    if (result != OB_OK)
        return result;
    ob_sha256(copy->content, size, sum);
    copy->digest = ob_hash_bytes(ob_hash_u64(copy->digest, size), sum, sizeof sum);
    return write_content(copy, target, size, err);
}

static enum ob_result copy_entry(struct copy *copy, const FTSENT *entry, struct ob_error *err)
{
    const char *relative = entry->fts_path + strlen(copy->from);
    char *target = ob_asprintf("%s%s", copy->to, relative);
    enum ob_result result = OB_OK;

    switch (entry->fts_info) {
    case FTS_D:
        copy->digest = ob_hash_text(copy->digest, relative);
        if (mkdir(target, 0700) != 0)
            result = target_error(err, target, errno);
        break;
    case FTS_F:
        copy->digest = ob_hash_text(copy->digest, relative);
        result = copy_file(copy, entry, target, err);
        break;
    case FTS_DP:
        if (copy->owner->other && chown(target, copy->owner->uid, copy->owner->gid) != 0)
            result = target_error(err, target, errno);
        break;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        result = source_error(err, entry->fts_path, entry->fts_errno);
        break;
    default: /* symbolic links and special files have no place in a cluster made by initdb */
        result = source_error(err, entry->fts_path, EINVAL);
    }
    free(target);
    return result;
}

enum ob_result ob_pg_tree_copy(const char *from, const char *to, const struct ob_pg_account *owner,
                               uint64_t *digest, struct ob_error *err)
{
    struct copy copy = {.from = from, .to = to, .owner = owner, .digest = OB_HASH_START};
    char *roots[] = {ob_strdup(from), NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    enum ob_result result = OB_OK;

    if (walk == NULL) {
        result = source_error(err, from, errno);
        goto cleanup;
    }
    const FTSENT *entry;
    while (result == OB_OK && (errno = 0, entry = fts_read(walk)) != NULL)
        result = copy_entry(&copy, entry, err);
    if (result == OB_OK && errno != 0)
        result = source_error(err, from, errno);
    if (result == OB_OK)
        *digest = ob_hash_end(copy.digest);
cleanup:
    if (walk != NULL)
        fts_close(walk);
    free(roots[0]);
    free(copy.content);
    return result;
}

bool ob_pg_tree_remove(const char *path)
{
    char *roots[] = {ob_strdup(path), NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *entry;

    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DP)
            (void)rmdir(entry->fts_path);
        else if (entry->fts_info != FTS_D)
            (void)unlink(entry->fts_path);
    }
    if (walk != NULL)
        fts_close(walk);
    free(roots[0]);
    return access(path, F_OK) != 0 && errno == ENOENT;
}

enum ob_result ob_pg_tree_write(const char *path, const char *text, struct ob_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return target_error(err, path, errno);
    enum ob_result result = write_all(fd, text, strlen(text), path, err);
    if (close(fd) != 0 && result == OB_OK)
        result = target_error(err, path, errno);
    return result;
}

bool ob_pg_tree_read_end(const char *path, char *text, size_t size)
{
    struct stat state;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    size_t done = 0;

    assert(size > 0);
    text[0] = '\0';
    if (fd < 0)
        return false;
    if (fstat(fd, &state) == 0 && state.st_size > (off_t)(size - 1))
        (void)lseek(fd, state.st_size - (off_t)(size - 1), SEEK_SET);
    while (done < size - 1) {
        ssize_t got = read(fd, text + done, size - 1 - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    text[done] = '\0';
    close(fd);
    return true;
}
