/* How a run ends when it does not simply finish, on the model. */
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void open_with(struct ob_scene *scene, struct ob_model_options options,
                      const struct ob_limits *limits)
{
    ob_scene_open(scene, options, limits);
    ob_model_put(scene->model, "x", 1);
    ob_model_put(scene->model, "y", 1);
}

static void open_scene(struct ob_scene *scene)
{
    open_with(scene, (struct ob_model_options){0}, NULL);
}

static void close_scene(struct ob_scene *scene)
{
    assert_int_equal(ob_model_results_alive(scene->model), 0);
    ob_scene_close(scene);
}

/* The engine's threads are as good as new after the run. */
static void expect_next_run_to_finish(struct ob_scene *scene)
{
    OB_SCENE_ADD(scene, "eve", "begin", "add y 1", "commit");
    size_t last = scene->spec.client_count - 1;
    scene->clients[0] = scene->clients[last];
    scene->spec.client_count = 1;
    assert_int_equal(ob_scene_run(scene, ""), OB_OK);
    assert_int_equal(scene->trace.end, OB_RUN_FINISHED);
    assert_int_equal(ob_model_value(scene->model, "y", 0), 2);
}

static void a_lock_that_nobody_will_free_is_stuck(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x", "say never");
    OB_SCENE_ADD(&scene, "cat", "lock y");
    assert_int_equal(ob_scene_run(&scene, "00112"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_STUCK);
    assert_string_equal(scene.trace.reason,
                        "each of those left waits for a lock that nobody will free");
    assert_int_equal(scene.trace.step_count, 6);
    assert_int_equal(scene.trace.event_count, 0);
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

static void a_client_that_cannot_go_on_fails_the_run(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "fail ann");
    OB_SCENE_ADD(&scene, "bob", "lock x");
    OB_SCENE_ADD(&scene, "cat", "read y", "read y", "fail cat");
    assert_int_equal(ob_scene_run(&scene, "22010"), OB_SQL);
    assert_string_equal(scene.err.message, "cat");
    assert_int_equal(ob_scene_run(&scene, "010"), OB_SQL);
    assert_string_equal(scene.err.message, "ann");
    assert_int_equal(scene.trace.step_count, 3);
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

static void too_many_steps_end_the_run(void **state)
{
    (void)state;
    struct ob_limits limits = ob_limits_default();
    limits.steps_max = 3;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "read x", "read x", "commit");
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_STEP_LIMIT);
    assert_int_equal(scene.trace.step_count, 3);
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

static void exactly_as_many_steps_as_allowed_are_fine(void **state)
{
    (void)state;
    struct ob_limits limits = ob_limits_default();
    limits.steps_max = 3;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit", "say done");
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
    close_scene(&scene);
}

static void a_statement_without_an_answer_ends_the_run_in_time(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "never", "say late");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock x", "commit");
    assert_int_equal(ob_scene_run(&scene, "1100"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_TIME_LIMIT);
    assert_string_equal(scene.trace.reason,
                        "\"ann\" was neither answered nor blocked when the run's time was over");
    assert_int_equal(scene.trace.event_count, 0);
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

static void what_was_answered_before_the_time_was_over_is_discarded(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "lock x; never");
    assert_int_equal(ob_scene_run(&scene, "0010"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_TIME_LIMIT);
    assert_int_equal(scene.trace.steps[3].completion_count, 1);
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

static void a_lock_of_a_strangers_is_named_as_the_reason(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    ob_model_occupy(scene.model, "x");
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x");
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_FOREIGN);
    assert_string_equal(scene.trace.reason,
                        "\"ann\" waits for a lock of a session that is none of the clients");
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

static void a_client_that_waits_in_an_endless_loop_is_ended_by_time(void **state)
{
    (void)state;
    static const char *lines[200001];
    struct ob_scene scene;
    for (size_t i = 0; i + 1 < sizeof lines / sizeof *lines; i++)
        lines[i] = "wait never";
    struct ob_limits limits = ob_limits_default();
    limits.run_us_max = 20000;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    ob_scene_add(&scene, "ann", lines);
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_TIME_LIMIT);
    assert_int_equal(scene.trace.step_count, 0);
    close_scene(&scene);
}

static void a_schedule_that_is_not_possible_diverges(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit");
    OB_SCENE_ADD(&scene, "bob", "lock x");
    assert_int_equal(ob_scene_run(&scene, "00110"), OB_OK);
    assert_int_equal(scene.trace.end, OB_RUN_DIVERGED);
    assert_int_equal(scene.trace.step_count, 3);
    assert_string_equal(scene.trace.reason, "the recorded choice is not possible here");
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

/* The threads that are given up end with the process, so the scene's memory has to stay. */
static void a_client_that_does_not_come_back_is_given_up(void **state)
{
    (void)state;
    static struct ob_scene scene;
    struct ob_limits limits = ob_limits_default();
    limits.client_us_max = 30000;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "spin");
    OB_SCENE_ADD(&scene, "bob", "lock x");
    assert_int_equal(ob_scene_run(&scene, "010"), OB_STUCK);
    assert_int_equal(scene.trace.end, OB_RUN_NOT_BACK);
    assert_string_equal(scene.err.message,
                        "client \"ann\" did not come back from its own code within 30 ms");
    assert_string_equal(scene.trace.reason, scene.err.message);
    ob_engine_free(scene.engine);
}

static void one_that_does_not_come_back_when_the_run_is_given_up_is_stuck_too(void **state)
{
    (void)state;
    static struct ob_scene scene;
    struct ob_limits limits = ob_limits_default();
    limits.client_us_max = 30000;
    limits.steps_max = 1;
    open_with(&scene, (struct ob_model_options){0}, &limits);
    OB_SCENE_ADD(&scene, "ann", "begin", "commit", "spin when stopped");
    assert_int_equal(ob_scene_run(&scene, ""), OB_STUCK);
    assert_int_equal(scene.trace.end, OB_RUN_NOT_BACK);
    ob_engine_free(scene.engine);
}

static void a_lost_session_is_told_and_its_locks_are_free(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "set x 5", "die", "read x");
    OB_SCENE_ADD(&scene, "bob", "begin", "add x 1", "kill", "add y 1");
    assert_int_equal(ob_scene_run(&scene, "0011011"), OB_OK);
    assert_string_equal(ob_scene_text(&scene, false),
                        "  1 ann        begin    begin  -> 0 rows\n"
                        "  2 ann        sql      set x 5  -> 1 row\n"
                        "  3 bob        begin    begin  -> 0 rows\n"
                        "  4 bob        sql      add x 1  -> waits for ann\n"
                        "  5 ann        sql      die  -> session lost; bob goes on: 1 row\n"
                        "    ann        told     lost: \n"
                        "  6 bob        kill     kill  -> session lost\n"
                        "    bob        told     lost: \n"
                        "  7 bob        sql      add y 1  -> 1 row\n"
                        "  8 ann        sql      read x  -> 1 row\n"
                        "    end: finished\n");
    assert_int_equal(ob_model_value(scene.model, "x", 0), 1);
    assert_int_equal(ob_model_value(scene.model, "y", 0), 2);
    close_scene(&scene);
}

static void a_server_that_ignores_cancel_requests_is_an_error(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_with(&scene, (struct ob_model_options){.deaf = true}, NULL);
    OB_SCENE_ADD(&scene, "ann", "never");
    assert_int_equal(ob_scene_run(&scene, ""), OB_SERVER);
    assert_string_equal(scene.err.message, "the server did not answer to a cancel request");
    close_scene(&scene);
}

static void a_server_that_fails_at_any_call_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    static const char *const ports[] = {"send", "poll", "waits", "arm", "clock"};
    enum { PORTS = sizeof ports / sizeof *ports };
    unsigned failures[PORTS] = {0};
    enum ob_result result = OB_SERVER;
    size_t call = 0;
    while (result == OB_SERVER) {
        struct ob_scene scene;
        open_with(&scene, (struct ob_model_options){.fail_call = ++call}, NULL);
        OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "lock y", "clock 5", "rollback");
        OB_SCENE_ADD(&scene, "bob", "begin", "lock y", "lock x", "rollback", "kill");
        OB_SCENE_ADD(&scene, "cat", "lock x; lock y", "wait 50", "die", "read x");
        result = ob_scene_run(&scene, "0011021");
        if (result == OB_SERVER)
            assert_string_equal(scene.err.message, "the model failed as it was asked to");
        else
            assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        for (size_t i = 0; i < PORTS; i++)
            failures[i] += result == OB_SERVER && strcmp(scene.err.detail, ports[i]) == 0;
        close_scene(&scene);
    }
    assert_int_equal(result, OB_OK);
    for (size_t i = 0; i < PORTS; i++)
        if (failures[i] == 0)
            fail_msg("no call of %s failed", ports[i]);
}

static enum ob_result refuse_commits(void *arg, const struct ob_step *step, struct ob_error *err)
{
    size_t *steps = arg;
    ++*steps;
    if (step->kind != OB_OP_COMMIT)
        return OB_OK;
    return ob_error_set(err, OB_SQL, "the check of step %zu failed", *steps);
}

static void a_check_that_fails_after_a_step_ends_the_run(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    size_t steps = 0;
    scene.spec.after_step = refuse_commits;
    scene.spec.after_step_arg = &steps;
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "commit", "read x");
    OB_SCENE_ADD(&scene, "bob", "lock x", "say got it", "read y");
    assert_int_equal(ob_scene_run(&scene, "0010"), OB_SQL);
    assert_string_equal(scene.err.message, "the check of step 4 failed");
    assert_int_equal(scene.trace.step_count, 4);
    scene.spec.after_step = NULL;
    expect_next_run_to_finish(&scene);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_that_nobody_will_free_is_stuck),
        cmocka_unit_test(a_client_that_cannot_go_on_fails_the_run),
        cmocka_unit_test(too_many_steps_end_the_run),
        cmocka_unit_test(exactly_as_many_steps_as_allowed_are_fine),
        cmocka_unit_test(a_statement_without_an_answer_ends_the_run_in_time),
        cmocka_unit_test(what_was_answered_before_the_time_was_over_is_discarded),
        cmocka_unit_test(a_lock_of_a_strangers_is_named_as_the_reason),
        cmocka_unit_test(a_client_that_waits_in_an_endless_loop_is_ended_by_time),
        cmocka_unit_test(a_schedule_that_is_not_possible_diverges),
        cmocka_unit_test(a_client_that_does_not_come_back_is_given_up),
        cmocka_unit_test(one_that_does_not_come_back_when_the_run_is_given_up_is_stuck_too),
        cmocka_unit_test(a_lost_session_is_told_and_its_locks_are_free),
        cmocka_unit_test(a_server_that_ignores_cancel_requests_is_an_error),
        cmocka_unit_test(a_server_that_fails_at_any_call_is_an_error_and_leaks_nothing),
        cmocka_unit_test(a_check_that_fails_after_a_step_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
