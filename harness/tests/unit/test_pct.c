/*
 * pct:D: what it promises, measured.  All seeds are fixed, so that a count is the same each time;
 * the ranges are four standard deviations to either side.
 */
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/model/golden_model.h"
#include "tests/model/programs.h"

#define STEPS 8

static const struct ob_programs fours = {2, {4, 4}, 0, 0, NULL};

/* In how many of so many explorations, each with another seed, the first run is this one. */
static unsigned hits(const struct ob_programs *programs, unsigned depth, const char *text,
                     unsigned seeds)
{
    unsigned count = 0;
    for (unsigned seed = 0; seed < seeds; seed++) {
        struct ob_choices choices;
        struct ob_strategy *strategy =
            ob_strategy_new(OB_STRATEGY_PCT, seed, programs->client_count);
        ob_strategy_set_argument(strategy, depth);
        ob_strategy_set_steps_max(strategy, STEPS);
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        assert_true(ob_strategy_next(strategy, 0));
        ob_programs_run(programs, &chooser, &choices);
        count += strcmp(choices.text, text) == 0;
        ob_strategy_free(strategy);
    }
    return count;
}

static void assert_between(unsigned count, unsigned low, unsigned high)
{
    if (count < low || count > high)
        fail_msg("%u is not from %u to %u", count, low, high);
}

/* One client must stop after its first step, and that only: of 2 clients and 8 moments one in 16
 * runs does so, which is just what is promised. */
static void a_bug_of_depth_two_is_hit_as_often_as_promised(void **state)
{
    (void)state;
    assert_between(hits(&fours, 2, "01111000", 16000), 1000 - 122, 1000 + 122);
    assert_between(hits(&fours, 2, "10000111", 16000), 1000 - 122, 1000 + 122);
    assert_between(hits(&fours, 2, "00011110", 16000), 1000 - 122, 1000 + 122);
}

/* Two falls, one after the other: 1 / (2 * 8 * 7), where at least 1 / (2 * 8 * 8) is promised. */
static void a_bug_of_depth_three_is_hit_as_often_as_promised(void **state)
{
    (void)state;
    unsigned count = hits(&fours, 3, "01000111", 32000);
    assert_between(count, 286 - 67, 286 + 67);
    assert_true(count >= 32000 / (2 * 8 * 8));
}

static void a_bug_deeper_than_asked_for_is_not_hit(void **state)
{
    (void)state;
    assert_int_equal(hits(&fours, 1, "01111000", 2000), 0);
    assert_int_equal(hits(&fours, 2, "01000111", 2000), 0);
    assert_between(hits(&fours, 1, "00001111", 2000), 1000 - 90, 1000 + 90);
}

static void every_order_of_clients_is_drawn_as_often(void **state)
{
    (void)state;
    static const struct ob_programs three = {3, {2, 2, 2}, 0, 0, NULL};
    static const char *const orders[] = {"001122", "002211", "110022",
                                         "112200", "220011", "221100"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        assert_between(hits(&three, 1, orders[i], 6000), 1000 - 116, 1000 + 116);
}

static size_t ask(const struct ob_chooser *chooser, size_t option_count, size_t previous)
{
    static const size_t both[] = {0, 1};
    const struct ob_choice_point point = {.kind = OB_CHOICE_STEP,
                                          .option_count = option_count,
                                          .clients = both,
                                          .previous = previous};
    return chooser->choose(chooser->self, &point);
}

/* Who goes at a choice between two that comes after three steps without one, when only there can a
 * client fall. */
static size_t chosen(uint64_t seed, unsigned depth)
{
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_PCT, seed, 2);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    ob_strategy_set_argument(strategy, depth);
    ob_strategy_set_steps_max(strategy, 1);
    assert_true(ob_strategy_next(strategy, 0));
    chooser.restart(chooser.self);
    for (int alone = 0; alone < 3; alone++)
        assert_int_equal(ask(&chooser, 1, 0), 0);
    size_t client = ask(&chooser, 2, 0);
    assert_int_equal(ask(&chooser, 2, client), client); /* the other one has fallen already */
    ob_strategy_free(strategy);
    return client;
}

/* A step that a client makes because nobody else can is no moment to fall at.  The one that would
 * have gone falls just before its step. */
static void only_steps_with_a_choice_are_counted(void **state)
{
    (void)state;
    unsigned first = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        assert_int_equal(chosen(seed, 2), 1 - chosen(seed, 1));
        first += chosen(seed, 2) == 0;
    }
    assert_between(first, 160, 240);
}

/* Both look before either inserts: one order of two pairs of steps. */
static void a_double_booking_is_found_at_least_as_often_as_promised(void **state)
{
    (void)state;
    enum { RUNS = 1600 };
    const struct ob_golden *golden = &ob_goldens[OB_GOLDEN_CHECK_THEN_INSERT];
    struct ob_golden_model model;
    struct ob_trace trace;
    unsigned found = 0;
    ob_golden_model_open(&model, golden, 0);
    ob_trace_init(&trace);
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_PCT, seed, 2);
        uint64_t outcome;
        struct ob_error err;
        ob_strategy_set_steps_max(strategy, STEPS);
        assert_true(ob_strategy_next(strategy, 0));
        assert_int_equal(ob_golden_run(golden, 2, &model.place, ob_strategy_chooser(strategy),
                                       &trace, &outcome, &err),
                         OB_OK);
        found +=
            ob_model_value(model.model, "r0", 0) != 0 && ob_model_value(model.model, "r1", 0) != 0;
        ob_strategy_free(strategy);
    }
    ob_trace_clear(&trace);
    assert_int_equal(ob_golden_model_close(&model), 0);
    /* One of the two falls at its third or fourth moment, after its look and before its COMMIT. */
    assert_between(found, RUNS / (2 * STEPS), RUNS / 4 + 70);
    assert_true(found > RUNS / 4 - 70);
}

/* The promise of a strategy after so many runs of these programs; false: there is none. */
static bool promise_after(const struct ob_programs *programs, enum ob_strategy_kind kind,
                          uint64_t steps_max, uint64_t runs, struct ob_strategy_promise *out)
{
    struct ob_strategy *strategy = ob_strategy_new(kind, 1, programs->client_count);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    ob_strategy_set_steps_max(strategy, steps_max);
    for (uint64_t run = 0; run < runs; run++) {
        struct ob_choices choices;
        assert_true(ob_strategy_next(strategy, run));
        ob_programs_run(programs, &chooser, &choices);
    }
    bool promised = ob_strategy_promise(strategy, runs, out);
    ob_strategy_free(strategy);
    return promised;
}

static void a_promise_has_its_conditions(void **state)
{
    (void)state;
    static const struct ob_programs faulty = {2, {4, 4}, 1, 1, NULL};
    struct ob_strategy_promise promise;
    assert_true(promise_after(&fours, OB_STRATEGY_PCT, 8, 73, &promise));
    assert_int_equal(promise.depth, 2);
    assert_int_equal(promise.clients, 2);
    assert_int_equal(promise.steps, 8);
    assert_int_equal(promise.runs, 73);
    assert_true(promise_after(&faulty, OB_STRATEGY_PCT, 8, 73, &promise));
    assert_int_equal(promise.runs, 37); /* every second one had no faults */
    assert_false(promise_after(&fours, OB_STRATEGY_PCT, 0, 73, &promise)); /* no bound is known */
    assert_false(promise_after(&fours, OB_STRATEGY_PCT, 3, 73, &promise)); /* it is none */
    assert_false(promise_after(&fours, OB_STRATEGY_RANDOM, 8, 73, &promise));
}

static void every_second_run_has_no_faults(void **state)
{
    (void)state;
    static const enum ob_strategy_kind kinds[] = {OB_STRATEGY_PCT, OB_STRATEGY_POS,
                                                  OB_STRATEGY_URW};
    static const struct ob_programs faulty = {2, {4, 4}, 1, 2, NULL};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ob_strategy *strategy = ob_strategy_new(kinds[i], 1, 2);
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        unsigned faults = 0, second_way = 0;
        for (uint64_t run = 0; run < 100; run++) {
            struct ob_choices choices;
            assert_true(ob_strategy_next(strategy, run));
            ob_programs_run(&faulty, &chooser, &choices);
            assert_true(run % 2 == 1 || choices.faults == 0);
            faults += choices.faults;
            second_way += strstr(choices.text, "!2") != NULL;
        }
        assert_true(faults > 40);
        assert_true(second_way > 10);
        ob_strategy_free(strategy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bug_of_depth_two_is_hit_as_often_as_promised),
        cmocka_unit_test(a_bug_of_depth_three_is_hit_as_often_as_promised),
        cmocka_unit_test(a_bug_deeper_than_asked_for_is_not_hit),
        cmocka_unit_test(every_order_of_clients_is_drawn_as_often),
        cmocka_unit_test(only_steps_with_a_choice_are_counted),
        cmocka_unit_test(a_double_booking_is_found_at_least_as_often_as_promised),
        cmocka_unit_test(a_promise_has_its_conditions),
        cmocka_unit_test(every_second_run_has_no_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
