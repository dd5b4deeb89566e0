#include "spec/worker.h"

#include "base/alloc.h"
#include "spec/file.h"
#include "spec/place.h"
#include "spec/player.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* Before a report's text. */
struct header {
    int64_t us;
    uint64_t size;
    struct ob_error error; /* code OB_OK: none */
};

/* --- both sides */

static bool send_all(int fd, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, (const char *)data + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* False at the end of the stream. */
static bool receive_all(int fd, void *data, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = recv(fd, (char *)data + got, size - got, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        got += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* --- the worker's side */

static void collect(void *self, bool complaint, const char *text, size_t size)
{
    (void)complaint;
    ob_buf_add(self, text, size);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A spec that does not load fails as it does in isolationtester, by what is printed. */
static enum ob_result play(struct ob_spec_place *place, const char *path, int limit_s,
                           struct ob_buf *text, struct ob_error *err)
{
    struct ob_spec *spec = NULL;
    if (ob_spec_file_read(path, &spec, err) != OB_OK) {
        ob_buf_printf(text, "%s\n", err->message);
        return OB_OK;
    }
    char *name = ob_spec_file_name(path), *application = ob_asprintf("isolation/%s", name);
    const struct ob_spec_options options = {.application = application, .limit_s = limit_s};
    const struct ob_spec_out out = {.self = text, .write = collect};
    bool played;
    enum ob_result result =
        ob_spec_play(spec, ob_spec_place_plain(place), &options, &out, &played, err);
    free(application);
    free(name);
    ob_spec_free(spec);
    return result;
}

static bool send_report(int fd, const struct header *header, const struct ob_buf *text)
{
    return send_all(fd, header, sizeof *header) && send_all(fd, text->data, text->size);
}

/* Whether this process will end with its owner, which it may already have lost.  The kernel forgets
 * the wish whenever the effective user changes, as it does while a server is started. */
static bool is_owned(pid_t owner)
{
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == owner;
}

static void work(int fd, pid_t owner, const struct ob_spec_worker_options *options)
{
    struct ob_spec_place *place = NULL;
    struct header header = {0};
    struct ob_buf text;
    char path[PATH_SIZE];
    ob_buf_init(&text, SIZE_MAX);
    enum ob_result result = options->conninfo
                                ? ob_spec_place_open_at(options->conninfo, &place, &header.error)
                                : ob_spec_place_open(&place, &header.error);
    header.error.code = result;
    if (!send_report(fd, &header, &text))
        result = OB_IO;
    while (result == OB_OK && is_owned(owner) && receive_all(fd, path, sizeof path)) {
        int64_t began_us = now_us();
        ob_buf_reset(&text);
        result = play(place, path, options->limit_s, &text, &header.error);
        header.us = now_us() - began_us;
        header.size = text.size;
        header.error.code = result;
        if (!send_report(fd, &header, &text))
            break;
    }
    ob_buf_clear(&text);
    ob_spec_place_close(place);
}

/* --- the owner's side */

enum ob_result ob_spec_worker_start(struct ob_spec_worker *worker,
                                    const struct ob_spec_worker_options *options,
                                    const struct ob_spec_worker *others, size_t other_count,
                                    struct ob_error *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return ob_error_set(err, OB_IO, "could not make a socket: %s", strerror(errno));
    pid_t owner = getpid();
    fflush(NULL); /* so that nothing is written twice */
    worker->pid = fork();
    if (worker->pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        for (size_t i = 0; i < other_count; i++)
            close(others[i].fd);
        close(fds[0]);
        if (is_owned(owner))
            work(fds[1], owner, options);
        exit(0);
    }
    close(fds[1]);
    worker->fd = fds[0];
    if (worker->pid > 0)
        return OB_OK;
    close(fds[0]);
    return ob_error_set(err, OB_IO, "could not start a process: %s", strerror(errno));
}

static enum ob_result has_ended(struct ob_error *err)
{
    ob_error_set(err, OB_IO, "a worker has ended in the middle of its work");
    ob_error_hint(err, "Was it killed, or is memory short?");
    return OB_IO;
}

enum ob_result ob_spec_worker_give(const struct ob_spec_worker *worker, const char *path,
                                   struct ob_error *err)
{
    char message[PATH_SIZE] = "";
    if (strlen(path) >= sizeof message)
        return ob_error_set(err, OB_INPUT, "the path of a spec is too long");
    memcpy(message, path, strlen(path) + 1);
    return send_all(worker->fd, message, sizeof message) ? OB_OK : has_ended(err);
}

enum ob_result ob_spec_worker_report(const struct ob_spec_worker *worker,
                                     struct ob_spec_report *out, struct ob_error *err)
{
    struct header header;
    *out = (struct ob_spec_report){0};
    ob_buf_init(&out->text, SIZE_MAX);
    if (!receive_all(worker->fd, &header, sizeof header))
        return has_ended(err);
    char chunk[65536];
    while (out->text.size < header.size) {
        size_t left = header.size - out->text.size;
        size_t size = left < sizeof chunk ? left : sizeof chunk;
        if (!receive_all(worker->fd, chunk, size))
            return has_ended(err);
        ob_buf_add(&out->text, chunk, size);
    }
    out->us = header.us;
    out->failed = header.error.code != OB_OK;
    out->error = header.error;
    return OB_OK;
}

void ob_spec_worker_stop(struct ob_spec_worker *worker, bool at_once)
{
    if (worker->pid <= 0)
        return;
    if (at_once)
        kill(worker->pid, SIGTERM);
    close(worker->fd);
    while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    worker->pid = 0;
}
