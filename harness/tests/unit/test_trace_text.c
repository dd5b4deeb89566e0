/* Traces as text, and the first difference between two. */
#include "engine/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char *const names[] = {"ann", "bob", "cat"};

static struct ob_step *add_step(struct ob_trace *trace, size_t client, enum ob_op_kind kind,
                                const char *text)
{
    ob_schedule_add_step(&trace->schedule, client);
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = client;
    step->kind = kind;
    step->text = text;
    step->params = "";
    step->text_hash = strlen(text);
    step->enabled = 7;
    return step;
}

static struct ob_completion *complete(struct ob_trace *trace, struct ob_step *step, size_t count)
{
    step->completions = ob_arena_alloc(&trace->arena, count * sizeof *step->completions);
    step->completion_count = count;
    for (size_t i = 0; i < count; i++)
        step->completions[i] =
            (struct ob_completion){.client = step->client + i, .sqlstate = "00000", .message = ""};
    return step->completions;
}

static void fill(struct ob_trace *trace)
{
    ob_trace_init(trace);
    ob_trace_reset(trace);
    ob_trace_add_event(trace, OB_NO_CLIENT, "answer", "{\"booking\": 1, \"who\": \"a \\\"b\\\"\"}");
    complete(trace, add_step(trace, 0, OB_OP_BEGIN, "BEGIN"), 1);
    struct ob_step *select =
        add_step(trace, 0, OB_OP_STATEMENT, "SELECT id\n  FROM booking\n WHERE id = $1");
    select->params = "$1 = '7'";
    complete(trace, select, 1)[0].row_count = 1;
    struct ob_step *blocked = add_step(trace, 1, OB_OP_STATEMENT, "DELETE FROM booking");
    blocked->blocked = 2;
    blocked->holders = 5;
    struct ob_step *commit = add_step(trace, 0, OB_OP_COMMIT, "COMMIT");
    commit->enabled = 5;
    commit->woken = 2;
    commit->uncontrolled = true;
    struct ob_completion *completions = complete(trace, commit, 2);
    completions[1].digest = 0xabc;
    memcpy(completions[1].sqlstate, "40001", 6);
    completions[1].message = "could not serialize\naccess";
    ob_trace_add_event(trace, 1, "answer", "{\"status\": \"refused\"}");
    struct ob_step *kill = add_step(trace, 2, OB_OP_KILL, "end the session");
    complete(trace, kill, 1)[0] = (struct ob_completion){.client = 2, .status = OB_REPLY_LOST};
    struct ob_step *call = add_step(trace, 2, OB_OP_CALL, "pay");
    complete(trace, call, 1)[0] = (struct ob_completion){.client = 2};
}

static void expect_text(const struct ob_trace *trace, bool exact, const char *expected)
{
    struct ob_buf text;
    ob_buf_init(&text, 1 << 16);
    ob_trace_print(trace, names, exact, &text);
    assert_string_equal(text.data, expected);
    ob_buf_clear(&text);
}

static void a_trace_reads_like_this(void **state)
{
    (void)state;
    struct ob_trace trace;
    fill(&trace);
    trace.end = OB_RUN_STEP_LIMIT;
    memcpy(trace.reason, "more to do", 11);
    expect_text(&trace, false,
                "    overbook   answer   booking: 1, who: a \"b\"\n"
                "  1 ann        begin    BEGIN  -> 0 rows\n"
                "  2 ann        sql      SELECT id FROM booking WHERE id = $1  $1 = '7'  -> 1 row\n"
                "  3 bob        sql      DELETE FROM booking  -> waits for ann, cat\n"
                "  4 ann        commit   COMMIT  -> 0 rows; bob goes on: error 40001:"
                " could not serialize access  (uncontrolled wake)\n"
                "    bob        answer   status: refused\n"
                "  5 cat        kill     end the session  -> session lost\n"
                "  6 cat        call     pay  -> done\n"
                "    end: too many steps: more to do\n");
    ob_trace_clear(&trace);
}

static void the_exact_text_has_what_replays_are_compared_by(void **state)
{
    (void)state;
    struct ob_trace trace;
    fill(&trace);
    expect_text(&trace, true,
                "    overbook   answer   {\"booking\": 1, \"who\": \"a \\\"b\\\"\"}\n"
                "  1 ann        begin    BEGIN  -> 0 rows  [0000000000000005 e=7 b=0 w=0"
                " 0:0000000000000000]\n"
                "  2 ann        sql      SELECT id FROM booking WHERE id = $1  $1 = '7'  -> 1 row"
                "  [0000000000000027 e=7 b=0 w=0 0:0000000000000000]\n"
                "  3 bob        sql      DELETE FROM booking  -> waits for ann, cat"
                "  [0000000000000013 e=7 b=2 w=0]\n"
                "  4 ann        commit   COMMIT  -> 0 rows; bob goes on: error 40001"
                "  (uncontrolled wake)  [0000000000000006 e=5 b=0 w=2 0:0000000000000000"
                " 1:0000000000000abc]\n"
                "    bob        answer   {\"status\": \"refused\"}\n"
                "  5 cat        kill     end the session  -> session lost"
                "  [000000000000000f e=7 b=0 w=0 2:0000000000000000]\n"
                "  6 cat        call     pay  -> done  [0000000000000003 e=7 b=0 w=0"
                " 2:0000000000000000]\n"
                "    end: finished\n");
    ob_trace_clear(&trace);
}

static void a_long_statement_is_cut_between_characters_for_reading(void **state)
{
    (void)state;
    static char text[400];
    struct ob_trace trace;
    ob_trace_init(&trace);
    ob_trace_reset(&trace);
    memset(text, 'x', 95);
    memcpy(text + 95, "ääää", sizeof "ääää");
    add_step(&trace, 0, OB_OP_STATEMENT, text);
    struct ob_buf out;
    ob_buf_init(&out, 1 << 16);
    ob_trace_print(&trace, names, false, &out);
    assert_non_null(strstr(out.data, "xä…\n"));
    ob_buf_reset(&out);
    ob_trace_print(&trace, names, true, &out);
    assert_non_null(strstr(out.data, "xääää  ["));
    ob_buf_clear(&out);
    ob_trace_clear(&trace);
}

static void other_client(struct ob_trace *trace)
{
    trace->steps[1].client = 2;
}

static void other_text(struct ob_trace *trace)
{
    trace->steps[1].text_hash++;
}

static void other_enabled(struct ob_trace *trace)
{
    trace->steps[1].enabled = 1;
}

static void other_blocked(struct ob_trace *trace)
{
    trace->steps[1].blocked = 4;
}

static void other_holders(struct ob_trace *trace)
{
    trace->steps[2].holders = 1;
}

static void other_woken(struct ob_trace *trace)
{
    trace->steps[3].woken = 0;
}

static void other_rows(struct ob_trace *trace)
{
    trace->steps[1].completions[0].row_count = 2;
}

static void other_digest(struct ob_trace *trace)
{
    trace->steps[1].completions[0].digest = 2;
}

static void other_sqlstate(struct ob_trace *trace)
{
    memcpy(trace->steps[3].completions[1].sqlstate, "40P01", 6);
}

static void other_event(struct ob_trace *trace)
{
    trace->events[1].data = "{\"status\": \"ok\"}";
}

static void other_event_kind(struct ob_trace *trace)
{
    trace->events[0].kind = "capture";
}

static void event_missing(struct ob_trace *trace)
{
    trace->event_count--;
}

static void event_added(struct ob_trace *trace)
{
    ob_trace_add_event(trace, 2, "answer", "{\"late\": 1}");
}

static void ended_early(struct ob_trace *trace)
{
    trace->step_count = 4;
}

static void went_on(struct ob_trace *trace)
{
    complete(trace, add_step(trace, 2, OB_OP_CALL, "once more"), 1);
}

static void other_end(struct ob_trace *trace)
{
    trace->end = OB_RUN_STUCK;
}

struct difference {
    void (*make)(struct ob_trace *trace);
    size_t step;
    const char *why; /* how it begins */
};

static const struct difference differences[] = {
    {other_client, 1, "step 2: another client moved\n  recorded:   2 ann "},
    {other_text, 1, "step 2: the operation is another one\n"},
    {other_enabled, 1, "step 2: other clients could have moved\n"},
    {other_blocked, 1, "step 2: other clients wait for locks\n"},
    {other_holders, 2, "step 3: other clients wait for locks\n"},
    {other_woken, 3, "step 4: other clients were woken\n"},
    {other_rows, 1, "step 2: the answers differ\n"},
    {other_digest, 1, "step 2: the answers differ\n"},
    {other_sqlstate, 3, "step 4: the answers differ\n"},
    {other_event, 3,
     "step 4: an event's content differs\n  recorded: {\"status\": \"refused\"}\n"
     "  now:      {\"status\": \"ok\"}"},
    {other_event_kind, 0, "step 1: another event was recorded\n"},
    {event_missing, 3, "step 4: an event is missing\n  recorded: {\"status\": \"refused\"}"},
    {event_added, 5, "step 6: an event was added\n  now:      {\"late\": 1}"},
    {ended_early, 4, "step 5: the run ended early\n"},
    {went_on, 6, "step 7: the run went on\n  recorded: nothing, the run had ended\n"},
    {other_end, 6, "the run's end: recorded finished, now the clients wait for each other"},
};

static void each_sort_of_difference_is_named_with_its_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        struct ob_trace expected, actual;
        struct ob_buf why;
        size_t step = 99;
        fill(&expected);
        fill(&actual);
        ob_buf_init(&why, 1 << 16);
        differences[i].make(&actual);
        if (!ob_trace_diff(&expected, &actual, names, &step, &why))
            fail_msg("not seen: %s", differences[i].why);
        if (strncmp(why.data, differences[i].why, strlen(differences[i].why)) != 0)
            fail_msg("expected %s, found %s", differences[i].why, why.data);
        assert_int_equal(step, differences[i].step);
        ob_buf_clear(&why);
        ob_trace_clear(&expected);
        ob_trace_clear(&actual);
    }
}

static void the_first_of_several_differences_is_named(void **state)
{
    (void)state;
    struct ob_trace expected, actual;
    struct ob_buf why;
    size_t step = 99;
    fill(&expected);
    fill(&actual);
    ob_buf_init(&why, 1 << 16);
    other_sqlstate(&actual);
    other_event(&actual);
    other_rows(&actual);
    other_end(&actual);
    assert_true(ob_trace_diff(&expected, &actual, names, &step, &why));
    assert_int_equal(step, 1);
    ob_buf_clear(&why);
    ob_trace_clear(&expected);
    ob_trace_clear(&actual);
}

static void equal_traces_do_not_differ(void **state)
{
    (void)state;
    struct ob_trace expected, actual;
    struct ob_buf why;
    size_t step = 99;
    fill(&expected);
    fill(&actual);
    ob_buf_init(&why, 1 << 16);

    assert_false(ob_trace_diff(&expected, &actual, names, &step, &why));
    assert_int_equal(step, 99);
    assert_int_equal(why.size, 0);
    ob_buf_clear(&why);
    ob_trace_clear(&expected);
    ob_trace_clear(&actual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_reads_like_this),
        cmocka_unit_test(the_exact_text_has_what_replays_are_compared_by),
        cmocka_unit_test(a_long_statement_is_cut_between_characters_for_reading),
        cmocka_unit_test(each_sort_of_difference_is_named_with_its_step),
        cmocka_unit_test(the_first_of_several_differences_is_named),
        cmocka_unit_test(equal_traces_do_not_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
