/* Who goes on where several of the waiting could: a choice, on the model. */
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void open_scene(struct ob_scene *scene, struct ob_model_options options)
{
    options.holds = true;
    ob_scene_open(scene, options, NULL);
    ob_model_put(scene->model, "a", 1);
    ob_model_put(scene->model, "b", 1);
    ob_model_put(scene->model, "d", 1);
    ob_model_put(scene->model, "e", 1);
    ob_model_put(scene->model, "last", 0);
}

static void close_scene(struct ob_scene *scene)
{
    assert_int_equal(ob_model_results_alive(scene->model), 0);
    ob_scene_close(scene);
}

static void run(struct ob_scene *scene, const char *clients)
{
    assert_int_equal(ob_scene_run(scene, clients), OB_OK);
}

/* ann's commit lets both go on, and what each of them does shows who came last. */
static void add_two_who_are_set_free_at_once(struct ob_scene *scene)
{
    OB_SCENE_ADD(scene, "ann", "begin", "lock a; lock b", "commit");
    OB_SCENE_ADD(scene, "bob", "lock a; set last 1");
    OB_SCENE_ADD(scene, "cat", "lock b; set last 2");
}

static void the_schedule_says_who_goes_on_first(void **state)
{
    (void)state;
    for (uint64_t jitter = 0; jitter < 20; jitter++) {
        struct ob_scene scene;
        open_scene(&scene, (struct ob_model_options){.jitter_seed = jitter});
        add_two_who_are_set_free_at_once(&scene);
        run(&scene, "00120/1");
        assert_int_equal(ob_model_value(scene.model, "last", -1), 2);
        assert_non_null(strstr(ob_scene_text(&scene, false),
                               "commit  -> 0 rows; bob goes on: 2 rows; cat goes on: 2 rows  (first"
                               " of those who could: bob)\n"));
        uint64_t bob_first = ob_trace_digest(&scene.trace);
        run(&scene, "00120/2");
        assert_int_equal(ob_model_value(scene.model, "last", -1), 1);
        assert_int_equal(scene.trace.uncontrolled, 0);
        assert_int_equal(scene.trace.schedule.wake_count, 1);
        assert_int_equal(scene.trace.schedule.wakes[0], 2);
        assert_int_not_equal(ob_trace_digest(&scene.trace), bob_first);
        close_scene(&scene);
    }
}

static void who_has_waited_longest_is_the_first_option(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0});
    add_two_who_are_set_free_at_once(&scene);
    run(&scene, "00120");
    assert_int_equal(scene.trace.schedule.wakes[0], 1);
    run(&scene, "00210");
    assert_int_equal(scene.trace.schedule.wakes[0], 2);
    close_scene(&scene);
}

static void one_who_could_not_go_on_is_a_divergence(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0});
    add_two_who_are_set_free_at_once(&scene);
    run(&scene, "00120/0");
    assert_int_equal(scene.trace.end, OB_RUN_DIVERGED);
    assert_string_equal(scene.trace.reason,
                        "the recorded choice of who goes on is not possible here");
    run(&scene, "00120/1"); /* nobody is left held */
    assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
    close_scene(&scene);
}

/* Where the server has them in a queue, its head is the only one who can go on. */
static void a_queue_is_no_choice(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0});
    OB_SCENE_ADD(&scene, "ann", "begin", "lock a", "commit");
    OB_SCENE_ADD(&scene, "bob", "lock a; set last 1");
    OB_SCENE_ADD(&scene, "cat", "lock a; set last 2");
    run(&scene, "00210");
    assert_int_equal(ob_model_value(scene.model, "last", -1), 1);
    assert_int_equal(scene.trace.schedule.wake_count, 0);
    assert_int_equal(scene.trace.uncontrolled, 0);
    assert_int_equal(scene.trace.steps[4].woken, 6);
    close_scene(&scene);
}

/* bob and cat, once set free, each want what the other has: the one who goes on last closes the
 * cycle, also when the one before him is held again. */
static void a_cycle_through_one_who_is_held_is_seen(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene, (struct ob_model_options){0});
    OB_SCENE_ADD(&scene, "ann", "begin", "lock a; lock b", "commit");
    OB_SCENE_ADD(&scene, "bob", "begin", "lock d", "lock a; lock e", "commit");
    OB_SCENE_ADD(&scene, "cat", "begin", "lock e", "lock b; lock d", "commit");
    static const struct {
        const char *clients;
        size_t victim;
    } cases[] = {{"001122120/1", 2}, {"001122120/2", 1}};
    for (size_t i = 0; i < 2; i++) {
        run(&scene, cases[i].clients);
        assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        assert_int_equal(scene.trace.uncontrolled, 0);
        const struct ob_step *step = &scene.trace.steps[0];
        while (step->completion_count < 3)
            step++;
        for (size_t k = 0; k < 3; k++)
            assert_string_equal(step->completions[k].sqlstate,
                                step->completions[k].client == cases[i].victim ? "40P01" : "00000");
    }
    close_scene(&scene);
}

/* A server that cannot hold its sessions: what is chosen there is not ours. */
static void without_holding_the_wake_is_not_controlled(void **state)
{
    (void)state;
    struct ob_scene scene;
    ob_scene_open(&scene, (struct ob_model_options){0}, NULL);
    ob_model_put(scene.model, "a", 1);
    ob_model_put(scene.model, "b", 1);
    add_two_who_are_set_free_at_once(&scene);
    run(&scene, "00120/2");
    assert_int_equal(scene.trace.uncontrolled, 1);
    assert_int_equal(scene.trace.schedule.wake_count, 0);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schedule_says_who_goes_on_first),
        cmocka_unit_test(who_has_waited_longest_is_the_first_option),
        cmocka_unit_test(one_who_could_not_go_on_is_a_divergence),
        cmocka_unit_test(a_queue_is_no_choice),
        cmocka_unit_test(a_cycle_through_one_who_is_held_is_seen),
        cmocka_unit_test(without_holding_the_wake_is_not_controlled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
