/*
 * actions.c - what a party does, verb by verb: requests of the booking flow as a careful client
 * makes them.
 *
 * What an action needs of others (a hold, a captured payment) is waited for; when it can no longer
 * come the action is left out.  A request that was not decided is made again a few times.
 */
#include "target/reference_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REQUESTS_MAX 3   /* for one action, while nothing is decided */
#define DELIVERIES_MAX 4 /* of one event by one client, until it is answered with 2xx */
#define RETRY_US 10000000
#define TYPE_SUCCEEDED "payment.succeeded"
#define TYPE_REFUNDED "refund.succeeded"

static const struct ob_setting *setting(const struct ob_action *action, const char *key)
{
    return ob_setting_find(action->settings, action->setting_count, key);
}

static int64_t number(const struct ob_action *action, const char *key)
{
    const struct ob_setting *found = setting(action, key);
    assert(found);
    return found->number;
}

static bool is_word(const struct ob_action *action, const char *key, const char *word)
{
    const struct ob_setting *found = setting(action, key);
    return found && strcmp(found->text, word) == 0;
}

/* The party that an action is about: "of", or whoever acts. */
static size_t party_of(const struct ob_actor *actor, const struct ob_action *action)
{
    const struct ob_setting *of = setting(action, "of");
    size_t party = of ? (size_t)of->number : actor->party;
    assert(party < OB_PARTIES_MAX);
    return party;
}

static size_t payment_index(const struct ob_action *action)
{
    const struct ob_setting *payment = setting(action, "payment");
    return payment ? (size_t)payment->number - 1 : 0;
}

static struct ob_party read_party(struct ob_reference *reference, size_t index)
{
    pthread_mutex_lock(&reference->mutex);
    struct ob_party party = reference->state.parties[index];
    pthread_mutex_unlock(&reference->mutex);
    return party;
}

/* --- waiting for others */

struct awaited {
    struct ob_reference *reference;
    size_t party, payments; /* payments: so many of the hold, 0 for the hold itself */
};

static bool is_there(const void *arg)
{
    const struct awaited *awaited = arg;
    struct ob_party party = read_party(awaited->reference, awaited->party);
    return awaited->payments == 0 ? party.hold_id != 0 : party.payment_count >= awaited->payments;
}

/* False: it will not come. */
static bool await(struct ob_actor *actor, size_t party, size_t payments)
{
    const struct awaited awaited = {actor->reference, party, payments};
    if (is_there(&awaited))
        return true;
    if (!actor->client || (party == actor->party && payments == 0))
        return false; /* nobody else makes it */
    return ob_gated_wait(actor->client, payments > 0 ? "wait for a payment" : "wait for a hold",
                         is_there, &awaited, INT64_MAX);
}

/* --- requests */

static bool is_undecided(enum booking_status status)
{
    return status == BOOKING_RETRY_LATER || status == BOOKING_CRASHED;
}

/* Backs off before the same request is made again; false when the run is being given up. */
static bool back_off(struct ob_actor *actor)
{
    if (!actor->client)
        return true;
    int64_t due_us = ob_client_now_us(actor->client) + actor->app.pause_us;
    return ob_gated_wait(actor->client, "wait before asking again", NULL, NULL, due_us);
}

static json_t *slot_data(const struct booking_slot_request *request)
{
    return json_pack("{s:I, s:s, s:s}", "simulator", (json_int_t)request->simulator_id, "from",
                     request->start, "to", request->end);
}

static void slot_request(const struct ob_actor *actor, const struct ob_action *action,
                         struct booking_slot_request *out, char start[OB_TIME_TEXT_SIZE],
                         char end[OB_TIME_TEXT_SIZE])
{
    const struct ob_setting *slot = setting(action, "slot");
    assert(slot);
    ob_reference_time_text(slot->number, start, OB_TIME_TEXT_SIZE);
    ob_reference_time_text(slot->end, end, OB_TIME_TEXT_SIZE);
    *out = (struct booking_slot_request){
        .customer = actor->customer,
        .simulator_id = number(action, "simulator"),
        .start = start,
        .end = end,
    };
}

static void act_availability(struct ob_actor *actor, const struct ob_action *action)
{
    char start[OB_TIME_TEXT_SIZE], end[OB_TIME_TEXT_SIZE];
    struct booking_slot_request request;
    struct booking_answer answer;
    slot_request(actor, action, &request, start, end);
    ob_reference_request(actor, "availability", slot_data(&request));
    booking_availability(&actor->app, actor->db, &request, &answer);
    json_t *data = slot_data(&request);
    json_object_set_new(data, "free", json_boolean(answer.free));
    ob_reference_answer(actor, "availability", &answer, data);
}

static void note_hold(struct ob_actor *actor, int64_t hold_id, int64_t simulator)
{
    pthread_mutex_lock(&actor->reference->mutex);
    struct ob_party *party = &actor->reference->state.parties[actor->party];
    party->hold_id = party->first_hold_id = hold_id;
    party->simulator = simulator;
    pthread_mutex_unlock(&actor->reference->mutex);
}

static void act_hold(struct ob_actor *actor, const struct ob_action *action)
{
    char start[OB_TIME_TEXT_SIZE], end[OB_TIME_TEXT_SIZE];
    struct booking_slot_request request;
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    slot_request(actor, action, &request, start, end);
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        ob_reference_request(actor, "hold", slot_data(&request));
        booking_hold(&actor->app, actor->db, &request, &answer);
        ob_reference_answer(actor, "hold", &answer, slot_data(&request));
    }
    if (answer.status == BOOKING_OK)
        note_hold(actor, answer.hold_id, request.simulator_id);
}

/* By the clock on a wall: without a zone. */
static void wall_text(int64_t time_us, char text[OB_TIME_TEXT_SIZE])
{
    ob_reference_time_text(time_us, text, OB_TIME_TEXT_SIZE);
    text[strlen(text) - 1] = '\0';
}

static void act_series(struct ob_actor *actor, const struct ob_action *action)
{
    char start[OB_TIME_TEXT_SIZE], end[OB_TIME_TEXT_SIZE];
    const struct ob_setting *slot = setting(action, "slot");
    assert(slot);
    wall_text(slot->number, start);
    wall_text(slot->end, end);
    const struct booking_series_request request = {
        .customer = actor->customer,
        .simulator_id = number(action, "simulator"),
        .start = start,
        .end = end,
        .every_days = is_word(action, "every", "day") ? 1 : 7,
        .times = (int)number(action, "times"),
    };
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        json_t *about = json_pack("{s:I, s:s, s:s, s:i, s:i}", "simulator",
                                  (json_int_t)request.simulator_id, "from", start, "to", end,
                                  "every", request.every_days, "times", request.times);
        ob_reference_request(actor, "series", json_copy(about));
        booking_series(&actor->app, actor->db, &request, &answer);
        if (answer.series_id != 0)
            json_object_set_new(about, "series", json_integer(answer.series_id));
        ob_reference_answer(actor, "series", &answer, about);
    }
    if (answer.status == BOOKING_OK)
        note_hold(actor, answer.hold_id, request.simulator_id);
}

/* A payment that the customer's browser made up: other amount or currency than the price. */
static void pay_directly(struct ob_actor *actor, const struct ob_action *action, int64_t hold_id)
{
    struct booking_payments *payments = actor->app.payments;
    const struct ob_setting *amount = setting(action, "amount");
    const struct ob_setting *currency = setting(action, "currency");
    const struct booking_intent intent = {
        .customer = actor->customer,
        .currency = currency ? currency->text : "EUR",
        .hold_id = hold_id,
        .amount_minor = amount ? amount->number : 4500,
    };
    struct booking_payment payment;
    if (payments->ops->create(payments, &intent, NULL, &payment) == BOOKING_PAYMENTS_OK)
        payments->ops->capture(payments, payment.id, NULL, NULL);
}

static void act_pay(struct ob_actor *actor, const struct ob_action *action)
{
    size_t party = party_of(actor, action), index = payment_index(action);
    if (!await(actor, party, 0))
        return;
    int64_t hold_id = read_party(actor->reference, party).hold_id;
    if (setting(action, "amount") || setting(action, "currency")) {
        pay_directly(actor, action, hold_id);
        return;
    }
    char attempt[24];
    snprintf(attempt, sizeof attempt, "%zu", index + 1);
    const struct booking_hold_ref request = {
        .customer = actor->customer, .hold_id = hold_id, .attempt = index > 0 ? attempt : NULL};
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        ob_reference_request(actor, "pay", json_pack("{s:I}", "hold", (json_int_t)hold_id));
        booking_pay(&actor->app, actor->db, &request, &answer);
        ob_reference_answer(actor, "pay", &answer, json_object());
    }
}

static void act_return(struct ob_actor *actor, const struct ob_action *action)
{
    size_t party = party_of(actor, action), index = payment_index(action);
    if (!await(actor, party, index + 1))
        return;
    struct ob_party of = read_party(actor->reference, party);
    const struct booking_return_request request = {.customer = actor->customer,
                                                   .payment_id = of.payments[index]};
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        ob_reference_request(actor, "return", json_pack("{s:s}", "payment", request.payment_id));
        booking_return(&actor->app, actor->db, &request, &answer);
        ob_reference_answer(actor, "return", &answer,
                            json_pack("{s:s}", "payment", request.payment_id));
    }
}

/* The hold that the customer's link names: the latest one, or the first. */
static int64_t linked_hold(const struct ob_party *party, const struct ob_action *action)
{
    return is_word(action, "link", "first") ? party->first_hold_id : party->hold_id;
}

static void note_move(struct ob_actor *actor, size_t party, int64_t hold_id)
{
    pthread_mutex_lock(&actor->reference->mutex);
    actor->reference->state.parties[party].hold_id = hold_id;
    pthread_mutex_unlock(&actor->reference->mutex);
}

static void act_reschedule(struct ob_actor *actor, const struct ob_action *action)
{
    size_t party = party_of(actor, action);
    if (!await(actor, party, 0))
        return;
    struct ob_party of = read_party(actor->reference, party);
    const struct ob_setting *slot = setting(action, "slot");
    assert(slot);
    char start[OB_TIME_TEXT_SIZE], end[OB_TIME_TEXT_SIZE];
    ob_reference_time_text(slot->number, start, sizeof start);
    ob_reference_time_text(slot->end, end, sizeof end);
    const struct booking_move_request request = {.customer = actor->customer,
                                                 .hold_id = linked_hold(&of, action),
                                                 .start = start,
                                                 .end = end};
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        json_t *about =
            json_pack("{s:I, s:I, s:s, s:s}", "old", (json_int_t)request.hold_id, "simulator",
                      (json_int_t)of.simulator, "from", request.start, "to", request.end);
        ob_reference_request(actor, "reschedule", json_copy(about));
        booking_reschedule(&actor->app, actor->db, &request, &answer);
        ob_reference_answer(actor, "reschedule", &answer, about);
    }
    if (answer.status == BOOKING_OK)
        note_move(actor, party, answer.hold_id);
}

static void act_cancel(struct ob_actor *actor, const struct ob_action *action)
{
    size_t party = party_of(actor, action);
    if (!await(actor, party, 0))
        return;
    struct ob_party of = read_party(actor->reference, party);
    int64_t hold_id = linked_hold(&of, action);
    const struct booking_hold_ref request = {.customer = actor->customer, .hold_id = hold_id};
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        ob_reference_request(actor, "cancel", json_pack("{s:I}", "hold", (json_int_t)hold_id));
        booking_cancel(&actor->app, actor->db, &request, &answer);
        ob_reference_answer(actor, "cancel", &answer, json_object());
    }
}

static void act_refund(struct ob_actor *actor, const struct ob_action *action)
{
    size_t party = party_of(actor, action);
    if (!await(actor, party, 0))
        return;
    char part[24];
    snprintf(part, sizeof part, "%" PRId64, number(action, "part"));
    const struct booking_refund_request request = {.customer = actor->customer,
                                                   .hold_id =
                                                       read_party(actor->reference, party).hold_id,
                                                   .amount_minor = number(action, "amount"),
                                                   .part = part};
    struct booking_answer answer = {.status = BOOKING_RETRY_LATER};
    for (int i = 0; i < REQUESTS_MAX && is_undecided(answer.status); i++) {
        if (i > 0 && !back_off(actor))
            return;
        json_t *about = json_pack("{s:I, s:I}", "hold", (json_int_t)request.hold_id, "amount",
                                  (json_int_t)request.amount_minor);
        ob_reference_request(actor, "refund", json_copy(about));
        booking_refund(&actor->app, actor->db, &request, &answer);
        ob_reference_answer(actor, "refund", &answer, about);
    }
}

static void clean_up(struct ob_actor *actor)
{
    struct booking_answer answer;
    ob_reference_request(actor, "cleanup", json_object());
    booking_cleanup(&actor->app, actor->db, &answer);
    ob_reference_answer(actor, "cleanup", &answer, json_object());
}

/* --- webhooks */

/* Gives one attempt to the endpoint and its answer to the provider; the HTTP status. */
static int deliver(struct ob_actor *actor, const struct booking_delivery *delivery)
{
    struct ob_reference *reference = actor->reference;
    const struct booking_webhook_request request = {
        .body = delivery->body,
        .body_size = delivery->body_size,
        .signature = delivery->signature,
    };
    json_t *about =
        json_pack("{s:s, s:s, s:s, s:i}", "event", delivery->event_id, "type", delivery->type,
                  "payment", delivery->payment_id, "attempt", delivery->attempt);
    ob_reference_request(actor, "webhook", json_copy(about));
    struct booking_answer answer;
    booking_webhook(&actor->app, actor->db, &request, &answer);
    ob_reference_answer(actor, "webhook", &answer, about);
    int http = booking_status_http(answer.status);
    ob_reference_lock_queue(reference);
    booking_psp_delivered(reference->psp, delivery->id, http);
    ob_reference_unlock_queue(reference);
    return http;
}

static bool take_again(struct ob_reference *reference, struct booking_delivery *delivery)
{
    ob_reference_lock_queue(reference);
    bool taken = booking_psp_take_one(reference->psp, delivery->id, delivery);
    ob_reference_unlock_queue(reference);
    return taken;
}

/* Delivers until it is answered with 2xx, as the provider does. */
static void deliver_and_retry(struct ob_actor *actor, struct booking_delivery *delivery)
{
    for (int i = 0; i < DELIVERIES_MAX; i++) {
        if (deliver(actor, delivery) / 100 == 2 || !actor->client)
            return;
        int64_t due_us = ob_client_now_us(actor->client) + RETRY_US;
        if (!ob_gated_wait(actor->client, "provider: wait before the next attempt", NULL, NULL,
                           due_us) ||
            !take_again(actor->reference, delivery))
            return;
    }
}

/* The provider's own facts of a payment, with one of them wrong where the action says so. */
static int64_t emit(struct ob_actor *actor, const struct ob_action *action, const char *type,
                    const char *payment_id)
{
    struct booking_psp *psp = actor->reference->psp;
    struct booking_payments *inner = booking_psp_payments(psp);
    struct booking_payment payment;
    if (inner->ops->lookup(inner, payment_id, &payment) != BOOKING_PAYMENTS_OK)
        return 0;
    struct booking_event_facts facts = {
        .type = type,
        .payment_id = payment_id,
        .customer = payment.customer,
        .currency = payment.currency,
        .hold_id = payment.hold_id,
        .amount_minor = payment.amount_minor,
        .refund_id = strcmp(type, TYPE_REFUNDED) == 0 ? "re_made_up" : NULL,
    };
    if (is_word(action, "tamper", "owner"))
        facts.customer = "mallory";
    if (is_word(action, "tamper", "amount"))
        facts.amount_minor = 1;
    if (is_word(action, "tamper", "currency"))
        facts.currency = "JPY";
    if (is_word(action, "tamper", "metadata"))
        facts.hold_id += 1;
    return booking_psp_emit(psp, &facts);
}

/* Remembers by which event a payment's success was told. */
static void note_event(struct ob_reference *reference, const struct booking_delivery *delivery)
{
    if (strcmp(delivery->type, TYPE_SUCCEEDED) != 0)
        return;
    pthread_mutex_lock(&reference->mutex);
    for (size_t i = 0; i < OB_PARTIES_MAX; i++) {
        struct ob_party *party = &reference->state.parties[i];
        for (size_t k = 0; k < party->payment_count; k++)
            if (strcmp(party->payments[k], delivery->payment_id) == 0 && !party->events[k][0])
                snprintf(party->events[k], BOOKING_ID_SIZE, "%s", delivery->event_id);
    }
    pthread_mutex_unlock(&reference->mutex);
}

/* Whether no action before this one was about the event of that payment. */
static bool is_first_to_tell(struct ob_reference *reference, size_t party, size_t index)
{
    pthread_mutex_lock(&reference->mutex);
    bool *told = &reference->state.parties[party].told[index];
    bool first = !*told;
    *told = true;
    pthread_mutex_unlock(&reference->mutex);
    return first;
}

/* The provider's own delivery of a payment's news; for whoever comes later, the same event once
 * more.  False: there is none, or the courier has the first. */
static bool find_own_delivery(struct ob_actor *actor, size_t party, size_t index, const char *type,
                              struct booking_delivery *out)
{
    struct ob_reference *reference = actor->reference;
    struct booking_psp *psp = reference->psp;
    struct ob_party of = read_party(reference, party);
    bool succeeded = strcmp(type, TYPE_SUCCEEDED) == 0;
    bool first = !succeeded || is_first_to_tell(reference, party, index);
    if (booking_psp_take_of(psp, of.payments[index], type, out)) {
        note_event(reference, out);
        return true;
    }
    return !first &&
           booking_psp_take_one(psp, booking_psp_duplicate(psp, of.events[index], false), out);
}

/* Finds the delivery that the action is about: the provider's own, one more of the same event, or a
 * made-up one. False: there is none. */
static bool find_delivery(struct ob_actor *actor, const struct ob_action *action, size_t party,
                          size_t index, struct booking_delivery *out)
{
    struct booking_psp *psp = actor->reference->psp;
    const char *type = is_word(action, "type", "succeeded")  ? TYPE_SUCCEEDED
                       : is_word(action, "type", "refunded") ? TYPE_REFUNDED
                                                             : "payment.failed";
    bool own = is_word(action, "tamper", "none") || is_word(action, "tamper", "signature") ||
               is_word(action, "tamper", "old");
    if (own && is_word(action, "event", "same") && !is_word(action, "type", "failed"))
        return find_own_delivery(actor, party, index, type, out);
    struct ob_party of = read_party(actor->reference, party);
    return booking_psp_take_one(psp, emit(actor, action, type, of.payments[index]), out);
}

static void act_webhook(struct ob_actor *actor, const struct ob_action *action)
{
    size_t party = party_of(actor, action), index = payment_index(action);
    assert(index < OB_PARTY_PAYMENTS_MAX);
    struct booking_delivery delivery;
    if (!await(actor, party, index + 1))
        return;
    ob_reference_lock_queue(actor->reference);
    bool found = find_delivery(actor, action, party, index, &delivery);
    ob_reference_unlock_queue(actor->reference);
    if (!found)
        return;
    int64_t now_s = ob_reference_now_us(actor->reference) / 1000000;
    if (is_word(action, "tamper", "signature"))
        booking_signature_make("a guess", now_s, delivery.body, delivery.body_size,
                               delivery.signature);
    if (is_word(action, "tamper", "old"))
        booking_signature_make(OB_REFERENCE_SECRET, now_s - BOOKING_SIGNATURE_TOLERANCE_S - 1,
                               delivery.body, delivery.body_size, delivery.signature);
    if (is_word(action, "tamper", "none"))
        deliver_and_retry(actor, &delivery);
    else
        deliver(actor, &delivery);
}

/* --- the clock */

/* As early as providers may, so that whoever relies on a key for longer is found out. */
#define KEYS_LAST_US (INT64_C(24) * 3600 * 1000000)

static void act_clock(struct ob_actor *actor, const struct ob_action *action)
{
    const struct ob_setting *to = setting(action, "to"), *advance = setting(action, "advance");
    int64_t now_us = ob_reference_now_us(actor->reference);
    int64_t time_us = to ? to->number : now_us + advance->number;
    if (!actor->client) {
        char text[24];
        snprintf(text, sizeof text, "%" PRId64, time_us);
        const char *params[] = {text};
        PGresult *result;
        (void)actor->db->ops->exec(actor->db, "SELECT setval('booking.clock', $1::int8)", 1, params,
                                   &result);
        PQclear(result);
        actor->reference->given_now_us = time_us;
    } else {
        const struct ob_op op = {.kind = OB_OP_CLOCK, .text = "set the clock", .time_us = time_us};
        struct ob_reply reply;
        ob_client_do(actor->client, &op, &reply);
    }
    booking_psp_prune_keys(actor->reference->psp, time_us - KEYS_LAST_US);
}

/* --- all of them */

static void act_cleanup(struct ob_actor *actor, const struct ob_action *action)
{
    (void)action;
    clean_up(actor);
}

/* A number as a statement's parameter: NULL where the action does not have it. */
static const char *parameter(const struct ob_action *action, const char *key, int64_t unit,
                             char text[24])
{
    const struct ob_setting *found = setting(action, key);
    if (!found)
        return NULL;
    snprintf(text, 24, "%" PRId64, found->number / unit);
    return text;
}

/* The owner of the simulators, who uses no request of the flow. */
static void act_furnish(struct ob_actor *actor, const struct ob_action *action)
{
    char id[24], capacity[24], before[24], after[24];
    const struct ob_setting *zone = setting(action, "zone");
    const char *params[] = {
        parameter(action, "simulator", 1, id),
        parameter(action, "capacity", 1, capacity),
        parameter(action, "before", 1000000, before),
        parameter(action, "after", 1000000, after),
        zone ? zone->text : NULL,
    };
    PGresult *result;
    (void)actor->db->ops->exec(actor->db,
                               "UPDATE booking.simulator SET capacity = coalesce($2, capacity),"
                               " buffer_before_s = coalesce($3, buffer_before_s),"
                               " buffer_after_s = coalesce($4, buffer_after_s),"
                               " zone = coalesce($5, zone) WHERE id = $1",
                               5, params, &result);
    PQclear(result);
}

static void act_book(struct ob_actor *actor, const struct ob_action *action)
{
    static const struct ob_setting defaults[] = {{.key = "event", .text = "same"},
                                                 {.key = "tamper", .text = "none"},
                                                 {.key = "type", .text = "succeeded"}};
    const struct ob_action rest = {
        .verb = "book", .settings = defaults, .setting_count = sizeof defaults / sizeof *defaults};
    act_hold(actor, action);
    act_pay(actor, &rest);
    act_webhook(actor, &rest);
}

void ob_reference_act(struct ob_actor *actor, const struct ob_action *action)
{
    static const struct {
        const char *verb;
        void (*act)(struct ob_actor *actor, const struct ob_action *action);
    } verbs[] = {
        {"availability", act_availability},
        {"hold", act_hold},
        {"series", act_series},
        {"pay", act_pay},
        {"webhook", act_webhook},
        {"return", act_return},
        {"cancel", act_cancel},
        {"cleanup", act_cleanup},
        {"clock", act_clock},
        {"book", act_book},
        {"furnish", act_furnish},
        {"flag", ob_reference_set_flag},
        {"migrate", ob_reference_migrate},
        {"reschedule", act_reschedule},
        {"refund", act_refund},
    };
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].verb, action->verb) == 0) {
            verbs[i].act(actor, action);
            return;
        }
    }
    assert(!"a verb of the vocabulary that nobody does");
}

/* --- the extra clients */

void ob_reference_lock_queue(struct ob_reference *reference)
{
    pthread_mutex_lock(&reference->queue_mutex);
}

void ob_reference_unlock_queue(struct ob_reference *reference)
{
    int64_t due_us = booking_psp_next_due_us(reference->psp);
    __atomic_store_n(&reference->due_us, due_us, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&reference->queue_mutex);
}

static bool is_due(const void *arg)
{
    const struct ob_actor *actor = arg;
    int64_t due_us = __atomic_load_n(&actor->reference->due_us, __ATOMIC_RELAXED);
    return due_us >= 0 && due_us <= ob_client_now_us(actor->client);
}

static bool take_next(struct ob_reference *reference, struct booking_delivery *out)
{
    ob_reference_lock_queue(reference);
    bool taken = booking_psp_take(reference->psp, out);
    if (taken)
        note_event(reference, out);
    ob_reference_unlock_queue(reference);
    return taken;
}

void ob_reference_be_courier(struct ob_actor *actor)
{
    struct booking_delivery delivery;
    while (ob_gated_wait(actor->client, "wait for news of the provider", is_due, actor, INT64_MAX))
        if (take_next(actor->reference, &delivery))
            deliver_and_retry(actor, &delivery);
}

static bool wants_cleanup(const void *arg)
{
    struct ob_reference *reference = *(struct ob_reference *const *)arg;
    pthread_mutex_lock(&reference->mutex);
    bool wanted = reference->state.cleanups > 0;
    pthread_mutex_unlock(&reference->mutex);
    return wanted;
}

void ob_reference_be_cleaner(struct ob_actor *actor)
{
    struct ob_reference *reference = actor->reference;
    while (
        ob_gated_wait(actor->client, "wait for a cleanup", wants_cleanup, &reference, INT64_MAX)) {
        pthread_mutex_lock(&reference->mutex);
        reference->state.cleanups--;
        pthread_mutex_unlock(&reference->mutex);
        clean_up(actor);
    }
}
