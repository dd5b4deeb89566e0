/*
 * model_int.h - what the model's files share.
 *
 *   model.c        rows, locks, transactions, statements
 *   model_ports.c  ticks, and the engine's ports on top
 */
#ifndef OB_TESTS_MODEL_INT_H
#define OB_TESTS_MODEL_INT_H

#include "base/rng.h"
#include "model.h"

#include <pthread.h>

#define OB_MODEL_ITEMS_MAX 80
#define OB_MODEL_NOBODY SIZE_MAX
#define OB_MODEL_FOREIGN (SIZE_MAX - 1)

/* A row, or an advisory lock's name. */
struct item {
    char name[24];
    bool clean_exists, exists, owner_exists;
    int64_t clean_value, value, owner_value; /* the owner's: what it has written, once it has */
    bool written;                            /* by the owner */
    bool advisory, occupied; /* occupied: by a session that is no client's, always */
    size_t owner;
    size_t queue[OB_CLIENTS_MAX];
    size_t queue_count;
};

enum session_state { IDLE, RUNNING, WAITING, ANSWERED };

struct session {
    enum session_state state;
    bool in_transaction, failed;
    const struct ob_op *op;
    const char *at; /* what is left of the statement */
    unsigned delay; /* ticks until it goes on */
    struct item *wanted;
    unsigned waited; /* ticks of the present wait */
    bool armed, checked, held;
    unsigned timeout, own_check; /* ticks of a wait; 0: none */
    struct ob_reply reply;
    int64_t result;
    uint64_t rows_seen;            /* which, by the command rows */
    struct ob_footprint footprint; /* of the operation in flight, or of the last one */
};

struct ob_model {
    struct ob_model_options options;
    struct item items[OB_MODEL_ITEMS_MAX];
    size_t item_count;
    struct session sessions[OB_CLIENTS_MAX];
    struct ob_rng jitter;
    size_t calls;
    size_t results_alive; /* atomic */
    int64_t skipped_us;   /* by which the clock is ahead of the machine's */
    pthread_mutex_t mutex;
};

struct model_result {
    struct ob_model *model;
    int64_t value;
};

struct item *ob_model_item(struct ob_model *model, const char *name);
/* Lets the session go on with its operation until it is answered or waits. */
void ob_model_advance(struct ob_model *model, size_t session);
/* Ends the session's operation with an error, and its transaction. */
void ob_model_fail(struct ob_model *model, size_t session, const char *sqlstate);
/* Ends the session. */
void ob_model_lose(struct ob_model *model, size_t session);
ob_client_set ob_model_holders(const struct ob_model *model, size_t session, bool *foreign);

#endif
