/*
 * The reference target: what is given, what a party's actions come to, the gated ports, the extra
 * clients.  That the flow itself is right is for the scenarios and the reference's own tests.
 */
#include "live.h"
#include "racing.h"

#include "base/alloc.h"
#include "scenario/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "name: x\nabout: A race.\ntarget: reference\n"
#define SLOT "simulator: 1, slot: 2026-06-01T10:00/11:00"
#define PAID "given:\n  - as: ann\n    does: [{hold: {" SLOT "}}, pay]\n"
#define TAIL "invariants: [no-overlap]\nexpect: holds\n"

struct opened {
    struct ob_scenario *scenario;
    struct ob_racing racing;
};

static void open_text(struct opened *opened, const char *text, const struct ob_limits *limits)
{
    opened->scenario = ob_racing_parse(text);
    ob_racing_open(&opened->racing, opened->scenario, 0, limits);
}

static void close_text(struct opened *opened)
{
    ob_racing_close(&opened->racing);
    ob_scenario_free(opened->scenario);
}

/* One run without a fault. */
static void follow(struct opened *opened, const char *clients)
{
    ob_racing_follow(&opened->racing, clients, NULL, 0);
    assert_int_equal(opened->racing.trace.end, OB_RUN_FINISHED);
}

static size_t count(struct opened *opened, const char *kind, const char *part)
{
    size_t found = 0;
    for (size_t i = 0; i < opened->racing.trace.event_count; i++) {
        const struct ob_event *event = &opened->racing.trace.events[i];
        found += strcmp(event->kind, kind) == 0 && strstr(event->data, part) != NULL;
    }
    return found;
}

static void the_race_begins_when_what_is_given_has_ended(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              HEAD "start: 2026-06-01T08:00:00Z\n" PAID "  - {does: clock, advance: 16min}\n"
                   "clients:\n  - {name: bob, does: hold, " SLOT "}\n" TAIL,
              NULL);
    for (int run = 0; run < 2; run++) { /* each run begins there */
        follow(&opened, "");
        assert_int_equal(count(&opened, "request", "\"at\":\"2026-06-01T08:16:00Z\""), 1);
        /* Ann's hold is over by then. */
        assert_int_equal(count(&opened, "answer", "\"reason\":\"held\""), 2);
        ob_racing_expect(&opened.racing,
                         "SELECT string_agg(customer_id || status, ' ' ORDER BY id)"
                         " FROM booking.temp_booking",
                         "annEXPIRED bobRESERVED");
    }
    close_text(&opened);
}

static void what_is_given_is_history_and_counts_for_the_provider(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD PAID "clients:\n  - {name: hook, does: webhook, of: ann}\n" TAIL, NULL);
    for (int run = 0; run < 3; run++) {
        follow(&opened, "");
        assert_int_equal(count(&opened, "capture", "\"payment\":\"pay_1\",\"amount\":9000"), 1);
        assert_int_equal(count(&opened, "answer", "\"reason\":\"confirmed\""), 1);
        ob_racing_expect(&opened.racing, "SELECT payment_id FROM booking.booking", "pay_1");
    }
    close_text(&opened);
}

static void calls_of_the_provider_are_steps_and_tell_how_they_ended(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD "clients:\n  - {name: ann, does: [{hold: {" SLOT "}}, pay]}\n" TAIL,
              NULL);
    follow(&opened, "");
    size_t calls = 0;
    for (size_t i = 0; i < opened.racing.trace.step_count; i++)
        calls += opened.racing.trace.steps[i].kind == OB_OP_CALL;
    assert_int_equal(calls, 2);
    assert_string_equal(ob_racing_events(&opened.racing, "call"),
                        "{\"operation\":\"create\",\"result\":\"ok\",\"hold\":1,"
                        "\"key\":\"intent-1-only\"} "
                        "{\"operation\":\"capture\",\"result\":\"ok\",\"payment\":\"pay_1\","
                        "\"key\":\"capture-pay_1\"}");
    close_text(&opened);
}

/* Whoever needs another's hold or payment waits for it, and leaves the action out when it cannot
 * come any more. */
static void an_action_waits_for_what_it_needs_of_others(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              HEAD "clients:\n  - {name: hook, does: webhook, of: ann}\n"
                   "  - {name: ann, does: [{hold: {" SLOT "}}, pay]}\n"
                   "  - {name: late, does: webhook, of: ann, payment: 2}\n" TAIL,
              NULL);
    follow(&opened, "");
    assert_int_equal(count(&opened, "request", "\"action\":\"webhook\""), 1);
    assert_int_equal(count(&opened, "answer", "\"reason\":\"confirmed\""), 1);
    close_text(&opened);
}

static void the_second_webhook_action_delivers_the_same_event_again(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              HEAD PAID "clients:\n"
                        "  - {name: one, does: webhook, of: ann}\n"
                        "  - {name: two, does: webhook, of: ann}\n"
                        "  - {name: new, does: webhook, of: ann, event: new}\n" TAIL,
              NULL);
    follow(&opened, "");
    assert_int_equal(count(&opened, "request", "\"event\":\"evt_1\""), 2);
    assert_int_equal(count(&opened, "request", "\"event\":\"evt_2\""), 1);
    assert_int_equal(count(&opened, "answer", "\"reason\":\"confirmed\""), 1);
    assert_int_equal(count(&opened, "answer", "\"reason\":\"settled-before\""), 2);
    close_text(&opened);
}

static void what_a_delivery_was_tampered_with_is_what_it_tells(void **state)
{
    (void)state;
    static const struct {
        const char *tamper, *reason;
    } tampered[] = {{"signature", "bad-signature"},
                    {"old", "bad-signature"},
                    /* The provider says otherwise, and counts. */
                    {"owner", "confirmed"},
                    {"amount", "confirmed"},
                    {"currency", "confirmed"},
                    /* There is no hold 2. */
                    {"metadata", "no-such-hold"}};
    for (size_t i = 0; i < sizeof tampered / sizeof *tampered; i++) {
        struct opened opened;
        char *text = ob_asprintf(HEAD PAID "clients:\n  - {name: hook, does: webhook, of: ann,"
                                           " tamper: %s}\n" TAIL,
                                 tampered[i].tamper);
        char *reason = ob_asprintf("\"reason\":\"%s\"", tampered[i].reason);
        open_text(&opened, text, NULL);
        follow(&opened, "");
        assert_int_equal(count(&opened, "answer", "\"action\":\"webhook\""), 1);
        assert_int_equal(count(&opened, "answer", reason), 1);
        close_text(&opened);
        free(reason);
        free(text);
    }
}

static void a_payment_of_one_s_own_making_is_made_as_written(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              HEAD "given: [{as: ann, does: hold, " SLOT "}]\n"
                   "clients:\n  - {name: eve, does: pay, of: ann, amount: 7, currency: JPY}\n" TAIL,
              NULL);
    follow(&opened, "");
    assert_string_equal(ob_racing_events(&opened.racing, "capture"),
                        "{\"payment\":\"pay_1\",\"amount\":7,\"currency\":\"JPY\","
                        "\"customer\":\"eve\",\"hold\":1}");
    close_text(&opened);
}

static void a_client_may_have_one_path_whatever_the_flag_says(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              HEAD "clients:\n  - {name: old, does: availability, path: legacy, " SLOT "}\n"
                   "  - {name: new, does: availability, " SLOT "}\n" TAIL,
              NULL);
    follow(&opened, "");
    assert_int_equal(count(&opened, "answer", "\"path\":\"legacy\""), 1);
    assert_int_equal(count(&opened, "answer", "\"path\":\"fixed\""), 1);
    close_text(&opened);
}

#define WITH_FAULT(point) "faults: {points: [" point "]}\n"

static void fail_once(struct opened *opened, const char *text, struct ob_fault fault)
{
    open_text(opened, text, NULL);
    ob_racing_follow(&opened->racing, "", &fault, 1);
    assert_int_equal(opened->racing.trace.end, OB_RUN_FINISHED);
    assert_int_equal(opened->racing.trace.schedule.fault_count, 1);
}

static void the_courier_sends_the_duplicate_and_the_news_of_a_refund(void **state)
{
    (void)state;
    struct opened opened;
    /* Ann pays and cancels, so the payment comes back; everything is news. */
    fail_once(&opened,
              HEAD "clients:\n  - {name: ann, does: [{hold: {" SLOT
                   "}}, pay, webhook, cancel]}\n" WITH_FAULT("webhook/duplicate") TAIL,
              (struct ob_fault){.point = 0, .client = 0, .hit = 0, .way = 2});
    assert_int_equal(count(&opened, "request", "\"type\":\"payment.succeeded\""), 2);
    assert_int_equal(count(&opened, "request", "\"type\":\"refund.succeeded\""), 1);
    assert_int_equal(count(&opened, "answer", "\"reason\":\"settled-before\""), 1);
    assert_int_equal(count(&opened, "refund", "\"amount\":9000"), 1);
    close_text(&opened);
}

static void without_such_a_fault_there_is_no_courier(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD "clients:\n  - {name: ann, does: [{hold: {" SLOT "}}, pay]}\n" TAIL,
              NULL);
    assert_int_equal(opened.racing.rig->spec.client_count, 1);
    follow(&opened, "");
    assert_int_equal(count(&opened, "request", "\"action\":\"webhook\""), 0);
    close_text(&opened);
}

static void the_cleaner_cleans_when_the_fault_asks_for_it(void **state)
{
    (void)state;
    struct opened opened;
    fail_once(&opened,
              HEAD PAID
              "clients:\n  - {name: hook, does: webhook, of: ann}\n" WITH_FAULT("cleanup/now") TAIL,
              (struct ob_fault){.point = 0, .client = 0, .hit = 0, .way = 1});
    assert_int_equal(count(&opened, "answer", "\"action\":\"cleanup\""), 1);
    ob_racing_follow(&opened.racing, "", NULL, 0);
    assert_int_equal(count(&opened, "answer", "\"action\":\"cleanup\""), 0);
    close_text(&opened);
}

static void an_expiring_hold_ends_by_the_clock(void **state)
{
    (void)state;
    struct opened opened;
    fail_once(&opened,
              HEAD PAID
              "clients:\n  - {name: hook, does: webhook, of: ann}\n" WITH_FAULT("hold/expired")
                  TAIL,
              (struct ob_fault){.point = 0, .client = 0, .hit = 0, .way = 1});
    assert_int_equal(count(&opened, "answer", "\"reason\":\"confirmed-late\""), 1);
    close_text(&opened);
}

static void who_gets_no_answer_asks_again(void **state)
{
    (void)state;
    struct opened opened;
    /* The worker dies before the commit of the hold. */
    fail_once(&opened,
              HEAD "clients:\n  - {name: ann, does: hold, " SLOT "}\n" WITH_FAULT("worker/crash")
                  TAIL,
              (struct ob_fault){.point = 0, .client = 0, .hit = 0, .way = 1});
    assert_int_equal(count(&opened, "request", "\"action\":\"hold\""), 2);
    assert_int_equal(count(&opened, "answer", "\"status\":\"crashed\""), 1);
    assert_int_equal(count(&opened, "answer", "\"status\":\"ok\""), 1);
    ob_racing_expect(&opened.racing, "SELECT count(*) FROM booking.temp_booking", "1");
    close_text(&opened);
}

/* Runs that end in the middle of everything, at one step after the other: each is followed by its
 * like, and a whole one is the same in every database. */
static void a_run_that_is_given_up_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    static const char text[] = HEAD "clients:\n  - {name: ann, does: book, " SLOT "}\n"
                                    "  - {name: bob, does: book, " SLOT "}\n" TAIL;
    struct opened whole;
    open_text(&whole, text, NULL);
    follow(&whole, "010101");
    char *trace = ob_strdup(ob_racing_text(&whole.racing, true));
    size_t steps = whole.racing.trace.step_count;
    close_text(&whole);
    for (size_t limit = 1; limit < steps; limit += 3) {
        struct opened cut;
        struct ob_limits limits = ob_limits_default();
        limits.steps_max = limit;
        open_text(&cut, text, &limits);
        ob_racing_follow(&cut.racing, "010101", NULL, 0);
        assert_int_equal(cut.racing.trace.end, OB_RUN_STEP_LIMIT);
        assert_int_equal(cut.racing.trace.step_count, limit);
        char *first = ob_strdup(ob_racing_text(&cut.racing, true));
        ob_racing_follow(&cut.racing, "010101", NULL, 0);
        assert_string_equal(ob_racing_text(&cut.racing, true), first);
        free(first);
        close_text(&cut);
    }
    open_text(&whole, text, NULL);
    for (int run = 0; run < 2; run++) {
        follow(&whole, "010101");
        assert_string_equal(ob_racing_text(&whole.racing, true), trace);
    }
    close_text(&whole);
    free(trace);
}

static void the_counters_are_told_at_the_end(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              HEAD "given: [{as: ann, does: hold, " SLOT "}]\n"
                   "clients:\n  - {name: bob, does: hold, " SLOT "}\n" TAIL,
              NULL);
    for (int run = 0; run < 2; run++) {
        follow(&opened, "");
        assert_string_equal(ob_racing_events(&opened.racing, "metrics"), "{\"lost_races\":1}");
        assert_int_equal(count(&opened, "race", "\"kind\":\"slot-taken\""), 1);
    }
    close_text(&opened);
}

static void the_simulators_that_may_be_named_are_those_that_there_are(void **state)
{
    (void)state;
    struct opened opened;
    char numbers[64] = "";
    const struct ob_key *key = ob_key_find(&ob_verb_find("hold")->set, "simulator");
    for (int64_t number = key->min; number <= key->max; number++)
        snprintf(numbers + strlen(numbers), sizeof numbers - strlen(numbers), "%s%" PRId64,
                 number > key->min ? " " : "", number);
    open_text(&opened, HEAD "clients:\n  - {name: ann, does: hold, " SLOT "}\n" TAIL, NULL);
    ob_racing_expect(&opened.racing,
                     "SELECT string_agg(id::text, ' ' ORDER BY id) FROM booking.simulator",
                     numbers);
    close_text(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_race_begins_when_what_is_given_has_ended),
        cmocka_unit_test(what_is_given_is_history_and_counts_for_the_provider),
        cmocka_unit_test(calls_of_the_provider_are_steps_and_tell_how_they_ended),
        cmocka_unit_test(an_action_waits_for_what_it_needs_of_others),
        cmocka_unit_test(the_second_webhook_action_delivers_the_same_event_again),
        cmocka_unit_test(what_a_delivery_was_tampered_with_is_what_it_tells),
        cmocka_unit_test(a_payment_of_one_s_own_making_is_made_as_written),
        cmocka_unit_test(a_client_may_have_one_path_whatever_the_flag_says),
        cmocka_unit_test(the_courier_sends_the_duplicate_and_the_news_of_a_refund),
        cmocka_unit_test(without_such_a_fault_there_is_no_courier),
        cmocka_unit_test(the_cleaner_cleans_when_the_fault_asks_for_it),
        cmocka_unit_test(an_expiring_hold_ends_by_the_clock),
        cmocka_unit_test(who_gets_no_answer_asks_again),
        cmocka_unit_test(a_run_that_is_given_up_leaves_nothing_to_the_next),
        cmocka_unit_test(the_counters_are_told_at_the_end),
        cmocka_unit_test(the_simulators_that_may_be_named_are_those_that_there_are),
    };
    return cmocka_run_group_tests_name("reference target", tests, ob_live_start, ob_live_stop);
}
