/* The step rule, settling and waits, on the model. */
#include "tests/model/scene.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void open_scene(struct ob_scene *scene)
{
    ob_scene_open(scene, (struct ob_model_options){0}, NULL);
    ob_model_put(scene->model, "x", 1);
    ob_model_put(scene->model, "y", 1);
    ob_model_put(scene->model, "z", 1);
}

static void close_scene(struct ob_scene *scene)
{
    assert_int_equal(ob_model_results_alive(scene->model), 0);
    ob_scene_close(scene);
}

/* Runs the schedule and expects this trace; where the model is unsteady too. */
static void expect(struct ob_scene *scene, const char *clients, const char *text)
{
    assert_int_equal(ob_scene_run(scene, clients), OB_OK);
    assert_string_equal(ob_scene_text(scene, false), text);
}

static void one_client_does_one_operation_after_the_other(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "read x", "set x 7", "call pay", "commit", "read x");
    expect(&scene, "",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      read x  -> 1 row\n"
           "  3 ann        sql      set x 7  -> 1 row\n"
           "  4 ann        call     call pay  -> done\n"
           "  5 ann        commit   commit  -> 0 rows\n"
           "  6 ann        sql      read x  -> 1 row\n"
           "    end: finished\n");
    assert_int_equal(ob_model_value(scene.model, "x", 0), 7);
    close_scene(&scene);
}

static void the_schedule_decides_who_goes_next(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "set x 2", "set x 3");
    OB_SCENE_ADD(&scene, "bob", "set x 4", "set x 5");
    assert_int_equal(ob_scene_run(&scene, "0110"), OB_OK);
    assert_int_equal(ob_model_value(scene.model, "x", 0), 3);
    assert_int_equal(ob_scene_run(&scene, "1001"), OB_OK);
    assert_int_equal(ob_model_value(scene.model, "x", 0), 5);
    close_scene(&scene);
}

static void what_a_client_says_stands_behind_the_step_that_let_it_speak(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "say first", "read x", "say second", "say third");
    OB_SCENE_ADD(&scene, "bob", "say here too", "read y", "say done");
    expect(&scene, "10",
           "    ann        says     words: first\n"
           "    bob        says     words: here too\n"
           "  1 bob        sql      read y  -> 1 row\n"
           "    bob        says     words: done\n"
           "  2 ann        sql      read x  -> 1 row\n"
           "    ann        says     words: second\n"
           "    ann        says     words: third\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void history_from_before_the_race_comes_first(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    const struct ob_event given[] = {{.kind = "answer", .data = "{\"booking\": 1}"}};
    scene.spec.given = given;
    scene.spec.given_count = 1;
    OB_SCENE_ADD(&scene, "ann", "say hello");
    expect(&scene, "",
           "    overbook   answer   booking: 1\n"
           "    ann        says     words: hello\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void a_client_that_meets_a_lock_is_blocked_until_the_lock_is_free(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "set x 5", "say waiting", "commit");
    OB_SCENE_ADD(&scene, "bob", "add x 1", "say got it");
    expect(&scene, "001",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      set x 5  -> 1 row\n"
           "    ann        says     words: waiting\n"
           "  3 bob        sql      add x 1  -> waits for ann\n"
           "  4 ann        commit   commit  -> 0 rows; bob goes on: 1 row\n"
           "    bob        says     words: got it\n"
           "    end: finished\n");
    assert_int_equal(ob_model_value(scene.model, "x", 0), 6);
    assert_int_equal(scene.trace.steps[2].enabled, 3);
    assert_int_equal(scene.trace.steps[2].blocked, 2);
    assert_int_equal(scene.trace.steps[3].enabled, 1);
    assert_int_equal(scene.trace.steps[3].woken, 2);
    assert_int_equal(scene.trace.uncontrolled, 0);
    close_scene(&scene);
}

static void who_waits_for_a_waiter_waits_stably_too(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "rollback");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x", "rollback");
    OB_SCENE_ADD(&scene, "cat", "begin", "lock z", "lock y", "rollback");
    OB_SCENE_ADD(&scene, "dan", "lock z");
    expect(&scene, "0011221230123",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        begin    begin  -> 0 rows\n"
           "  4 bob        sql      lock y  -> 1 row\n"
           "  5 cat        begin    begin  -> 0 rows\n"
           "  6 cat        sql      lock z  -> 1 row\n"
           "  7 bob        sql      lock x  -> waits for ann\n"
           "  8 cat        sql      lock y  -> waits for bob\n"
           "  9 dan        sql      lock z  -> waits for cat\n"
           " 10 ann        rollback rollback  -> 0 rows; bob goes on: 1 row  (uncontrolled wake)\n"
           " 11 bob        rollback rollback  -> 0 rows; cat goes on: 1 row  (uncontrolled wake)\n"
           " 12 cat        rollback rollback  -> 0 rows; dan goes on: 1 row\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void who_goes_on_beside_the_one_it_wakes_is_uncontrolled(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "take a", "hastily give a; read x", "take b", "give b");
    OB_SCENE_ADD(&scene, "bob", "take a", "take b");
    expect(&scene, "01001",
           "  1 ann        sql      take a  -> 0 rows\n"
           "  2 bob        sql      take a  -> waits for ann\n"
           "  3 ann        sql      give a; read x  -> 1 row; bob goes on: 0 rows  (uncontrolled "
           "wake)\n"
           "  4 ann        sql      take b  -> 0 rows\n"
           "  5 bob        sql      take b  -> waits for ann\n"
           "  6 ann        sql      give b  -> 0 rows; bob goes on: 0 rows\n"
           "    end: finished\n");
    assert_int_equal(ob_scene_run(&scene, "001"), OB_OK); /* it wakes nobody */
    assert_int_equal(scene.trace.uncontrolled, 0);
    close_scene(&scene);
}

static void tell_program(struct ob_client *client, void *arg)
{
    char data[32];
    (void)arg;
    snprintf(data, sizeof data, "{\"number\": %zu}", ob_client_program(client));
    ob_client_event(client, "program", data);
}

static void the_program_is_chosen_recorded_and_known_to_the_clients(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "read x");
    scene.clients[0].body = tell_program;
    scene.spec.program_count = 2;
    struct ob_schedule schedule = {.program = 2};
    struct ob_follower follower = {.schedule = &schedule};
    assert_int_equal(ob_scene_choose(&scene, ob_follower_chooser(&follower)), OB_OK);
    assert_string_equal(ob_scene_text(&scene, false), "    ann        program  number: 2\n"
                                                      "    end: finished\n");
    assert_int_equal(scene.trace.schedule.program, 2);
    close_scene(&scene);
}

static void two_who_wait_for_one_lock_are_an_uncontrolled_wake(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "begin", "add x 1", "commit");
    OB_SCENE_ADD(&scene, "cat", "add x 2");
    expect(&scene, "001120",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        begin    begin  -> 0 rows\n"
           "  4 bob        sql      add x 1  -> waits for ann\n"
           "  5 cat        sql      add x 2  -> waits for bob\n"
           "  6 ann        commit   commit  -> 0 rows; bob goes on: 1 row  (uncontrolled wake)\n"
           "  7 bob        commit   commit  -> 0 rows; cat goes on: 1 row\n"
           "    end: finished\n");
    assert_int_equal(scene.trace.uncontrolled, 1);
    assert_int_equal(scene.trace.steps[5].woken, 2);
    assert_int_equal(scene.trace.steps[5].blocked, 4);
    close_scene(&scene);
}

static void a_waiter_that_goes_on_into_another_wait_counts_as_woken(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "rollback");
    OB_SCENE_ADD(&scene, "cat", "lock x; lock y");
    expect(&scene, "0011201",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        begin    begin  -> 0 rows\n"
           "  4 bob        sql      lock y  -> 1 row\n"
           "  5 cat        sql      lock x; lock y  -> waits for ann\n"
           "  6 ann        commit   commit  -> 0 rows\n"
           "  7 bob        rollback rollback  -> 0 rows; cat goes on: 2 rows\n"
           "    end: finished\n");
    assert_int_equal(scene.trace.steps[5].woken, 4);
    assert_int_equal(scene.trace.steps[5].blocked, 4);
    close_scene(&scene);
}

static void a_lock_given_back_within_a_statement_that_then_waits_wakes_others(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "take a", "give a; lock x");
    OB_SCENE_ADD(&scene, "cat", "take a");
    expect(&scene, "0012100",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        sql      take a  -> 0 rows\n"
           "  4 cat        sql      take a  -> waits for bob\n"
           "  5 bob        sql      give a; lock x  -> waits for ann; cat goes on: 0 rows\n"
           "  6 ann        commit   commit  -> 0 rows; bob goes on: 1 row\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void the_one_that_closes_a_cycle_is_the_one_to_die(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "lock y", "rollback");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x", "rollback");
    expect(&scene, "0011010",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        begin    begin  -> 0 rows\n"
           "  4 bob        sql      lock y  -> 1 row\n"
           "  5 ann        sql      lock y  -> waits for bob\n"
           "  6 bob        sql      lock x  -> error 40P01; ann goes on: 1 row\n"
           "    bob        told     done: 40P01\n"
           "  7 ann        rollback rollback  -> 0 rows\n"
           "  8 bob        rollback rollback  -> 0 rows\n"
           "    end: finished\n");
    assert_false(scene.spec.careful);
    close_scene(&scene);
}

static void a_woken_client_that_closes_a_cycle_makes_the_run_be_made_again(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "rollback");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x; lock z", "rollback");
    OB_SCENE_ADD(&scene, "cat", "begin", "lock z", "lock y", "rollback");
    expect(&scene, "0011221202",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        begin    begin  -> 0 rows\n"
           "  4 bob        sql      lock y  -> 1 row\n"
           "  5 cat        begin    begin  -> 0 rows\n"
           "  6 cat        sql      lock z  -> 1 row\n"
           "  7 bob        sql      lock x; lock z  -> waits for ann\n"
           "  8 cat        sql      lock y  -> waits for bob\n"
           "  9 ann        rollback rollback  -> 0 rows; bob goes on: error 40P01;"
           " cat goes on: 1 row  (uncontrolled wake)\n"
           "    bob        told     done: 40P01\n"
           " 10 cat        rollback rollback  -> 0 rows\n"
           " 11 bob        rollback rollback  -> 0 rows\n"
           "    end: finished\n");
    assert_true(scene.spec.careful);
    close_scene(&scene);
}

/* bob waits for ann with his check passed; cat then waits for bob; ann, woken by dan, runs into
 * cat. The only one on the cycle whose check was on has had it. */
static void a_cycle_behind_a_check_that_has_passed_is_seen(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    ob_model_put(scene.model, "w", 1);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "lock w; lock z", "rollback");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x", "rollback");
    OB_SCENE_ADD(&scene, "cat", "begin", "lock z", "lock y", "rollback");
    OB_SCENE_ADD(&scene, "dan", "begin", "lock w", "rollback");
    assert_int_equal(ob_scene_run(&scene, "00112233021"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
    assert_non_null(strstr(ob_scene_text(&scene, false),
                           "dan        rollback rollback  -> 0 rows; ann goes on: error 40P01"));
    assert_true(scene.spec.careful);
    close_scene(&scene);
}

static void many_clients_run_at_once(void **state)
{
    (void)state;
    static const char *const lines[] = {"begin", "add x 1", "commit", NULL};
    char names[OB_CLIENTS_MAX][8];
    struct ob_scene scene;
    ob_scene_open(&scene, (struct ob_model_options){.session_count = OB_CLIENTS_MAX}, NULL);
    ob_model_put(scene.model, "x", 0);
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "c%zu", i);
        ob_scene_add(&scene, names[i], lines);
    }
    char clients[2 * OB_CLIENTS_MAX + 1] = "";
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) /* all begin, all want the same row */
        clients[i] = clients[OB_CLIENTS_MAX + i] = (char)('0' + (char)i);
    assert_int_equal(ob_scene_run(&scene, clients), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
    assert_int_equal(scene.trace.step_count, 3 * OB_CLIENTS_MAX);
    assert_int_equal(ob_model_value(scene.model, "x", -1), OB_CLIENTS_MAX);
    assert_int_equal(__builtin_popcountll(scene.trace.steps[2 * OB_CLIENTS_MAX - 1].blocked),
                     OB_CLIENTS_MAX - 1);
    close_scene(&scene);
}

static void threads_serve_run_after_run_of_more_and_of_fewer_clients(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "add x 1");
    OB_SCENE_ADD(&scene, "bob", "add x 1");
    OB_SCENE_ADD(&scene, "cat", "add x 1");
    static const size_t counts[] = {2, 3, 1, 3, 2};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        scene.spec.client_count = counts[i];
        assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
        assert_int_equal(ob_model_value(scene.model, "x", 0), 1 + (int64_t)counts[i]);
        assert_int_equal(scene.trace.step_count, counts[i]);
    }
    close_scene(&scene);
}

struct lot {
    uint64_t seed;
    struct ob_rng rng;
};

static size_t choose_by_lot(void *self, const struct ob_choice_point *point)
{
    struct lot *lot = self;
    return ob_rng_below(&lot->rng, point->option_count);
}

static void begin_again(void *self)
{
    struct lot *lot = self;
    ob_rng_seed(&lot->rng, lot->seed);
}

/* The trace of a schedule chosen by lot from the seed, on a model that is unsteady by jitter. */
static void run_by_lot(uint64_t seed, uint64_t jitter, char **text)
{
    struct ob_scene scene;
    ob_scene_open(&scene, (struct ob_model_options){.jitter_seed = jitter}, NULL);
    ob_model_put(scene.model, "x", 1);
    ob_model_put(scene.model, "y", 1);
    OB_SCENE_ADD(&scene, "ann", "begin", "add x 1", "lock y; add x 1", "commit", "insert k 1");
    OB_SCENE_ADD(&scene, "bob", "begin", "add y 1", "add x 1", "commit", "take a", "give a");
    OB_SCENE_ADD(&scene, "cat", "take a", "add x 1; add y 1", "give a", "insert k 2", "read x");
    OB_SCENE_ADD(&scene, "dan", "begin", "insert k 3", "take a", "rollback", "give a");
    struct lot lot = {.seed = seed};
    struct ob_chooser chooser = {.self = &lot, .restart = begin_again, .choose = choose_by_lot};
    if (ob_scene_choose(&scene, chooser) != OB_OK)
        fail_msg("%s", scene.err.message);
    *text = ob_strdup(ob_scene_text(&scene, true));
    close_scene(&scene);
}

static void traces_do_not_depend_on_the_servers_pace(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        char *steady, *unsteady;
        run_by_lot(seed, 0, &steady);
        for (uint64_t jitter = 1; jitter <= 3; jitter++) {
            run_by_lot(seed, jitter, &unsteady);
            assert_string_equal(steady, unsteady);
            free(unsteady);
        }
        free(steady);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_does_one_operation_after_the_other),
        cmocka_unit_test(the_schedule_decides_who_goes_next),
        cmocka_unit_test(what_a_client_says_stands_behind_the_step_that_let_it_speak),
        cmocka_unit_test(history_from_before_the_race_comes_first),
        cmocka_unit_test(a_client_that_meets_a_lock_is_blocked_until_the_lock_is_free),
        cmocka_unit_test(who_waits_for_a_waiter_waits_stably_too),
        cmocka_unit_test(who_goes_on_beside_the_one_it_wakes_is_uncontrolled),
        cmocka_unit_test(the_program_is_chosen_recorded_and_known_to_the_clients),
        cmocka_unit_test(two_who_wait_for_one_lock_are_an_uncontrolled_wake),
        cmocka_unit_test(a_waiter_that_goes_on_into_another_wait_counts_as_woken),
        cmocka_unit_test(a_lock_given_back_within_a_statement_that_then_waits_wakes_others),
        cmocka_unit_test(the_one_that_closes_a_cycle_is_the_one_to_die),
        cmocka_unit_test(a_woken_client_that_closes_a_cycle_makes_the_run_be_made_again),
        cmocka_unit_test(a_cycle_behind_a_check_that_has_passed_is_seen),
        cmocka_unit_test(many_clients_run_at_once),
        cmocka_unit_test(threads_serve_run_after_run_of_more_and_of_fewer_clients),
        cmocka_unit_test(traces_do_not_depend_on_the_servers_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
