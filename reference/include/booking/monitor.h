/*
 * monitor.h - counters and the race log.
 *
 * Counters are atomic: one monitor serves any number of threads.  They count answers given, not
 * attempts, so a request that was retried counts once and its retries apart.
 */
#ifndef BOOKING_MONITOR_H
#define BOOKING_MONITOR_H

#include <stdint.h>

/* name, metric, labels, help: several counters of one metric stand together */
#define BOOKING_COUNTERS(X)                                                                    \
    X(LOST_RACES_LEGACY, "booking_double_booking_attempts_total", "path=\"legacy\"",           \
      "Requests for a slot that somebody else held or had booked.")                            \
    X(LOST_RACES_FIXED, "booking_double_booking_attempts_total", "path=\"fixed\"", NULL)       \
    X(RACES_DUPLICATE, "booking_races_total", "kind=\"duplicate-delivery\"",                   \
      "Races met and decided, by kind.")                                                       \
    X(RACES_LATE, "booking_races_total", "kind=\"late-payment\"", NULL)                        \
    X(RACES_SECOND, "booking_races_total", "kind=\"second-payment\"", NULL)                    \
    X(RACES_CANCELLED, "booking_races_total", "kind=\"paid-after-cancel\"", NULL)              \
    X(RACES_EARLY, "booking_races_total", "kind=\"event-before-hold\"", NULL)                  \
    X(RACES_MISMATCH, "booking_races_total", "kind=\"payment-mismatch\"", NULL)                \
    X(RETRIES_40001, "booking_retries_total", "cause=\"40001\"",                               \
      "Transactions run again, by cause.")                                                     \
    X(RETRIES_40P01, "booking_retries_total", "cause=\"40P01\"", NULL)                         \
    X(RETRIES_DECIDE, "booking_retries_total", "cause=\"constraint\"", NULL)                   \
    X(RETRIES_LOST, "booking_retries_total", "cause=\"connection\"", NULL)                     \
    X(RETRIES_EXHAUSTED, "booking_retries_exhausted_total", NULL,                              \
      "Requests given up after the last retry.")                                               \
    X(COMMIT_COMMITTED, "booking_unknown_commits_total", "outcome=\"committed\"",              \
      "Commits without an answer, by what the server said afterwards.")                        \
    X(COMMIT_ABORTED, "booking_unknown_commits_total", "outcome=\"aborted\"", NULL)            \
    X(COMMIT_UNRESOLVED, "booking_unknown_commits_total", "outcome=\"unresolved\"", NULL)      \
    X(REFUNDS_REQUESTED, "booking_refunds_total", "state=\"requested\"", "Refunds, by state.") \
    X(REFUNDS_DONE, "booking_refunds_total", "state=\"done\"", NULL)                           \
    X(REFUNDS_FAILED, "booking_refunds_total", "state=\"failed\"", NULL)                       \
    X(CASES, "booking_manual_cases_total", NULL, "Payments left to a person.")                 \
    X(HOLDS_EXPIRED, "booking_holds_expired_total", NULL, "Holds expired by the cleanup.")     \
    X(SIGNATURES_REFUSED, "booking_webhook_signatures_refused_total", NULL,                    \
      "Webhooks with a malformed, forged or old signature.")                                   \
    X(ERRORS_LEGACY, "booking_errors_total", "path=\"legacy\"",                                \
      "Requests answered with an error.")                                                      \
    X(ERRORS_FIXED, "booking_errors_total", "path=\"fixed\"", NULL)                            \
    X(REQUESTS_LEGACY, "booking_requests_total", "path=\"legacy\"", "Requests answered.")      \
    X(REQUESTS_FIXED, "booking_requests_total", "path=\"fixed\"", NULL)

enum booking_counter {
#define BOOKING_COUNTER_ENUM(name, metric, labels, help) BOOKING_COUNT_##name,
    BOOKING_COUNTERS(BOOKING_COUNTER_ENUM)
#undef BOOKING_COUNTER_ENUM
        BOOKING_COUNTER_COUNT
};

/* What is known of a race met; NULL and 0 for what is not. */
struct booking_race {
    const char *kind;    /* "slot-taken", "duplicate-delivery", "late-payment", … */
    const char *request; /* "hold", "webhook", … */
    const char *path;    /* "legacy", "fixed" */
    const char *decided; /* what was done about it */
    const char *customer;
    const char *payment_id;
    const char *during;
    const char *sqlstate;
    int64_t hold_id;
    int64_t simulator_id;
};

struct booking_monitor;

/* log gets one JSON object without a line end for each race, on the thread of the request; it
 * may be NULL. */
struct booking_monitor *booking_monitor_new(void (*log)(void *arg, const char *json_line),
                                            void *arg);
void booking_monitor_free(struct booking_monitor *monitor); /* NULL is legal */

void booking_monitor_count(struct booking_monitor *monitor, enum booking_counter counter);
void booking_monitor_add(struct booking_monitor *monitor, enum booking_counter counter, uint64_t n);
uint64_t booking_monitor_get(const struct booking_monitor *monitor, enum booking_counter counter);
void booking_monitor_reset(struct booking_monitor *monitor);

/* Logs a race; counting it is the caller's. */
void booking_monitor_race(struct booking_monitor *monitor, const struct booking_race *race);

/* All counters in Prometheus' text format; the caller frees.  NULL when memory ran out. */
char *booking_monitor_prometheus(const struct booking_monitor *monitor);

#endif
