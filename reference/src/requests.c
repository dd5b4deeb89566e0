/*
 * requests.c - the public requests: each chooses its path and counts its answer.
 */
#include "booking/flow.h"

#include <string.h>

#include "booking/signature.h"
#include "flow_int.h"

static const struct {
    int http;
    const char *text;
} statuses[] = {
#define STATUS_ROW(name, http, text) {http, text},
    BOOKING_STATUSES(STATUS_ROW)
#undef STATUS_ROW
};

int booking_status_http(enum booking_status status)
{
    return statuses[status].http;
}

const char *booking_status_text(enum booking_status status)
{
    return statuses[status].text;
}

void booking_app_init(struct booking_app *app, struct booking_payments *payments,
                      struct booking_monitor *monitor, const char *webhook_secret)
{
    *app = (struct booking_app){.payments = payments,
                                .monitor = monitor,
                                .webhook_secret = webhook_secret,
                                .isolation = BOOKING_READ_COMMITTED,
                                .hold_ttl_s = 900,
                                .retries_max = 8,
                                .unmatched_max = 5,
                                .pause_us = 1000};
}

static bool is_fixed(const struct work *work)
{
    return work->answer->path == BOOKING_PATH_FIXED;
}

enum booking_status booking_availability(const struct booking_app *app, struct booking_db *db,
                                         const struct booking_slot_request *request,
                                         struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "availability", request->customer)) {
        answer->simulator_id = request->simulator_id;
        (is_fixed(&work) ? fixed_availability : legacy_availability)(&work, request);
    }
    return work_finish(&work);
}

enum booking_status booking_hold(const struct booking_app *app, struct booking_db *db,
                                 const struct booking_slot_request *request,
                                 struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "hold", request->customer))
        (is_fixed(&work) ? fixed_hold : legacy_hold)(&work, request);
    return work_finish(&work);
}

enum booking_status booking_series(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_series_request *request,
                                   struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "series", request->customer)) {
        if (request->every_days < 1 || request->times < 1 || request->times > BOOKING_SERIES_MAX)
            work_answer(&work, BOOKING_INVALID, "no-series");
        else
            (is_fixed(&work) ? fixed_series : legacy_series)(&work, request);
    }
    return work_finish(&work);
}

enum booking_status booking_pay(const struct booking_app *app, struct booking_db *db,
                                const struct booking_hold_ref *request,
                                struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "pay", request->customer))
        (is_fixed(&work) ? fixed_pay : legacy_pay)(&work, request);
    return work_finish(&work);
}

/* A delivery whose signature is good: by its type.  A failure moves nothing: the hold simply runs
 * out, and one that comes after a success must not undo it. */
static void fixed_event(struct work *work, const struct event *event)
{
    if (strcmp(event->type, EVENT_SUCCEEDED) == 0)
        settle_payment(work, event, false);
    else if (strcmp(event->type, EVENT_REFUNDED) == 0)
        refund_told(work, event);
    else
        work_answer(work, BOOKING_OK, "ignored");
}

static void fixed_webhook(struct work *work, const struct booking_webhook_request *request,
                          const struct event *event)
{
    if (booking_signature_verify(work->app->webhook_secret, request->signature, request->body,
                                 request->body_size, work->now_s) == BOOKING_SIGNATURE_VALID) {
        fixed_event(work, event);
    } else {
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_SIGNATURES_REFUSED);
        work_answer(work, BOOKING_FORBIDDEN, "bad-signature");
    }
}

enum booking_status booking_webhook(const struct booking_app *app, struct booking_db *db,
                                    const struct booking_webhook_request *request,
                                    struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};
    struct event event;

    if (!event_parse(request->body, request->body_size, &event)) {
        *answer = (struct booking_answer){.path = BOOKING_PATH_FIXED};
        work_answer(&work, BOOKING_INVALID, "not-an-event");
    } else if (work_start(&work, "webhook", event.payment.customer)) {
        if (is_fixed(&work))
            fixed_webhook(&work, request, &event);
        else
            legacy_webhook(&work, &event);
    }
    return work_finish(&work);
}

enum booking_status booking_return(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_return_request *request,
                                   struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "return", request->customer))
        (is_fixed(&work) ? fixed_return : legacy_return)(&work, request);
    return work_finish(&work);
}

enum booking_status booking_cancel(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_hold_ref *request,
                                   struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "cancel", request->customer))
        (is_fixed(&work) ? fixed_cancel : legacy_cancel)(&work, request);
    return work_finish(&work);
}

enum booking_status booking_reschedule(const struct booking_app *app, struct booking_db *db,
                                       const struct booking_move_request *request,
                                       struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "reschedule", request->customer))
        (is_fixed(&work) ? fixed_reschedule : legacy_reschedule)(&work, request);
    return work_finish(&work);
}

enum booking_status booking_refund(const struct booking_app *app, struct booking_db *db,
                                   const struct booking_refund_request *request,
                                   struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "refund", request->customer)) {
        if (request->amount_minor <= 0)
            work_answer(&work, BOOKING_INVALID, "no-amount");
        else
            (is_fixed(&work) ? fixed_refund : legacy_refund)(&work, request);
    }
    return work_finish(&work);
}

enum booking_status booking_cleanup(const struct booking_app *app, struct booking_db *db,
                                    struct booking_answer *answer)
{
    struct work work = {.app = app, .db = db, .answer = answer};

    if (work_start(&work, "cleanup", NULL))
        (is_fixed(&work) ? fixed_cleanup : legacy_cleanup)(&work);
    return work_finish(&work);
}
