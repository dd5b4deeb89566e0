/* Points of failure: who decides, in which way they fail, and for how long they are there. */
#include "fault/fault.h"
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fiu.h>
#include <string.h>

static const char *const points[] = {"session/killed", "psp/timeout", "webhook/duplicate"};
#define POINT_COUNT (sizeof points / sizeof *points)
#define TIMEOUT 1

/* A client that asks a point a few times, as the code under test does, and keeps the answers. */
struct asker {
    const char *point;
    int answers[3];
};

static void ask(struct ob_client *client, void *arg)
{
    struct asker *asker = arg;
    const struct ob_op op = {.kind = OB_OP_CALL, .text = "ask"};
    for (size_t i = 0; i < sizeof asker->answers / sizeof *asker->answers; i++) {
        struct ob_reply reply;
        ob_client_do(client, &op, &reply);
        asker->answers[i] = (int)fiu_fail(asker->point);
    }
}

struct asking {
    struct ob_scene scene;
    struct ob_faults *faults;
    struct asker askers[2];
    struct ob_run_client clients[2];
};

static int open_asking(void **state)
{
    static struct asking asking;
    struct ob_error err;
    memset(&asking, 0, sizeof asking);
    ob_scene_open(&asking.scene, (struct ob_model_options){.session_count = 2}, NULL);
    for (size_t i = 0; i < 2; i++)
        asking.clients[i] = (struct ob_run_client){
            .name = i == 0 ? "ann" : "bob", .body = ask, .arg = &asking.askers[i]};
    assert_int_equal(ob_faults_open(points, POINT_COUNT, &asking.faults, &err), OB_OK);
    struct ob_run_spec *spec = &asking.scene.spec;
    spec->clients = asking.clients;
    spec->client_count = 2;
    spec->fault_points = ob_faults_points(asking.faults);
    spec->fault_point_count = POINT_COUNT;
    spec->fault_budget = 2;
    *state = &asking;
    return 0;
}

static int close_asking(void **state)
{
    struct asking *asking = *state;
    ob_faults_close(asking->faults);
    ob_scene_close(&asking->scene);
    return 0;
}

static void run(struct asking *asking, const char *point, const struct ob_fault *faults,
                size_t fault_count)
{
    struct ob_schedule schedule = {0};
    for (size_t i = 0; i < fault_count; i++)
        ob_schedule_add_fault(&schedule, faults[i]);
    struct ob_follower follower = {.schedule = &schedule, .prefix = true};
    for (size_t i = 0; i < 2; i++)
        asking->askers[i] = (struct asker){.point = point};
    assert_int_equal(ob_scene_choose(&asking->scene, ob_follower_chooser(&follower)), OB_OK);
    assert_int_equal(asking->scene.trace.end, OB_RUN_FINISHED);
    ob_schedule_clear(&schedule);
}

static void a_point_fails_where_the_schedule_says(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault fault = {.point = TIMEOUT, .client = 1, .hit = 1, .way = 1};
    run(asking, "psp/timeout", &fault, 1);
    const int *ann = asking->askers[0].answers, *bob = asking->askers[1].answers;
    assert_int_equal(ann[0] + ann[1] + ann[2], 0);
    assert_int_equal(bob[0], 0);
    assert_int_equal(bob[1], 1);
    assert_int_equal(bob[2], 0);
    assert_int_equal(asking->scene.trace.schedule.fault_count, 1);
}

static void a_point_with_two_ways_tells_which(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault faults[] = {{.point = TIMEOUT, .client = 0, .hit = 0, .way = 2},
                                      {.point = TIMEOUT, .client = 0, .hit = 2, .way = 1}};
    run(asking, "psp/timeout", faults, 2);
    const int *ann = asking->askers[0].answers;
    assert_int_equal(ann[0], 2);
    assert_int_equal(ann[1], 0);
    assert_int_equal(ann[2], 1);
}

static void the_points_have_the_ways_that_the_reference_knows(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault_point *list = ob_faults_points(asking->faults);
    for (size_t i = 0; i < POINT_COUNT; i++)
        assert_string_equal(list[i].name, points[i]);
    assert_int_equal(list[0].ways, 1);
    assert_int_equal(list[1].ways, 2);
    assert_int_equal(list[2].ways, 2);
}

static void a_way_that_a_point_does_not_have_is_no_fault(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault fault = {.point = 0, .client = 0, .hit = 0, .way = 2};
    run(asking, "session/killed", &fault, 1);
    assert_int_equal(asking->askers[0].answers[0], 0);
    assert_int_equal(asking->scene.trace.schedule.fault_count, 0);
}

static void the_budget_is_kept(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault faults[] = {{.point = TIMEOUT, .client = 0, .hit = 0, .way = 1},
                                      {.point = TIMEOUT, .client = 0, .hit = 1, .way = 1},
                                      {.point = TIMEOUT, .client = 0, .hit = 2, .way = 1}};
    run(asking, "psp/timeout", faults, 3);
    const int *ann = asking->askers[0].answers;
    assert_int_equal(ann[0], 1);
    assert_int_equal(ann[1], 1);
    assert_int_equal(ann[2], 0);
}

static void a_point_that_is_not_listed_never_fails(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault fault = {.point = TIMEOUT, .client = 0, .hit = 0, .way = 1};
    run(asking, "worker/crash", &fault, 1);
    assert_int_equal(asking->askers[0].answers[0], 0);
}

static void nothing_fails_outside_a_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < POINT_COUNT; i++)
        assert_int_equal(fiu_fail(points[i]), 0);
}

static void closed_points_fail_no_more_and_can_be_opened_again(void **state)
{
    struct asking *asking = *state;
    const struct ob_fault fault = {.point = TIMEOUT, .client = 0, .hit = 0, .way = 1};
    struct ob_error err;
    ob_faults_close(asking->faults);
    asking->faults = NULL;
    asking->scene.spec.fault_point_count = 0;
    run(asking, "psp/timeout", &fault, 1);
    assert_int_equal(asking->askers[0].answers[0], 0);
    assert_int_equal(ob_faults_open(points, POINT_COUNT, &asking->faults, &err), OB_OK);
    asking->scene.spec.fault_points = ob_faults_points(asking->faults);
    asking->scene.spec.fault_point_count = POINT_COUNT;
    run(asking, "psp/timeout", &fault, 1);
    assert_int_equal(asking->askers[0].answers[0], 1);
}

static void a_set_without_points_is_one_too(void **state)
{
    (void)state;
    struct ob_faults *none = NULL;
    struct ob_error err;
    assert_int_equal(ob_faults_open(NULL, 0, &none, &err), OB_OK);
    ob_faults_close(none);
    ob_faults_close(NULL);
}

#define WITH_FAULTS(test) cmocka_unit_test_setup_teardown(test, open_asking, close_asking)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FAULTS(a_point_fails_where_the_schedule_says),
        WITH_FAULTS(a_point_with_two_ways_tells_which),
        WITH_FAULTS(the_points_have_the_ways_that_the_reference_knows),
        WITH_FAULTS(a_way_that_a_point_does_not_have_is_no_fault),
        WITH_FAULTS(the_budget_is_kept),
        WITH_FAULTS(a_point_that_is_not_listed_never_fails),
        WITH_FAULTS(nothing_fails_outside_a_client),
        WITH_FAULTS(closed_points_fail_no_more_and_can_be_opened_again),
        cmocka_unit_test(a_set_without_points_is_one_too),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
