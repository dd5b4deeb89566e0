/*
 * payments.h - the port to a payment provider.
 *
 * A call has three ends: done, refused for good, or unknown (no answer came: it may or may not have
 * happened). After an unknown one the caller repeats it with the same idempotency key.  Calls are
 * made outside database transactions: what a provider does is not rolled back.  An implementation
 * is safe for concurrent calls.
 */
#ifndef BOOKING_PAYMENTS_H
#define BOOKING_PAYMENTS_H

#include <stdbool.h>
#include <stdint.h>

#define BOOKING_ID_SIZE 64      /* ids of payments, events and customers, NUL included */
#define BOOKING_KEY_SIZE 256    /* idempotency keys: at most 255 characters */
#define BOOKING_CURRENCY_SIZE 4 /* ISO 4217 */

enum booking_payments_result {
    BOOKING_PAYMENTS_OK,
    BOOKING_PAYMENTS_DECLINED, /* refused for good: repeating the call changes nothing */
    BOOKING_PAYMENTS_UNKNOWN,  /* no answer: repeat with the same key */
    BOOKING_PAYMENTS_INVALID   /* no such payment, or a key used before with other parameters */
};

/* A payment as the provider knows it.  Amounts are in the currency's minor units. */
struct booking_payment {
    char id[BOOKING_ID_SIZE];
    char customer[BOOKING_ID_SIZE];
    char currency[BOOKING_CURRENCY_SIZE];
    int64_t hold_id;
    int64_t amount_minor;
    int64_t captured_minor;
    int64_t refunded_minor;
};

/* What a customer is asked to pay, and what for. */
struct booking_intent {
    const char *customer;
    const char *currency;
    int64_t hold_id;
    int64_t amount_minor;
};

struct booking_payments; /* embedded as the first member by an implementation */

/* A key may be NULL: then nothing recognises a repetition.  *out is filled on OK, and may be
 * NULL. */
struct booking_payments_ops {
    enum booking_payments_result (*create)(struct booking_payments *payments,
                                           const struct booking_intent *intent, const char *key,
                                           struct booking_payment *out);
    enum booking_payments_result (*capture)(struct booking_payments *payments,
                                            const char *payment_id, const char *key,
                                            struct booking_payment *out);
    enum booking_payments_result (*refund)(struct booking_payments *payments,
                                           const char *payment_id, int64_t amount_minor,
                                           const char *key, struct booking_payment *out);
    enum booking_payments_result (*lookup)(struct booking_payments *payments,
                                           const char *payment_id, struct booking_payment *out);
};

struct booking_payments {
    const struct booking_payments_ops *ops;
};

#endif
