/*
 * keep.c - the keeper's process; see keeper.h.  One loop over three events: the socket, the
 * opener's death, and signals, which stay blocked and are read.  It never returns into the code
 * that forked it.
 */
#include "pg/pg_int.h"

#include "base/alloc.h"
#include "pg/clock.h"
#include "pg/home.h"
#include "pg/keeper.h"

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
#include <sys/wait.h>
#include <unistd.h>

#define QUIT_MS_MAX 5000 /* from SIGQUIT to SIGKILL */

/* The keeper's own state. */
struct keep {
    struct ob_pg_home home;
    int fd, opener_fd, signal_fd;
    pid_t program; /* 0: none runs */
};

/* Present in coverage builds, which would not count a process that ends by _exit(). */
extern void __gcov_exit(void) __attribute__((weak));

static _Noreturn void leave(void)
{
    if (__gcov_exit != NULL)
        __gcov_exit();
    _exit(0);
}

static void tell(const struct keep *keep, enum ob_pg_message_kind kind, int value)
{
    struct ob_pg_message message = {.kind = (int32_t)kind, .value = value};

    (void)send(keep->fd, &message, sizeof message, MSG_NOSIGNAL);
}

/* Our environment without what would change a server or its messages: PG* variables, locales, and
 * libraries that were preloaded into overbook. */
static char **clean_environment(void)
{
    static const char *const dropped[] = {"PG", "LC_", "LANG", "LD_PRELOAD=", "TZ="};
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
    char *argv[OB_PG_KEEP_ARGC_MAX + 1];
    size_t count = 0;

    for (size_t at = 0; at < size && count < OB_PG_KEEP_ARGC_MAX; at += strlen(text + at) + 1)
        argv[count++] = text + at;
    argv[count] = NULL;
    pid_t keeper = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_program(keep, keeper, argv);
    keep->program = pid > 0 ? pid : 0;
    tell(keep, OB_PG_STARTED, pid > 0 ? pid : -errno);
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
        tell(keep, OB_PG_ENDED, status);
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
    struct ob_pg_offer offer = {.result = OB_OK};
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

_Noreturn void ob_pg_keep(int fd, pid_t opener)
{
    struct keep state = {.fd = fd};
    struct keep *keep = &state;
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
    tell(keep, OB_PG_GONE, gone);
    leave();
}
