/* A trace as the run that is drawn. */
#include "cli/timeline.h"

#include "engine/trace_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char *const names[] = {"ann", "bob"};

static struct ob_step *add_step(struct ob_trace *trace, size_t client, enum ob_op_kind kind)
{
    ob_schedule_add_step(&trace->schedule, client);
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = client;
    step->kind = kind;
    step->text = "COMMIT";
    step->params = "";
    step->enabled = (ob_client_set)1 << client;
    return step;
}

static void fill(struct ob_trace *trace)
{
    ob_trace_init(trace);
    ob_trace_add_event(trace, OB_NO_CLIENT, "fixture", "{}");
    ob_trace_add_event(trace, OB_NO_CLIENT, "fixture", "{\"rows\": 2}");
    struct ob_step *blocked = add_step(trace, 1, OB_OP_STATEMENT);
    blocked->blocked = 2;
    blocked->holders = 1;
    struct ob_step *waking = add_step(trace, 0, OB_OP_COMMIT);
    waking->woken = 2;
    waking->completion_count = 2;
    waking->completions = ob_arena_alloc(&trace->arena, 2 * sizeof *waking->completions);
    waking->completions[0] = (struct ob_completion){.client = 0, .sqlstate = "00000"};
    waking->completions[1] = (struct ob_completion){
        .client = 1, .status = OB_REPLY_LOST, .sqlstate = "57P01", .row_count = 3, .message = "no"};
    ob_trace_add_event(trace, 1, "answer", "{\"status\": \"lost\"}");
    trace->end = OB_RUN_STUCK;
    memcpy(trace->reason, "both", sizeof "both");
}

static void expect_drawn(const struct ob_report_timeline *drawn)
{
    assert_int_equal(drawn->client_count, 2);
    assert_string_equal(drawn->clients[1], "bob");
    assert_int_equal(drawn->before_count, 2);
    assert_string_equal(drawn->before[1].data, "{\"rows\": 2}");
    assert_int_equal(drawn->before[1].client, OB_REPORT_NOBODY);
    assert_int_equal(drawn->step_count, 2);
    assert_string_equal(drawn->steps[0].kind, "sql");
    assert_int_equal(drawn->steps[0].holders, 1);
    assert_int_equal(drawn->steps[0].note_count, 0);
    assert_string_equal(drawn->steps[1].ended[1].status, "session lost");
    assert_string_equal(drawn->steps[1].ended[1].sqlstate, "57P01");
    assert_string_equal(drawn->steps[1].ended[1].message, "no");
    assert_string_equal(drawn->steps[1].ended[0].message, "");
    assert_int_equal(drawn->steps[1].ended[1].rows, 3);
    assert_int_equal(drawn->steps[1].note_count, 1);
    assert_string_equal(drawn->steps[1].notes[0].kind, "answer");
    assert_string_equal(drawn->end, "the clients wait for each other and nobody can move");
    assert_string_equal(drawn->reason, "both");
}

static void a_drawn_run_outlives_its_trace(void **state)
{
    (void)state;
    struct ob_trace trace;
    struct ob_arena arena;
    ob_arena_init(&arena);
    fill(&trace);
    const struct ob_report_timeline *drawn = ob_timeline_of(&arena, &trace, names, 2);
    ob_trace_clear(&trace);
    expect_drawn(drawn);
    ob_arena_clear(&arena);
}

static void a_packed_trace_is_drawn_too_and_a_damaged_one_is_not(void **state)
{
    (void)state;
    struct ob_trace trace;
    struct ob_arena arena;
    struct ob_buf packed;
    ob_arena_init(&arena);
    ob_buf_init(&packed, SIZE_MAX);
    assert_null(ob_timeline_unpack(&arena, &packed, names, 2));
    fill(&trace);
    ob_trace_pack(&trace, &packed);
    ob_trace_clear(&trace);
    expect_drawn(ob_timeline_unpack(&arena, &packed, names, 2));
    assert_null(ob_timeline_unpack(&arena, &packed, names, 1));
    ob_buf_clear(&packed);
    ob_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drawn_run_outlives_its_trace),
        cmocka_unit_test(a_packed_trace_is_drawn_too_and_a_damaged_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
