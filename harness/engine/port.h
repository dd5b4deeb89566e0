/*
 * port.h - what the engine needs from the world.  The engine calls no database library, no clock
 * and no random numbers itself: pg/ implements these over libpq, proxy/ over the wire, tests over a
 * model.
 *
 * All functions are called by the engine's thread only, one at a time - except in free-running
 * mode, where send, poll, wait and cancel of a session are called by its client's thread, set_clock
 * and the sending of KILL by any of them but one at a time, and monotonic_us and discard by all.
 */
#ifndef OB_ENGINE_PORT_H
#define OB_ENGINE_PORT_H

#include "base/error.h"
#include "engine/footprint.h"
#include "engine/op.h"

#include <stddef.h>

enum ob_io {
    OB_IO_DONE,
    OB_IO_PENDING,
    OB_IO_GATE,   /* the statement has come to a gate, and goes on when it is let pass */
    OB_IO_FAILED, /* the error is filled: the server itself is gone, the run cannot go on */
};

/* Who waits for whom, as the server says.  Indices are clients. */
struct ob_waits {
    ob_client_set blocked;                 /* of those asked about: waiting for a lock */
    ob_client_set holders[OB_CLIENTS_MAX]; /* for each blocked one: the clients that it waits for */
    ob_client_set foreign; /* blocked ones that wait for somebody who is no client */
};

struct ob_ports {
    void *self;

    /* Sends an operation of a client's session (BEGIN, STATEMENT, QUERY, COMMIT, ROLLBACK, KILL)
     * without waiting. */
    enum ob_io (*send)(void *self, size_t client, const struct ob_op *op, struct ob_error *err);

    /* Looks for the answer without waiting. On OB_IO_DONE *reply is filled. */
    enum ob_io (*poll)(void *self, size_t client, struct ob_reply *reply, struct ob_error *err);

    /* Returns as soon as one of the sessions may have an answer, or after limit_us. */
    void (*wait)(void *self, ob_client_set clients, int64_t limit_us);

    /* Asks the server about these clients in one round trip. */
    enum ob_result (*waits)(void *self, ob_client_set clients, struct ob_waits *out,
                            struct ob_error *err);

    /* From its next operation on, this client is the one to die if it closes a cycle of waits
     * (armed), or is never chosen (not).  Cheap when nothing changes. */
    enum ob_result (*arm_deadlock)(void *self, size_t client, bool armed, struct ob_error *err);

    /* True once the deadlock check of an armed client's present wait has run and found nothing. */
    bool (*deadlock_checked)(void *self, size_t client);

    /* Whether a wait of the client's may end by itself: its session has set a timeout, or another
     * one may have cancelled it. */
    bool (*has_timeout)(void *self, size_t client);

    /* Whether a transaction of the client's may be serializable, as far as is known: the server
     * lets go of its locks first, and only then notes for the conflicts of others that it has
     * ended. NULL: none is. */
    bool (*serializable)(void *self, size_t client);

    /* Closes the gates between a statement's snapshot and its run, or leaves them open for all.
     * NULL where there are none. */
    enum ob_result (*gates)(void *self, bool closed, struct ob_error *err);

    /* Lets the client's statement go on that stands at its gate; it may come to another one. */
    enum ob_result (*pass_gate)(void *self, size_t client, struct ob_error *err);

    /* Keeps the server's process of a client that waits from going on (held), or lets it go on; it
     * has stopped on return.  NULL where that is not possible. */
    enum ob_result (*hold)(void *self, size_t client, bool held, struct ob_error *err);

    /* What the client's operation in flight, or its last one, has touched so far; borrowed until
     * its next one.  NULL where the server does not tell. */
    const struct ob_footprint *(*footprint)(void *self, size_t client);

    enum ob_result (*set_clock)(void *self, int64_t time_us, struct ob_error *err);

    /* Interrupts what is in flight, as a cancel request does.  Best effort. */
    void (*cancel)(void *self, size_t client);

    /* Frees a reply's native result that no client will receive. */
    void (*discard)(void *self, void *native);

    /* Machine time (CLOCK_MONOTONIC) for limits and for measuring; never for a decision that a
     * schedule depends on. */
    int64_t (*monotonic_us)(void *self);
};

#endif
