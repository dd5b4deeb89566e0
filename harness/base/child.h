/*
 * child.h - a process that works for its owner, at the other end of a socket.
 *
 * What a process has only once (libfiu's points of failure, the environment, a server that belongs
 * to it) cannot be shared by work that goes on side by side, so such work is done by children.  A
 * child ends with its owner, however that ends.
 *
 * Start children before any thread.  One owner thread.
 */
#ifndef OB_BASE_CHILD_H
#define OB_BASE_CHILD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ob_child {
    pid_t pid; /* 0: stopped */
    int fd;    /* readable when it has said something, or has ended; -1: stopped */
};

/* What the child does; the process ends with 0 when it returns.  fd is its end of the socket. */
typedef void ob_child_body(int fd, pid_t owner, void *arg);

/* others: what of the owner's is not for the child; it closes their sockets. */
OB_MUSTCHECK enum ob_result ob_child_start(struct ob_child *child, const struct ob_child *others,
                                           size_t other_count, ob_child_body *body, void *arg,
                                           struct ob_error *err);

/* Waits for its end, of which a body is told by the end of what it receives; signal is sent before
 * that, where it is not 0.  A stopped one is legal. */
void ob_child_stop(struct ob_child *child, int signal);

/* Within the child: whether it still has its owner, with which it ends.  The kernel forgets the
 * latter whenever the effective user changes, as it does while a server is started: to be asked
 * again after that. */
bool ob_child_is_owned(pid_t owner);

/* Both ends.  False: the other one has ended. */
bool ob_child_send(int fd, const void *data, size_t size);
bool ob_child_receive(int fd, void *data, size_t size);

#endif
