#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#define LONG_TOKEN "ob1-AAEC_wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1"

static struct ob_report_violation *add_violation(struct ob_report *report,
                                                 struct ob_report_result *result)
{
    size_t count = result->violation_count;
    struct ob_report_violation *all = ob_arena_alloc(&report->arena, (count + 1) * sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = result->violations[i];
    result->violations = all;
    result->violation_count++;
    return &all[count];
}

static void add_two_holds(struct ob_report *report)
{
    struct ob_report_result *legacy = ob_report_add(report);
    *legacy =
        (struct ob_report_result){.scenario = "two-holds-one-slot",
                                  .file = "scenarios/availability/two-holds.yaml",
                                  .variant = "legacy",
                                  .about = "Two customers want the same bay at the same hour.",
                                  .target = "reference",
                                  .expected = "violates no-overlap",
                                  .verdict = OB_VIOLATED,
                                  .as_expected = true,
                                  .reason = "",
                                  .strategy = "random",
                                  .runs = 17,
                                  .steps = 301,
                                  .classes = 9,
                                  .outcomes = 4,
                                  .seconds_total = 0.31,
                                  .seconds_reset = 0.05,
                                  .seconds_settle = 0.1 + 0.2,
                                  .seconds_check = 0.0000004};
    *add_violation(report, legacy) = (struct ob_report_violation){
        .invariant = "no-overlap",
        .run = 17,
        .token = "ob1-AAEC_wQFBg",
        .replay = "overbook replay ob1-AAEC_wQFBg",
        .clients = 2,
        .steps = 8,
        .preemptions = 1,
        .replays_same = 10,
        .replays = 10,
        .why = "booking 2 of bob overlaps booking 1 of alice on simulator 1: "
               "2026-06-01 10:30 to 11:30, 2026-06-01 10:00 to 11:00",
        .trace = "1 alice begin\n2 bob   begin\n3 alice sql SELECT 1 WHERE a < b\n",
    };
    struct ob_report_result *fixed = ob_report_add(report);
    *fixed = report->results[0];
    fixed->variant = "fixed";
    fixed->expected = "holds";
    fixed->verdict = OB_HOLDS;
    fixed->exhausted = true;
    fixed->strategy = "exhaustive";
    fixed->runs = 1204;
    fixed->violations = NULL;
    fixed->violation_count = 0;
    fixed->seconds_total = 12.04;
}

void report_sample_good(struct ob_report *report)
{
    ob_report_init(report);
    report->version = "0.1.0";
    report->postgres = "15.18";
    report->seed = 1;
    report->seconds = 12.5;
    report->controlled_steps = report->controlled_deadlock = report->controlled_clock = true;
    report->controlled_wake = report->controlled_gates = report->controlled_now = true;
    report->controlled_footprints = true;
    add_two_holds(report);
}

static struct ob_report_result *add_refund(struct ob_report *report, const char *variant)
{
    struct ob_report_result *result = ob_report_add(report);
    *result = (struct ob_report_result){
        .scenario = "refund-against-cancel",
        .file = "scenarios/refund.yaml",
        .variant = variant,
        .about =
            "A customer gives the booking up while the payment is being captured; the money must "
            "come back exactly once.",
        .target = "reference",
        .expected = "violates one-booking-per-payment",
        .strategy = "random",
        .runs = 5000,
        .seconds_total = 125,
    };
    return result;
}

static const char *const warnings[] = {"client bob: \"SELECT 1/0\" failed each time: 22012: no"};

void report_sample_mixed(struct ob_report *report)
{
    report_sample_good(report);
    report->controlled_wake = false;
    struct ob_report_result *wrong = add_refund(report, "fixed-serializable");
    wrong->verdict = OB_VIOLATED;
    wrong->reason = "It violates money-conserved, which was not expected.";
    for (int i = 0; i < 4; i++)
        *add_violation(report, wrong) = (struct ob_report_violation){
            .invariant = i == 0 ? "money-conserved" : "liveness",
            .run = 1234,
            .token = LONG_TOKEN,
            .replay = "overbook replay " LONG_TOKEN,
            .clients = 3,
            .faults = 1,
            .steps = 21,
            .preemptions = 2,
            .why = "payment pay_1: captured 9000 EUR, refunded 18000 EUR",
            .trace = "1 alice begin\n",
        };
    struct ob_report_result *missing = add_refund(report, "legacy");
    missing->verdict = OB_HOLDS;
    missing->reason = "No run violated one-booking-per-payment.";
    missing->warnings = warnings;
    missing->warning_count = 1;
    struct ob_report_result *unclear = add_refund(report, "replay");
    unclear->verdict = OB_INCONCLUSIVE;
    unclear->reason = "The replay went another way at step 4: bob was blocked.";
    struct ob_report_result *failed = add_refund(report, "server");
    failed->verdict = OB_FAILED;
    failed->reason = "The server went away: FATAL: terminating connection due to administrator "
                     "command \xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x80\xa6";
}

char *report_sample_render(const struct ob_report *report, ob_report_renderer *renderer)
{
    struct ob_error err;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    enum ob_result result = renderer(report, out, &err);
    fclose(out);
    if (result == OB_OK)
        return text;
    free(text);
    return NULL;
}

json_t *report_sample_json(const struct ob_report *report, ob_report_renderer *renderer)
{
    char *text = report_sample_render(report, renderer);
    assert_non_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

void report_sample_full_disk(ob_report_renderer *renderer, const char *message)
{
    struct ob_report report;
    struct ob_error err;
    report_sample_good(&report);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(renderer(&report, full, &err), OB_IO);
    assert_string_equal(err.message, message);
    fclose(full);
    ob_report_clear(&report);
}
