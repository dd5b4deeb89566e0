/* What became of each request beside a migration. */
#include "cli/requests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { ANN, BOB, OPERATOR };
static const char *const names[] = {"ann", "bob", "operator-1"};

struct setting {
    struct ob_trace trace;
    struct ob_arena arena;
    struct ob_requests requests;
    struct ob_report_result result;
};

static void set_up(struct setting *setting)
{
    *setting = (struct setting){0};
    ob_trace_init(&setting->trace);
    ob_arena_init(&setting->arena);
    setting->requests = (struct ob_requests){.client_names = names, .arena = &setting->arena};
}

static void tear_down(struct setting *setting)
{
    ob_arena_clear(&setting->arena);
    ob_trace_clear(&setting->trace);
}

/* A step that ends at once, but for those who wait for a lock after it. */
static struct ob_step *step(struct setting *setting, size_t client, ob_client_set blocked)
{
    struct ob_step *added = ob_trace_add_step(&setting->trace);
    added->client = client;
    added->blocked = blocked;
    return added;
}

static void fails(struct setting *setting, struct ob_step *step, size_t client, const char *state)
{
    struct ob_completion *completion = ob_arena_alloc(&setting->trace.arena, sizeof *completion);
    *completion = (struct ob_completion){.client = client, .message = ""};
    snprintf(completion->sqlstate, sizeof completion->sqlstate, "%s", state);
    step->completions = completion;
    step->completion_count = 1;
}

static void asks(struct setting *setting, size_t client, const char *data)
{
    ob_trace_add_event(&setting->trace, client, "request", data);
}

static void is_told(struct setting *setting, size_t client, const char *status)
{
    char data[80];
    snprintf(data, sizeof data, "{\"status\":\"%s\"}", status);
    ob_trace_add_event(&setting->trace, client, "answer", data);
}

#define HOLD "{\"action\":\"hold\"}"
#define STEP_8 "{\"action\":\"migrate\",\"step\":8,\"way\":\"up\"}"

/* Ann is done before, Bob waits for the migration and is refused, Ann comes back after it. */
static void add_run(struct setting *setting, const char *migrated)
{
    ob_trace_reset(&setting->trace);
    asks(setting, ANN, HOLD);
    asks(setting, BOB, HOLD);
    step(setting, ANN, 0);
    is_told(setting, ANN, "ok");
    asks(setting, OPERATOR, STEP_8);
    step(setting, OPERATOR, 0);
    step(setting, BOB, UINT64_C(1) << BOB);
    fails(setting, step(setting, OPERATOR, 0), BOB, "23P01");
    is_told(setting, OPERATOR, migrated);
    is_told(setting, BOB, "conflict");
    asks(setting, ANN, HOLD);
    step(setting, ANN, 0);
    ob_requests_add(&setting->requests, &setting->trace);
}

static void assert_row(const struct setting *setting, size_t index,
                       const struct ob_report_request *expected)
{
    const struct ob_report_request *row = &setting->result.requests[index];
    assert_string_equal(row->client, expected->client);
    assert_string_equal(row->request, expected->request);
    assert_string_equal(row->outcome, expected->outcome);
    assert_int_equal(row->when, expected->when);
    assert_int_equal(row->count, expected->count);
}

static void each_request_is_told_with_when_it_was_and_what_it_came_to(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    add_run(&setting, "ok");
    add_run(&setting, "error");
    ob_requests_take(&setting.requests, &setting.result);
    static const struct ob_report_request expected[] = {
        {"ann", "hold", OB_REPORT_BEFORE, "ok", 2},
        {"ann", "hold", OB_REPORT_AFTER, "no answer", 2},
        {"bob", "hold", OB_REPORT_WHILE, "waited, then conflict, with 23P01", 2},
        {"operator", "migrate 8 up", OB_REPORT_WHILE, "error", 1},
        {"operator", "migrate 8 up", OB_REPORT_WHILE, "ok", 1},
    };
    assert_int_equal(setting.result.request_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < setting.result.request_count; i++)
        assert_row(&setting, i, &expected[i]);
    tear_down(&setting);
}

static void a_run_in_which_nobody_migrates_tells_of_nothing(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    asks(&setting, ANN, HOLD);
    step(&setting, ANN, 0);
    is_told(&setting, ANN, "ok");
    ob_requests_add(&setting.requests, &setting.trace);
    ob_requests_take(&setting.requests, &setting.result);
    assert_int_equal(setting.result.request_count, 0);
    tear_down(&setting);
}

static void what_succeeds_after_an_error_tells_of_it_and_dirty_rows_are_listed(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    step(&setting, OPERATOR, 0);
    ob_trace_add_event(&setting.trace, OPERATOR, "dirty", "{\"rows\":[\"a: b\",\"c: d\"]}");
    asks(&setting, OPERATOR, STEP_8);
    fails(&setting, step(&setting, OPERATOR, 0), OPERATOR, "55P03");
    is_told(&setting, OPERATOR, "ok");
    ob_requests_add(&setting.requests, &setting.trace);
    ob_requests_take(&setting.requests, &setting.result);
    assert_int_equal(setting.result.request_count, 2);
    assert_row(&setting, 0,
               &(struct ob_report_request){"operator", "list dirty rows", OB_REPORT_WHILE,
                                           "2, the first \"a: b\"", 1});
    assert_row(&setting, 1,
               &(struct ob_report_request){"operator", "migrate 8 up", OB_REPORT_WHILE,
                                           "ok, after 55P03", 1});
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_is_told_with_when_it_was_and_what_it_came_to),
        cmocka_unit_test(a_run_in_which_nobody_migrates_tells_of_nothing),
        cmocka_unit_test(what_succeeds_after_an_error_tells_of_it_and_dirty_rows_are_listed),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
