/* Virtual time, waiting, and faults, on the model. */
#include "tests/model/scene.h"

#include "base/alloc.h"
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

static const struct ob_fault_point points[] = {{"commit/ack-lost", 1}, {"psp/timeout", 3}};

static void open_scene(struct ob_scene *scene)
{
    ob_scene_open(scene, (struct ob_model_options){0}, NULL);
    ob_model_put(scene->model, "x", 1);
    scene->spec.fault_points = points;
    scene->spec.fault_point_count = 2;
    scene->spec.fault_budget = 1;
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

static void a_wait_is_not_enabled_before_its_time(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "wait 100", "say late");
    OB_SCENE_ADD(&scene, "bob", "read x", "clock 100", "read x");
    expect(&scene, "110",
           "  1 bob        sql      read x  -> 1 row\n"
           "  2 bob        clock    clock 100  -> done\n"
           "  3 ann        wait     wait 100  -> done\n"
           "    ann        says     words: late\n"
           "  4 bob        sql      read x  -> 1 row\n"
           "    end: finished\n");
    assert_int_equal(scene.trace.steps[0].enabled, 2);
    assert_int_equal(scene.trace.steps[1].enabled, 2);
    assert_int_equal(scene.trace.steps[2].enabled, 3);
    close_scene(&scene);
}

static void time_passes_when_nobody_can_move_and_only_to_the_next_time(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    scene.spec.start_us = 10;
    OB_SCENE_ADD(&scene, "ann", "wait 300", "say three");
    OB_SCENE_ADD(&scene, "bob", "wait 200", "say two", "wait 5", "say past");
    expect(&scene, "",
           "    overbook   clock    at_us: 200\n"
           "  1 bob        wait     wait 200  -> done\n"
           "    bob        says     words: two\n"
           "  2 bob        wait     wait 5  -> done\n"
           "    bob        says     words: past\n"
           "    overbook   clock    at_us: 300\n"
           "  3 ann        wait     wait 300  -> done\n"
           "    ann        says     words: three\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void virtual_time_never_goes_back(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    scene.spec.start_us = 50;
    OB_SCENE_ADD(&scene, "ann", "clock 20", "wait 50", "clock 80", "clock 60", "wait 80");
    assert_int_equal(ob_scene_run(&scene, ""), OB_OK);
    assert_int_equal(scene.trace.event_count, 0); /* no time had to pass for either wait */
    assert_int_equal(scene.trace.step_count, 5);
    close_scene(&scene);
}

static void a_condition_enables_the_wait_once_it_holds(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "wait flag", "say seen");
    OB_SCENE_ADD(&scene, "bob", "read x", "raise", "read x");
    expect(&scene, "10",
           "  1 bob        sql      read x  -> 1 row\n"
           "  2 ann        wait     wait flag  -> done\n"
           "    ann        says     words: seen\n"
           "  3 bob        sql      read x  -> 1 row\n"
           "    end: finished\n");
    assert_int_equal(scene.trace.steps[0].enabled, 2);
    close_scene(&scene);
}

static void what_can_no_longer_happen_is_told_so_when_nobody_can_move(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "wait flag", "say over", "read x");
    OB_SCENE_ADD(&scene, "bob", "read x");
    expect(&scene, "",
           "  1 bob        sql      read x  -> 1 row\n"
           "    ann        told     never: \n"
           "    ann        says     words: over\n"
           "  2 ann        sql      read x  -> 1 row\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void time_comes_before_never(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "wait flag", "say seen");
    OB_SCENE_ADD(&scene, "bob", "wait 9", "raise");
    expect(&scene, "",
           "    overbook   clock    at_us: 9\n"
           "  1 bob        wait     wait 9  -> done\n"
           "  2 ann        wait     wait flag  -> done\n"
           "    ann        says     words: seen\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void who_waits_for_a_lock_is_freed_by_one_who_waits_for_time(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "lock x", "wait 70", "rollback");
    OB_SCENE_ADD(&scene, "bob", "lock x");
    expect(&scene, "001",
           "  1 ann        begin    begin  -> 0 rows\n"
           "  2 ann        sql      lock x  -> 1 row\n"
           "  3 bob        sql      lock x  -> waits for ann\n"
           "    overbook   clock    at_us: 70\n"
           "  4 ann        wait     wait 70  -> done\n"
           "  5 ann        rollback rollback  -> 0 rows; bob goes on: 1 row\n"
           "    end: finished\n");
    close_scene(&scene);
}

static void no_fault_happens_without_a_budget(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    scene.spec.fault_budget = 0;
    OB_SCENE_ADD(&scene, "ann", "fault 0");
    struct ob_schedule wanted = {0};
    ob_schedule_add_fault(&wanted, (struct ob_fault){.way = 1});
    struct ob_follower follower = {.schedule = &wanted};
    assert_int_equal(ob_scene_choose(&scene, ob_follower_chooser(&follower)), OB_OK);
    assert_int_equal(scene.trace.schedule.fault_count, 0);
    ob_schedule_clear(&wanted);
    close_scene(&scene);
}

static void the_planned_hit_of_the_planned_client_fails_in_the_planned_way(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "fault 0", "fault 1", "fault 1");
    OB_SCENE_ADD(&scene, "bob", "fault 1", "fault 0", "fault 1", "fault 1");
    struct ob_schedule wanted = {0};
    ob_schedule_add_fault(&wanted, (struct ob_fault){.point = 1, .client = 1, .hit = 1, .way = 2});
    struct ob_follower follower = {.schedule = &wanted};
    assert_int_equal(ob_scene_choose(&scene, ob_follower_chooser(&follower)), OB_OK);
    assert_string_equal(ob_scene_text(&scene, false),
                        "    ann        reached  way: 0\n"
                        "    ann        reached  way: 0\n"
                        "    ann        reached  way: 0\n"
                        "    bob        reached  way: 0\n"
                        "    bob        reached  way: 0\n"
                        "    bob        fault    point: psp/timeout, way: 2\n"
                        "    bob        reached  way: 2\n"
                        "    bob        reached  way: 0\n"
                        "    end: finished\n");
    const struct ob_schedule *made = &scene.trace.schedule;
    assert_int_equal(made->fault_count, 1);
    assert_int_equal(made->faults[0].point, 1);
    assert_int_equal(made->faults[0].client, 1);
    assert_int_equal(made->faults[0].hit, 1);
    assert_int_equal(made->faults[0].way, 2);
    ob_schedule_clear(&wanted);
    close_scene(&scene);
}

/* Every place and way of one fault, and none: 1 + 2 * 1 + 2 * 3. */
static void exhausting_takes_each_fault_at_each_hit_once(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "fault 0", "fault 1", "fault 0", "fault 1");
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_EXHAUSTIVE, 0, 1);
    uint64_t runs = 0, faults = 0;
    while (ob_strategy_next(strategy, runs)) {
        assert_int_equal(ob_scene_choose(&scene, ob_strategy_chooser(strategy)), OB_OK);
        runs++;
        faults += scene.trace.schedule.fault_count;
    }
    assert_int_equal(runs, 9);
    assert_int_equal(faults, 8);
    assert_true(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
    close_scene(&scene);
}

static void a_recorded_run_with_a_fault_is_replayed_to_the_byte(void **state)
{
    (void)state;
    struct ob_scene scene;
    open_scene(&scene);
    OB_SCENE_ADD(&scene, "ann", "begin", "add x 1", "fault 1", "commit", "fault 0");
    OB_SCENE_ADD(&scene, "bob", "begin", "fault 1", "add x 1", "commit", "fault 0");
    unsigned with_fault = 0;
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_RANDOM, 5, 2);
    for (uint64_t run = 0; run < 40; run++) {
        assert_true(ob_strategy_next(strategy, run));
        assert_int_equal(ob_scene_choose(&scene, ob_strategy_chooser(strategy)), OB_OK);
        struct ob_schedule recorded = {0};
        ob_schedule_copy(&recorded, &scene.trace.schedule);
        with_fault += recorded.fault_count > 0;
        char *first = ob_strdup(ob_scene_text(&scene, true));
        struct ob_follower follower = {.schedule = &recorded};
        assert_int_equal(ob_scene_choose(&scene, ob_follower_chooser(&follower)), OB_OK);
        assert_string_equal(ob_scene_text(&scene, true), first);
        free(first);
        ob_schedule_clear(&recorded);
    }
    assert_true(with_fault > 5 && with_fault < 40);
    ob_strategy_free(strategy);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_is_not_enabled_before_its_time),
        cmocka_unit_test(time_passes_when_nobody_can_move_and_only_to_the_next_time),
        cmocka_unit_test(virtual_time_never_goes_back),
        cmocka_unit_test(a_condition_enables_the_wait_once_it_holds),
        cmocka_unit_test(what_can_no_longer_happen_is_told_so_when_nobody_can_move),
        cmocka_unit_test(time_comes_before_never),
        cmocka_unit_test(who_waits_for_a_lock_is_freed_by_one_who_waits_for_time),
        cmocka_unit_test(no_fault_happens_without_a_budget),
        cmocka_unit_test(the_planned_hit_of_the_planned_client_fails_in_the_planned_way),
        cmocka_unit_test(exhausting_takes_each_fault_at_each_hit_once),
        cmocka_unit_test(a_recorded_run_with_a_fault_is_replayed_to_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
