/*
 * The orders of a spec without permutations: all that keep each session's own order, once each, the
 * lowest session first.
 */
#include "scenario/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"

/* All orders of the spec, each as its steps' names, with a blank after each order. */
static void assert_orders(const char *text, const char *wanted)
{
    struct ob_error err;
    struct ob_spec *spec = NULL;
    struct ob_buf found;
    assert_int_equal(ob_spec_parse("x.spec", text, strlen(text), &spec, &err), OB_OK);
    ob_buf_init(&found, (size_t)1 << 20);
    struct ob_spec_orders *orders = ob_spec_orders_new(spec);
    struct ob_spec_permutation order;
    while (ob_spec_orders_next(orders, &order)) {
        assert_int_equal(order.launch_count, spec->step_count);
        for (size_t i = 0; i < order.launch_count; i++) {
            assert_int_equal(order.launches[i].blocker_count, 0);
            ob_buf_puts(&found, spec->steps[order.launches[i].step].name);
        }
        ob_buf_putc(&found, ' ');
    }
    assert_false(ob_spec_orders_next(orders, &order));
    ob_spec_orders_free(orders);
    ob_spec_free(spec);
    assert_string_equal(found.data, wanted);
    ob_buf_clear(&found);
}

static void one_session_has_one_order(void **state)
{
    (void)state;
    assert_orders("session s step a {}", "a ");
    assert_orders("session s step c {} step b {} step a {}", "cba ");
}

static void two_sessions_come_depth_first(void **state)
{
    (void)state;
    assert_orders("session s step a {} step b {} session t step x {} step y {}",
                  "abxy axby axyb xaby xayb xyab ");
}

static void sessions_of_unequal_length_come_depth_first(void **state)
{
    (void)state;
    assert_orders("session s step a {} session t step x {} step y {} step z {}",
                  "axyz xayz xyaz xyza ");
    assert_orders("session s step a {} session t step b {} session u step c {}",
                  "abc acb bac bca cab cba ");
}

/* How many there are: the multinomial coefficient 9!/(3!·3!·3!) = 1680. */
static void every_order_comes_once(void **state)
{
    (void)state;
    static const char text[] = "session s step a {} step b {} step c {}"
                               "session t step d {} step e {} step f {}"
                               "session u step g {} step h {} step i {}";
    struct ob_error err;
    struct ob_spec *spec = NULL;
    assert_int_equal(ob_spec_parse("x.spec", text, sizeof text - 1, &spec, &err), OB_OK);
    struct ob_spec_orders *orders = ob_spec_orders_new(spec);
    struct ob_spec_permutation order;
    size_t count = 0;
    char last[10] = "", word[10] = "";
    while (ob_spec_orders_next(orders, &order)) {
        for (size_t i = 0; i < 9; i++)
            word[i] = (char)('0' + spec->steps[order.launches[i].step].session);
        assert_true(strcmp(last, word) < 0);
        memcpy(last, word, sizeof last);
        count++;
    }
    assert_int_equal(count, 1680);
    ob_spec_orders_free(orders);
    ob_spec_free(spec);
}

static void orders_may_be_left_before_their_end(void **state)
{
    (void)state;
    static const char text[] = "session s step a {} session t step d {}";
    struct ob_error err;
    struct ob_spec *spec = NULL;
    struct ob_spec_permutation order;
    assert_int_equal(ob_spec_parse("x.spec", text, sizeof text - 1, &spec, &err), OB_OK);
    struct ob_spec_orders *orders = ob_spec_orders_new(spec);
    assert_true(ob_spec_orders_next(orders, &order));
    ob_spec_orders_free(orders);
    ob_spec_orders_free(NULL);
    ob_spec_free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_session_has_one_order),
        cmocka_unit_test(two_sessions_come_depth_first),
        cmocka_unit_test(sessions_of_unequal_length_come_depth_first),
        cmocka_unit_test(every_order_comes_once),
        cmocka_unit_test(orders_may_be_left_before_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
