/*
 * home.c - see home.h.
 *
 * A new directory exists for a moment before it is locked.  A sweep that comes just then may lock
 * and remove it; the maker notices, because what it then holds is no longer what the path names,
 * and makes another.  A directory without the mark is only removed if it is empty.
 */
#include "pg/home.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "pg/clock.h"
#include "pg/pidfile.h"
#include "pg/tree.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX "overbook-pg-"
#define TEMPLATE PREFIX "XXXXXX"
#define MARK "overbook.home"
#define SOCKET_NAME ".s.PGSQL.5432"
#define SWEPT_MAX 10 /* new directories lost to a sweep before we give up */
#define KILL_MS_MAX 10000
#define LOOK_MS_MAX 2000 /* for the end of one process */
#define LOOK_AGAIN_MS 10 /* where its end cannot be waited for */

/* Whether the process works in dir or below; false for one that has ended. */
static bool works_in(int proc, const char *pid, const char *dir)
{
    char name[32], cwd[4096];
    size_t length = strlen(dir);

    snprintf(name, sizeof name, "%s/cwd", pid);
    ssize_t size = readlinkat(proc, name, cwd, sizeof cwd - 1);
    if (size < 0 || (size_t)size < length)
        return false;
    cwd[size] = '\0';
    /* A removed directory reads as "dir (deleted)". */
    return memcmp(cwd, dir, length) == 0 &&
           (cwd[length] == '\0' || cwd[length] == '/' || cwd[length] == ' ');
}

/* Sends the signal to the process if it is one of dir.  It is opened first and looked at again
 * then, since a number alone may name another process by now; where the kernel or a sandbox gives
 * no pidfds, the number has to do.  True when there was somebody to signal, with *fd the pidfd or
 * -1. */
static bool signal_one(int proc, const char *name, const char *dir, int signal_number, int *fd)
{
    int64_t pid;

    if (!ob_parse_i64(name, 1, INT32_MAX, &pid) || pid == getpid() || !works_in(proc, name, dir))
        return false;
    *fd = pidfd_open((pid_t)pid, 0);
    if (*fd < 0)
        return errno != ESRCH && (kill((pid_t)pid, signal_number) == 0 || errno != ESRCH);
    if (works_in(proc, name, dir) &&
        (pidfd_send_signal(*fd, signal_number, NULL, 0) == 0 || errno != ESRCH))
        return true;
    close(*fd);
    return false;
}

/* Signals all, and with wait_ms > 0 waits so long at the most for the end of each. */
static size_t signal_all(const char *dir, int signal_number, int wait_ms)
{
    size_t count = 0;
    DIR *proc = opendir("/proc");

    if (proc == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        int fd = -1;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !signal_one(dirfd(proc), entry->d_name, dir, signal_number, &fd))
            continue;
        count++;
        if (wait_ms > 0)
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1,
                       fd >= 0 ? wait_ms : LOOK_AGAIN_MS);
        if (fd >= 0)
            close(fd);
    }
    closedir(proc);
    return count;
}

size_t ob_pg_home_signal(const char *dir, int signal_number)
{
    return signal_all(dir, signal_number, 0);
}

/* Again and again, because a process may fork while we look; a stopped one dies of SIGKILL too. */
static bool kill_all(const char *dir)
{
    double deadline = ob_pg_clock_ms() + KILL_MS_MAX;
    size_t left;

    do
        left = signal_all(dir, SIGKILL, LOOK_MS_MAX);
    while (left > 0 && ob_pg_clock_left_ms(deadline) > 0);
    return left == 0;
}

/* Removes all, the mark last: what a removal cut short leaves can be swept again. */
static void remove_content(const char *path)
{
    DIR *dir = opendir(path);
    bool whole = true;

    if (dir == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strcmp(entry->d_name, MARK) == 0)
            continue;
        char *child = ob_asprintf("%s/%s", path, entry->d_name);
        whole = ob_pg_tree_remove(child) && whole;
        free(child);
    }
    closedir(dir);
    char *mark = ob_asprintf("%s/" MARK, path);
    if (whole)
        (void)unlink(mark);
    free(mark);
}

bool ob_pg_home_destroy(const struct ob_pg_home *home)
{
    struct stat state;
    struct ob_pg_pidfile pidfile;
    struct ob_pg_account account = home->account;
    bool gone = true;

    /* Until it is handed over, root's home is root's own. */
    if (fstat(home->lock_fd, &state) == 0 && state.st_uid != account.uid)
        account.other = false;
    ob_pg_account_enter(&account);
    bool started = ob_pg_pidfile_read(home->data, &pidfile);
    if (!kill_all(home->path))
        gone = false;
    if (started && !ob_pg_pidfile_remove_segment(&pidfile))
        gone = false;
    remove_content(home->path);
    ob_pg_account_leave(&account);
    if (rmdir(home->path) != 0 && errno != ENOENT)
        gone = false;
    return gone;
}

void ob_pg_home_clear(struct ob_pg_home *home)
{
    if (home->lock_fd >= 0)
        close(home->lock_fd);
    free(home->path);
    free(home->data);
    free(home->log);
    *home = (struct ob_pg_home){.lock_fd = -1};
}

void ob_pg_home_init(struct ob_pg_home *home, const char *path, int lock_fd,
                     const struct ob_pg_account *account)
{
    /* See spread(): it is the name that decides where on the disk a directory goes. */
    const char *suffix = path + strlen(path) - (sizeof TEMPLATE - sizeof PREFIX);

    *home = (struct ob_pg_home){.path = ob_strdup(path),
                                .data = ob_asprintf("%s/data-%s", path, suffix),
                                .log = ob_asprintf("%s/log", path),
                                .lock_fd = lock_fd,
                                .account = *account};
}

static bool has_mark(int dir)
{
    struct stat state;

    return fstatat(dir, MARK, &state, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(state.st_mode);
}

static void sweep_one(const char *place, const char *name, const struct ob_pg_account *account)
{
    struct ob_pg_home home;
    struct stat state;
    char *path = ob_asprintf("%s/%s", place, name);

    ob_pg_home_init(&home, path, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                    account);
    if (home.lock_fd >= 0 && fstat(home.lock_fd, &state) == 0 &&
        (state.st_uid == geteuid() || state.st_uid == account->uid) &&
        flock(home.lock_fd, LOCK_EX | LOCK_NB) == 0) {
        if (has_mark(home.lock_fd))
            (void)ob_pg_home_destroy(&home);
        else
            (void)rmdir(path);
    }
    ob_pg_home_clear(&home);
    free(path);
}

void ob_pg_home_sweep(const char *place, const struct ob_pg_account *account)
{
    char *canonical = realpath(place, NULL);
    DIR *dir = canonical != NULL ? opendir(canonical) : NULL;

    if (dir != NULL) {
        for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
            if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) == 0 &&
                strlen(entry->d_name) == sizeof TEMPLATE - 1)
                sweep_one(canonical, entry->d_name, account);
        closedir(dir);
    }
    free(canonical);
}

/* Asks ext4 to put what is made in the home elsewhere on the disk than its neighbours.  Beside
 * them it searches through every inode freed in the last minutes, by the thousand for each
 * server that was here, and a copy takes up to five times as long.  File systems that know no
 * such wish refuse it, and that is well. */
static void spread(int dir)
{
    int flags;

    if (ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_TOPDIR_FL;
        (void)ioctl(dir, FS_IOC_SETFLAGS, &flags);
    }
}

/* Locks the directory just made and marks it; 1 done, 0 it was swept away meanwhile, -1 failed. */
static int claim(struct ob_pg_home *home)
{
    struct stat held, named;

    home->lock_fd = open(home->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (home->lock_fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (flock(home->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? 0 : -1;
    if (fstat(home->lock_fd, &held) != 0)
        return -1;
    if (stat(home->path, &named) != 0 || held.st_dev != named.st_dev || held.st_ino != named.st_ino)
        return 0;
    int mark = openat(home->lock_fd, MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (mark < 0)
        return -1;
    close(mark);
    spread(home->lock_fd);
    return 1;
}

static enum ob_result make_error(const char *place, struct ob_error *err)
{
    int reason = errno;

    ob_error_set(err, OB_IO, "could not make a temporary directory in \"%s\": %s", place,
                 strerror(reason));
    ob_error_hint(err, "Set TMPDIR to a directory that you may write to%s.",
                  reason == ENOSPC || reason == EDQUOT ? " and that has about 100 MB of space"
                                                       : "");
    return OB_IO;
}

static enum ob_result make(const char *place, const struct ob_pg_account *account,
                           struct ob_pg_home *out, struct ob_error *err)
{
    for (int swept = 0; swept < SWEPT_MAX; swept++) {
        struct ob_pg_home home = {.lock_fd = -1};
        char *path = ob_asprintf("%s/" TEMPLATE, place);
        int claimed = -1;
        if (mkdtemp(path) != NULL) {
            ob_pg_home_init(&home, path, -1, account);
            claimed = claim(&home);
        }
        if (claimed > 0) {
            *out = home;
            free(path);
            return OB_OK;
        }
        enum ob_result result = claimed < 0 ? make_error(place, err) : OB_OK;
        if (home.path != NULL)
            (void)rmdir(path);
        free(path);
        ob_pg_home_clear(&home);
        if (result != OB_OK)
            return result;
    }
    errno = EBUSY;
    return make_error(place, err);
}

/* Why the server cannot live in place, or NULL when it can. */
static const char *unfit(const char *place, const struct ob_pg_account *account)
{
    static const size_t size_max = sizeof((struct sockaddr_un *)NULL)->sun_path;

    if (strlen(place) + sizeof "/" TEMPLATE "/" SOCKET_NAME > size_max)
        return "a Unix socket's path there would be longer than the system's 107 bytes";
    if (strchr(place, ',') != NULL)
        return "it has a comma, which a connection string cannot express";
    ob_pg_account_enter(account);
    int reached = faccessat(AT_FDCWD, place, X_OK, AT_EACCESS);
    ob_pg_account_leave(account);
    return reached == 0 ? NULL : "the user that the server runs as may not enter it";
}

enum ob_result ob_pg_home_open_in(const char *const *places, size_t count, struct ob_pg_home *out,
                                  struct ob_error *err)
{
    struct ob_pg_account account;
    enum ob_result result = ob_pg_account_find(&account, err);

    assert(count > 0);
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        char *place = realpath(places[i], NULL);
        if (place == NULL)
            return make_error(places[i], err);
        const char *reason = unfit(place, &account);
        if (reason == NULL) {
            result = make(place, &account, out, err);
            free(place);
            return result;
        }
        free(place);
        if (i + 1 < count)
            continue;
        result = ob_error_set(err, OB_IO, "the server cannot live in \"%s\"", places[0]);
        ob_error_detail(err, "Of \"%s\": %s.", places[i], reason);
        ob_error_hint(err, "Set TMPDIR to a directory with a short name that everybody may enter.");
    }
    return result;
}

enum ob_result ob_pg_home_open(struct ob_pg_home *out, struct ob_error *err)
{
    const char *places[] = {getenv("TMPDIR"), "/tmp"};
    size_t first = places[0] == NULL || *places[0] == '\0' ? 1 : 0;
    struct ob_pg_account account;
    enum ob_result result = ob_pg_account_find(&account, err);

    if (result != OB_OK)
        return result;
    for (size_t i = first; i < 2; i++)
        ob_pg_home_sweep(places[i], &account);
    return ob_pg_home_open_in(places + first, 2 - first, out, err);
}

enum ob_result ob_pg_home_hand_over(const struct ob_pg_home *home, struct ob_error *err)
{
    if (home->account.other && (fchownat(home->lock_fd, MARK, home->account.uid, home->account.gid,
                                         AT_SYMLINK_NOFOLLOW) != 0 ||
                                fchown(home->lock_fd, home->account.uid, home->account.gid) != 0))
        return ob_error_set(err, OB_IO, "could not give \"%s\" to the user %s: %s", home->path,
                            home->account.name, strerror(errno));
    return OB_OK;
}
