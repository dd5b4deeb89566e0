/* A trace as bytes and back: the same to the byte, and no harm from bytes that are none. */
#include "engine/trace_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define CLIENTS 3

static const char *const names[CLIENTS] = {"ann", "bob", "cat"};

static struct ob_step *add_step(struct ob_trace *trace, size_t client, const char *text)
{
    ob_schedule_add_step(&trace->schedule, client);
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = client;
    step->kind = OB_OP_STATEMENT;
    step->text = text;
    step->params = "$1 = '7'";
    step->text_hash = UINT64_MAX;
    step->enabled = (ob_client_set)1 << client;
    step->first_wake = trace->schedule.wake_count;
    return step;
}

static void fill(struct ob_trace *trace)
{
    ob_trace_init(trace);
    ob_trace_reset(trace);
    ob_trace_add_event(trace, OB_NO_CLIENT, "fixture", "{\"rows\": 2}");
    struct ob_step *blocked = add_step(trace, 1, "DELETE FROM booking");
    blocked->blocked = 2;
    blocked->holders = 4;
    struct ob_step *waking = add_step(trace, 2, "ROLLBACK");
    waking->woken = 2;
    waking->gated = 2;
    waking->uncontrolled = true;
    waking->wake_count = 1;
    ob_schedule_add_wake(&trace->schedule, 1);
    waking->completions = ob_arena_alloc(&trace->arena, 2 * sizeof *waking->completions);
    waking->completion_count = 2;
    waking->completions[0] = (struct ob_completion){
        .client = 2, .sqlstate = "00000", .row_count = UINT32_MAX, .committed = true};
    waking->completions[1] = (struct ob_completion){
        .client = 1, .sqlstate = "40001", .digest = 0xabc, .message = "try again"};
    ob_trace_add_event(trace, 1, "answer", "{\"status\": \"refused\"}");
    trace->uncontrolled = 1;
    trace->end = OB_RUN_STEP_LIMIT;
    memcpy(trace->reason, "10 steps", sizeof "10 steps");
}

static struct ob_buf packed(void)
{
    struct ob_trace trace;
    struct ob_buf bytes;
    fill(&trace);
    ob_buf_init(&bytes, SIZE_MAX);
    ob_trace_pack(&trace, &bytes);
    ob_trace_clear(&trace);
    return bytes;
}

/* Whether it is a trace, which then holds what all traces do. */
static bool unpack(const struct ob_buf *bytes, size_t size, size_t clients, struct ob_trace *out)
{
    struct ob_unpack in = {.data = (const uint8_t *)bytes->data, .size = size};
    ob_trace_init(out);
    ob_trace_reset(out);
    ob_trace_unpack(&in, clients, out);
    return !in.failed;
}

static void a_trace_comes_back_as_it_was(void **state)
{
    (void)state;
    struct ob_trace trace, again;
    struct ob_buf bytes = packed(), texts[4];
    fill(&trace);
    assert_true(unpack(&bytes, bytes.size, CLIENTS, &again));
    ob_trace_check(&again);
    for (size_t i = 0; i < 4; i++) {
        ob_buf_init(&texts[i], SIZE_MAX);
        ob_trace_print(i % 2 == 0 ? &trace : &again, names, i < 2, &texts[i]);
    }
    assert_string_equal(texts[0].data, texts[1].data);
    assert_string_equal(texts[2].data, texts[3].data);
    assert_int_equal(again.uncontrolled, 1);
    for (size_t i = 0; i < 4; i++)
        ob_buf_clear(&texts[i]);
    ob_buf_clear(&bytes);
    ob_trace_clear(&again);
    ob_trace_clear(&trace);
}

static void bytes_that_are_cut_are_no_trace(void **state)
{
    (void)state;
    struct ob_buf bytes = packed();
    for (size_t size = 0; size < bytes.size; size++) {
        struct ob_trace trace;
        assert_false(unpack(&bytes, size, CLIENTS, &trace));
        ob_trace_clear(&trace);
    }
    ob_buf_clear(&bytes);
}

static void a_client_that_is_none_is_refused(void **state)
{
    (void)state;
    struct ob_trace trace;
    struct ob_buf bytes = packed();
    for (size_t clients = 0; clients < CLIENTS; clients++) {
        assert_false(unpack(&bytes, bytes.size, clients, &trace));
        ob_trace_clear(&trace);
    }
    ob_buf_clear(&bytes);
}

static void a_damaged_byte_does_no_harm(void **state)
{
    (void)state;
    struct ob_buf bytes = packed();
    for (size_t i = 0; i < bytes.size; i++) {
        char kept = bytes.data[i];
        for (int value = 0; value < 256; value += 51) {
            struct ob_trace trace;
            bytes.data[i] = (char)value;
            if (unpack(&bytes, bytes.size, CLIENTS, &trace))
                for (size_t k = 0; k < trace.step_count; k++)
                    assert_true(trace.steps[k].client < CLIENTS);
            ob_trace_clear(&trace);
        }
        bytes.data[i] = kept;
    }
    ob_buf_clear(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_comes_back_as_it_was),
        cmocka_unit_test(bytes_that_are_cut_are_no_trace),
        cmocka_unit_test(a_client_that_is_none_is_refused),
        cmocka_unit_test(a_damaged_byte_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
