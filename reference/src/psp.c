/*
 * psp.c - the simulated provider's money: intents, captures, refunds, idempotency keys, the ledger.
 *
 * A call with a key is executed once; its answer is saved and replayed, refusals too.  A lost
 * answer (psp/timeout) is lost after execution or, as number 2, before it.
 */
#include "booking/psp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking/faults.h"
#include "psp_int.h"
#include "result_int.h"

/* One call of the port. */
struct call {
    enum psp_operation operation;
    const struct booking_intent *intent; /* create */
    const char *payment_id;              /* the others */
    int64_t amount_minor;                /* refund */
    const char *key;                     /* "" when there is none */
};

void *psp_grow(void *items, size_t *count, size_t *capacity, size_t item_size)
{
    if (*count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 8;
        items = reallocarray(items, *capacity, item_size);
        if (!items)
            abort();
    }
    memset((char *)items + *count * item_size, 0, item_size);
    *count += 1;
    return items;
}

int64_t psp_now_us(const struct booking_psp *psp)
{
    return psp->now_us ? psp->now_us(psp->clock) : 0;
}

static struct psp_payment *find_payment(struct booking_psp *psp, const char *id)
{
    for (size_t i = 0; id && i < psp->intents.count; i++)
        if (strcmp(psp->intents.items[i].facts.id, id) == 0)
            return &psp->intents.items[i];
    return NULL;
}

static struct psp_saved *find_saved(struct booking_psp *psp, const char *key)
{
    for (size_t i = 0; key[0] && i < psp->saved.count; i++)
        if (strcmp(psp->saved.items[i].key, key) == 0)
            return &psp->saved.items[i];
    return NULL;
}

static void write_ledger(struct booking_psp *psp, enum booking_ledger_kind kind,
                         const struct booking_payment *facts, int64_t amount_minor, const char *key)
{
    struct booking_ledger_entry *entry = PSP_APPEND(&psp->ledger);

    entry->kind = kind;
    entry->hold_id = facts->hold_id;
    entry->amount_minor = amount_minor;
    entry->at_us = psp_now_us(psp);
    booking_copy_text(entry->payment_id, sizeof entry->payment_id, facts->id);
    booking_copy_text(entry->customer, sizeof entry->customer, facts->customer);
    booking_copy_text(entry->currency, sizeof entry->currency, facts->currency);
    booking_copy_text(entry->key, sizeof entry->key, key);
}

/* Tells the endpoint what happened to a payment. */
static void tell(struct booking_psp *psp, const char *type, const struct booking_payment *facts,
                 int64_t amount_minor, const char *key)
{
    struct event event = {.payment = *facts};

    event.payment.amount_minor = amount_minor;
    booking_copy_text(event.type, sizeof event.type, type);
    booking_copy_text(event.key, sizeof event.key, key);
    if (strcmp(type, EVENT_REFUNDED) == 0)
        snprintf(event.refund_id, sizeof event.refund_id, "re_%" PRId64, ++psp->refund_count);
    psp_queue_event(psp, &event);
}

static struct psp_payment *execute_create(struct booking_psp *psp, const struct call *call)
{
    struct psp_payment *payment = PSP_APPEND(&psp->intents);
    struct booking_payment *facts = &payment->facts;

    snprintf(facts->id, sizeof facts->id, "pay_%zu", psp->intents.count);
    booking_copy_text(facts->customer, sizeof facts->customer, call->intent->customer);
    booking_copy_text(facts->currency, sizeof facts->currency, call->intent->currency);
    facts->hold_id = call->intent->hold_id;
    facts->amount_minor = call->intent->amount_minor;
    payment->keyed = call->key[0] != '\0';
    return payment;
}

static enum booking_payments_result execute_capture(struct booking_psp *psp,
                                                    struct booking_payment *facts, const char *key)
{
    if (facts->captured_minor > 0)
        return BOOKING_PAYMENTS_DECLINED;
    facts->captured_minor = facts->amount_minor;
    write_ledger(psp, BOOKING_LEDGER_CAPTURE, facts, facts->amount_minor, key);
    tell(psp, EVENT_SUCCEEDED, facts, facts->amount_minor, key);
    return BOOKING_PAYMENTS_OK;
}

static enum booking_payments_result
execute_refund(struct booking_psp *psp, struct booking_payment *facts, const struct call *call)
{
    int64_t amount = call->amount_minor;

    if (amount <= 0 || amount > facts->captured_minor - facts->refunded_minor)
        return BOOKING_PAYMENTS_DECLINED;
    if (booking_fault(BOOKING_FAULT_PSP_REFUND_FAILED))
        return BOOKING_PAYMENTS_DECLINED;
    facts->refunded_minor += amount;
    write_ledger(psp, BOOKING_LEDGER_REFUND, facts, amount, call->key);
    tell(psp, EVENT_REFUNDED, facts, amount, call->key);
    return BOOKING_PAYMENTS_OK;
}

/* What makes two calls with one key the same call. */
static void describe(const struct call *call, char out[BOOKING_KEY_SIZE])
{
    if (call->operation == PSP_CREATE)
        snprintf(out, BOOKING_KEY_SIZE, "create %s %" PRId64 " %s %" PRId64, call->intent->customer,
                 call->intent->hold_id, call->intent->currency, call->intent->amount_minor);
    else
        snprintf(out, BOOKING_KEY_SIZE, "%d %s %" PRId64, (int)call->operation, call->payment_id,
                 call->amount_minor);
}

static enum booking_payments_result execute(struct booking_psp *psp, const struct call *call,
                                            struct booking_payment *answer)
{
    enum booking_payments_result result = BOOKING_PAYMENTS_OK;
    struct psp_payment *payment = call->operation == PSP_CREATE
                                      ? execute_create(psp, call)
                                      : find_payment(psp, call->payment_id);

    if (!payment)
        return BOOKING_PAYMENTS_INVALID;
    if (call->operation == PSP_CAPTURE)
        result = execute_capture(psp, &payment->facts, call->key);
    else if (call->operation == PSP_REFUND)
        result = execute_refund(psp, &payment->facts, call);
    *answer = payment->facts;
    return result;
}

/* Executes a call, or replays what its key was answered before. */
static enum booking_payments_result execute_once(struct booking_psp *psp, const struct call *call,
                                                 struct booking_payment *answer)
{
    struct psp_saved *saved = find_saved(psp, call->key);
    char parameters[BOOKING_KEY_SIZE];
    enum booking_payments_result result;

    describe(call, parameters);
    if (saved) {
        if (strcmp(saved->parameters, parameters) != 0)
            return BOOKING_PAYMENTS_INVALID;
        *answer = saved->answer;
        return saved->result;
    }
    result = execute(psp, call, answer);
    if (call->key[0] && result != BOOKING_PAYMENTS_INVALID) {
        saved = PSP_APPEND(&psp->saved);
        booking_copy_text(saved->key, sizeof saved->key, call->key);
        booking_copy_text(saved->parameters, sizeof saved->parameters, parameters);
        saved->result = result;
        saved->answer = *answer;
        saved->at_us = psp_now_us(psp);
    }
    return result;
}

/* Is this call the repetition of one that had no answer, under another key?  For another payment of
 * the same hold it is one when the client created either of them without a key: then it did not
 * mean to have two. */
static bool is_unstable(const struct booking_psp *psp, const struct psp_unanswered *before,
                        const struct call *call, size_t payment_index)
{
    const struct psp_payment *first = &psp->intents.items[before->payment_index];
    const struct psp_payment *second = &psp->intents.items[payment_index];

    if (before->operation != call->operation || first->facts.hold_id != second->facts.hold_id)
        return false;
    if (before->payment_index == payment_index)
        return before->amount_minor == call->amount_minor &&
               (!call->key[0] || strcmp(before->key, call->key) != 0);
    return !first->keyed || !second->keyed;
}

/* Settles what is known of unanswered calls: counts a repetition under another key, forgets what is
 * answered now. */
static void match_unanswered(struct booking_psp *psp, const struct call *call, bool answered)
{
    const struct psp_payment *payment = find_payment(psp, call->payment_id);
    struct psp_unanswered *before;
    size_t index, kept = 0;

    if (!payment)
        return;
    index = (size_t)(payment - psp->intents.items);
    for (size_t i = 0; i < psp->unanswered.count; i++) {
        before = &psp->unanswered.items[i];
        if (is_unstable(psp, before, call, index))
            psp->unstable_keys++;
        else if (before->operation != call->operation || before->payment_index != index)
            psp->unanswered.items[kept++] = *before;
    }
    psp->unanswered.count = kept;
    if (!answered) {
        before = PSP_APPEND(&psp->unanswered);
        before->operation = call->operation;
        before->payment_index = index;
        before->amount_minor = call->amount_minor;
        booking_copy_text(before->key, sizeof before->key, call->key);
    }
}

static enum booking_payments_result run_call(struct booking_payments *payments,
                                             const struct call *call, struct booking_payment *out)
{
    struct booking_psp *psp = (struct booking_psp *)payments;
    int lost = call->operation == PSP_CREATE ? 0 : booking_fault(BOOKING_FAULT_PSP_TIMEOUT);
    enum booking_payments_result result = BOOKING_PAYMENTS_UNKNOWN;
    struct booking_payment answer;

    if (strlen(call->key) >= BOOKING_KEY_SIZE)
        return BOOKING_PAYMENTS_INVALID;
    pthread_mutex_lock(&psp->mutex);
    match_unanswered(psp, call, !lost);
    if (lost != 2)
        result = execute_once(psp, call, &answer);
    if (lost)
        result = BOOKING_PAYMENTS_UNKNOWN;
    pthread_mutex_unlock(&psp->mutex);
    if (result == BOOKING_PAYMENTS_OK && out)
        *out = answer;
    return result;
}

static enum booking_payments_result psp_create(struct booking_payments *payments,
                                               const struct booking_intent *intent, const char *key,
                                               struct booking_payment *out)
{
    struct call call = {.operation = PSP_CREATE, .intent = intent, .key = key ? key : ""};

    return run_call(payments, &call, out);
}

static enum booking_payments_result psp_capture(struct booking_payments *payments,
                                                const char *payment_id, const char *key,
                                                struct booking_payment *out)
{
    struct call call = {.operation = PSP_CAPTURE, .payment_id = payment_id, .key = key ? key : ""};

    return run_call(payments, &call, out);
}

static enum booking_payments_result psp_refund(struct booking_payments *payments,
                                               const char *payment_id, int64_t amount_minor,
                                               const char *key, struct booking_payment *out)
{
    struct call call = {.operation = PSP_REFUND,
                        .payment_id = payment_id,
                        .amount_minor = amount_minor,
                        .key = key ? key : ""};

    return run_call(payments, &call, out);
}

static enum booking_payments_result psp_lookup(struct booking_payments *payments,
                                               const char *payment_id, struct booking_payment *out)
{
    struct booking_psp *psp = (struct booking_psp *)payments;
    struct psp_payment *payment;

    pthread_mutex_lock(&psp->mutex);
    payment = find_payment(psp, payment_id);
    if (payment && out)
        *out = payment->facts;
    pthread_mutex_unlock(&psp->mutex);
    return payment ? BOOKING_PAYMENTS_OK : BOOKING_PAYMENTS_INVALID;
}

static const struct booking_payments_ops psp_ops = {
    .create = psp_create,
    .capture = psp_capture,
    .refund = psp_refund,
    .lookup = psp_lookup,
};

struct booking_psp *booking_psp_new(const struct booking_psp_options *options)
{
    struct booking_psp *psp = calloc(1, sizeof *psp);

    if (!psp)
        abort();
    psp->payments.ops = &psp_ops;
    psp->secret = strdup(options->secret);
    if (!psp->secret)
        abort();
    psp->now_us = options->now_us;
    psp->clock = options->clock;
    pthread_mutex_init(&psp->mutex, NULL);
    return psp;
}

void booking_psp_free(struct booking_psp *psp)
{
    if (!psp)
        return;
    free(psp->intents.items);
    free(psp->saved.items);
    free(psp->unanswered.items);
    free(psp->ledger.items);
    free(psp->events.items);
    free(psp->deliveries.items);
    pthread_mutex_destroy(&psp->mutex);
    free(psp->secret);
    free(psp);
}

void booking_psp_reset(struct booking_psp *psp)
{
    pthread_mutex_lock(&psp->mutex);
    psp->intents.count = psp->saved.count = psp->unanswered.count = 0;
    psp->ledger.count = psp->events.count = psp->deliveries.count = 0;
    psp->refund_count = psp->event_count = 0;
    psp->unstable_keys = 0;
    pthread_mutex_unlock(&psp->mutex);
}

struct booking_payments *booking_psp_payments(struct booking_psp *psp)
{
    return &psp->payments;
}

size_t booking_psp_ledger_count(struct booking_psp *psp)
{
    size_t count;

    pthread_mutex_lock(&psp->mutex);
    count = psp->ledger.count;
    pthread_mutex_unlock(&psp->mutex);
    return count;
}

bool booking_psp_ledger_get(struct booking_psp *psp, size_t index, struct booking_ledger_entry *out)
{
    bool found;

    pthread_mutex_lock(&psp->mutex);
    found = index < psp->ledger.count;
    if (found)
        *out = psp->ledger.items[index];
    pthread_mutex_unlock(&psp->mutex);
    return found;
}

size_t booking_psp_unstable_keys(struct booking_psp *psp)
{
    size_t count;

    pthread_mutex_lock(&psp->mutex);
    count = psp->unstable_keys;
    pthread_mutex_unlock(&psp->mutex);
    return count;
}

void booking_psp_prune_keys(struct booking_psp *psp, int64_t older_than_us)
{
    size_t kept = 0;

    pthread_mutex_lock(&psp->mutex);
    for (size_t i = 0; i < psp->saved.count; i++)
        if (psp->saved.items[i].at_us >= older_than_us)
            psp->saved.items[kept++] = psp->saved.items[i];
    psp->saved.count = kept;
    pthread_mutex_unlock(&psp->mutex);
}

static void *copy_items(void *to, size_t *capacity, const void *from, size_t count, size_t size)
{
    if (count > *capacity) {
        to = reallocarray(to, count, size);
        if (!to)
            abort();
        *capacity = count;
    }
    if (count > 0)
        memcpy(to, from, count * size);
    return to;
}

/* Makes list to a copy of list from. */
#define PSP_COPY(to, from)                                                                \
    ((to)->items = copy_items((to)->items, &(to)->capacity, (from)->items, (from)->count, \
                              sizeof *(to)->items),                                       \
     (to)->count = (from)->count)

void booking_psp_copy(struct booking_psp *to, const struct booking_psp *from)
{
    PSP_COPY(&to->intents, &from->intents);
    PSP_COPY(&to->saved, &from->saved);
    PSP_COPY(&to->unanswered, &from->unanswered);
    PSP_COPY(&to->ledger, &from->ledger);
    PSP_COPY(&to->events, &from->events);
    PSP_COPY(&to->deliveries, &from->deliveries);
    to->refund_count = from->refund_count;
    to->event_count = from->event_count;
    to->unstable_keys = from->unstable_keys;
}
