#include "repro/access.h"

#include "base/alloc.h"

#include <stdlib.h>

struct deriving {
    const struct ob_trace *trace;
    struct ob_accesses *out;
    size_t flying[OB_CLIENTS_MAX]; /* index of the access without an answer; OB_NEVER: none */
    size_t open[OB_CLIENTS_MAX];   /* of the transaction */
};

static size_t transaction_of(struct deriving *d, size_t client)
{
    struct ob_accesses *out = d->out;
    if (d->open[client] != OB_NEVER)
        return d->open[client];
    out->transactions = ob_grow(out->transactions, &out->transaction_capacity,
                                out->transaction_count + 1, sizeof *out->transactions);
    out->transactions[out->transaction_count] = (struct ob_access_transaction){
        .client = client, .snapshot = OB_NEVER, .published = OB_NEVER};
    return d->open[client] = out->transaction_count++;
}

static void release(struct deriving *d, size_t index)
{
    const struct ob_step *step = &d->trace->steps[index];
    struct ob_accesses *out = d->out;
    if (ob_op_is_outside(step->kind) || step->kind == OB_OP_GATE)
        return;
    size_t transaction = transaction_of(d, step->client);
    out->items = ob_grow(out->items, &out->capacity, out->count + 1, sizeof *out->items);
    out->items[out->count] = (struct ob_access){
        .client = step->client,
        .transaction = transaction,
        .released = index,
        .done = OB_NEVER,
        .ends = step->kind == OB_OP_COMMIT || step->kind == OB_OP_ROLLBACK,
    };
    d->flying[step->client] = out->count++;
}

static void answer(struct deriving *d, size_t index, const struct ob_completion *completion)
{
    size_t client = completion->client, flying = d->flying[client];
    if (flying == OB_NEVER)
        return;
    struct ob_access *access = &d->out->items[flying];
    struct ob_access_transaction *within = &d->out->transactions[access->transaction];
    const struct ob_footprint *touches = &completion->footprint;
    const enum ob_op_kind kind = d->trace->steps[access->released].kind;
    access->done = index;
    access->touches = touches;
    d->flying[client] = OB_NEVER;
    if (touches->level > within->level)
        within->level = touches->level;
    bool may_read = kind == OB_OP_STATEMENT || kind == OB_OP_QUERY;
    if (touches->level != OB_LEVEL_STATEMENT && may_read && within->snapshot == OB_NEVER)
        within->snapshot = access->released;
    if (completion->committed)
        within->published = index;
    if (!completion->open)
        d->open[client] = OB_NEVER;
    if (may_read)
        d->out->known &= touches->known;
}

/* Who waits for a lock after the step, of those whose operation was released. */
static void note_waits(struct deriving *d, const struct ob_step *step)
{
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        if (d->flying[i] != OB_NEVER && (step->blocked & ((ob_client_set)1 << i)))
            d->out->items[d->flying[i]].waited = true;
}

void ob_accesses_of(const struct ob_trace *trace, struct ob_accesses *out)
{
    struct deriving d = {.trace = trace, .out = out};
    *out = (struct ob_accesses){.known = true};
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        d.flying[i] = d.open[i] = OB_NEVER;
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        release(&d, i);
        for (size_t k = 0; k < step->completion_count; k++)
            answer(&d, i, &step->completions[k]);
        note_waits(&d, step);
    }
}

void ob_accesses_clear(struct ob_accesses *accesses)
{
    free(accesses->items);
    free(accesses->transactions);
    *accesses = (struct ob_accesses){0};
}

const struct ob_access *ob_access_at(const struct ob_accesses *accesses, size_t client, size_t step)
{
    const struct ob_access *found = NULL;
    for (size_t i = 0; i < accesses->count && accesses->items[i].released <= step; i++)
        if (accesses->items[i].client == client)
            found = &accesses->items[i];
    return found && found->done != OB_NEVER && found->done >= step ? found : NULL;
}

size_t ob_access_snapshot(const struct ob_accesses *accesses, const struct ob_access *access)
{
    const struct ob_access_transaction *within = &accesses->transactions[access->transaction];
    bool own = within->level == OB_LEVEL_STATEMENT || within->snapshot == OB_NEVER;
    return own ? access->released : within->snapshot;
}
