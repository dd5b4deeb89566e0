/*
 * psp_int.h - the simulated provider's state, shared by its two halves: money (psp.c) and webhooks
 * (psp_webhook.c).
 */
#ifndef BOOKING_PSP_INT_H
#define BOOKING_PSP_INT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "booking/psp.h"
#include "event_int.h"

enum psp_operation { PSP_CREATE, PSP_CAPTURE, PSP_REFUND };

/* A payment and whether its creation had a key. */
struct psp_payment {
    struct booking_payment facts;
    bool keyed;
};

/* The saved answer to a call with a key. */
struct psp_saved {
    char key[BOOKING_KEY_SIZE];
    char parameters[BOOKING_KEY_SIZE];
    enum booking_payments_result result;
    struct booking_payment answer;
    int64_t at_us;
};

/* A call whose answer was lost, until it is answered. */
struct psp_unanswered {
    enum psp_operation operation;
    size_t payment_index;
    int64_t amount_minor;       /* of a refund */
    char key[BOOKING_KEY_SIZE]; /* "" when it had none */
};

enum psp_delivery_state { PSP_WAITING, PSP_SENDING, PSP_DONE, PSP_ABANDONED };

struct psp_delivery {
    size_t event_index;
    int attempt; /* attempts begun */
    int64_t due_us;
    enum psp_delivery_state state;
};

/* A growing array. */
#define PSP_LIST(type)          \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

struct booking_psp {
    struct booking_payments payments; /* the port */
    char *secret;
    int64_t (*now_us)(void *clock);
    void *clock;

    pthread_mutex_t mutex; /* guards all below */
    PSP_LIST(struct psp_payment) intents;
    PSP_LIST(struct psp_saved) saved;
    PSP_LIST(struct psp_unanswered) unanswered;
    PSP_LIST(struct booking_ledger_entry) ledger;
    PSP_LIST(struct event) events;
    PSP_LIST(struct psp_delivery) deliveries; /* a delivery's id is its index plus 1 */
    int64_t refund_count, event_count;
    size_t unstable_keys;
};

/* Makes room for one more item and counts it; the new item is zeroed.  Returns the new array. */
void *psp_grow(void *items, size_t *count, size_t *capacity, size_t item_size);

/* A pointer to a new, zeroed last item of a list. */
#define PSP_APPEND(list)                                                                    \
    ((list)->items =                                                                        \
         psp_grow((list)->items, &(list)->count, &(list)->capacity, sizeof *(list)->items), \
     &(list)->items[(list)->count - 1])

int64_t psp_now_us(const struct booking_psp *psp);

/* Queues an event, due at once, with its duplicate when the point webhook/duplicate fails.  The
 * event's id is set here.  The mutex is held. */
void psp_queue_event(struct booking_psp *psp, const struct event *event);

#endif
