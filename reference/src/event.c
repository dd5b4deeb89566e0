/*
 * event.c - the body of a webhook, read and written.
 *
 * {"id": "evt_1", "type": "payment.succeeded", "payment": "pay_1", "amount": 9000, "currency":
 * "EUR", "customer": "alice", "hold": 1, "refund": "re_1", "key": "…"}; the last two only where
 * there is one.
 */
#include "event_int.h"

#include <string.h>
#include <jansson.h>

#include "result_int.h"

/* Copies a string member; false when it is not a string, empty, or too long for its field. */
static bool take_text(const json_t *object, const char *name, char *out, size_t size)
{
    const json_t *value = json_object_get(object, name);
    size_t length = json_string_length(value);

    if (!json_is_string(value) || length == 0 || length >= size)
        return false;
    memcpy(out, json_string_value(value), length + 1);
    return true;
}

static bool take_number(const json_t *object, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(object, name);

    *out = json_integer_value(value);
    return json_is_integer(value);
}

static bool take_all(const json_t *object, struct event *event)
{
    struct booking_payment *payment = &event->payment;
    bool is_refund;

    if (!take_text(object, "id", event->id, BOOKING_ID_SIZE) ||
        !take_text(object, "type", event->type, sizeof event->type) ||
        !take_text(object, "payment", payment->id, sizeof payment->id) ||
        !take_text(object, "customer", payment->customer, sizeof payment->customer) ||
        !take_text(object, "currency", payment->currency, sizeof payment->currency) ||
        !take_number(object, "amount", &payment->amount_minor) ||
        !take_number(object, "hold", &payment->hold_id))
        return false;
    is_refund = take_text(object, "refund", event->refund_id, sizeof event->refund_id);
    take_text(object, "key", event->key, sizeof event->key);
    return payment->amount_minor > 0 && is_refund == (strcmp(event->type, EVENT_REFUNDED) == 0);
}

bool event_parse(const char *body, size_t size, struct event *out)
{
    struct event event = {0};
    json_t *object;
    bool ok;

    if (size > EVENT_BODY_MAX)
        return false;
    object = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
    ok = json_is_object(object) && take_all(object, &event);
    json_decref(object);
    if (ok)
        *out = event;
    return ok;
}

bool event_format(const struct event *event, char *body, size_t size)
{
    const struct booking_payment *payment = &event->payment;
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:I}", "id", event->id, "type",
                               event->type, "payment", payment->id, "amount",
                               (json_int_t)payment->amount_minor, "currency", payment->currency,
                               "customer", payment->customer, "hold", (json_int_t)payment->hold_id);
    size_t length;

    if (event->refund_id[0])
        json_object_set_new(object, "refund", json_string(event->refund_id));
    if (event->key[0])
        json_object_set_new(object, "key", json_string(event->key));
    length = object ? json_dumpb(object, body, size - 1, JSON_COMPACT) : 0;
    json_decref(object);
    if (length == 0 || length > size - 1)
        return false;
    body[length] = '\0';
    return true;
}
