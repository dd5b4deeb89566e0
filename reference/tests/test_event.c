#include "event_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parses(const char *body)
{
    struct event event;

    return event_parse(body, strlen(body), &event);
}

static void a_written_event_reads_the_same(void **state)
{
    struct event event = {.id = "evt_1",
                          .type = EVENT_REFUNDED,
                          .refund_id = "re_7",
                          .key = "refund-pay_1",
                          .payment = {.id = "pay_1",
                                      .customer = "zo\u00eb \"quote\"",
                                      .currency = "EUR",
                                      .hold_id = 41,
                                      .amount_minor = 123456789012}};
    struct event back;
    char body[1024];

    (void)state;
    assert_true(event_format(&event, body, sizeof body));
    assert_true(event_parse(body, strlen(body), &back));
    assert_memory_equal(&event, &back, sizeof event);
}

static void a_body_that_does_not_fit_is_not_written(void **state)
{
    struct event event = {.id = "evt_1", .type = EVENT_SUCCEEDED};
    char body[20];

    (void)state;
    assert_false(event_format(&event, body, sizeof body));
}

#define BODY(id, type, payment, amount, currency, customer, hold)                 \
    "{\"id\":" id ",\"type\":" type ",\"payment\":" payment ",\"amount\":" amount \
    ",\"currency\":" currency ",\"customer\":" customer ",\"hold\":" hold "}"

static void each_field_is_needed_and_has_its_type(void **state)
{
    (void)state;
    assert_true(parses(BODY("\"e\"", "\"t\"", "\"p\"", "1", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("1", "\"t\"", "\"p\"", "1", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"\"", "\"t\"", "\"p\"", "1", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "null", "\"p\"", "1", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "[]", "1", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "\"1\"", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "1.5", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "1", "\"EURO\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "1", "\"EUR\"", "{}", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "1", "\"EUR\"", "\"c\"", "null")));
}

static void an_amount_is_positive(void **state)
{
    (void)state;
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "0", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"t\"", "\"p\"", "-1", "\"EUR\"", "\"c\"", "1")));
}

static void a_refund_names_itself_and_only_a_refund_does(void **state)
{
    (void)state;
    assert_false(
        parses(BODY("\"e\"", "\"refund.succeeded\"", "\"p\"", "1", "\"EUR\"", "\"c\"", "1")));
    assert_false(parses(BODY("\"e\"", "\"payment.succeeded\"", "\"p\"", "1", "\"EUR\"", "\"c\"",
                             "1,\"refund\":\"re_1\"")));
}

static void what_is_no_json_object_is_refused(void **state)
{
    (void)state;
    assert_false(parses(""));
    assert_false(parses("{"));
    assert_false(parses("[1]"));
    assert_false(parses("{\"id\":\"a\",\"id\":\"b\"}"));
    assert_false(parses("{\"id\":\"\xff\"}"));
}

static void a_body_over_the_limit_is_refused_unread(void **state)
{
    const char *event = BODY("\"e\"", "\"t\"", "\"p\"", "1", "\"EUR\"", "\"c\"", "1");
    char *body = malloc(EVENT_BODY_MAX + 1);
    struct event out;

    (void)state;
    assert_non_null(body);
    memset(body, ' ', EVENT_BODY_MAX + 1);
    memcpy(body, event, strlen(event));
    assert_true(event_parse(body, EVENT_BODY_MAX, &out));
    assert_false(event_parse(body, EVENT_BODY_MAX + 1, &out));
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_event_reads_the_same),
        cmocka_unit_test(a_body_that_does_not_fit_is_not_written),
        cmocka_unit_test(each_field_is_needed_and_has_its_type),
        cmocka_unit_test(an_amount_is_positive),
        cmocka_unit_test(a_refund_names_itself_and_only_a_refund_does),
        cmocka_unit_test(what_is_no_json_object_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused_unread),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
