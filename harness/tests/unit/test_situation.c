/* What a trace tells of a run that may be no violation: that somebody waited, or that two met. */
#include "check/situation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ALICE, BOB };

/* A statement that touched the relation in these ways; NULL: nobody knows what. */
static void add(struct ob_trace *trace, size_t client, const char *relation, unsigned ways)
{
    struct ob_footprint touches = {.known = relation != NULL};
    struct ob_step *step = ob_trace_add_step(trace);
    if (relation)
        ob_footprint_add(&touches, ob_resource(relation), ways);
    *step = (struct ob_step){.client = client, .kind = OB_OP_STATEMENT, .text = "", .params = ""};
    step->completions = ob_arena_alloc(&trace->arena, sizeof *step->completions);
    step->completions[0] = (struct ob_completion){
        .client = client, .message = "", .footprint = ob_footprint_copy(&trace->arena, &touches)};
    step->completion_count = 1;
    ob_footprint_clear(&touches);
}

static void clients_one_after_the_other_do_not_contend(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    add(trace, ALICE, "booking", OB_TOUCH_ADD);
    add(trace, BOB, "booking", OB_TOUCH_READ);
    add(trace, BOB, "booking", OB_TOUCH_ADD);
    assert_false(ob_situation_contention(trace));
}

static void a_change_between_two_steps_that_it_matters_to_is_contention(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    add(trace, BOB, "booking", OB_TOUCH_ADD);
    add(trace, ALICE, "mail", OB_TOUCH_ADD);
    assert_true(ob_situation_contention(trace));
    assert_false(ob_situation_wait(trace));
}

static void a_change_within_a_relation_counts(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    add(trace, BOB, "booking", OB_TOUCH_WRITE << OB_TOUCH_WITHIN);
    add(trace, ALICE, "mail", OB_TOUCH_ADD);
    assert_true(ob_situation_contention(trace));
}

static void two_who_only_read_do_not_contend(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    add(trace, BOB, "booking", OB_TOUCH_READ);
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    assert_false(ob_situation_contention(trace));
}

static void two_with_nothing_in_common_do_not_contend(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_WRITE);
    add(trace, BOB, "mail", OB_TOUCH_WRITE);
    add(trace, ALICE, "booking", OB_TOUCH_WRITE);
    assert_false(ob_situation_contention(trace));
}

static void what_is_not_known_may_touch_anything(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    add(trace, BOB, NULL, 0);
    assert_false(ob_situation_contention(trace));
    add(trace, ALICE, "booking", OB_TOUCH_READ);
    assert_true(ob_situation_contention(trace));
}

static void who_waits_contends(void **state)
{
    struct ob_trace *trace = *state;
    add(trace, ALICE, "booking", OB_TOUCH_WRITE);
    add(trace, BOB, "booking", OB_TOUCH_WRITE);
    assert_false(ob_situation_wait(trace));
    trace->steps[1].blocked = (ob_client_set)1 << BOB;
    assert_true(ob_situation_wait(trace));
    assert_true(ob_situation_contention(trace));
}

static void situations_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(ob_situation_find("wait")->reached, ob_situation_wait);
    assert_null(ob_situation_find("waits"));
}

static int set_up(void **state)
{
    static struct ob_trace trace;
    ob_trace_init(&trace);
    *state = &trace;
    return 0;
}

static int tear_down(void **state)
{
    ob_trace_clear(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clients_one_after_the_other_do_not_contend),
        TEST(a_change_between_two_steps_that_it_matters_to_is_contention),
        TEST(a_change_within_a_relation_counts),
        TEST(two_who_only_read_do_not_contend),
        TEST(two_with_nothing_in_common_do_not_contend),
        TEST(what_is_not_known_may_touch_anything),
        TEST(who_waits_contends),
        TEST(situations_are_found_by_name),
    };
    return cmocka_run_group_tests_name("situation", tests, NULL, NULL);
}
