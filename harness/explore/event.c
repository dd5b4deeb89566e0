/*
 * event.c - see event.h.
 *
 * Which ways of touching a resource depend on each other is PostgreSQL's business: who reads by a
 * snapshot is not disturbed by those who write, but by the commit that makes it visible; who writes
 * waits for others who wrote; and who frees a lock lets others go on.
 *
 * A wait for a lock says who waits for whom, and so does a request by somebody who holds a lock
 * already: the order of the two decides whether a cycle is closed, and by whom.  So both write to
 * the holder's name.
 */
#include "explore/event.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#define LOCKING (OB_TOUCH_SHARE | OB_TOUCH_WRITE | OB_TOUCH_NOW)

/* What each client's transaction has touched until now. */
struct derivation {
    const struct ob_trace *trace;
    struct ob_events *out;
    struct ob_footprint held[OB_CLIENTS_MAX];
    size_t launched[OB_CLIENTS_MAX]; /* the step that its operation in flight was sent in */
    bool has_snapshot[OB_CLIENTS_MAX];
};

static uint64_t name_of(size_t client)
{
    return ob_hash_end(ob_hash_u64(ob_hash_text(OB_HASH_START, "waits for client"), client));
}

void ob_event_is_unknown(struct ob_event_of_step *event)
{
    event->touches.known = false;
}

void ob_event_join(struct ob_event_of_step *to, const struct ob_event_of_step *from)
{
    ob_footprint_join(&to->touches, &from->touches);
    to->woken |= from->woken;
    to->snapshot |= from->snapshot;
    to->publishes |= from->publishes;
    to->ends |= from->ends;
}

void ob_event_copy(struct ob_event_of_step *to, const struct ob_event_of_step *from)
{
    ob_footprint_reset(&to->touches);
    *to = (struct ob_event_of_step){.client = from->client, .touches = to->touches};
    ob_event_join(to, from);
}

static bool is_database_text(enum ob_op_kind kind)
{
    return kind == OB_OP_STATEMENT || kind == OB_OP_QUERY;
}

/* A text may end a transaction, or a part of it, in its middle: what it then frees and makes
 * visible cannot be told from its end. */
static bool is_opaque(const struct ob_step *step)
{
    static const char *const words[] = {"rollback", "commit", "abort",
                                        "end;",     "begin",  "start transaction"};
    if (!is_database_text(step->kind))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(step->text, words[i]))
            return true;
    return false;
}

#define PLAIN(ways) ((ways) & ((1u << OB_TOUCH_WITHIN) - 1))
#define WITHIN(ways) PLAIN((ways) >> OB_TOUCH_WITHIN)

/* What the end of a transaction does to a resource that it touched in these ways. */
static unsigned ending(unsigned ways, bool publish)
{
    unsigned add = ways & LOCKING ? OB_TOUCH_RELEASE : 0;
    add |= publish && (ways & OB_TOUCH_WRITE) ? OB_TOUCH_PUBLISH : 0;
    add |= publish && (ways & OB_TOUCH_ADD) ? OB_TOUCH_PUBLISH_ADD : 0;
    return add;
}

static void add_all(struct ob_event_of_step *event, const struct ob_footprint *touched,
                    bool publish)
{
    for (size_t i = 0; i < touched->count; i++) {
        unsigned ways = touched->touches[i].ways;
        unsigned whole = ending(PLAIN(ways), publish), within = ending(WITHIN(ways), publish);
        if ((whole | within) != 0)
            ob_footprint_add(&event->touches, touched->touches[i].resource,
                             whole | within << OB_TOUCH_WITHIN);
        event->publishes |= ((whole | within) & (OB_TOUCH_PUBLISH | OB_TOUCH_PUBLISH_ADD)) != 0;
    }
    event->ends = true;
}

static bool holds_lock(const struct ob_footprint *held)
{
    for (size_t i = 0; i < held->count; i++)
        if ((PLAIN(held->touches[i].ways) | WITHIN(held->touches[i].ways)) & LOCKING)
            return true;
    return false;
}

/* All that an operation came to, as an event. */
static void describe(struct derivation *d, const struct ob_completion *completion,
                     const struct ob_step *launch, struct ob_event_of_step *out)
{
    size_t client = completion->client;
    struct ob_footprint *held = &d->held[client];
    bool failed = strcmp(completion->sqlstate, "00000") != 0;
    if (launch->kind == OB_OP_BEGIN && completion->status == OB_REPLY_DONE)
        return; /* touches nothing, and takes no snapshot */
    ob_footprint_join(&out->touches, &completion->footprint);
    if (is_opaque(launch) || completion->status != OB_REPLY_DONE)
        ob_event_is_unknown(out);
    if (ob_op_is_outside(launch->kind))
        return;
    if (holds_lock(held) && holds_lock(&completion->footprint))
        ob_footprint_add(&out->touches, name_of(client), OB_TOUCH_WRITE);
    if (out->touches.level != OB_LEVEL_STATEMENT) { /* even where it touches nothing */
        out->snapshot = !d->has_snapshot[client];
        d->has_snapshot[client] = true;
    }
    ob_footprint_join(held, &completion->footprint);
    if (held->level > out->touches.level)
        out->touches.level = held->level;
    if (failed || !completion->open)
        add_all(out, held, completion->committed && !failed);
    if (out->ends && !held->known)
        ob_event_is_unknown(out);
    if (!completion->open) {
        ob_footprint_reset(held);
        d->has_snapshot[client] = false;
    }
}

/* What an operation did belongs to the step that sent it, to those in which it passed a gate, to
 * the one in which it was answered, and to those between that woke it only to wait again or to come
 * to a gate. */
static void credit(struct derivation *d, size_t step, const struct ob_completion *completion)
{
    size_t client = completion->client, first = d->launched[client];
    struct ob_event_of_step event = {.touches.known = true};
    describe(d, completion, &d->trace->steps[first], &event);
    for (size_t i = first; i <= step; i++)
        if (i == step || d->trace->steps[i].client == client ||
            (d->trace->steps[i].woken & ((ob_client_set)1 << client)))
            ob_event_join(&d->out->items[i], &event);
    d->launched[client] = SIZE_MAX;
    ob_footprint_clear(&event.touches);
}

/* Nobody knows what the operation does that is still in flight. */
static void credit_unknown(struct derivation *d, size_t client)
{
    for (size_t i = d->launched[client]; i < d->trace->step_count; i++)
        if (d->trace->steps[i].client == client)
            ob_event_is_unknown(&d->out->items[i]);
}

static void begin_event(struct derivation *d, size_t index)
{
    const struct ob_step *step = &d->trace->steps[index];
    struct ob_event_of_step *event = &d->out->items[index];
    ob_footprint_reset(&event->touches);
    *event = (struct ob_event_of_step){
        .client = step->client, .touches = event->touches, .woken = step->woken};
    /* For whom those wait now who were woken in vain is not written down: it may be anybody. */
    ob_client_set holders = step->woken & step->blocked ? ~(ob_client_set)0 : step->holders;
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        if (holders & ((ob_client_set)1 << i))
            ob_footprint_add(&event->touches, name_of(i), OB_TOUCH_WRITE);
    if (step->kind != OB_OP_GATE)
        d->launched[step->client] = index;
}

void ob_events_of(const struct ob_trace *trace, struct ob_events *out)
{
    struct derivation d = {.trace = trace, .out = out};
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        d.held[i].known = true;
        d.launched[i] = SIZE_MAX;
    }
    out->items = ob_grow(out->items, &out->capacity, trace->step_count, sizeof *out->items);
    out->count = trace->step_count;
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        begin_event(&d, i);
        for (size_t k = 0; k < step->completion_count; k++)
            credit(&d, i, &step->completions[k]);
    }
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        if (d.launched[i] != SIZE_MAX) /* never answered, as far as this goes */
            credit_unknown(&d, i);
        ob_footprint_clear(&d.held[i]);
    }
}

void ob_events_watch_commits(struct ob_events *events)
{
    uint64_t watched = ob_hash_end(ob_hash_text(OB_HASH_START, "what is checked after a commit"));
    for (size_t i = 0; i < events->count; i++)
        if (events->items[i].publishes)
            ob_footprint_add(&events->items[i].touches, watched, OB_TOUCH_WRITE);
}

void ob_events_clear(struct ob_events *events)
{
    for (size_t i = 0; i < events->capacity; i++)
        ob_footprint_clear(&events->items[i].touches);
    free(events->items);
    *events = (struct ob_events){0};
}

static bool one_way(unsigned a, unsigned b, bool serializable)
{
    unsigned disturbs_reader = OB_TOUCH_PUBLISH | OB_TOUCH_PUBLISH_ADD;
    if (serializable)
        disturbs_reader |= OB_TOUCH_WRITE | OB_TOUCH_ADD;
    return ((a & OB_TOUCH_NOW) && b != 0) ||
           ((a & OB_TOUCH_WRITE) &&
            (b & (OB_TOUCH_WRITE | OB_TOUCH_SHARE | OB_TOUCH_RELEASE | OB_TOUCH_PUBLISH))) ||
           ((a & OB_TOUCH_SHARE) && (b & (OB_TOUCH_RELEASE | OB_TOUCH_PUBLISH))) ||
           ((a & OB_TOUCH_PUBLISH) && (b & OB_TOUCH_PUBLISH)) ||
           ((a & OB_TOUCH_READ) && (b & disturbs_reader));
}

/* What is done within a resource matters to those who touch it as a whole. */
static bool disturb(unsigned a, unsigned b, bool serializable)
{
    unsigned all_a = PLAIN(a) | WITHIN(a), all_b = PLAIN(b) | WITHIN(b);
    return one_way(PLAIN(a), all_b, serializable) || one_way(all_b, PLAIN(a), serializable) ||
           one_way(PLAIN(b), all_a, serializable) || one_way(all_a, PLAIN(b), serializable);
}

static bool overlap(const struct ob_footprint *a, const struct ob_footprint *b, bool serializable)
{
    size_t i = 0, k = 0;
    while (i < a->count && k < b->count) {
        if (a->touches[i].resource < b->touches[k].resource) {
            i++;
        } else if (a->touches[i].resource > b->touches[k].resource) {
            k++;
        } else {
            if (disturb(a->touches[i++].ways, b->touches[k++].ways, serializable))
                return true;
        }
    }
    return false;
}

/* What a transaction with one snapshot reads later is settled by its first statement, and may be
 * anything. */
bool ob_events_dependent(const struct ob_event_of_step *a, const struct ob_event_of_step *b)
{
    if (!a->touches.known || !b->touches.known)
        return true;
    bool serializable =
        a->touches.level == OB_LEVEL_SERIALIZABLE && b->touches.level == OB_LEVEL_SERIALIZABLE;
    if (serializable && (a->ends || b->ends))
        return true;
    if ((a->snapshot && b->publishes) || (b->snapshot && a->publishes))
        return true;
    return overlap(&a->touches, &b->touches, serializable);
}
