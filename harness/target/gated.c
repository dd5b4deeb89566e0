#include "target/gated.h"

#include <assert.h>
#include <stdio.h>

enum booking_isolation ob_gated_isolation(enum ob_isolation isolation)
{
    switch (isolation) {
    case OB_REPEATABLE_READ:
        return BOOKING_REPEATABLE_READ;
    case OB_SERIALIZABLE:
        return BOOKING_SERIALIZABLE;
    case OB_READ_COMMITTED:
    default:
        return BOOKING_READ_COMMITTED;
    }
}

static enum booking_db_result ask(struct ob_gated_db *gated, const struct ob_op *op, PGresult **out)
{
    *out = NULL;
    if (gated->stopped)
        return BOOKING_DB_LOST;
    struct ob_reply reply;
    ob_client_do(gated->client, op, &reply);
    gated->stopped = reply.status == OB_REPLY_STOPPED;
    if (reply.status != OB_REPLY_DONE) {
        assert(!reply.native);
        return BOOKING_DB_LOST;
    }
    *out = reply.native;
    ExecStatusType status = PQresultStatus(reply.native);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    return done ? BOOKING_DB_OK : BOOKING_DB_ERROR;
}

static enum booking_db_result command(struct booking_db *db, enum ob_op_kind kind, const char *text,
                                      PGresult **error)
{
    struct ob_gated_db *gated = (struct ob_gated_db *)db;
    const struct ob_op op = {.kind = kind, .text = text, .touches = gated->touches};
    PGresult *result;
    enum booking_db_result ended = ask(gated, &op, &result);
    if (error && ended == BOOKING_DB_ERROR) {
        *error = result;
        return ended;
    }
    PQclear(result);
    return ended;
}

static enum booking_db_result gated_begin(struct booking_db *db, enum booking_isolation isolation)
{
    char text[64];
    snprintf(text, sizeof text, "BEGIN ISOLATION LEVEL %s", booking_isolation_sql(isolation));
    return command(db, OB_OP_BEGIN, text, NULL);
}

static enum booking_db_result gated_exec(struct booking_db *db, const char *sql, int param_count,
                                         const char *const *params, PGresult **out)
{
    struct ob_gated_db *gated = (struct ob_gated_db *)db;
    const struct ob_op op = {.kind = OB_OP_STATEMENT,
                             .text = sql,
                             .param_count = param_count,
                             .params = params,
                             .touches = gated->touches};
    return ask(gated, &op, out);
}

enum booking_db_result ob_gated_script(struct ob_gated_db *gated, const char *sql, PGresult **out)
{
    const struct ob_op op = {.kind = OB_OP_QUERY, .text = sql};
    return ask(gated, &op, out);
}

static enum booking_db_result gated_commit(struct booking_db *db, PGresult **error)
{
    *error = NULL;
    return command(db, OB_OP_COMMIT, "COMMIT", error);
}

static enum booking_db_result gated_rollback(struct booking_db *db)
{
    return command(db, OB_OP_ROLLBACK, "ROLLBACK", NULL);
}

/* The world has already put a fresh session in place of the lost one. */
static enum booking_db_result gated_reconnect(struct booking_db *db)
{
    return ((struct ob_gated_db *)db)->stopped ? BOOKING_DB_LOST : BOOKING_DB_OK;
}

static void gated_pause(struct booking_db *db, int64_t delay_us)
{
    struct ob_gated_db *gated = (struct ob_gated_db *)db;
    if (gated->stopped)
        return;
    int64_t due_us = ob_client_now_us(gated->client) + delay_us;
    gated->stopped = !ob_gated_wait(gated->client, "back off before a retry", NULL, NULL, due_us);
}

static void gated_kill(struct booking_db *db)
{
    (void)command(db, OB_OP_KILL, "end the session", NULL); /* its answer is that it is lost */
}

static const struct booking_db_ops db_ops = {
    .begin = gated_begin,
    .exec = gated_exec,
    .commit = gated_commit,
    .rollback = gated_rollback,
    .reconnect = gated_reconnect,
    .pause = gated_pause,
    .kill = gated_kill,
};

void ob_gated_db_init(struct ob_gated_db *gated, struct ob_client *client)
{
    *gated = (struct ob_gated_db){.db.ops = &db_ops, .client = client};
}

bool ob_gated_wait(struct ob_client *client, const char *what, bool (*ready)(const void *arg),
                   const void *arg, int64_t due_us)
{
    const struct ob_op op = {
        .kind = OB_OP_WAIT, .text = what, .time_us = due_us, .ready = ready, .arg = arg};
    struct ob_reply reply;
    ob_client_do(client, &op, &reply);
    return reply.status == OB_REPLY_DONE;
}

/* Releases one call. False: the run is being given up, and the call is not to be made.  What is
 * done before the race has no client and needs no release. */
static bool release_call(const char *text)
{
    struct ob_client *client = ob_client_current();
    if (!client)
        return true;
    const struct ob_op op = {.kind = OB_OP_CALL, .text = text, .time_us = INT64_MAX};
    struct ob_reply reply;
    ob_client_do(client, &op, &reply);
    return reply.status == OB_REPLY_DONE;
}

static enum booking_payments_result gated_create(struct booking_payments *payments,
                                                 const struct booking_intent *intent,
                                                 const char *key, struct booking_payment *out)
{
    struct ob_gated_payments *gated = (struct ob_gated_payments *)payments;
    struct booking_payments *inner = booking_psp_payments(gated->psp);
    if (!release_call("provider: create a payment"))
        return BOOKING_PAYMENTS_UNKNOWN;
    struct ob_payment_call call = {.operation = "create", .hold_id = intent->hold_id, .key = key};
    call.result = inner->ops->create(inner, intent, key, out);
    gated->called(gated->arg, &call);
    return call.result;
}

static enum booking_payments_result gated_capture(struct booking_payments *payments,
                                                  const char *payment_id, const char *key,
                                                  struct booking_payment *out)
{
    struct ob_gated_payments *gated = (struct ob_gated_payments *)payments;
    struct booking_payments *inner = booking_psp_payments(gated->psp);
    if (!release_call("provider: capture a payment"))
        return BOOKING_PAYMENTS_UNKNOWN;
    struct ob_payment_call call = {.operation = "capture", .payment_id = payment_id, .key = key};
    call.result = inner->ops->capture(inner, payment_id, key, out);
    gated->called(gated->arg, &call);
    return call.result;
}

static enum booking_payments_result gated_refund(struct booking_payments *payments,
                                                 const char *payment_id, int64_t amount_minor,
                                                 const char *key, struct booking_payment *out)
{
    struct ob_gated_payments *gated = (struct ob_gated_payments *)payments;
    struct booking_payments *inner = booking_psp_payments(gated->psp);
    if (!release_call("provider: refund a payment"))
        return BOOKING_PAYMENTS_UNKNOWN;
    struct ob_payment_call call = {.operation = "refund", .payment_id = payment_id, .key = key};
    call.result = inner->ops->refund(inner, payment_id, amount_minor, key, out);
    gated->called(gated->arg, &call);
    return call.result;
}

static enum booking_payments_result
gated_lookup(struct booking_payments *payments, const char *payment_id, struct booking_payment *out)
{
    struct ob_gated_payments *gated = (struct ob_gated_payments *)payments;
    struct booking_payments *inner = booking_psp_payments(gated->psp);
    if (!release_call("provider: look a payment up"))
        return BOOKING_PAYMENTS_UNKNOWN;
    return inner->ops->lookup(inner, payment_id, out);
}

static const struct booking_payments_ops payments_ops = {
    .create = gated_create,
    .capture = gated_capture,
    .refund = gated_refund,
    .lookup = gated_lookup,
};

void ob_gated_payments_init(struct ob_gated_payments *gated, struct booking_psp *psp,
                            void (*called)(void *arg, const struct ob_payment_call *call),
                            void *arg)
{
    *gated = (struct ob_gated_payments){
        .payments.ops = &payments_ops, .psp = psp, .called = called, .arg = arg};
}
