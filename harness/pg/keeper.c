/*
 * keeper.c - see keeper.h.  The first half runs in the keeper's process, the second in the
 * opener's.
 *
 * The two talk over a socket of type SEQPACKET: the opener sends the argv of a program, its strings
 * one after the other; the keeper sends messages of a kind and a number.  When the opener shuts its
 * side down, or is no more, the keeper ends.
 */
#include "pg/keeper.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "pg/clock.h"
#include "pg/tree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUIT_MS_MAX 5000    /* from SIGQUIT to SIGKILL */
#define ANSWER_MS_MAX 60000 /* for leftovers to be swept, a program to be forked */
#define CLOSE_MS_MAX 60000  /* for everything to be gone */
#define ARGV_MAX 64

enum message_kind { MESSAGE_STARTED = 1, MESSAGE_ENDED, MESSAGE_GONE };

struct message {
    int32_t kind;
    int32_t value; /* a pid or -errno; a status of waitpid(); 1 when all is gone */
};

/* The keeper's first message: the home that it has made, whose lock comes with it, or why it has
 * not. */
struct offer {
    enum ob_result result;
    struct ob_error err;
    struct ob_pg_account account;
    char path[sizeof(struct sockaddr_un)]; /* holds the socket's path as well, so it is shorter */
};

/* The keeper's own state. */
struct keep {
    struct ob_pg_home home;
    int fd, opener_fd, signal_fd;
    pid_t program; /* 0: none runs */
};

/* Present in coverage builds, which would not count a process that ends by _exit(). */
extern void __gcov_dump(void) __attribute__((weak));

static _Noreturn void leave(void)
{
    if (__gcov_dump != NULL)
        __gcov_dump();
    _exit(0);
}

static void tell(const struct keep *keep, enum message_kind kind, int value)
{
    struct message message = {.kind = (int32_t)kind, .value = value};

    (void)send(keep->fd, &message, sizeof message, MSG_NOSIGNAL);
}

/* Our environment without what would change a server or its messages: PG* variables, locales, and
 * libraries that were preloaded into overbook. */
static char **clean_environment(void)
{
    static const char *const dropped[] = {"PG", "LC_", "LANG", "LANGUAGE", "LD_PRELOAD=", "TZ="};
    size_t count = 0, kept = 0;

    while (environ[count] != NULL)
        count++;
    char **clean = ob_alloc((count + 3) * sizeof *clean);
    for (size_t i = 0; i < count; i++) {
        bool drop = false;
        for (size_t j = 0; j < sizeof dropped / sizeof *dropped; j++)
            drop = drop || strncmp(environ[i], dropped[j], strlen(dropped[j])) == 0;
        if (!drop)
            clean[kept++] = environ[i];
    }
    clean[kept++] = ob_strdup("LC_ALL=C");
    clean[kept++] = ob_strdup("TZ=UTC");
    return clean;
}

/* Becomes the program; what goes wrong is the last line of the log. */
static _Noreturn void become_program(const struct keep *keep, pid_t keeper, char **argv)
{
    static const struct rlimit no_core = {0, 0};
    char **environment = clean_environment();
    sigset_t none;

    bool became = ob_pg_account_become(&keep->home.account);
    int reason = errno;
    int log = open(keep->home.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log >= 0) {
        (void)dup2(log, STDOUT_FILENO);
        (void)dup2(log, STDERR_FILENO);
    }
    if (!became) {
        dprintf(STDERR_FILENO, "could not become the user %s: %s\n", keep->home.account.name,
                strerror(reason));
        _exit(127);
    }
    (void)setrlimit(RLIMIT_CORE, &no_core);
    /* After the change of user, which would clear it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != keeper || chdir(keep->home.path) != 0)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(argv[0], argv, environment);
    dprintf(STDERR_FILENO, "could not execute \"%s\": %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void start_program(struct keep *keep, char *text, size_t size)
{
    char *argv[ARGV_MAX + 1];
    size_t count = 0;

    for (size_t at = 0; at < size && count < ARGV_MAX; at += strlen(text + at) + 1)
        argv[count++] = text + at;
    argv[count] = NULL;
    pid_t keeper = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_program(keep, keeper, argv);
    keep->program = pid > 0 ? pid : 0;
    tell(keep, MESSAGE_STARTED, pid > 0 ? pid : -errno);
}

/* False when the opener has closed its side. */
static bool serve_request(struct keep *keep)
{
    char text[OB_PG_KEEPER_ARGV_MAX + 1];
    ssize_t size = recv(keep->fd, text, sizeof text - 1, 0);

    if (size < 0 && errno == EINTR)
        return true;
    if (size <= 0)
        return false;
    text[size] = '\0';
    start_program(keep, text, (size_t)size);
    return true;
}

/* Orphans of the program come to us, the subreaper. */
static void reap(struct keep *keep)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != keep->program)
            continue;
        keep->program = 0;
        tell(keep, MESSAGE_ENDED, status);
    }
}

/* False when somebody wants the keeper itself to end. */
static bool take_signal(struct keep *keep)
{
    struct signalfd_siginfo info;

    if (read(keep->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return true;
    reap(keep);
    return info.ssi_signo == SIGCHLD;
}

static void wait_program(struct keep *keep, int ms_max)
{
    double deadline = ob_pg_clock_ms() + ms_max;
    int left;

    while (keep->program != 0 && (left = ob_pg_clock_left_ms(deadline)) > 0) {
        struct pollfd ready = {.fd = keep->signal_fd, .events = POLLIN};
        if (poll(&ready, 1, left) > 0)
            (void)take_signal(keep);
    }
}

/* The program is signalled by its number as well, for as long as it has not yet entered the home.
 */
static void end_program(struct keep *keep)
{
    if (keep->program == 0)
        return;
    ob_pg_account_enter(&keep->home.account);
    kill(keep->program, SIGQUIT);
    kill(keep->program, SIGCONT);
    (void)ob_pg_home_signal(keep->home.path, SIGCONT);
    ob_pg_account_leave(&keep->home.account);
    wait_program(keep, QUIT_MS_MAX);
    if (keep->program == 0)
        return;
    kill(keep->program, SIGKILL);
    wait_program(keep, QUIT_MS_MAX);
}

/* Gives up the opener's terminal, files and signal handlers.  All signals stay blocked: they are
 * read. */
static void detach(struct keep *keep)
{
    static const int taken[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    sigset_t set;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setsid();
    int moved = chdir("/");
    (void)moved; /* without it only a directory stays in use */
    (void)prctl(PR_SET_NAME, "overbook-keeper");
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    keep->fd = fcntl(keep->fd, F_DUPFD_CLOEXEC, 3);
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(null, fd);
    if (keep->fd > 3)
        (void)close_range(3, (unsigned)keep->fd - 1, 0);
    (void)close_range((unsigned)keep->fd + 1, ~0u, 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&set, taken[i]);
    keep->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Made here rather than by the opener, so that there is no moment at which nobody would remove
 * it. */
static bool offer_home(struct keep *keep)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.space = {0}};
    struct offer offer = {.result = OB_OK};
    struct iovec part = {.iov_base = &offer, .iov_len = sizeof offer};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    offer.result = ob_pg_home_open(&keep->home, &offer.err);
    if (offer.result == OB_OK) {
        offer.account = keep->home.account;
        snprintf(offer.path, sizeof offer.path, "%s", keep->home.path);
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &keep->home.lock_fd, sizeof(int));
    }
    (void)sendmsg(keep->fd, &message, MSG_NOSIGNAL);
    return offer.result == OB_OK;
}

static _Noreturn void keep_home(struct keep *keep, pid_t opener)
{
    bool going = true;

    detach(keep);
    if (!offer_home(keep))
        leave();
    /* Negative, and then left out by poll(), on kernels without pidfds: the socket says it too. */
    keep->opener_fd = pidfd_open(opener, 0);
    while (going) {
        struct pollfd ready[] = {{.fd = keep->signal_fd, .events = POLLIN},
                                 {.fd = keep->opener_fd, .events = POLLIN},
                                 {.fd = keep->fd, .events = POLLIN}};
        if (poll(ready, sizeof ready / sizeof *ready, -1) < 0)
            continue;
        if (ready[0].revents != 0)
            going = take_signal(keep);
        if (ready[1].revents != 0)
            going = false;
        if (going && ready[2].revents != 0)
            going = serve_request(keep);
    }
    end_program(keep);
    bool gone = ob_pg_home_destroy(&keep->home);
    reap(keep);
    tell(keep, MESSAGE_GONE, gone);
    leave();
}

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
                              struct message *out, struct ob_error *err)
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
    *out = (struct message){.kind = 0};
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
    struct offer offer;
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
        keep_home(&(struct keep){.fd = fd}, opener);
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
    struct message message;
    enum ob_result result = OB_OK;
    size_t count = 0;

    ob_buf_init(&text, OB_PG_KEEPER_ARGV_MAX);
    for (; argv[count] != NULL; count++)
        ob_buf_add(&text, argv[count], strlen(argv[count]) + 1);
    assert(count > 0 && count <= ARGV_MAX);
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
    if (message.kind != MESSAGE_STARTED || message.value < 0) {
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
    struct message message;
    enum ob_result result = receive(keeper, extra_fd, ms_max, &message, err);

    if (result != OB_OK)
        return result;
    *ended = message.kind == MESSAGE_ENDED;
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
    struct message message;

    return recv(keeper->fd, &message, sizeof message, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           errno != EAGAIN;
}

bool ob_pg_keeper_close(struct ob_pg_keeper *keeper)
{
    double deadline = ob_pg_clock_ms() + CLOSE_MS_MAX;
    struct message message = {.kind = 0};
    struct ob_error ignored;
    bool told = true;

    (void)shutdown(keeper->fd, SHUT_WR);
    while (told && message.kind != MESSAGE_GONE)
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
