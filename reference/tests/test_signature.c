#include "booking/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define SECRET "whsec_fixture"
#define SENT_AT 1767225600

static const char body[] = "{\"id\":\"evt_9\"}";

static enum booking_signature_verdict verify(const char *header, int64_t now_s)
{
    return booking_signature_verify(SECRET, header, body, sizeof body - 1, now_s);
}

/* The hexadecimal part of a right header. */
static void right_hex(char out[65])
{
    char header[BOOKING_SIGNATURE_SIZE];

    booking_signature_make(SECRET, SENT_AT, body, sizeof body - 1, header);
    snprintf(out, 65, "%s", strstr(header, "v1=") + 3);
}

static void read_fixture(const char *name, char *out, size_t size)
{
    char path[128];
    FILE *file;
    size_t length;

    snprintf(path, sizeof path, "fixtures/webhooks/%s", name);
    file = fopen(path, "rb");
    assert_non_null(file);
    length = fread(out, 1, size - 1, file);
    fclose(file);
    out[length] = '\0';
}

static void a_signature_made_by_openssl_is_valid(void **state)
{
    static const char *const names[] = {"payment-succeeded", "payment-failed", "refund-succeeded"};
    char name[64], text[512], header[256], made[BOOKING_SIGNATURE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s.json", names[i]);
        read_fixture(name, text, sizeof text);
        snprintf(name, sizeof name, "%s.signature", names[i]);
        read_fixture(name, header, sizeof header);
        header[strcspn(header, "\n")] = '\0';
        assert_int_equal(booking_signature_verify(SECRET, header, text, strlen(text), SENT_AT),
                         BOOKING_SIGNATURE_VALID);
        booking_signature_make(SECRET, SENT_AT, text, strlen(text), made);
        assert_string_equal(made, header);
    }
}

static void a_signature_is_valid_for_300_seconds_and_not_for_301(void **state)
{
    char header[BOOKING_SIGNATURE_SIZE];

    (void)state;
    booking_signature_make(SECRET, SENT_AT, body, sizeof body - 1, header);
    assert_int_equal(verify(header, SENT_AT + 300), BOOKING_SIGNATURE_VALID);
    assert_int_equal(verify(header, SENT_AT + 301), BOOKING_SIGNATURE_OLD);
}

static void a_time_in_the_future_is_accepted(void **state)
{
    char header[BOOKING_SIGNATURE_SIZE];

    (void)state;
    booking_signature_make(SECRET, SENT_AT, body, sizeof body - 1, header);
    assert_int_equal(verify(header, SENT_AT - 100000), BOOKING_SIGNATURE_VALID);
}

static void another_body_secret_or_time_is_forged(void **state)
{
    char header[BOOKING_SIGNATURE_SIZE], hex[65], moved[BOOKING_SIGNATURE_SIZE];

    (void)state;
    booking_signature_make(SECRET, SENT_AT, body, sizeof body - 1, header);
    assert_int_equal(booking_signature_verify(SECRET, header, "{}", 2, SENT_AT),
                     BOOKING_SIGNATURE_FORGED);
    assert_int_equal(
        booking_signature_verify("whsec_other", header, body, sizeof body - 1, SENT_AT),
        BOOKING_SIGNATURE_FORGED);
    right_hex(hex);
    snprintf(moved, sizeof moved, "t=%d,v1=%s", SENT_AT + 1, hex);
    assert_int_equal(verify(moved, SENT_AT), BOOKING_SIGNATURE_FORGED);
}

static void one_changed_digit_or_a_shorter_one_is_forged(void **state)
{
    char header[BOOKING_SIGNATURE_SIZE];
    char *last;

    (void)state;
    booking_signature_make(SECRET, SENT_AT, body, sizeof body - 1, header);
    last = header + strlen(header) - 1;
    *last = *last == '0' ? '1' : '0';
    assert_int_equal(verify(header, SENT_AT), BOOKING_SIGNATURE_FORGED);
    *last = '\0';
    assert_int_equal(verify(header, SENT_AT), BOOKING_SIGNATURE_FORGED);
}

static void any_of_several_v1_may_match(void **state)
{
    char hex[65], header[512];

    (void)state;
    right_hex(hex);
    snprintf(header, sizeof header, "t=%d,v1=00,v1=%s,v1=11", SENT_AT, hex);
    assert_int_equal(verify(header, SENT_AT), BOOKING_SIGNATURE_VALID);
}

static void other_schemes_are_ignored(void **state)
{
    char hex[65], header[512];

    (void)state;
    right_hex(hex);
    snprintf(header, sizeof header, "v0=%s,t=%d,v1=%s", hex, SENT_AT, hex);
    assert_int_equal(verify(header, SENT_AT), BOOKING_SIGNATURE_VALID);
    snprintf(header, sizeof header, "t=%d,v0=%s", SENT_AT, hex);
    assert_int_equal(verify(header, SENT_AT), BOOKING_SIGNATURE_MALFORMED);
}

static void what_is_not_a_header_is_malformed(void **state)
{
    static const char *const headers[] = {"",
                                          "t=1767225600",
                                          "v1=00",
                                          "t=,v1=00",
                                          "t=-5,v1=00",
                                          "t=1.5,v1=00",
                                          "t,v1=",
                                          "nonsense",
                                          ",,,",
                                          "t=0x1,v1=0",
                                          "t=1234567890123456789,v1=00"};

    (void)state;
    assert_int_equal(verify(NULL, SENT_AT), BOOKING_SIGNATURE_MALFORMED);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_int_equal(verify(headers[i], SENT_AT), BOOKING_SIGNATURE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_made_by_openssl_is_valid),
        cmocka_unit_test(a_signature_is_valid_for_300_seconds_and_not_for_301),
        cmocka_unit_test(a_time_in_the_future_is_accepted),
        cmocka_unit_test(another_body_secret_or_time_is_forged),
        cmocka_unit_test(one_changed_digit_or_a_shorter_one_is_forged),
        cmocka_unit_test(any_of_several_v1_may_match),
        cmocka_unit_test(other_schemes_are_ignored),
        cmocka_unit_test(what_is_not_a_header_is_malformed),
    };

    return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
