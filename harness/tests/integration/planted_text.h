/*
 * planted_text.h - the SQL and the events that planted bugs are written in.
 */
#ifndef OB_TESTS_PLANTED_TEXT_H
#define OB_TESTS_PLANTED_TEXT_H

#include "planted.h"

enum { ALICE, BOB, CLEANUP };
#define HARNESS OB_NO_CLIENT

/* A hold as the flow makes it at 09:00: of simulator 1, for 15 minutes, an hour's price. */
#define HOLD(id, customer, from, to)                                                      \
    "INSERT INTO booking.temp_booking"                                                    \
    " (id, simulator_id, customer_id, during, expires_at, amount_minor, currency) VALUES" \
    " (" id ", 1, '" customer "', '[2026-06-01 " from "+00,2026-06-01 " to "+00)',"       \
    " '2026-06-01 09:15+00', 9000, 'EUR');"
#define MOVE(id, status) "UPDATE booking.temp_booking SET status = '" status "' WHERE id = " id ";"
#define BOOKING(id, hold, payment)                                                             \
    "INSERT INTO booking.booking (id, simulator_id, hold_id, customer_id, during, payment_id," \
    " amount_minor, currency) SELECT " id ", simulator_id, id, customer_id, during, '" payment \
    "', amount_minor, currency FROM booking.temp_booking WHERE id = " hold ";"
#define MAIL(kind, hold, customer)                                                         \
    "INSERT INTO booking.outbox (kind, hold_id, customer_id, transition_id) SELECT '" kind \
    "', " hold ", '" customer "', max(id) FROM booking.transition WHERE hold_id = " hold ";"
#define REFUND(payment, hold, status)                                                           \
    "INSERT INTO booking.refund (idempotency_key, payment_id, hold_id, amount_minor, currency," \
    " reason, status) VALUES ('refund-" payment "', '" payment "', " hold                       \
    ", 9000, 'EUR', 'test', '" status "');"
#define PART(key, amount, status)                                                               \
    "INSERT INTO booking.refund (idempotency_key, payment_id, hold_id, amount_minor, currency," \
    " reason, status) VALUES ('" key "', 'pay_1', 1, " amount ", 'EUR', 'part', '" status "');"
#define PRICE(amount) "UPDATE booking.booking SET amount_minor = " amount ";"
#define CASE(payment, hold, amount)                                                         \
    "INSERT INTO booking.manual_case (payment_id, hold_id, amount_minor, currency, reason)" \
    " VALUES ('" payment "', " hold ", " amount ", 'EUR', 'test');"
#define CLOCK(time) "SELECT booking_test_clock('2026-06-01 " time "+00');"
#define ROOM(units) "UPDATE booking.simulator SET capacity = " units " WHERE id = 1;"
#define BUFFERS(before, after)                                                           \
    "UPDATE booking.simulator SET buffer_before_s = " before ", buffer_after_s = " after \
    " WHERE id = 1;"
#define MOVED(id, from) \
    "UPDATE booking.temp_booking SET rescheduled_from = " from " WHERE id = " id ";"

#define IN_SERIES(id)                                                                             \
    "INSERT INTO booking.series (id, simulator_id, customer_id, starts, ends, every_days, times)" \
    " VALUES (1, 1, 'alice', '2026-06-01 06:00', '2026-06-01 07:00', 1, 2)"                       \
    " ON CONFLICT DO NOTHING;"                                                                    \
    "UPDATE booking.temp_booking SET series_id = 1 WHERE id = " id ";"
#define NEXT_DAY(id, from, to)                                                                 \
    "UPDATE booking.temp_booking SET during = '[2026-06-02 " from "+00,2026-06-02 " to "+00)'" \
    " WHERE id = " id ";"
#define STANDS_IN(zone) "UPDATE booking.simulator SET zone = '" zone "' WHERE id = 1;"

/* Events. */
#define ANSWERS_SERIES(rest)                                                                     \
    "{\"action\":\"series\",\"customer\":\"alice\",\"simulator\":1,\"every\":1,\"times\":2,"     \
    "\"from\":\"2026-06-01T06:00:00\",\"to\":\"2026-06-01T07:00:00\",\"at\":\"2026-06-01T09:00:" \
    "00Z\","                                                                                     \
    "\"series\":1," rest "}"
#define ASKS_HOLD(customer, from, to, at)                                             \
    "{\"action\":\"hold\",\"customer\":\"" customer                                   \
    "\",\"simulator\":1,\"from\":\"2026-06-01T" from ":00Z\",\"to\":\"2026-06-01T" to \
    ":00Z\",\"at\":\"2026-06-01T" at ":00Z\"}"
#define ANSWERS_HOLD(customer, from, to, at, rest)                                    \
    "{\"action\":\"hold\",\"customer\":\"" customer                                   \
    "\",\"simulator\":1,\"from\":\"2026-06-01T" from ":00Z\",\"to\":\"2026-06-01T" to \
    ":00Z\",\"at\":\"2026-06-01T" at ":00Z\"," rest "}"
#define MOVE_DATA(old, from, to, at)                                                \
    "{\"action\":\"reschedule\",\"customer\":\"alice\",\"old\":" old                \
    ",\"simulator\":1,\"from\":\"2026-06-01T" from ":00Z\",\"to\":\"2026-06-01T" to \
    ":00Z\",\"at\":\"2026-06-01T" at ":00Z\""
#define ASKS_MOVE(old, from, to, at) MOVE_DATA(old, from, to, at) "}"
#define ANSWERS_MOVE(old, from, to, at, rest) MOVE_DATA(old, from, to, at) "," rest "}"
#define CAPTURE(payment, customer, hold)                                        \
    "{\"payment\":\"" payment "\",\"customer\":\"" customer "\",\"hold\":" hold \
    ",\"amount\":9000,\"currency\":\"EUR\",\"key\":\"k\"}"
#define GIVEN_BACK(payment, amount, key)              \
    "{\"payment\":\"" payment "\",\"amount\":" amount \
    ",\"currency\":\"EUR\",\"customer\":\"alice\",\"hold\":1,\"key\":\"" key "\"}"
#define CALL(operation, payment, key, result)                               \
    "{\"operation\":\"" operation "\",\"payment\":" payment ",\"key\":" key \
    ",\"result\":\"" result "\"}"

#define BOOKED(id, hold, customer, from, to, payment) \
    HOLD(hold, customer, from, to)                    \
    MOVE(hold, "CONFIRMED") BOOKING(id, hold, payment) MAIL("confirmation", hold, customer)
#define OVER(id) CLOCK("09:20") MOVE(id, "EXPIRED")

#endif
