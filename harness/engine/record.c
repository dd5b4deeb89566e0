/* record.c - what is written down of a step. */
#include "engine/engine_int.h"

#include "base/digest.h"

#include <stdio.h>
#include <string.h>

/* True when the statement takes its n-th parameter as a transaction id, which differs from run to
 * run. */
static bool is_transaction_id(const char *sql, int parameter)
{
    char cast[24];
    int size = snprintf(cast, sizeof cast, "$%d::xid", parameter);
    const char *found = strstr(sql, cast);
    return found && size > 0;
}

static const char *params_text(struct ob_arena *arena, const struct ob_op *op)
{
    if (op->param_count == 0)
        return "";
    struct ob_buf text;
    ob_buf_init(&text, 1 << 20);
    for (int i = 0; i < op->param_count; i++) {
        ob_buf_printf(&text, "%s$%d = ", i > 0 ? ", " : "", i + 1);
        if (!op->params[i])
            ob_buf_puts(&text, "null");
        else if (is_transaction_id(op->text, i + 1))
            ob_buf_puts(&text, "<xid>");
        else
            ob_buf_printf(&text, "'%s'", op->params[i]);
    }
    const char *copy = ob_arena_strdup(arena, text.data);
    ob_buf_clear(&text);
    return copy;
}

struct ob_step *ob_record_step(struct ob_engine *engine, const struct ob_client *client,
                               ob_client_set enabled)
{
    struct ob_trace *trace = engine->trace;
    ob_schedule_add_step(&trace->schedule, client->index);
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = client->index;
    step->part = client->part;
    step->kind = ob_client_next_kind(client);
    step->text = ob_arena_strdup(&trace->arena, client->op->text);
    step->params = step->kind == OB_OP_GATE ? "" : params_text(&trace->arena, client->op);
    step->text_hash = ob_hash_text(ob_hash_text(OB_HASH_START, step->text), step->params);
    step->enabled = enabled;
    step->first_wake = trace->schedule.wake_count;
    return step;
}

/* What it touched is not known of what is done outside the database. */
static void record_footprint(const struct ob_engine *engine, size_t client,
                             struct ob_completion *completion)
{
    const struct ob_ports *ports = &engine->ports;
    const struct ob_op *op = engine->clients[client].op;
    if (completion->status == OB_REPLY_DONE && !ob_op_is_outside(op->kind)) {
        const struct ob_footprint *told =
            ports->footprint ? ports->footprint(ports->self, client) : NULL;
        const struct ob_footprint *touched = op->touches ? op->touches : told;
        if (touched)
            completion->footprint = ob_footprint_copy(&engine->trace->arena, touched);
        if (told && told->known && told->level > completion->footprint.level)
            completion->footprint.level = told->level;
    }
    completion->footprint.known |= op->alone;
}

static void record_completion(struct ob_engine *engine, struct ob_step *step, size_t client)
{
    const struct ob_reply *reply = &engine->clients[client].reply;
    struct ob_completion *completion = &step->completions[step->completion_count++];
    *completion = (struct ob_completion){
        .client = client,
        .status = reply->status,
        .digest = reply->digest,
        .row_count = reply->row_count,
        .open = reply->open,
        .committed = reply->committed,
        .message = reply->message ? ob_arena_strdup(&engine->trace->arena, reply->message) : "",
    };
    memcpy(completion->sqlstate, reply->sqlstate, sizeof completion->sqlstate);
    record_footprint(engine, client, completion);
    uint64_t *seen = &engine->trace->seen[client];
    *seen = ob_hash_u64(*seen, reply->status);
    *seen = ob_hash_text(*seen, reply->sqlstate);
    *seen = ob_hash_u64(*seen, reply->digest);
    *seen = ob_hash_u64(*seen, reply->row_count);
}

void ob_record_completions(struct ob_engine *engine, struct ob_step *step, ob_client_set done)
{
    size_t count = (size_t)__builtin_popcountll(done);
    if (count == 0)
        return;
    const struct ob_completion *before = step->completions;
    step->completions = ob_arena_alloc(&engine->trace->arena, (step->completion_count + count) *
                                                                  sizeof *step->completions);
    if (step->completion_count > 0)
        memcpy(step->completions, before, step->completion_count * sizeof *before);
    if (done & ob_client_bit(step->client))
        record_completion(engine, step, step->client);
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        if ((done & ob_client_bit(i)) && i != step->client)
            record_completion(engine, step, i);
}
