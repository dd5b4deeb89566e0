/* history.c - the events that invariants are checked over. */
#include "target/reference_int.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void ob_reference_time_text(int64_t time_us, char *text, size_t size)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm;
    char date[32];
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    int fraction = (int)(time_us % 1000000);
    if (fraction == 0)
        snprintf(text, size, "%sZ", date);
    else
        snprintf(text, size, "%s.%06dZ", date, fraction);
}

int64_t ob_reference_now_us(const struct ob_reference *reference)
{
    const struct ob_client *client = ob_client_current();
    return client ? ob_client_now_us(client) : reference->given_now_us;
}

static void remember(struct ob_reference *reference, const char *kind, const char *data)
{
    struct ob_arena *arena = &reference->given_arena;
    reference->given = ob_grow(reference->given, &reference->given_capacity,
                               reference->given_count + 1, sizeof *reference->given);
    reference->given[reference->given_count++] = (struct ob_event){
        .step = OB_BEFORE_ALL,
        .client = OB_NO_CLIENT,
        .kind = ob_arena_strdup(arena, kind),
        .data = ob_arena_strdup(arena, data),
    };
}

static void add_text(struct ob_reference *reference, const char *kind, const char *data)
{
    struct ob_client *client = ob_client_current();
    if (client)
        ob_client_event(client, kind, data);
    else
        remember(reference, kind, data);
}

void ob_reference_event(struct ob_reference *reference, const char *kind, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT | JSON_PRESERVE_ORDER);
    assert(text);
    add_text(reference, kind, text);
    free(text);
    json_decref(data);
}

static void set_time(const struct ob_reference *reference, json_t *data)
{
    char text[OB_TIME_TEXT_SIZE];
    ob_reference_time_text(ob_reference_now_us(reference), text, sizeof text);
    json_object_set_new(data, "at", json_string(text));
}

void ob_reference_request(struct ob_actor *actor, const char *action, json_t *data)
{
    json_t *event = json_pack("{s:s}", "action", action);
    json_object_update(event, data);
    json_decref(data);
    json_object_set_new(event, "customer", json_string(actor->customer));
    set_time(actor->reference, event);
    ob_reference_event(actor->reference, "request", event);
}

static void set_id(json_t *data, const char *key, int64_t id)
{
    if (id != 0)
        json_object_set_new(data, key, json_integer(id));
}

void ob_reference_answer(struct ob_actor *actor, const char *action,
                         const struct booking_answer *answer, json_t *data)
{
    json_t *event = json_pack("{s:s, s:s, s:s*}", "action", action, "status",
                              booking_status_text(answer->status), "reason", answer->reason);
    set_id(event, "hold", answer->hold_id);
    set_id(event, "booking", answer->booking_id);
    json_object_update(event, data);
    json_decref(data);
    if (answer->payment_id[0] != '\0')
        json_object_set_new(event, "payment", json_string(answer->payment_id));
    if (answer->lost_race)
        json_object_set_new(event, "lost_race", json_true());
    json_object_set_new(event, "customer", json_string(actor->customer));
    json_object_set_new(event, "path", json_string(booking_path_name(answer->path)));
    json_object_set_new(event, "http", json_integer(booking_status_http(answer->status)));
    set_time(actor->reference, event);
    ob_reference_event(actor->reference, "answer", event);
}

/* The payment becomes known to whoever has the hold it was made for. */
static void note_capture(struct ob_reference *reference, const struct booking_ledger_entry *entry)
{
    for (size_t i = 0; i < OB_PARTIES_MAX; i++) {
        struct ob_party *party = &reference->state.parties[i];
        if (party->hold_id == entry->hold_id && party->hold_id != 0 &&
            party->payment_count < OB_PARTY_PAYMENTS_MAX)
            snprintf(party->payments[party->payment_count++], BOOKING_ID_SIZE, "%s",
                     entry->payment_id);
    }
}

static void add_ledger_entry(struct ob_reference *reference,
                             const struct booking_ledger_entry *entry)
{
    bool capture = entry->kind == BOOKING_LEDGER_CAPTURE;
    json_t *data = json_pack("{s:s, s:I, s:s, s:s, s:I}", "payment", entry->payment_id, "amount",
                             (json_int_t)entry->amount_minor, "currency", entry->currency,
                             "customer", entry->customer, "hold", (json_int_t)entry->hold_id);
    if (entry->key[0] != '\0')
        json_object_set_new(data, "key", json_string(entry->key));
    ob_reference_event(reference, capture ? "capture" : "refund", data);
}

/* The next entry of the ledger that is not in the history yet. */
static bool take_ledger_entry(struct ob_reference *reference, struct booking_ledger_entry *out)
{
    for (;;) {
        pthread_mutex_lock(&reference->mutex);
        size_t index = reference->state.ledger_seen;
        pthread_mutex_unlock(&reference->mutex);
        if (!booking_psp_ledger_get(reference->psp, index, out))
            return false;
        pthread_mutex_lock(&reference->mutex);
        bool taken = reference->state.ledger_seen == index; /* by nobody else meanwhile */
        reference->state.ledger_seen += taken;
        if (taken && out->kind == BOOKING_LEDGER_CAPTURE)
            note_capture(reference, out);
        pthread_mutex_unlock(&reference->mutex);
        if (taken)
            return true;
    }
}

void ob_reference_called(void *self, const struct ob_payment_call *call)
{
    struct ob_reference *reference = self;
    static const char *const results[] = {
        [BOOKING_PAYMENTS_OK] = "ok",
        [BOOKING_PAYMENTS_DECLINED] = "declined",
        [BOOKING_PAYMENTS_UNKNOWN] = "unknown",
        [BOOKING_PAYMENTS_INVALID] = "invalid",
    };
    json_t *data =
        json_pack("{s:s, s:s}", "operation", call->operation, "result", results[call->result]);
    if (call->payment_id)
        json_object_set_new(data, "payment", json_string(call->payment_id));
    set_id(data, "hold", call->hold_id);
    if (call->key)
        json_object_set_new(data, "key", json_string(call->key));
    ob_reference_event(reference, "call", data);
    struct booking_ledger_entry entry;
    while (take_ledger_entry(reference, &entry))
        add_ledger_entry(reference, &entry);
    ob_reference_lock_queue(reference);
    ob_reference_unlock_queue(reference);
}

void ob_reference_race(void *reference, const char *json_line)
{
    add_text(reference, "race", json_line);
}
