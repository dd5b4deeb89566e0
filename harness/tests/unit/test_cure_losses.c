/* What became of the clients of a run with a cure in place, of made-up runs. */
#include "cure/cure_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

enum { ANN, BOB };

static void answer(struct ob_trace *trace, struct ob_step *step, size_t client,
                   const char *sqlstate)
{
    struct ob_completion *all =
        ob_arena_alloc(&trace->arena, (step->completion_count + 1) * sizeof *all);
    if (step->completion_count > 0)
        memcpy(all, step->completions, step->completion_count * sizeof *all);
    struct ob_completion *ended = &all[step->completion_count++];
    *ended = (struct ob_completion){.client = client, .message = ""};
    memcpy(ended->sqlstate, sqlstate, sizeof ended->sqlstate);
    step->completions = all;
}

/* A step; NULL: it is not answered yet. */
static struct ob_step *add(struct ob_trace *trace, size_t client, enum ob_op_kind kind,
                           const char *sqlstate)
{
    struct ob_step *step = ob_trace_add_step(trace);
    *step = (struct ob_step){.client = client, .kind = kind, .text = "x", .params = ""};
    if (sqlstate)
        answer(trace, step, client, sqlstate);
    return step;
}

static void assert_lost(const struct ob_trace *trace, bool goes_on, bool deadlocked, bool gave_up)
{
    struct ob_cure_losses lost;
    ob_cure_losses_of(trace, goes_on, &lost);
    assert_int_equal(lost.deadlocked, deadlocked);
    assert_int_equal(lost.gave_up, gave_up);
}

static void who_rolls_back_has_still_failed(void **state)
{
    (void)state;
    struct ob_trace trace;
    ob_trace_init(&trace);
    add(&trace, ANN, OB_OP_STATEMENT, "40001");
    add(&trace, ANN, OB_OP_ROLLBACK, "00000");
    add(&trace, BOB, OB_OP_STATEMENT, "40P01");
    add(&trace, BOB, OB_OP_ROLLBACK, "00000");
    assert_lost(&trace, false, true, true);
    ob_trace_clear(&trace);
}

static void who_begins_again_has_not(void **state)
{
    (void)state;
    struct ob_trace trace;
    ob_trace_init(&trace);
    add(&trace, ANN, OB_OP_STATEMENT, "40001");
    add(&trace, ANN, OB_OP_ROLLBACK, "00000");
    add(&trace, ANN, OB_OP_STATEMENT, "00000");
    assert_lost(&trace, false, false, false);
    assert_lost(&trace, true, false, true); /* but not in a session of a spec */
    ob_trace_clear(&trace);
}

/* What waited is answered in the step of who lets it go on, which may be a rollback. */
static void who_goes_on_by_anothers_rollback_is_heard(void **state)
{
    (void)state;
    struct ob_trace trace;
    ob_trace_init(&trace);
    add(&trace, BOB, OB_OP_STATEMENT, "40001");
    add(&trace, BOB, OB_OP_STATEMENT, NULL);
    answer(&trace, add(&trace, ANN, OB_OP_ROLLBACK, "00000"), BOB, "00000");
    assert_lost(&trace, false, false, false);
    ob_trace_reset(&trace);
    add(&trace, BOB, OB_OP_STATEMENT, "00000");
    add(&trace, BOB, OB_OP_STATEMENT, NULL);
    answer(&trace, add(&trace, ANN, OB_OP_ROLLBACK, "00000"), BOB, "40001");
    add(&trace, BOB, OB_OP_ROLLBACK, "00000");
    assert_lost(&trace, false, false, true);
    ob_trace_clear(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_rolls_back_has_still_failed),
        cmocka_unit_test(who_begins_again_has_not),
        cmocka_unit_test(who_goes_on_by_anothers_rollback_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
