/* Recorded runs made again on the model, as they were and with something changed. */
#include "repro/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/model/scene.h"

static const struct ob_fault_point points[] = {{.name = "psp/timeout", .ways = 2}};

/* A rig over a scene of two clients who change one row. */
struct fixture {
    struct ob_scene scene;
    struct ob_check *check;
    struct ob_query_port port;
    struct ob_rig rig;
    struct ob_error err;
};

static enum ob_result nothing_offends(void *self, const char *sql, int param_count,
                                      const char *const *params, struct ob_arena *arena,
                                      struct ob_rows *out, struct ob_error *err)
{
    (void)self, (void)sql, (void)param_count, (void)params, (void)arena, (void)err;
    *out = (struct ob_rows){.column_count = 2};
    return OB_OK;
}

static enum ob_result reset(void *self, struct ob_error *err)
{
    struct ob_scene *scene = self;
    return scene->place.reset(scene->place.self, err);
}

static void finish(void *self, struct ob_trace *trace)
{
    (void)self, (void)trace;
}

static enum ob_result digest(void *self, uint64_t *out, struct ob_error *err)
{
    struct ob_scene *scene = self;
    (void)err;
    *out = ob_model_digest(scene->model);
    return OB_OK;
}

static int64_t no_time(void *self)
{
    (void)self;
    return 0;
}

static const struct ob_check_item items[] = {{.name = "fine", .sql = "SELECT"}};

static void open_rig(struct fixture *f, const char *const *ann, const char *const *bob)
{
    *f = (struct fixture){.port = {.query = nothing_offends}};
    ob_scene_open(&f->scene, (struct ob_model_options){0}, NULL);
    ob_model_put(f->scene.model, "x", 1);
    ob_scene_add(&f->scene, "ann", ann);
    ob_scene_add(&f->scene, "bob", bob);
    f->scene.spec.fault_points = points;
    f->scene.spec.fault_point_count = 1;
    f->scene.spec.fault_budget = 1;
    f->check = ob_check_new(items, 1, &f->port);
    f->rig = (struct ob_rig){
        .engine = f->scene.engine,
        .check = f->check,
        .client_names = f->scene.names,
        .spec = f->scene.spec,
        .self = &f->scene,
        .reset = reset,
        .finish = finish,
        .digest = digest,
        .monotonic_us = no_time,
    };
}

static void close_rig(struct fixture *f)
{
    ob_check_free(f->check);
    ob_scene_close(&f->scene);
}

static const char *const ann[] = {"begin", "set x 5", "fault 0", "commit", NULL};
static const char *const bob[] = {"read x", "set x 7", NULL};

/* The token of the run in which the steps go to these clients. */
static struct ob_token record(struct fixture *f, const char *clients)
{
    struct ob_token token = {0};
    assert_int_equal(ob_scene_run(&f->scene, clients), OB_OK);
    const struct ob_trace *trace = &f->scene.trace;
    uint64_t *digests = ob_alloc(trace->step_count * sizeof *digests);
    for (size_t i = 0; i < trace->step_count; i++)
        digests[i] = ob_trace_step_digest(trace, i);
    ob_token_record(&token, &trace->schedule, digests);
    free(digests);
    return token;
}

static struct ob_token recorded(const char *clients)
{
    struct fixture f;
    open_rig(&f, ann, bob);
    struct ob_token token = record(&f, clients);
    close_rig(&f);
    return token;
}

static void assert_replay(struct fixture *f, const struct ob_token *token, bool diverged,
                          size_t step, const char *why)
{
    struct ob_replay replay;
    assert_int_equal(ob_replay_run(&f->rig, token, false, &replay, &f->err), OB_OK);
    assert_string_equal(replay.why, why);
    assert_int_equal(replay.diverged, diverged);
    if (diverged)
        assert_int_equal(replay.step, step);
    ob_replay_clear(&replay);
}

/* The recorded run, with what ann does now. */
static void assert_changed(const char *const *ann_now, size_t step, const char *why)
{
    struct fixture f;
    struct ob_token token = recorded("01010");
    open_rig(&f, ann_now, bob);
    assert_replay(&f, &token, true, step, why);
    ob_token_clear(&token);
    close_rig(&f);
}

static void the_same_code_gives_the_same_run_again_and_again(void **state)
{
    (void)state;
    struct fixture f;
    static const char *const schedules[] = {"", "00011", "11000", "01010"};
    open_rig(&f, ann, bob);
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        struct ob_token token = record(&f, schedules[i]);
        assert_replay(&f, &token, false, 0, "");
        assert_replay(&f, &token, false, 0, "");
        ob_token_clear(&token);
    }
    close_rig(&f);
}

static void another_statement_is_named_by_its_step(void **state)
{
    (void)state;
    static const char *const now[] = {"begin", "set x 6", "fault 0", "commit", NULL};
    assert_changed(now, 2, "step 3 of \"ann\" went another way than recorded");
}

static void another_answer_is_a_divergence(void **state)
{
    (void)state;
    struct fixture f;
    struct ob_token token = recorded("01010");
    open_rig(&f, ann, bob);
    ob_model_put(f.scene.model, "x", 2);
    assert_replay(&f, &token, true, 1, "step 2 of \"bob\" went another way than recorded");
    ob_token_clear(&token);
    close_rig(&f);
}

static void an_event_that_is_new_is_a_divergence(void **state)
{
    (void)state;
    static const char *const now[] = {"begin", "set x 5", "fault 0", "commit", "say done", NULL};
    assert_changed(now, 4, "step 5 of \"ann\" went another way than recorded");
}

static void a_client_that_ends_early_cannot_move(void **state)
{
    (void)state;
    static const char *const now[] = {"begin", NULL};
    struct fixture f;
    struct ob_token token = recorded("00011");
    open_rig(&f, now, bob);
    assert_replay(&f, &token, true, 1, "at step 2 \"ann\" should move, and cannot");
    ob_token_clear(&token);
    close_rig(&f);
}

static void a_run_that_goes_on_after_its_record_is_a_divergence(void **state)
{
    (void)state;
    static const char *const now[] = {"begin", "set x 5", "fault 0", "commit", "read x", NULL};
    assert_changed(now, 5, "after step 5 the record ends, and the run goes on");
}

static void a_run_that_ends_before_its_record_is_a_divergence(void **state)
{
    (void)state;
    struct fixture f;
    struct ob_token token = recorded("");
    uint16_t *checks = token.checks;
    token.checks = ob_alloc((token.schedule.step_count + 1) * sizeof *checks);
    memcpy(token.checks, checks, token.schedule.step_count * sizeof *checks);
    free(checks);
    ob_schedule_add_step(&token.schedule, 1);
    open_rig(&f, ann, bob);
    assert_replay(&f, &token, true, 5, "the run ended after 5 steps of the 6 recorded");
    ob_token_clear(&token);
    close_rig(&f);
}

/* Where the record cannot be followed, the rest of it still is, as far as that can be done. */
static void one_that_continues_comes_to_the_runs_end(void **state)
{
    (void)state;
    static const char *const now[] = {"begin", "read x", NULL};
    struct fixture f;
    struct ob_replay replay;
    struct ob_token token = recorded("00011");
    open_rig(&f, now, bob);
    assert_int_equal(ob_replay_run(&f.rig, &token, true, &replay, &f.err), OB_OK);
    assert_true(replay.diverged);
    assert_true(replay.went_on);
    assert_int_equal(replay.step, 1);
    assert_string_equal(replay.why, "step 2 of \"ann\" went another way than recorded");
    assert_int_equal(replay.trace.end, OB_RUN_FINISHED);
    assert_int_equal(replay.trace.step_count, 4);
    assert_memory_equal(replay.trace.schedule.clients, ((uint8_t[]){0, 0, 1, 1}), 4);
    ob_replay_clear(&replay);
    ob_token_clear(&token);
    close_rig(&f);
}

static void one_that_continues_goes_on_after_the_records_end(void **state)
{
    (void)state;
    static const char *const now[] = {"begin", "set x 5", "fault 0", "commit", "read x", NULL};
    struct fixture f;
    struct ob_replay replay;
    struct ob_token token = recorded("01010");
    open_rig(&f, now, bob);
    assert_int_equal(ob_replay_run(&f.rig, &token, true, &replay, &f.err), OB_OK);
    assert_string_equal(replay.why, "after step 5 the record ends, and the run goes on");
    assert_int_equal(replay.trace.end, OB_RUN_FINISHED);
    assert_int_equal(replay.trace.step_count, 6);
    ob_replay_clear(&replay);
    ob_token_clear(&token);
    close_rig(&f);
}

static void one_that_continues_and_can_be_followed_is_the_same(void **state)
{
    (void)state;
    struct fixture f;
    struct ob_replay replay;
    open_rig(&f, ann, bob);
    struct ob_token token = record(&f, "01010");
    assert_int_equal(ob_replay_run(&f.rig, &token, true, &replay, &f.err), OB_OK);
    assert_false(replay.diverged);
    assert_false(replay.went_on);
    ob_replay_clear(&replay);
    ob_token_clear(&token);
    close_rig(&f);
}

static void the_recorded_fault_happens_again_and_no_other(void **state)
{
    (void)state;
    struct fixture f;
    open_rig(&f, ann, bob);
    struct ob_token token = record(&f, "00011");
    ob_schedule_add_fault(&token.schedule, (struct ob_fault){.point = 0, .client = 0, .way = 2});
    struct ob_replay replay;
    assert_int_equal(ob_replay_run(&f.rig, &token, false, &replay, &f.err), OB_OK);
    assert_true(replay.diverged); /* the record was without */
    assert_int_equal(replay.trace.schedule.fault_count, 1);
    assert_int_equal(replay.trace.schedule.faults[0].way, 2);
    ob_replay_clear(&replay);
    ob_token_clear(&token);
    close_rig(&f);
}

static void a_token_of_other_clients_faults_or_programs_is_refused(void **state)
{
    (void)state;
    static const struct ob_fault faults[] = {
        {.point = 1, .way = 1}, {.client = 2, .way = 1}, {.way = 0}, {.way = 3}};
    struct fixture f;
    struct ob_replay replay;
    open_rig(&f, ann, bob);
    struct ob_token token = record(&f, "");
    token.schedule.clients[1] = 2;
    assert_int_equal(ob_replay_run(&f.rig, &token, false, &replay, &f.err), OB_INPUT);
    ob_token_clear(&token);
    token = record(&f, "");
    token.schedule.program = 1;
    assert_int_equal(ob_replay_run(&f.rig, &token, false, &replay, &f.err), OB_INPUT);
    ob_token_clear(&token);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        token = record(&f, "");
        ob_schedule_add_fault(&token.schedule, faults[i]);
        assert_int_equal(ob_replay_run(&f.rig, &token, false, &replay, &f.err), OB_INPUT);
        assert_string_equal(f.err.message,
                            "the token names clients, faults or a program that its scenario "
                            "has not");
        ob_token_clear(&token);
    }
    close_rig(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_code_gives_the_same_run_again_and_again),
        cmocka_unit_test(another_statement_is_named_by_its_step),
        cmocka_unit_test(another_answer_is_a_divergence),
        cmocka_unit_test(an_event_that_is_new_is_a_divergence),
        cmocka_unit_test(a_client_that_ends_early_cannot_move),
        cmocka_unit_test(a_run_that_goes_on_after_its_record_is_a_divergence),
        cmocka_unit_test(a_run_that_ends_before_its_record_is_a_divergence),
        cmocka_unit_test(one_that_continues_comes_to_the_runs_end),
        cmocka_unit_test(one_that_continues_goes_on_after_the_records_end),
        cmocka_unit_test(one_that_continues_and_can_be_followed_is_the_same),
        cmocka_unit_test(the_recorded_fault_happens_again_and_no_other),
        cmocka_unit_test(a_token_of_other_clients_faults_or_programs_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
