/*
 * client.h - what the code of a racing client may call.  Only from its own thread, inside its body.
 */
#ifndef OB_ENGINE_CLIENT_H
#define OB_ENGINE_CLIENT_H

#include "base/error.h"
#include "engine/op.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ob_client;

typedef void ob_client_body(struct ob_client *client, void *arg);

/* The client whose body runs in this thread, or NULL: for callbacks that carry no argument
 * (libfiu). */
struct ob_client *ob_client_current(void);

size_t ob_client_index(const struct ob_client *client);

/* What the clients are to do in this run: a number up to the run's program_count, 0 for what they
 * do by themselves. */
size_t ob_client_program(const struct ob_client *client);

/* What the client does now is that part of all that it does; the numbers are its target's own.
 * False: the run is made without it. */
bool ob_client_begins(struct ob_client *client, uint32_t part);

/* Posts an operation and waits until it has been released and answered. */
void ob_client_do(struct ob_client *client, const struct ob_op *op, struct ob_reply *reply);

/* The virtual time, in microseconds since 1970. */
int64_t ob_client_now_us(const struct ob_client *client);

/* How the point fails here and now, as the schedule decides: 0 not at all, else one of its ways
 * from 1. */
unsigned ob_client_fault(struct ob_client *client, size_t point);

/* The run cannot go on, since the client's own code cannot: the first such error becomes the run's
 * result.  The body returns after it. */
void ob_client_fail(struct ob_client *client, const struct ob_error *error);

/* Adds to the history; data is one JSON object, copied. */
void ob_client_event(struct ob_client *client, const char *kind, const char *data);

#endif
