/* Free-running mode, on the model: threads that race for real. */
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

static void open_with(struct ob_scene *scene, struct ob_model_options options,
                      const struct ob_limits *limits)
{
    options.racing = true;
    ob_scene_open(scene, options, limits);
    ob_model_put(scene->model, "x", 0);
    ob_model_put(scene->model, "y", 0);
    scene->spec.free_running = true;
}

static void close_scene(struct ob_scene *scene)
{
    assert_int_equal(ob_model_results_alive(scene->model), 0);
    ob_scene_close(scene);
}

static void every_client_does_all_it_has_to_do(void **state)
{
    (void)state;
    static const char *const lines[] = {"begin", "add x 1", "say half", "commit", "add x 1", NULL};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){.session_count = 8}, NULL);
    for (size_t i = 0; i < 8; i++)
        ob_scene_add(&scene, names[i], lines);
    for (int run = 0; run < 20; run++) {
        assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
        assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        assert_int_equal(scene.trace.step_count, 8 * 4);
        assert_int_equal(scene.trace.event_count, 8);
        assert_int_equal(ob_model_value(scene.model, "x", 0), 16);
    }
    close_scene(&scene);
}

static void a_client_that_cannot_go_on_fails_the_run(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, NULL);
    OB_SCENE_ADD(&scene, "ann", "begin", "add x 1", "fail no such column");
    OB_SCENE_ADD(&scene, "bob", "begin", "add y 1", "commit");
    assert_int_equal(ob_scene_run(&scene, ""), OB_SQL);
    assert_string_equal(scene.err.message, "no such column");
    scene.spec.clients++;
    scene.spec.client_count--;
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
    close_scene(&scene);
}

static void a_deadlock_kills_one_and_the_others_go_on(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, NULL);
    OB_SCENE_ADD(&scene, "ann", "begin", "add x 1", "add y 1", "commit");
    OB_SCENE_ADD(&scene, "bob", "begin", "add y 1", "add x 1", "commit");
    for (int run = 0; run < 50; run++) {
        assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
        assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        int64_t sum = ob_model_value(scene.model, "x", 0) + ob_model_value(scene.model, "y", 0);
        assert_true(sum == 2 || sum == 4);
    }
    close_scene(&scene);
}

static void waits_for_time_and_for_others_come_to_an_end(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, NULL);
    OB_SCENE_ADD(&scene, "ann", "wait 500", "say late", "clock 900");
    OB_SCENE_ADD(&scene, "bob", "wait 800", "say later", "kill", "call pay");
    OB_SCENE_ADD(&scene, "cat", "wait never", "say over");
    OB_SCENE_ADD(&scene, "dan", "begin", "add x 1", "die", "add x 1");
    for (int run = 0; run < 20; run++) {
        assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
        assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        assert_int_equal(ob_model_value(scene.model, "x", 0), 1);
        assert_int_equal(scene.trace.step_count, 2 + 3 + 1 + 4);
    }
    close_scene(&scene);
}

static size_t always(void *self, const struct ob_choice_point *point)
{
    (void)self;
    assert(point->kind == OB_CHOICE_FAULT);
    return 1;
}

static void nothing_to_restart(void *self)
{
    (void)self;
}

static void faults_are_decided_one_at_a_time_and_within_the_budget(void **state)
{
    (void)state;
    static const struct ob_fault_point points[] = {{"webhook/duplicate", 1}};
    static const char *const lines[] = {"fault 0", "fault 0", "read x", "fault 0", NULL};
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, NULL);
    scene.spec.fault_points = points;
    scene.spec.fault_point_count = 1;
    scene.spec.fault_budget = 5;
    ob_scene_add(&scene, "ann", lines);
    ob_scene_add(&scene, "bob", lines);
    ob_scene_add(&scene, "cat", lines);
    struct ob_chooser chooser = {.restart = nothing_to_restart, .choose = always};
    assert_int_equal(ob_scene_choose(&scene, chooser), OB_OK);
    assert_int_equal(scene.trace.schedule.fault_count, 5);
    close_scene(&scene);
}

static void limits_end_a_race_too(void **state)
{
    (void)state;
    struct ob_limits limits = ob_limits_default();
    limits.steps_max = 5;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "read x", "read x", "read x", "commit");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock x", "read x", "read x", "read x", "commit");
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_STEP_LIMIT);
    assert_int_equal(scene.trace.step_count, 5);
    close_scene(&scene);

    limits = ob_limits_default();
    limits.run_us_max = 20000;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "never");
    OB_SCENE_ADD(&scene, "bob", "lock x");
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_TIME_LIMIT);
    close_scene(&scene);
}

static void a_thread_that_does_not_come_back_is_given_up(void **state)
{
    (void)state;
    static struct ob_scene scene; /* its threads end with the process */
    struct ob_limits limits = {.steps_max = 100, .run_us_max = 20000, .client_us_max = 20000};
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "spin");
    OB_SCENE_ADD(&scene, "bob", "read x");
    assert_int_equal(ob_scene_run(&scene, ""), OB_STUCK);
    assert_string_equal(scene.err.message, "1 of 2 clients did not come back in time");
    assert_int_equal(scene.trace.end, OB_RUN_NOT_BACK);
    ob_engine_free(scene.engine);
}

static void a_server_that_fails_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    for (size_t call = 1; call < 40; call++) {
        struct ob_scene scene;
        open_with(&scene, (struct ob_model_options){.fail_call = call}, NULL);
        OB_SCENE_ADD(&scene, "ann", "begin", "add x 1", "clock 50", "commit", "wait 90", "kill");
        OB_SCENE_ADD(&scene, "bob", "begin", "add x 1", "commit", "wait never", "read x");
        enum ob_result result = ob_scene_run(&scene, "");
        if (call <= 20)
            assert_int_equal(result, OB_SERVER);
        if (result != OB_OK)
            assert_string_equal(scene.err.message, "the model failed as it was asked to");
        close_scene(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_client_does_all_it_has_to_do),
        cmocka_unit_test(a_client_that_cannot_go_on_fails_the_run),
        cmocka_unit_test(a_deadlock_kills_one_and_the_others_go_on),
        cmocka_unit_test(waits_for_time_and_for_others_come_to_an_end),
        cmocka_unit_test(faults_are_decided_one_at_a_time_and_within_the_budget),
        cmocka_unit_test(limits_end_a_race_too),
        cmocka_unit_test(a_thread_that_does_not_come_back_is_given_up),
        cmocka_unit_test(a_server_that_fails_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
