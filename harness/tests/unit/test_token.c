#include "repro/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A run of so many steps and faults, of three clients. */
static struct ob_token token_of(size_t steps, size_t faults)
{
    struct ob_token token = {
        .scenario = {1, 2, 3, 250, 251, 252, 253, 254}, .variant = 2, .server_version = 150018};
    struct ob_schedule schedule = {0};
    uint64_t *digests = ob_alloc(steps * sizeof *digests);
    for (size_t i = 0; i < steps; i++) {
        ob_schedule_add_step(&schedule, i % 3);
        digests[i] = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
    }
    for (size_t i = 0; i < faults; i++)
        ob_schedule_add_fault(&schedule, (struct ob_fault){.point = i,
                                                           .client = i % 3,
                                                           .hit = (uint32_t)(i * 1000000),
                                                           .way = (unsigned)i + 1});
    ob_token_record(&token, &schedule, digests);
    ob_schedule_clear(&schedule);
    free(digests);
    return token;
}

static char *word_of(size_t steps, size_t faults)
{
    struct ob_token token = token_of(steps, faults);
    char *word = ob_token_encode(&token);
    ob_token_clear(&token);
    return word;
}

static void assert_same(const struct ob_token *a, const struct ob_token *b)
{
    assert_memory_equal(a->scenario, b->scenario, sizeof a->scenario);
    assert_int_equal(a->variant, b->variant);
    assert_int_equal(a->server_version, b->server_version);
    assert_int_equal(a->schedule.step_count, b->schedule.step_count);
    for (size_t i = 0; i < a->schedule.step_count; i++) {
        assert_int_equal(a->schedule.clients[i], b->schedule.clients[i]);
        assert_int_equal(a->checks[i], b->checks[i]);
    }
    assert_int_equal(a->schedule.program, b->schedule.program);
    assert_int_equal(a->schedule.wake_count, b->schedule.wake_count);
    for (size_t i = 0; i < a->schedule.wake_count; i++)
        assert_int_equal(a->schedule.wakes[i], b->schedule.wakes[i]);
    assert_int_equal(a->schedule.omission_count, b->schedule.omission_count);
    for (size_t i = 0; i < a->schedule.omission_count; i++) {
        const struct ob_omission *x = &a->schedule.omissions[i], *y = &b->schedule.omissions[i];
        assert_true(x->client == y->client && x->rest == y->rest && x->at == y->at);
    }
    assert_int_equal(a->schedule.fault_count, b->schedule.fault_count);
    for (size_t i = 0; i < a->schedule.fault_count; i++) {
        const struct ob_fault *x = &a->schedule.faults[i], *y = &b->schedule.faults[i];
        assert_true(x->point == y->point && x->client == y->client && x->hit == y->hit &&
                    x->way == y->way);
    }
}

static void a_token_holds_what_was_put_into_it(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{0, 0}, {1, 0}, {0, 1}, {3, 2}, {127, 1}, {128, 130}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ob_token token = token_of(sizes[i][0], sizes[i][1]), read;
        struct ob_error err;
        token.schedule.program = i * i * i * i; /* up to two bytes of it */
        for (size_t k = 0; k < i / 2; k++)      /* with a program and without */
            ob_schedule_add_wake(&token.schedule, 63 - k);
        if (i == 2)
            token.schedule.program = 0;
        for (size_t k = 0; k < i % 4; k++) /* with wakes and without */
            ob_schedule_add_omission(
                &token.schedule,
                (struct ob_omission){.client = k, .rest = k == 1, .at = (uint32_t)(k * 50000)});
        char *word = ob_token_encode(&token);
        assert_int_equal(ob_token_decode(word, &read, &err), OB_OK);
        assert_same(&token, &read);
        free(word);
        ob_token_clear(&token);
        ob_token_clear(&read);
    }
}

static void a_token_is_one_word_for_a_shell_and_a_url(void **state)
{
    (void)state;
    char *word = word_of(200, 5);
    assert_int_equal(strncmp(word, "ob1", 3), 0);
    assert_int_equal(strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_"),
                     strlen(word));
    free(word);
}

static void fifty_steps_and_a_fault_take_less_than_300_characters(void **state)
{
    (void)state;
    char *word = word_of(50, 1);
    assert_in_range(strlen(word), 100, 299);
    free(word);
}

static void the_longest_run_has_a_token(void **state)
{
    (void)state;
    char *word = word_of(OB_STEPS_MAX, 1);
    struct ob_token read;
    struct ob_error err;
    assert_int_equal(ob_token_decode(word, &read, &err), OB_OK);
    assert_int_equal(read.schedule.step_count, OB_STEPS_MAX);
    ob_token_clear(&read);
    free(word);
}

/* Refused with the three texts, and *out as it was. */
static void assert_refused(const char *word, const char *message)
{
    struct ob_token read = {.variant = 77};
    struct ob_error err;
    assert_int_equal(ob_token_decode(word, &read, &err), OB_INPUT);
    assert_non_null(strstr(err.message, message));
    assert_string_not_equal(err.detail, "");
    assert_string_not_equal(err.hint, "");
    assert_int_equal(read.variant, 77);
}

static void a_token_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    char *word = word_of(20, 2);
    for (size_t size = strlen(word); size-- > 0;) {
        word[size] = '\0';
        assert_refused(word, size > strlen(OB_TOKEN_PREFIX) ? "the token is damaged"
                                                            : "this is not a token");
    }
    free(word);
}

static void a_token_with_any_bit_flipped_is_refused(void **state)
{
    (void)state;
    char *word = word_of(20, 2);
    size_t last = strlen(word) - 1;
    for (size_t at = 0; word[at] != '\0'; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            char was = word[at];
            word[at] = (char)(was ^ (1 << bit));
            /* The last character may hold bits that mean nothing. */
            if (word[at] != '\0' && at != last)
                assert_refused(word, "token");
            word[at] = was;
        }
    }
    free(word);
}

static void a_word_with_something_around_it_is_refused(void **state)
{
    (void)state;
    char *word = word_of(5, 0);
    static const char *const around[][2] = {{" ", ""},    {"", " "}, {"", "\n"},  {"", "A"},
                                            {"", "AAAA"}, {"", "="}, {"", "\xff"}};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        char *longer = ob_asprintf("%s%s%s", around[i][0], word, around[i][1]);
        assert_refused(longer, "token");
        free(longer);
    }
    free(word);
}

/* Behind a right checksum too. */
static void content_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *tail; /* behind scenario, variant and version */
        size_t size;
    } contents[] = {
        {"", 0}, /* no steps */
        {"\x02"
         "\x00"
         "ab",
         4}, /* half of the steps */
        {"\x01"
         "\x40"
         "ab"
         "\x00",
         5},                             /* client 64 */
        {"\xff\xff\xff\xff\x7f", 5},     /* steps without end */
        {"\xff\xff\xff\xff\xff\xff", 6}, /* a number without end */
        {"\x00"
         "\x01"
         "\x00\x00\x01",
         5}, /* a fault without its hit */
        {"\x00"
         "\x00"
         "more",
         6},                                         /* something behind the end */
        {"\x00\x00\x00", 3},                         /* no program, which nobody says */
        {"\x00\x00\x01\x00", 4},                     /* no wakes, which nobody says */
        {"\x00\x00\x00\x01\x40", 5},                 /* a wake of client 64 */
        {"\x00\x00\x00\x01\x01\x01", 6},             /* omissions that are missing */
        {"\x00\x00\x00\x00\x00", 5},                 /* no omissions, which nobody says */
        {"\x00\x00\x00\x00\x01\x40\x02", 7},         /* an omission of client 64 */
        {"\x00\x00\x00\x00\x01\x01\x02\x01", 8},     /* something behind them */
        {"\x00\x00\x00\x00\x01\x01\xff\xff\x7f", 9}, /* a part of too high a number */
    };
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        char content[64] = {0};
        memcpy(content + 13, contents[i].tail, contents[i].size);
        char *word = ob_token_seal(content, 13 + contents[i].size);
        assert_refused(word, "the token is damaged");
        free(word);
    }
    char *empty = ob_token_seal("", 0);
    assert_refused(empty, "the token is damaged");
    free(empty);
}

static void a_token_of_another_version_says_so(void **state)
{
    (void)state;
    char *word = word_of(5, 0);
    word[2] = '2';
    assert_refused(word, "the token is of another version of the format");
    free(word);
}

static void what_is_no_token_at_all_is_refused(void **state)
{
    (void)state;
    assert_refused("", "this is not a token");
    assert_refused("result.json", "this is not a token");
    assert_refused("ob1", "this is not a token");
    assert_refused("\xff\xfe", "this is not a token");
    char *endless = ob_alloc(OB_TOKEN_SIZE_MAX + 2);
    memset(endless, 'A', OB_TOKEN_SIZE_MAX + 1);
    memcpy(endless, OB_TOKEN_PREFIX, strlen(OB_TOKEN_PREFIX));
    assert_refused(endless, "the token is damaged");
    free(endless);
}

static void the_servers_version_is_told_as_people_write_it(void **state)
{
    (void)state;
    char text[OB_TOKEN_SERVER_SIZE];
    ob_token_server(&(struct ob_token){.server_version = 150018}, text);
    assert_string_equal(text, "15.18");
    ob_token_server(&(struct ob_token){.server_version = UINT32_MAX}, text);
    assert_string_equal(text, "429496.7295");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_holds_what_was_put_into_it),
        cmocka_unit_test(a_token_is_one_word_for_a_shell_and_a_url),
        cmocka_unit_test(fifty_steps_and_a_fault_take_less_than_300_characters),
        cmocka_unit_test(the_longest_run_has_a_token),
        cmocka_unit_test(a_token_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_token_with_any_bit_flipped_is_refused),
        cmocka_unit_test(a_word_with_something_around_it_is_refused),
        cmocka_unit_test(content_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_token_of_another_version_says_so),
        cmocka_unit_test(what_is_no_token_at_all_is_refused),
        cmocka_unit_test(the_servers_version_is_told_as_people_write_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
