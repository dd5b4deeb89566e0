/*
 * keeper.c - the opener's side of the keeper; see keeper.h, and pg_int.h for what the two say to
 * each other.
 */
#include "pg/keeper.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "pg/clock.h"
#include "pg/pg_int.h"
#include "pg/tree.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS_MAX 60000 /* for leftovers to be swept, a program to be forked */
#define CLOSE_MS_MAX 60000  /* for everything to be gone */

static enum ob_result system_error(struct ob_error *err, const char *what)
{
    return ob_error_set(err, OB_IO, "could not %s: %s", what, strerror(errno));
}

static enum ob_result keeper_gone(struct ob_error *err)
{
    ob_error_set(err, OB_SERVER, "the embedded server's keeper has gone");
    ob_error_detail(err, "Its process was killed, and the server with it.");
    return OB_SERVER;
}

/* Waits for a message, or for extra_fd.  OB_OK with kind 0 is the latter. */
static enum ob_result receive(const struct ob_pg_keeper *keeper, int extra_fd, int ms_max,
                              struct ob_pg_message *out, struct ob_error *err)
{
    double deadline = ob_pg_clock_ms() + ms_max;
    struct pollfd ready[] = {{.fd = keeper->fd, .events = POLLIN},
                             {.fd = extra_fd, .events = POLLIN}};
    int count;

    do
        count = poll(ready, 2, ob_pg_clock_left_ms(deadline));
    while (count < 0 && errno == EINTR);
    if (count == 0)
        return ob_error_set(err, OB_SERVER, "nothing came from the embedded server in %d ms",
                            ms_max);
    *out = (struct ob_pg_message){.kind = 0};
    if (count > 0 && ready[0].revents == 0)
        return OB_OK;
    if (recv(keeper->fd, out, sizeof *out, 0) != (ssize_t)sizeof *out)
        return keeper_gone(err);
    return OB_OK;
}

/* Takes the home that the keeper offers. */
static enum ob_result take_offer(const struct ob_pg_keeper *keeper, struct ob_pg_home *home,
                                 struct ob_error *err)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct ob_pg_offer offer;
    struct iovec part = {.iov_base = &offer, .iov_len = sizeof offer};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    struct pollfd ready = {.fd = keeper->fd, .events = POLLIN};
    int lock_fd = -1;

    if (poll(&ready, 1, ANSWER_MS_MAX) == 0)
        return ob_error_set(err, OB_SERVER,
                            "the embedded server's keeper made no directory in %d "
                            "ms",
                            ANSWER_MS_MAX);
    if (recvmsg(keeper->fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof offer)
        return keeper_gone(err);
    if (offer.result != OB_OK) {
        *err = offer.err;
        return offer.result;
    }
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(&lock_fd, CMSG_DATA(header), sizeof lock_fd);
    ob_pg_home_init(home, offer.path, lock_fd, &offer.account);
    return OB_OK;
}

static pid_t fork_keeper(int fd)
{
    pid_t opener = getpid();
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        ob_pg_keep(fd, opener);
    int reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return pid;
}

static void wait_keeper(const struct ob_pg_keeper *keeper)
{
    while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

enum ob_result ob_pg_keeper_open(struct ob_pg_keeper *out, struct ob_error *err)
{
    struct ob_pg_keeper keeper = {.pid = -1, .fd = -1};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return system_error(err, "make a socket for the server's keeper");
    keeper.fd = ends[0];
    keeper.pid = fork_keeper(ends[1]);
    enum ob_result result = keeper.pid < 0 ? system_error(err, "fork the server's keeper") : OB_OK;
    close(ends[1]);
    if (result == OB_OK)
        result = take_offer(&keeper, &keeper.home, err);
    if (result == OB_OK) {
        *out = keeper;
        return OB_OK;
    }
    close(keeper.fd);
    if (keeper.pid > 0)
        wait_keeper(&keeper);
    return result;
}

enum ob_result ob_pg_keeper_run(struct ob_pg_keeper *keeper, const char *const *argv, pid_t *pid,
                                struct ob_error *err)
{
    struct ob_buf text;
    struct ob_pg_message message;
    enum ob_result result = OB_OK;
    size_t count = 0;

    ob_buf_init(&text, OB_PG_KEEPER_ARGV_MAX);
    for (; argv[count] != NULL; count++)
        ob_buf_add(&text, argv[count], strlen(argv[count]) + 1);
    assert(count > 0 && count <= OB_PG_KEEP_ARGC_MAX);
    if (ob_buf_failed(&text)) {
        result = ob_error_set(err, OB_LIMIT, "the arguments of \"%s\" are too long", argv[0]);
        goto cleanup;
    }
    if (send(keeper->fd, text.data, text.size, MSG_NOSIGNAL) < 0) {
        result = keeper_gone(err);
        goto cleanup;
    }
    result = receive(keeper, -1, ANSWER_MS_MAX, &message, err);
    if (result != OB_OK)
        goto cleanup;
    if (message.kind != OB_PG_STARTED || message.value < 0) {
        errno = -message.value;
        result = system_error(err, "start the server's program");
        goto cleanup;
    }
    *pid = message.value;
cleanup:
    ob_buf_clear(&text);
    return result;
}

enum ob_result ob_pg_keeper_wait(struct ob_pg_keeper *keeper, int extra_fd, int ms_max, bool *ended,
                                 int *status, struct ob_error *err)
{
    struct ob_pg_message message;
    enum ob_result result = receive(keeper, extra_fd, ms_max, &message, err);

    if (result != OB_OK)
        return result;
    *ended = message.kind == OB_PG_ENDED;
    if (*ended)
        *status = message.value;
    return OB_OK;
}

void ob_pg_keeper_log_tail(const struct ob_pg_keeper *keeper, char *tail, size_t size)
{
    char *text = ob_alloc(size + 1);

    (void)ob_pg_tree_read_end(keeper->home.log, text, size + 1);
    size_t length = strlen(text);
    /* One byte more was read than fits: if there was one, the first line is cut. */
    const char *start = text;
    if (length == size) {
        const char *end = strchr(text, '\n');
        start = end != NULL && end[1] != '\0' ? end + 1 : text + 1;
    }
    snprintf(tail, size, "%s", start);
    free(text);
    for (length = strlen(tail); length > 0 && tail[length - 1] == '\n'; length--)
        tail[length - 1] = '\0';
}

enum ob_result ob_pg_keeper_program_error(const struct ob_pg_keeper *keeper, const char *name,
                                          int status, struct ob_error *err)
{
    char tail[500];
    char how[64];

    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was ended by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
    ob_pg_keeper_log_tail(keeper, tail, sizeof tail);
    ob_error_set(err, OB_SERVER, "the embedded server did not start: %s %s", name, how);
    ob_error_detail(err, "Its log ends: %s", tail[0] != '\0' ? tail : "(it is empty)");
    if (strstr(tail, strerror(ENOSPC)) != NULL)
        ob_error_hint(err,
                      "Free some space in \"%s\" (a server needs about 100 MB), or set TMPDIR "
                      "to a directory that has it.",
                      keeper->home.path);
    return OB_SERVER;
}

bool ob_pg_keeper_ended(const struct ob_pg_keeper *keeper)
{
    struct ob_pg_message message;

    return recv(keeper->fd, &message, sizeof message, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           errno != EAGAIN;
}

bool ob_pg_keeper_close(struct ob_pg_keeper *keeper)
{
    double deadline = ob_pg_clock_ms() + CLOSE_MS_MAX;
    struct ob_pg_message message = {.kind = 0};
    struct ob_error ignored;
    bool told = true;

    (void)shutdown(keeper->fd, SHUT_WR);
    while (told && message.kind != OB_PG_GONE)
        told = receive(keeper, -1, ob_pg_clock_left_ms(deadline), &message, &ignored) == OB_OK;
    if (!told)
        (void)kill(keeper->pid, SIGKILL);
    wait_keeper(keeper);
    bool gone = told && message.value == 1;
    if (!gone)
        gone = ob_pg_home_destroy(&keeper->home);
    close(keeper->fd);
    ob_pg_home_clear(&keeper->home);
    *keeper = (struct ob_pg_keeper){.pid = -1, .fd = -1};
    return gone;
}
