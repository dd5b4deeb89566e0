/* What always holds of a trace, and its digests. */
#include "engine/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ob_step *add_step(struct ob_trace *trace, size_t client, ob_client_set enabled)
{
    ob_schedule_add_step(&trace->schedule, client);
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = client;
    step->kind = OB_OP_STATEMENT;
    step->text = "SELECT 1";
    step->params = "";
    step->enabled = enabled;
    return step;
}

static void complete(struct ob_trace *trace, struct ob_step *step, size_t client)
{
    step->completions = ob_arena_alloc(&trace->arena, sizeof *step->completions);
    step->completion_count = 1;
    step->completions[0] = (struct ob_completion){.client = client, .sqlstate = "00000"};
}

/* ann moves, bob waits for her, ann sets him free. */
static void fill(struct ob_trace *trace)
{
    ob_trace_init(trace);
    ob_trace_reset(trace);
    ob_trace_add_event(trace, OB_NO_CLIENT, "given", "{}");
    complete(trace, add_step(trace, 0, 3), 0);
    ob_trace_add_event(trace, 0, "answer", "{\"status\": 1}");
    struct ob_step *blocked = add_step(trace, 1, 3);
    blocked->blocked = 2;
    blocked->holders = 1;
    struct ob_step *last = add_step(trace, 0, 1);
    last->woken = 2;
    complete(trace, last, 1);
    ob_trace_add_event(trace, 1, "answer", "{\"status\": 2}");
}

static void a_run_that_can_be_passes_the_check(void **state)
{
    (void)state;
    struct ob_trace trace;
    fill(&trace);
    ob_trace_check(&trace);
    ob_trace_clear(&trace);
}

static void other_client_in_the_schedule(struct ob_trace *trace)
{
    trace->schedule.clients[0] = 1;
}

static void step_missing_in_the_schedule(struct ob_trace *trace)
{
    trace->schedule.step_count--;
}

static void mover_not_enabled(struct ob_trace *trace)
{
    trace->steps[0].enabled = 2;
}

static void waiter_enabled(struct ob_trace *trace)
{
    trace->steps[2].enabled = 3;
}

static void woken_without_waiting(struct ob_trace *trace)
{
    trace->steps[0].woken = 2;
}

static void blocked_without_moving(struct ob_trace *trace)
{
    trace->steps[0].blocked = 2;
}

static void held_without_being_blocked(struct ob_trace *trace)
{
    trace->steps[2].holders = 2;
}

static void answered_without_being_woken(struct ob_trace *trace)
{
    trace->steps[0].completions[0].client = 1;
}

static void events_out_of_order(struct ob_trace *trace)
{
    trace->events[0].step = 2;
}

static void nothing_wrong(struct ob_trace *trace)
{
    (void)trace;
}

/* Whether the check ends a process in which the trace was damaged like this. */
static bool is_caught(void (*damage)(struct ob_trace *))
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO); /* the assertion's own words */
        struct ob_trace trace;
        fill(&trace);
        damage(&trace);
        ob_trace_check(&trace);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void what_cannot_be_is_caught(void **state)
{
    (void)state;
    assert_false(is_caught(nothing_wrong));
    assert_true(is_caught(other_client_in_the_schedule));
    assert_true(is_caught(step_missing_in_the_schedule));
    assert_true(is_caught(mover_not_enabled));
    assert_true(is_caught(waiter_enabled));
    assert_true(is_caught(woken_without_waiting));
    assert_true(is_caught(blocked_without_moving));
    assert_true(is_caught(held_without_being_blocked));
    assert_true(is_caught(answered_without_being_woken));
    assert_true(is_caught(events_out_of_order));
}

static void the_digest_covers_steps_events_and_end(void **state)
{
    (void)state;
    struct ob_trace a, b;
    fill(&a);
    fill(&b);
    assert_true(ob_trace_digest(&a) == ob_trace_digest(&b));
    b.end = OB_RUN_STUCK;
    assert_true(ob_trace_digest(&a) != ob_trace_digest(&b));
    b.end = OB_RUN_FINISHED;
    b.steps[2].completions[0].digest = 1;
    assert_true(ob_trace_digest(&a) != ob_trace_digest(&b));
    assert_true(ob_trace_step_digest(&a, 2) != ob_trace_step_digest(&b, 2));
    assert_true(ob_trace_step_digest(&a, 1) == ob_trace_step_digest(&b, 1));
    b.steps[2].completions[0].digest = 0;
    b.events[2].data = "{\"status\": 3}";
    assert_true(ob_trace_digest(&a) != ob_trace_digest(&b));
    assert_true(ob_trace_step_digest(&a, 2) != ob_trace_step_digest(&b, 2));
    b.events[2].data = a.events[2].data;
    b.steps[1].uncontrolled = true; /* said about the run, not part of what happened */
    assert_true(ob_trace_digest(&a) == ob_trace_digest(&b));
    ob_trace_clear(&a);
    ob_trace_clear(&b);
}

static void a_trace_is_used_again_without_a_trace_of_the_old(void **state)
{
    (void)state;
    struct ob_trace trace;
    fill(&trace);
    trace.end = OB_RUN_STUCK;
    trace.uncontrolled = 4;
    trace.seen[3] = 1;
    ob_trace_reset(&trace);
    assert_int_equal(trace.step_count, 0);
    assert_int_equal(trace.event_count, 0);
    assert_int_equal(trace.schedule.step_count, 0);
    assert_int_equal(trace.end, OB_RUN_FINISHED);
    assert_int_equal(trace.uncontrolled, 0);
    struct ob_step *step = add_step(&trace, 2, 4);
    assert_int_equal(step->blocked, 0);
    assert_int_equal(step->completion_count, 0);
    uint64_t once = trace.seen[3];
    ob_trace_reset(&trace);
    assert_true(trace.seen[3] == once);
    ob_trace_clear(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_can_be_passes_the_check),
        cmocka_unit_test(what_cannot_be_is_caught),
        cmocka_unit_test(the_digest_covers_steps_events_and_end),
        cmocka_unit_test(a_trace_is_used_again_without_a_trace_of_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
