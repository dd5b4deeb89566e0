#include "base/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

bool ob_child_is_owned(pid_t owner)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == owner;
}

enum ob_result ob_child_start(struct ob_child *child, const struct ob_child *others,
                              size_t other_count, ob_child_body *body, void *arg,
                              struct ob_error *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return ob_error_set(err, OB_IO, "could not make a socket: %s", strerror(errno));
    pid_t owner = getpid();
    fflush(NULL); /* so that nothing is written twice */
    child->pid = fork();
    if (child->pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        for (size_t i = 0; i < other_count; i++)
            close(others[i].fd);
        close(fds[0]);
        if (ob_child_is_owned(owner))
            body(fds[1], owner, arg);
        exit(0);
    }
    close(fds[1]);
    child->fd = fds[0];
    if (child->pid > 0)
        return OB_OK;
    child->pid = 0;
    close(fds[0]);
    return ob_error_set(err, OB_IO, "could not start a process: %s", strerror(errno));
}

void ob_child_stop(struct ob_child *child, int number)
{
    if (child->pid <= 0)
        return;
    if (number != 0)
        kill(child->pid, number);
    close(child->fd);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    *child = (struct ob_child){.fd = -1};
}

bool ob_child_send(int fd, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, (const char *)data + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool ob_child_receive(int fd, void *data, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = recv(fd, (char *)data + got, size - got, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        got += n > 0 ? (size_t)n : 0;
    }
    return true;
}
