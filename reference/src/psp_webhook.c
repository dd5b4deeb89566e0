/*
 * psp_webhook.c - the simulated provider's webhooks: a queue of deliveries, sent until a 2xx comes
 * back.
 *
 * The order is total: by due time, then by age.  An attempt is signed when it is taken, so a retry
 * carries a fresh signature.  Several attempts may be on their way at once.
 */
#include "booking/psp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "booking/faults.h"
#include "psp_int.h"
#include "result_int.h"

/* Seconds between the attempts: some hours in all. */
static const int retry_delays_s[BOOKING_DELIVERY_ATTEMPTS_MAX - 1] = {
    10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400};

static int64_t queue_delivery(struct booking_psp *psp, size_t event_index)
{
    struct psp_delivery *delivery = PSP_APPEND(&psp->deliveries);

    delivery->event_index = event_index;
    delivery->due_us = psp_now_us(psp);
    return delivery - psp->deliveries.items + 1;
}

static size_t add_event(struct booking_psp *psp, const struct event *event)
{
    struct event *added = PSP_APPEND(&psp->events);

    *added = *event;
    snprintf(added->id, sizeof added->id, "evt_%" PRId64, ++psp->event_count);
    return psp->events.count - 1;
}

void psp_queue_event(struct booking_psp *psp, const struct event *event)
{
    int duplicate = booking_fault(BOOKING_FAULT_WEBHOOK_DUPLICATE);
    size_t index = add_event(psp, event);

    queue_delivery(psp, index);
    if (duplicate)
        queue_delivery(psp, duplicate == 2 ? add_event(psp, event) : index);
}

/* Is delivery a sent before delivery b? */
static bool earlier(const struct psp_delivery *a, const struct psp_delivery *b)
{
    return !b || a->due_us < b->due_us || (a->due_us == b->due_us && a < b);
}

/* The first waiting delivery after another one in the order, or the very first for NULL. */
static struct psp_delivery *first_waiting(struct booking_psp *psp, const struct psp_delivery *after)
{
    struct psp_delivery *best = NULL, *candidate;

    for (size_t i = 0; i < psp->deliveries.count; i++) {
        candidate = &psp->deliveries.items[i];
        if (candidate->state == PSP_WAITING && earlier(candidate, best) &&
            (!after || (candidate != after && earlier(after, candidate))))
            best = candidate;
    }
    return best;
}

int64_t booking_psp_next_due_us(struct booking_psp *psp)
{
    const struct psp_delivery *next;
    int64_t due_us;

    pthread_mutex_lock(&psp->mutex);
    next = first_waiting(psp, NULL);
    due_us = next ? next->due_us : -1;
    pthread_mutex_unlock(&psp->mutex);
    return due_us;
}

/* Fills an attempt: the event's body, signed now. */
static void write_attempt(const struct booking_psp *psp, const struct psp_delivery *delivery,
                          struct booking_delivery *out)
{
    const struct event *event = &psp->events.items[delivery->event_index];

    *out = (struct booking_delivery){.id = delivery - psp->deliveries.items + 1,
                                     .attempt = delivery->attempt,
                                     .due_us = delivery->due_us};
    booking_copy_text(out->event_id, sizeof out->event_id, event->id);
    booking_copy_text(out->type, sizeof out->type, event->type);
    booking_copy_text(out->payment_id, sizeof out->payment_id, event->payment.id);
    if (event_format(event, out->body, sizeof out->body))
        out->body_size = strlen(out->body);
    booking_signature_make(psp->secret, psp_now_us(psp) / 1000000, out->body, out->body_size,
                           out->signature);
}

/* The mutex is held. */
static void begin_attempt(const struct booking_psp *psp, struct psp_delivery *delivery,
                          struct booking_delivery *out)
{
    delivery->state = PSP_SENDING;
    delivery->attempt++;
    write_attempt(psp, delivery, out);
}

bool booking_psp_take_of(struct booking_psp *psp, const char *payment_id, const char *type,
                         struct booking_delivery *out)
{
    struct psp_delivery *next;
    const struct event *event;

    pthread_mutex_lock(&psp->mutex);
    for (next = first_waiting(psp, NULL); next; next = first_waiting(psp, next)) {
        event = &psp->events.items[next->event_index];
        if (strcmp(event->payment.id, payment_id) == 0 && strcmp(event->type, type) == 0)
            break;
    }
    if (next)
        begin_attempt(psp, next, out);
    pthread_mutex_unlock(&psp->mutex);
    return next != NULL;
}

bool booking_psp_take_one(struct booking_psp *psp, int64_t delivery_id,
                          struct booking_delivery *out)
{
    struct psp_delivery *delivery = NULL;

    pthread_mutex_lock(&psp->mutex);
    if (delivery_id >= 1 && (size_t)delivery_id <= psp->deliveries.count)
        delivery = &psp->deliveries.items[delivery_id - 1];
    if (delivery && delivery->state != PSP_WAITING)
        delivery = NULL;
    if (delivery)
        begin_attempt(psp, delivery, out);
    pthread_mutex_unlock(&psp->mutex);
    return delivery != NULL;
}

size_t booking_psp_waiting(struct booking_psp *psp)
{
    size_t count = 0;

    pthread_mutex_lock(&psp->mutex);
    for (size_t i = 0; i < psp->deliveries.count; i++)
        count += psp->deliveries.items[i].state == PSP_WAITING;
    pthread_mutex_unlock(&psp->mutex);
    return count;
}

bool booking_psp_take(struct booking_psp *psp, struct booking_delivery *out)
{
    struct psp_delivery *next, *overtaking = NULL;

    pthread_mutex_lock(&psp->mutex);
    next = first_waiting(psp, NULL);
    if (next && first_waiting(psp, next) && booking_fault(BOOKING_FAULT_WEBHOOK_REORDERED))
        overtaking = first_waiting(psp, next);
    if (overtaking)
        next = overtaking;
    if (next)
        begin_attempt(psp, next, out);
    pthread_mutex_unlock(&psp->mutex);
    return next != NULL;
}

static void end_attempt(struct booking_psp *psp, struct psp_delivery *delivery, int http_status)
{
    if (http_status >= 200 && http_status < 300) {
        delivery->state = PSP_DONE;
    } else if (delivery->attempt == BOOKING_DELIVERY_ATTEMPTS_MAX) {
        delivery->state = PSP_ABANDONED;
    } else {
        delivery->state = PSP_WAITING;
        delivery->due_us =
            psp_now_us(psp) + (int64_t)retry_delays_s[delivery->attempt - 1] * 1000000;
    }
}

void booking_psp_delivered(struct booking_psp *psp, int64_t delivery_id, int http_status)
{
    pthread_mutex_lock(&psp->mutex);
    if (delivery_id >= 1 && (size_t)delivery_id <= psp->deliveries.count &&
        psp->deliveries.items[delivery_id - 1].state == PSP_SENDING)
        end_attempt(psp, &psp->deliveries.items[delivery_id - 1], http_status);
    pthread_mutex_unlock(&psp->mutex);
}

int64_t booking_psp_duplicate(struct booking_psp *psp, const char *event_id, bool new_event_id)
{
    struct event event;
    size_t index = 0;
    int64_t id = 0;
    bool found;

    pthread_mutex_lock(&psp->mutex);
    while (index < psp->events.count && strcmp(psp->events.items[index].id, event_id) != 0)
        index++;
    found = index < psp->events.count;
    if (found && new_event_id) {
        event = psp->events.items[index];
        index = add_event(psp, &event);
    }
    if (found)
        id = queue_delivery(psp, index);
    pthread_mutex_unlock(&psp->mutex);
    return id;
}

int64_t booking_psp_emit(struct booking_psp *psp, const struct booking_event_facts *facts)
{
    struct event event = {
        .payment = {.hold_id = facts->hold_id, .amount_minor = facts->amount_minor}};
    struct booking_payment *payment = &event.payment;
    int64_t id;

    booking_copy_text(event.type, sizeof event.type, facts->type);
    booking_copy_text(event.refund_id, sizeof event.refund_id, facts->refund_id);
    booking_copy_text(event.key, sizeof event.key, facts->key);
    booking_copy_text(payment->id, sizeof payment->id, facts->payment_id);
    booking_copy_text(payment->customer, sizeof payment->customer, facts->customer);
    booking_copy_text(payment->currency, sizeof payment->currency, facts->currency);
    pthread_mutex_lock(&psp->mutex);
    id = queue_delivery(psp, add_event(psp, &event));
    pthread_mutex_unlock(&psp->mutex);
    return id;
}

size_t booking_psp_abandoned(struct booking_psp *psp)
{
    size_t count = 0;

    pthread_mutex_lock(&psp->mutex);
    for (size_t i = 0; i < psp->deliveries.count; i++)
        count += psp->deliveries.items[i].state == PSP_ABANDONED;
    pthread_mutex_unlock(&psp->mutex);
    return count;
}
