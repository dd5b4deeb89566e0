#include "explore/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

enum { ANN, BOB, CAT };
enum { A1, A2, B1, C1 };

static const char *const names[] = {"ann", "bob", "cat"};

/* The client that is picked where those of enabled can move and those of waiting wait; -1: none. */
static int pick(struct ob_order_follower *follower, ob_client_set enabled, ob_client_set waiting)
{
    size_t clients[3], count = 0;
    for (size_t i = 0; i < 3; i++)
        if (enabled >> i & 1)
            clients[count++] = i;
    const struct ob_choice_point point = {
        .kind = OB_CHOICE_STEP, .option_count = count, .clients = clients, .waiting = waiting};
    size_t option = ob_order_choose(follower, &point);
    return option == OB_CANNOT_FOLLOW ? -1 : (int)clients[option];
}

static void assert_why(const struct ob_order_follower *follower, const char *expected)
{
    struct ob_buf why;
    ob_buf_init(&why, 200);
    ob_order_explain(follower, names, &why);
    assert_string_equal(why.data, expected);
    ob_buf_clear(&why);
}

static void launches_go_to_their_clients_in_turn(void **state)
{
    (void)state;
    static const struct ob_launch launches[] = {
        {"b1", BOB, B1, NULL, 0}, {"a2", ANN, A2, NULL, 0}, {"b1", BOB, B1, NULL, 0}};
    const struct ob_order order = {.program = 3, .launches = launches, .count = 3};
    struct ob_order_follower follower;
    ob_order_begin(&follower, &order);
    const struct ob_choice_point program = {.kind = OB_CHOICE_PROGRAM, .option_count = 4};
    assert_int_equal(ob_order_choose(&follower, &program), 3);
    assert_int_equal(pick(&follower, 7, 0), BOB);
    const struct ob_choice_point fault = {.kind = OB_CHOICE_FAULT, .option_count = 2};
    assert_int_equal(ob_order_choose(&follower, &fault), 0);
    assert_int_equal(pick(&follower, 7, 0), ANN);
    assert_int_equal(pick(&follower, 7, 0), BOB);
    assert_int_equal(pick(&follower, 4, 0), -1);
    assert_why(&follower, "after its end somebody goes on");
}

static void nothing_is_done_in_the_place_of_who_waits(void **state)
{
    (void)state;
    static const struct ob_launch launches[] = {
        {"a1", ANN, A1, NULL, 0}, {"b1", BOB, B1, NULL, 0}, {"a2", ANN, A2, NULL, 0}};
    const struct ob_order order = {.launches = launches, .count = 3};
    struct ob_order_follower follower;
    ob_order_begin(&follower, &order);
    assert_int_equal(pick(&follower, 3, 0), ANN);
    assert_int_equal(pick(&follower, 2, 1), BOB); /* ann waits, and is not due */
    assert_int_equal(pick(&follower, 2, 1), -1);
    assert_why(&follower, "\"a2\" is due while \"ann\" is still in \"a1\"");
    assert_int_equal(pick(&follower, 3, 0), ANN); /* her wait has ended by itself */
}

static void one_who_is_gone_is_not_made_up_for(void **state)
{
    (void)state;
    static const struct ob_launch launches[] = {{"a1", ANN, A1, NULL, 0}, {"a2", ANN, A2, NULL, 0}};
    const struct ob_order order = {.launches = launches, .count = 2};
    struct ob_order_follower follower;
    ob_order_begin(&follower, &order);
    assert_int_equal(pick(&follower, 3, 0), ANN);
    assert_int_equal(pick(&follower, 2, 0), -1);
    assert_why(&follower, "\"a2\" is due, and \"ann\" is lost");
}

/* b1 is told after c1, which is told after a1. */
static void what_is_to_be_told_later_keeps_its_client_busy(void **state)
{
    (void)state;
    static const size_t a1[] = {A1}, c1[] = {C1};
    static const struct ob_launch launches[] = {{"a1", ANN, A1, NULL, 0},
                                                {"c1", CAT, C1, a1, 1},
                                                {"b1", BOB, B1, c1, 1},
                                                {"b1", BOB, B1, NULL, 0}};
    const struct ob_order order = {.launches = launches, .count = 4};
    struct ob_order_follower follower;
    ob_order_begin(&follower, &order);
    assert_int_equal(pick(&follower, 7, 0), ANN);
    assert_int_equal(pick(&follower, 6, 1), CAT);
    assert_int_equal(pick(&follower, 6, 1), BOB);
    assert_int_equal(pick(&follower, 6, 1), -1);
    assert_why(&follower, "\"b1\" is due while \"bob\" is still in \"b1\"");
    assert_int_equal(pick(&follower, 7, 0), BOB);
}

static void what_was_not_launched_yet_keeps_nobody_busy(void **state)
{
    (void)state;
    static const size_t a1[] = {A1};
    static const struct ob_launch launches[] = {
        {"b1", BOB, B1, a1, 1}, {"b1", BOB, B1, NULL, 0}, {"a1", ANN, A1, NULL, 0}};
    const struct ob_order order = {.launches = launches, .count = 3};
    struct ob_order_follower follower;
    ob_order_begin(&follower, &order);
    assert_int_equal(pick(&follower, 7, 0), BOB);
    assert_int_equal(pick(&follower, 7, 0), BOB);
    assert_int_equal(pick(&follower, 7, 0), ANN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launches_go_to_their_clients_in_turn),
        cmocka_unit_test(nothing_is_done_in_the_place_of_who_waits),
        cmocka_unit_test(one_who_is_gone_is_not_made_up_for),
        cmocka_unit_test(what_is_to_be_told_later_keeps_its_client_busy),
        cmocka_unit_test(what_was_not_launched_yet_keeps_nobody_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
