#include "model_int.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item *ob_model_item(struct ob_model *model, const char *name)
{
    for (size_t i = 0; i < model->item_count; i++)
        if (strcmp(model->items[i].name, name) == 0)
            return &model->items[i];
    assert(model->item_count < OB_MODEL_ITEMS_MAX);
    struct item *item = &model->items[model->item_count++];
    snprintf(item->name, sizeof item->name, "%s", name);
    item->owner = OB_MODEL_NOBODY;
    return item;
}

static void run_after(struct ob_model *model, struct session *session)
{
    session->state = RUNNING;
    session->delay = model->options.latency;
    if (model->options.jitter_seed != 0)
        session->delay += (unsigned)ob_rng_below(&model->jitter, 4);
}

/* Hands the item to the head of its queue. */
static void release(struct ob_model *model, struct item *item)
{
    item->owner = OB_MODEL_NOBODY;
    item->written = false;
    if (item->queue_count == 0)
        return;
    item->owner = item->queue[0];
    item->queue_count--;
    memmove(item->queue, item->queue + 1, item->queue_count * sizeof *item->queue);
    model->sessions[item->owner].wanted = NULL;
    run_after(model, &model->sessions[item->owner]);
}

static void leave_queue(struct ob_model *model, size_t session)
{
    struct item *item = model->sessions[session].wanted;
    if (!item)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < item->queue_count; i++)
        if (item->queue[i] != session)
            item->queue[kept++] = item->queue[i];
    item->queue_count = kept;
    model->sessions[session].wanted = NULL;
}

static void end_transaction(struct ob_model *model, size_t session, bool commit, bool lost)
{
    for (size_t i = 0; i < model->item_count; i++) {
        struct item *item = &model->items[i];
        if (item->owner != session || (item->advisory && !lost))
            continue;
        if (commit && item->written) {
            item->exists = item->owner_exists;
            item->value = item->owner_value;
        }
        release(model, item);
    }
    model->sessions[session].in_transaction = false;
    model->sessions[session].failed = false;
}

static void answer(struct ob_model *model, size_t index, enum ob_reply_status status,
                   const char *sqlstate)
{
    struct session *session = &model->sessions[index];
    bool rows = status == OB_REPLY_DONE && strcmp(sqlstate, "00000") == 0 &&
                session->op->kind == OB_OP_STATEMENT;
    session->state = ANSWERED;
    session->reply.status = status;
    session->reply.open = session->in_transaction;
    session->reply.committed =
        !session->in_transaction && status == OB_REPLY_DONE && session->op->kind != OB_OP_ROLLBACK;
    snprintf(session->reply.sqlstate, sizeof session->reply.sqlstate, "%s", sqlstate);
    if (!rows)
        session->reply.row_count = 0;
    else
        session->reply.digest =
            ob_hash_end(ob_hash_u64(session->rows_seen, (uint64_t)session->result));
}

void ob_model_fail(struct ob_model *model, size_t index, const char *sqlstate)
{
    struct session *session = &model->sessions[index];
    bool in_transaction = session->in_transaction;
    leave_queue(model, index);
    end_transaction(model, index, false, false);
    session->in_transaction = session->failed = in_transaction;
    answer(model, index, OB_REPLY_DONE, sqlstate);
}

void ob_model_lose(struct ob_model *model, size_t index)
{
    leave_queue(model, index);
    end_transaction(model, index, false, true);
    answer(model, index, OB_REPLY_LOST, "");
}

/* False: the session has to wait. */
static bool own(struct ob_model *model, size_t index, struct item *item)
{
    struct session *session = &model->sessions[index];
    if (item->owner == index)
        return true;
    if (item->owner == OB_MODEL_NOBODY) {
        item->owner = index;
        return true;
    }
    item->queue[item->queue_count++] = index;
    session->wanted = item;
    session->state = WAITING;
    session->waited = 0;
    session->checked = false;
    return false;
}

static bool exists_for(const struct item *item, size_t session)
{
    return item->owner == session && item->written ? item->owner_exists : item->exists;
}

static int64_t value_for(const struct item *item, size_t session)
{
    return item->owner == session && item->written ? item->owner_value : item->value;
}

static void write_item(struct session *session, struct item *item, bool exists, int64_t value)
{
    item->written = true;
    item->owner_exists = exists;
    item->owner_value = value;
    session->reply.row_count++;
}

static bool insert(struct ob_model *model, size_t index, struct item *item, int64_t value)
{
    bool in_doubt = item->owner != OB_MODEL_NOBODY && item->owner != index && item->written;
    if (!in_doubt && exists_for(item, index)) {
        ob_model_fail(model, index, "23505");
        return false;
    }
    if (!own(model, index, item))
        return false;
    if (exists_for(item, index)) {
        ob_model_fail(model, index, "23505");
        return false;
    }
    write_item(&model->sessions[index], item, true, value);
    return true;
}

/* lock, set, add, delete: of a row that is there, also after waiting for it. */
static bool change(struct ob_model *model, size_t index, struct item *item, const char *verb,
                   int64_t value)
{
    struct session *session = &model->sessions[index];
    if (!exists_for(item, index))
        return true;
    if (!own(model, index, item))
        return false;
    if (!exists_for(item, index))
        return true;
    if (strcmp(verb, "lock") == 0) {
        session->result = value_for(item, index);
        session->reply.row_count++;
    } else if (strcmp(verb, "delete") == 0) {
        write_item(session, item, false, 0);
    } else {
        int64_t base = strcmp(verb, "add") == 0 ? value_for(item, index) : 0;
        write_item(session, item, true, base + value);
    }
    return true;
}

static void list_rows(struct ob_model *model, size_t index, const char *prefix)
{
    struct session *session = &model->sessions[index];
    for (size_t i = 0; i < model->item_count; i++) {
        const struct item *item = &model->items[i];
        if (!exists_for(item, index) || strncmp(item->name, prefix, strlen(prefix)) != 0)
            continue;
        session->result++;
        session->rows_seen += ob_hash_end(ob_hash_text(OB_HASH_START, item->name));
    }
    session->reply.row_count = (uint32_t)session->result;
}

static bool give(struct ob_model *model, size_t index, struct item *item)
{
    if (item->owner == index) /* a deadlock may have kept it from being taken */
        release(model, item);
    return true;
}

static void touch(struct session *session, const char *name, size_t size, const char *suffix,
                  unsigned ways)
{
    char resource[32];
    snprintf(resource, sizeof resource, "%.*s%s", (int)size, name, suffix);
    ob_footprint_add(&session->footprint, ob_resource(resource), ways);
}

/* A row that comes, goes or changes does so in all that a prefix of its name stands for. */
static void touch_row(struct session *session, const char *verb, const char *name)
{
    bool writes = strcmp(verb, "read") != 0;
    touch(session, name, strlen(name), "", writes ? OB_TOUCH_READ | OB_TOUCH_WRITE : OB_TOUCH_READ);
    for (size_t size = 1; writes && strcmp(verb, "lock") != 0 && size <= strlen(name); size++)
        touch(session, name, size, "*", OB_TOUCH_ADD);
}

static void touch_what(struct session *session, const char *verb, const char *name)
{
    static const char *const rows[] = {"read", "lock", "set", "add", "delete", "insert"};
    bool is_row = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_row |= strcmp(verb, rows[i]) == 0;
    if (is_row)
        touch_row(session, verb, name);
    else if (strcmp(verb, "rows") == 0)
        touch(session, name, strlen(name), "*", OB_TOUCH_READ);
    else if (strcmp(verb, "take") == 0 || strcmp(verb, "give") == 0)
        touch(session, name, strlen(name), "", OB_TOUCH_NOW);
    else
        session->footprint.known = false;
}

/* One command of a statement.  False: it waits, or has ended the statement. */
static bool command(struct ob_model *model, size_t index, const char *text)
{
    struct session *session = &model->sessions[index];
    char verb[16] = "", name[24] = "";
    long long value = 0;
    int words = sscanf(text, "%15s %23[^ ;] %lld", verb, name, &value);
    assert(words >= 1);
    touch_what(session, verb, name);
    if (strcmp(verb, "rows") == 0) {
        list_rows(model, index, name);
        return true;
    }
    if (strcmp(verb, "fail") == 0 || strcmp(verb, "die") == 0 || strcmp(verb, "never") == 0) {
        if (verb[0] == 'f')
            ob_model_fail(model, index, name);
        else if (verb[0] == 'd')
            ob_model_lose(model, index);
        return false;
    }
    if (strcmp(verb, "timeout") == 0 || strcmp(verb, "check") == 0) {
        unsigned *ticks = verb[0] == 't' ? &session->timeout : &session->own_check;
        *ticks = (unsigned)strtoul(name, NULL, 10);
        return true;
    }
    struct item *item = ob_model_item(model, name);
    item->advisory |= strcmp(verb, "take") == 0;
    if (item->advisory)
        return verb[0] == 't' ? own(model, index, item) : give(model, index, item);
    if (strcmp(verb, "insert") == 0)
        return insert(model, index, item, value);
    if (strcmp(verb, "read") != 0)
        return change(model, index, item, verb, value);
    session->result = value_for(item, index);
    session->reply.row_count += exists_for(item, index);
    return true;
}

static void statement(struct ob_model *model, size_t index)
{
    struct session *session = &model->sessions[index];
    if (session->failed) {
        answer(model, index, OB_REPLY_DONE, "25P02");
        return;
    }
    while (session->at) {
        if (!command(model, index, session->at))
            return;
        const char *next = strstr(session->at, "; ");
        session->at = next ? next + 2 : NULL;
    }
    if (!session->in_transaction)
        end_transaction(model, index, true, false);
    answer(model, index, OB_REPLY_DONE, "00000");
}

void ob_model_advance(struct ob_model *model, size_t index)
{
    struct session *session = &model->sessions[index];
    switch (session->op->kind) {
    case OB_OP_BEGIN:
        session->in_transaction = true;
        answer(model, index, OB_REPLY_DONE, "00000");
        return;
    case OB_OP_COMMIT:
    case OB_OP_ROLLBACK:
        end_transaction(model, index, session->op->kind == OB_OP_COMMIT && !session->failed, false);
        answer(model, index, OB_REPLY_DONE, "00000");
        return;
    case OB_OP_KILL:
        ob_model_lose(model, index);
        return;
    case OB_OP_STATEMENT:
        statement(model, index);
        return;
    case OB_OP_CLOCK:
    case OB_OP_CALL:
    case OB_OP_WAIT:
    default:
        assert(!"an operation that is no session's");
    }
}

/* The head of a queue waits for the owner, the others for those ahead of them, as with the tuple
 * locks of PostgreSQL. */
ob_client_set ob_model_holders(const struct ob_model *model, size_t session, bool *foreign)
{
    const struct item *item = model->sessions[session].wanted;
    ob_client_set ahead = 0;
    *foreign = false;
    for (size_t i = 0; i < item->queue_count && item->queue[i] != session; i++)
        ahead |= (ob_client_set)1 << item->queue[i];
    if (ahead != 0)
        return ahead;
    *foreign = item->owner == OB_MODEL_FOREIGN;
    return *foreign ? 0 : (ob_client_set)1 << item->owner;
}
