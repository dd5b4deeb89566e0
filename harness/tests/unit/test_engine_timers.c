/* Waits that end by themselves: the server's own timers, on the model. */
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void open_scene(struct ob_scene *scene, struct ob_model_options options,
                       const struct ob_limits *limits)
{
    ob_scene_open(scene, options, limits);
    scene->spec.server_timers = true;
    ob_model_put(scene->model, "x", 1);
    ob_model_put(scene->model, "y", 1);
}

static void close_scene(struct ob_scene *scene)
{
    assert_int_equal(ob_model_results_alive(scene->model), 0);
    ob_scene_close(scene);
}

static void expect(struct ob_scene *scene, const char *clients, const char *text)
{
    assert_int_equal(ob_scene_run(scene, clients), OB_OK);
    assert_string_equal(ob_scene_text(scene, false), text);
}

static void a_client_in_flight_can_be_waited_for(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0}, NULL);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "timeout 40; lock x", "read y");
    expect(&scene, "001110",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        sql      timeout 40; lock x  -> error 55P03\n"
           "    bob        told     done: 55P03\n"
           "  4 bob        sql      read y  -> 1 row\n"
           "  5 ann        commit   commit  -> 0 rows\n"
           "    end: finished\n");
    close_scene(&scene);
}

/* Where timers are not the server's own, a session may still have set a timeout. */
static void a_sessions_own_timeout_is_no_deadlock_and_is_not_controlled(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0}, NULL);
    scene.spec.server_timers = false;
    OB_SCENE_ADD(&scene, "ann", "take a", "call tea");
    OB_SCENE_ADD(&scene, "bob", "timeout 400; take a");
    expect(
        &scene, "010",
        "  1 ann        sql      take a  -> 0 rows\n"
        "  2 bob        sql      timeout 400; take a  -> waits for ann  (uncontrolled wake)\n"
        "  3 ann        call     call tea  -> done; bob goes on: error 55P03  (uncontrolled wake)\n"
        "    bob        told     done: 55P03\n"
        "    end: finished\n");
    assert_int_equal(scene.trace.uncontrolled, 2);
    close_scene(&scene);
}

/* bob is due, and waits: cat could move, and does not. */
static void a_timeout_that_can_make_a_choice_possible_is_waited_for(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0}, NULL);
    scene.spec.server_timers = false;
    OB_SCENE_ADD(&scene, "ann", "take a", "call tea");
    OB_SCENE_ADD(&scene, "bob", "timeout 400; take a", "read x");
    OB_SCENE_ADD(&scene, "cat", "read y");
    expect(&scene, "01120",
           "  1 ann        sql      take a  -> 0 rows\n"
           "  2 bob        sql      timeout 400; take a  -> error 55P03  (uncontrolled wake)\n"
           "    bob        told     done: 55P03\n"
           "  3 bob        sql      read x  -> 1 row\n"
           "  4 cat        sql      read y  -> 1 row\n"
           "  5 ann        call     call tea  -> done\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void a_wait_without_a_timeout_is_stuck(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0}, NULL);
    scene.spec.server_timers = false;
    OB_SCENE_ADD(&scene, "ann", "take a");
    OB_SCENE_ADD(&scene, "bob", "take a");
    assert_int_equal(ob_scene_run(&scene, "01"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_STUCK);
    close_scene(&scene);
}

static void an_end_of_a_wait_during_another_step_is_seen(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){.latency = 10}, NULL);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "read y", "read y", "read y", "commit");
    OB_SCENE_ADD(&scene, "bob", "timeout 30; lock x");
    assert_int_equal(ob_scene_run(&scene, "0010000"), OB_OK);
    const char *text = ob_scene_text(&scene, false);
    const char *timed_out = strstr(text, "error 55P03"), *commit = strstr(text, "commit");
    if (!timed_out || !commit || timed_out > commit)
        fail_msg("%s", text);
    close_scene(&scene);
}

static void a_timeout_sets_free_those_behind(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0}, NULL);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "begin", "timeout 60; lock y; lock x", "rollback");
    OB_SCENE_ADD(&scene, "cat", "lock y");
    assert_int_equal(ob_scene_run(&scene, "001121"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
    /* cat's step is the fifth: bob was waited for after it, and let go of y when he failed. */
    const struct ob_step *step = &scene.trace.steps[4];
    assert_int_equal(step->client, 2);
    assert_int_equal(step->completion_count, 2);
    assert_int_equal(step->blocked, 0);
    close_scene(&scene);
}

/* Whoever closes a cycle is not seen to wait before somebody's check has broken it. */
static void a_cycle_is_no_stable_wait(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct ob_scene scene;
        open_scene(&scene, (struct ob_model_options){0}, NULL);
        if (first) {
            OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "lock y", "rollback");
            OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "check 50; lock x", "rollback");
        } else {
            OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "check 400; lock y", "rollback");
            OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x", "rollback");
        }
        assert_int_equal(ob_scene_run(&scene, "001101"), OB_OK);
        assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        const struct ob_step *closing = &scene.trace.steps[5];
        assert_int_equal(closing->client, 1);
        assert_int_equal(closing->blocked, 0);
        assert_int_equal(closing->completion_count, 2);
        size_t victim = first ? 1 : 0;
        for (size_t i = 0; i < 2; i++)
            assert_string_equal(closing->completions[i].sqlstate,
                                closing->completions[i].client == victim ? "40P01" : "00000");
        close_scene(&scene);
    }
}

static void a_loose_step_is_left_to_the_next_one(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){.latency = 10000}, NULL);
    OB_SCENE_ADD(&scene, "ann", "loosely read x");
    OB_SCENE_ADD(&scene, "bob", "read y");
    expect(&scene, "01",
           "  1 ann        sql      read x  -> in flight\n"
           "  2 bob        sql      read y  -> 1 row; ann goes on: 1 row\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void a_loose_step_that_waits_is_a_wait_like_others(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0}, NULL);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "loosely lock x");
    assert_int_equal(ob_scene_run(&scene, "0010"), OB_OK);
    assert_int_equal(scene.trace.steps[2].blocked, 2);
    assert_int_equal(scene.trace.steps[3].woken, 2);
    close_scene(&scene);
}

static void what_takes_too_long_is_cancelled(void **state)
{
    (void)state;
    struct ob_scene scene;
    struct ob_limits limits = ob_limits_default();
    limits.step_us_max = 20000;
    open_scene(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "never", "read x");
    expect(&scene, "00",
           "  1 ann        sql      never  -> error 57014\n"
           "    ann        told     done: 57014\n"
           "  2 ann        sql      read x  -> 1 row\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void what_does_not_end_when_cancelled_ends_the_run(void **state)
{
    (void)state;
    struct ob_scene scene;
    struct ob_limits limits = ob_limits_default();
    limits.step_us_max = 20000;
    open_scene(&scene, (struct ob_model_options){.deaf = true}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x");
    OB_SCENE_ADD(&scene, "bob", "lock x");
    OB_SCENE_ADD(&scene, "cat", "never");
    assert_int_equal(ob_scene_run(&scene, "0012"), OB_SERVER); /* nor when the run is given up */
    assert_int_equal(scene.trace.end, OB_RUN_TIME_LIMIT);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_in_flight_can_be_waited_for),
        cmocka_unit_test(a_sessions_own_timeout_is_no_deadlock_and_is_not_controlled),
        cmocka_unit_test(a_timeout_that_can_make_a_choice_possible_is_waited_for),
        cmocka_unit_test(a_wait_without_a_timeout_is_stuck),
        cmocka_unit_test(an_end_of_a_wait_during_another_step_is_seen),
        cmocka_unit_test(a_timeout_sets_free_those_behind),
        cmocka_unit_test(a_cycle_is_no_stable_wait),
        cmocka_unit_test(a_loose_step_is_left_to_the_next_one),
        cmocka_unit_test(a_loose_step_that_waits_is_a_wait_like_others),
        cmocka_unit_test(what_takes_too_long_is_cancelled),
        cmocka_unit_test(what_does_not_end_when_cancelled_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
