/*
 * Rigs and explorations, on the model: ann and bob each set x, and what the invariants complain
 * about depends on who was last.
 */
#include "explore/explore.h"

#include "explore/follower.h"
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANN_LAST, BOB_LAST, NEITHER, ANN_COMMITS, ITEM_COUNT };

/* The port below looks for these words instead of understanding SQL. */
static const struct ob_check_item items[ITEM_COUNT] = {
    [ANN_LAST] = {.name = "ann-is-not-last", .sql = "SELECT x_is_1"},
    [BOB_LAST] = {.name = "bob-is-not-last", .sql = "SELECT x_is_2"},
    [NEITHER] = {.name = "x-is-known", .sql = "SELECT x_is_99"},
    [ANN_COMMITS] = {.name = "ann-never-commits", .sql = "SELECT x_is_1 now", .after_commit = true},
};

struct setting {
    struct ob_scene scene;
    struct ob_query_port port;
    struct ob_check *check;
    struct ob_rig rig;
    struct ob_error err;
    size_t item_count;
    unsigned resets, finishes, queries;
    bool check_fails, drifts;
    unsigned complaints_max; /* the invariants complain so often; 0: always */
    unsigned complaints;
};

static enum ob_result query(void *self, const char *sql, int param_count, const char *const *params,
                            struct ob_arena *arena, struct ob_rows *out, struct ob_error *err)
{
    struct setting *setting = self;
    (void)param_count;
    (void)params;
    setting->queries++;
    if (setting->check_fails)
        return ob_error_set(err, OB_SQL, "there is no such table");
    const char **cells = ob_arena_alloc(arena, 2 * ITEM_COUNT * sizeof *cells);
    int64_t x = ob_model_value(setting->scene.model, "x", -1);
    bool after_commit = strstr(sql, "x_is_99") == NULL;
    size_t count = 0;
    for (size_t i = 0; i < setting->item_count; i++) {
        bool broken = (i == BOB_LAST ? 2 : i == NEITHER ? 99 : 1) == x;
        if (broken && setting->complaints_max > 0)
            broken = setting->complaints++ < setting->complaints_max;
        if (!broken || (after_commit && !items[i].after_commit))
            continue;
        cells[2 * count] = ob_arena_printf(arena, "%zu", i);
        cells[2 * count++ + 1] = ob_arena_printf(arena, "{\"x\": %d}", (int)x);
    }
    *out = (struct ob_rows){.row_count = count, .column_count = 2, .cells = cells};
    return OB_OK;
}

static enum ob_result reset(void *self, struct ob_error *err)
{
    struct setting *setting = self;
    setting->resets++;
    if (setting->drifts)
        ob_model_put(setting->scene.model, "y", setting->resets);
    return setting->scene.place.reset(setting->scene.place.self, err);
}

static void finish(void *self, struct ob_trace *trace)
{
    struct setting *setting = self;
    setting->finishes++;
    ob_trace_add_event(trace, OB_NO_CLIENT, "end", "{}");
}

static enum ob_result digest(void *self, uint64_t *out, struct ob_error *err)
{
    struct setting *setting = self;
    (void)err;
    *out = ob_model_digest(setting->scene.model);
    return OB_OK;
}

static int64_t monotonic_us(void *self)
{
    struct setting *setting = self;
    struct ob_ports ports = ob_model_ports(setting->scene.model);
    return ports.monotonic_us(ports.self);
}

/* A setting in which clients still have to be added. */
static void open_setting(struct setting *setting, const struct ob_limits *limits,
                         struct ob_model_options options)
{
    *setting = (struct setting){.item_count = ITEM_COUNT - 1};
    ob_scene_open(&setting->scene, options, limits);
    ob_model_put(setting->scene.model, "x", 0);
    ob_model_put(setting->scene.model, "y", 0);
}

static void add_writers(struct setting *setting)
{
    OB_SCENE_ADD(&setting->scene, "ann", "begin", "read y", "set x 1", "commit");
    OB_SCENE_ADD(&setting->scene, "bob", "begin", "read y", "set x 2", "commit");
}

static void build_rig(struct setting *setting)
{
    setting->port = (struct ob_query_port){.self = setting, .query = query};
    setting->check = ob_check_new(items, setting->item_count, &setting->port);
    setting->rig = (struct ob_rig){
        .engine = setting->scene.engine,
        .check = setting->check,
        .client_names = setting->scene.names,
        .spec = setting->scene.spec,
        .self = setting,
        .reset = reset,
        .finish = finish,
        .digest = digest,
        .monotonic_us = monotonic_us,
    };
}

static void set_up(struct setting *setting)
{
    open_setting(setting, NULL, (struct ob_model_options){0});
    add_writers(setting);
    build_rig(setting);
}

static void tear_down(struct setting *setting)
{
    assert_int_equal(ob_model_results_alive(setting->scene.model), 0);
    ob_check_free(setting->check);
    ob_scene_close(&setting->scene);
}

static const struct ob_explore_options exhaustive = {
    .strategy = OB_STRATEGY_EXHAUSTIVE, .runs_max = 1000, .budget_us = INT64_MAX};

static void the_first_violation_ends_the_exploration_and_is_replayed(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 1); /* ann does all, then bob, who is last */
    assert_int_equal(found.steps, 8);
    assert_false(found.exhausted);
    assert_int_equal(found.finding_count, 1);
    const struct ob_finding *finding = &found.findings[0];
    assert_int_equal(finding->item, BOB_LAST);
    assert_int_equal(finding->run, 1);
    assert_int_equal(finding->clients, 2);
    assert_int_equal(finding->preemptions, 0);
    assert_int_equal(finding->schedule.step_count, 8);
    assert_int_equal(finding->replays, OB_REPLAYS);
    assert_int_equal(finding->replays_same, OB_REPLAYS);
    assert_null(finding->divergence);
    assert_false(finding->uncontrolled);
    assert_non_null(strstr(finding->rows, "2"));
    assert_non_null(strstr(finding->trace, "  1 ann        begin    begin  -> 0 rows\n"));
    assert_non_null(strstr(finding->trace, "end: finished\n"));
    assert_int_equal(setting.resets, 1 + OB_REPLAYS);
    assert_int_equal(setting.finishes, 1 + OB_REPLAYS);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void going_on_exhausts_all_and_keeps_the_first_of_each(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    struct ob_explore_options options = exhaustive;
    options.keep_going = true;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 50);
    assert_int_equal(found.outcomes, 2);
    assert_int_equal(found.classes, 50);
    assert_true(found.exhausted);
    assert_false(found.counts_are_bounds);
    assert_false(found.stopped);
    assert_int_equal(found.inconclusive, OB_RUN_FINISHED);
    assert_int_equal(found.finding_count, 2);
    assert_int_equal(found.findings[0].item, BOB_LAST);
    assert_int_equal(found.findings[1].item, ANN_LAST);
    assert_true(found.findings[1].run > 1 && found.findings[1].run < 50);
    assert_int_equal(setting.resets, 50 + 2 * OB_REPLAYS);
    assert_true(found.total_us > 0);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void one_goes_on_until_the_expected_violation(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    struct ob_explore_options options = exhaustive;
    options.until = "ann-is-not-last";
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.finding_count, 2);
    assert_int_equal(found.findings[1].item, ANN_LAST);
    assert_int_equal(found.runs, found.findings[1].run);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

/* Number 0 lets bob commit while he waits for ann; in number 1 he comes after her. */
static const struct ob_order *get_order(void *self, uint64_t number)
{
    static const struct ob_launch ann = {.name = "a", .client = 0},
                                  bob = {.name = "b", .client = 1};
    static struct ob_launch launches[2][8];
    static const char *const clients[] = {"00011111", "00001111"};
    static struct ob_order order = {.count = 8};
    (void)self;
    for (size_t i = 0; number < 2 && i < order.count; i++)
        launches[number][i] = clients[number][i] == '0' ? ann : bob;
    order.launches = number < 2 ? launches[number] : NULL;
    return number < 2 ? &order : NULL;
}

static void an_order_that_cannot_be_followed_is_passed_over(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    setting.rig.orders = (struct ob_orders){.get = get_order};
    struct ob_explore_options options = exhaustive;
    options.strategy = OB_STRATEGY_PERMUTATIONS;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 2);
    assert_int_equal(found.passed_over, 1);
    assert_string_equal(found.passed_over_why,
                        "in run 1 \"b\" is due while \"bob\" is still in \"b\"");
    assert_int_equal(found.inconclusive, OB_RUN_FINISHED);
    assert_int_equal(found.finding_count, 1);
    assert_int_equal(found.findings[0].run, 2);
    assert_int_equal(found.findings[0].replays_same, OB_REPLAYS);
    assert_false(found.exhausted);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static bool third_is_enough(void *arg, const struct ob_explored *explored)
{
    unsigned *calls = arg;
    assert_int_equal(explored->runs, ++*calls);
    assert_true(explored->findings >= 1);
    assert_true(explored->share == (double)explored->runs / 7);
    return explored->runs < 3;
}

static void runs_time_and_progress_are_limits(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    struct ob_explore_options options = exhaustive;
    options.keep_going = true;
    options.runs_max = 7;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 7);
    assert_false(found.exhausted);
    ob_exploration_clear(&found);

    options.budget_us = 0;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 0);
    ob_exploration_clear(&found);

    unsigned calls = 0;
    options.budget_us = INT64_MAX;
    options.progress = third_is_enough;
    options.progress_arg = &calls;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 3);
    assert_true(found.stopped);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void an_invariant_that_holds_is_no_finding(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    OB_SCENE_ADD(&setting.scene, "ann", "begin", "set x 5", "commit");
    OB_SCENE_ADD(&setting.scene, "bob", "begin", "set x 6", "commit");
    build_rig(&setting);
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_int_equal(found.finding_count, 0);
    assert_true(found.exhausted);
    assert_int_equal(found.runs, found.classes);
    assert_int_equal(setting.queries, found.runs);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_check_after_commit_names_the_commit(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_trace trace;
    struct ob_run_outcome outcome;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    add_writers(&setting);
    setting.item_count = ITEM_COUNT;
    build_rig(&setting);
    ob_trace_init(&trace);
    uint8_t clients[] = {1, 0, 0, 0, 0, 1, 1, 1};
    struct ob_schedule schedule = {.clients = clients, .step_count = 8};
    struct ob_follower follower = {.schedule = &schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    assert_int_equal(ob_rig_run(&setting.rig, &chooser, false, &trace, &outcome, &setting.err),
                     OB_OK);
    assert_int_equal(outcome.broken_count, 2);
    assert_int_equal(outcome.broken[0].item, ANN_COMMITS);
    assert_int_equal(outcome.broken[0].step, 4);
    assert_int_equal(outcome.broken[1].item, BOB_LAST);
    assert_true(outcome.broken[1].step == OB_BEFORE_ALL);
    assert_true(setting.rig.reset_us >= 0 && setting.rig.settle_us > 0);
    assert_true(setting.rig.check_us > 0);
    ob_trace_clear(&trace);
    tear_down(&setting);
}

/* The step after which ann-never-commits was seen broken. */
static size_t seen_after(struct setting *setting, uint8_t *clients, size_t count)
{
    struct ob_trace trace;
    struct ob_run_outcome outcome;
    setting->item_count = ITEM_COUNT;
    build_rig(setting);
    ob_trace_init(&trace);
    struct ob_schedule schedule = {.clients = clients, .step_count = count};
    struct ob_follower follower = {.schedule = &schedule, .prefix = true};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    assert_int_equal(ob_rig_run(&setting->rig, &chooser, false, &trace, &outcome, &setting->err),
                     OB_OK);
    assert_true(outcome.broken_count >= 1);
    assert_int_equal(outcome.broken[0].item, ANN_COMMITS);
    size_t step = outcome.broken[0].step;
    ob_trace_clear(&trace);
    return step;
}

static void a_statement_that_commits_by_itself_is_checked(void **state)
{
    (void)state;
    struct setting setting;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    OB_SCENE_ADD(&setting.scene, "ann", "read y", "set x 1");
    OB_SCENE_ADD(&setting.scene, "bob", "set x 2");
    assert_int_equal(seen_after(&setting, (uint8_t[]){0, 0, 1}, 3), 1);
    tear_down(&setting);
}

static void a_commit_that_another_client_s_step_lets_through_is_checked(void **state)
{
    (void)state;
    struct setting setting;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    OB_SCENE_ADD(&setting.scene, "ann", "set x 1");
    OB_SCENE_ADD(&setting.scene, "bob", "begin", "lock x", "rollback", "set x 2");
    assert_int_equal(seen_after(&setting, (uint8_t[]){1, 1, 0, 1, 1}, 5), 3);
    tear_down(&setting);
}

static void a_check_that_fails_to_run_is_an_error(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    setting.check_fails = true;
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_SQL);
    assert_int_equal(found.finding_count, 0);
    assert_false(found.exhausted);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_run_that_proves_nothing_ends_the_exploration_unchecked(void **state)
{
    (void)state;
    struct ob_limits limits = ob_limits_default();
    limits.steps_max = 5;
    struct setting setting;
    struct ob_exploration found;
    open_setting(&setting, &limits, (struct ob_model_options){0});
    add_writers(&setting);
    build_rig(&setting);
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_int_equal(found.inconclusive, OB_RUN_STEP_LIMIT);
    assert_string_equal(found.reason, "the clients still had operations to do");
    assert_int_equal(found.runs, 1);
    assert_false(found.exhausted);
    assert_int_equal(setting.queries, 0);
    assert_int_equal(setting.finishes, 0);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_replay_that_differs_is_told(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    setting.drifts = true;
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_int_equal(found.finding_count, 1);
    assert_int_equal(found.findings[0].replays, OB_REPLAYS);
    assert_int_equal(found.findings[0].replays_same, 0);
    assert_non_null(strstr(found.findings[0].divergence, "step 2: the answers differ\n"));
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_replay_that_breaks_nothing_is_not_the_same(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    setting.complaints_max = 4;
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_int_equal(found.finding_count, 1);
    assert_int_equal(found.findings[0].replays, OB_REPLAYS);
    assert_int_equal(found.findings[0].replays_same, 3);
    assert_string_equal(found.findings[0].divergence,
                        "each step was the same, and bob-is-not-last is not broken\n");
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_tree_that_changes_with_as_many_branches_is_not_exhausted(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    OB_SCENE_ADD(&setting.scene, "ann", "read y", "set x 5");
    OB_SCENE_ADD(&setting.scene, "bob", "read x");
    build_rig(&setting);
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_true(found.exhausted && !found.changed);
    ob_exploration_clear(&found);
    setting.drifts = true;
    assert_int_equal(ob_explore(&setting.rig, &exhaustive, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 3);
    assert_int_equal(found.finding_count, 0);
    assert_true(found.changed && !found.exhausted);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void what_was_left_to_the_server_is_not_exhausted(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    OB_SCENE_ADD(&setting.scene, "ann", "begin", "set x 1", "commit");
    OB_SCENE_ADD(&setting.scene, "bob", "set x 2");
    OB_SCENE_ADD(&setting.scene, "cat", "set x 3");
    build_rig(&setting);
    struct ob_explore_options options = exhaustive;
    options.keep_going = true;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_true(found.uncontrolled_runs > 0 && found.uncontrolled_runs < found.runs);
    assert_true(found.runs < 1000);
    assert_false(found.exhausted);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_run_is_made_again_with_care_where_the_engine_asks(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_trace trace;
    struct ob_run_outcome outcome;
    open_setting(&setting, NULL, (struct ob_model_options){0});
    ob_model_put(setting.scene.model, "z", 0);
    OB_SCENE_ADD(&setting.scene, "ann", "begin", "lock x", "rollback");
    OB_SCENE_ADD(&setting.scene, "bob", "begin", "lock y", "lock x; lock z", "rollback");
    OB_SCENE_ADD(&setting.scene, "cat", "begin", "lock z", "lock y", "rollback");
    build_rig(&setting);
    ob_trace_init(&trace);
    uint8_t clients[] = {0, 0, 1, 1, 2, 2, 1, 2, 0};
    struct ob_schedule schedule = {.clients = clients, .step_count = sizeof clients};
    struct ob_follower follower = {.schedule = &schedule, .prefix = true};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    assert_int_equal(ob_rig_run(&setting.rig, &chooser, false, &trace, &outcome, &setting.err),
                     OB_OK);
    assert_int_equal(trace.end, OB_RUN_FINISHED);
    assert_int_equal(setting.resets, 2);
    assert_int_equal(setting.finishes, 1);
    assert_string_equal(trace.steps[8].completions[1].sqlstate, "40P01");
    ob_trace_clear(&trace);
    tear_down(&setting);
}

static struct ob_explore_options keep_going_by(enum ob_strategy_kind strategy, uint64_t runs)
{
    return (struct ob_explore_options){
        .strategy = strategy, .runs_max = runs, .budget_us = INT64_MAX, .keep_going = true};
}

static void a_bound_ends_the_exploration_by_itself(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    struct ob_explore_options options = keep_going_by(OB_STRATEGY_BOUNDED, 1000);
    const unsigned none = 0, all = 1000;
    options.argument = &none;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 2);
    assert_true(found.within_bound);
    assert_false(found.exhausted);
    assert_false(found.sampled);
    ob_exploration_clear(&found);

    options.argument = &all;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 50);
    assert_true(found.within_bound);
    assert_true(found.exhausted);
    ob_exploration_clear(&found);

    options.runs_max = 49;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_false(found.within_bound);
    assert_false(found.exhausted);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

/* There are 50 schedules, each a class of its own: after a few runs many are unseen, after many
 * none is. */
static void samples_tell_how_much_is_unseen(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++) {
        if (kind != OB_STRATEGY_RANDOM && kind != OB_STRATEGY_POS && kind != OB_STRATEGY_URW)
            continue;
        struct ob_explore_options options = keep_going_by((enum ob_strategy_kind)kind, 10);
        assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
        assert_true(found.sampled);
        assert_true(found.classes_once >= 4 && found.classes_once <= found.classes);
        ob_exploration_clear(&found);
        options.runs_max = 3000;
        assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
        assert_int_equal(found.classes, 50);
        assert_int_equal(found.classes_once, 0);
        assert_int_equal(found.outcomes_once, 0);
        ob_exploration_clear(&found);
    }
    tear_down(&setting);
}

static void pct_promises_where_the_target_bounds_its_steps(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    set_up(&setting);
    struct ob_explore_options options = keep_going_by(OB_STRATEGY_PCT, 80);
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_false(found.promised);
    ob_exploration_clear(&found);
    setting.rig.steps_max = 8;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_true(found.promised);
    assert_int_equal(found.promise.runs, 80);
    assert_int_equal(found.promise.steps, 8);
    ob_exploration_clear(&found);
    tear_down(&setting);

    /* Three who want one row: the server chooses who is woken. */
    open_setting(&setting, NULL, (struct ob_model_options){0});
    OB_SCENE_ADD(&setting.scene, "ann", "begin", "set x 1", "commit");
    OB_SCENE_ADD(&setting.scene, "bob", "set x 2");
    OB_SCENE_ADD(&setting.scene, "cat", "set x 3");
    build_rig(&setting);
    setting.rig.steps_max = 5;
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_true(found.uncontrolled_runs > 0);
    assert_false(found.promised);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void stress_races_and_does_not_replay(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_exploration found;
    open_setting(&setting, NULL, (struct ob_model_options){.racing = true});
    add_writers(&setting);
    build_rig(&setting);
    struct ob_explore_options options = {
        .strategy = OB_STRATEGY_STRESS, .runs_max = 30, .budget_us = INT64_MAX, .keep_going = true};
    assert_int_equal(ob_explore(&setting.rig, &options, &found, &setting.err), OB_OK);
    assert_int_equal(found.runs, 30);
    assert_true(found.finding_count >= 1);
    assert_int_equal(found.findings[0].replays, 0);
    assert_int_equal(setting.resets, 30);
    ob_exploration_clear(&found);
    tear_down(&setting);
}

static void a_switch_counts_as_a_preemption_only_where_one_could_have_gone_on(void **state)
{
    (void)state;
    static const struct {
        size_t client;
        ob_client_set enabled;
    } steps[] = {{0, 3}, {0, 3}, {1, 3}, {0, 3}, {1, 2}, {1, 2}};
    struct ob_trace trace;
    ob_trace_init(&trace);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct ob_step *step = ob_trace_add_step(&trace);
        step->client = steps[i].client;
        step->enabled = steps[i].enabled;
    }
    assert_int_equal(ob_run_size(&trace).preemptions, 2);
    ob_trace_clear(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_violation_ends_the_exploration_and_is_replayed),
        cmocka_unit_test(going_on_exhausts_all_and_keeps_the_first_of_each),
        cmocka_unit_test(one_goes_on_until_the_expected_violation),
        cmocka_unit_test(an_order_that_cannot_be_followed_is_passed_over),
        cmocka_unit_test(runs_time_and_progress_are_limits),
        cmocka_unit_test(an_invariant_that_holds_is_no_finding),
        cmocka_unit_test(a_check_after_commit_names_the_commit),
        cmocka_unit_test(a_statement_that_commits_by_itself_is_checked),
        cmocka_unit_test(a_commit_that_another_client_s_step_lets_through_is_checked),
        cmocka_unit_test(a_check_that_fails_to_run_is_an_error),
        cmocka_unit_test(a_run_that_proves_nothing_ends_the_exploration_unchecked),
        cmocka_unit_test(a_replay_that_differs_is_told),
        cmocka_unit_test(a_replay_that_breaks_nothing_is_not_the_same),
        cmocka_unit_test(a_tree_that_changes_with_as_many_branches_is_not_exhausted),
        cmocka_unit_test(what_was_left_to_the_server_is_not_exhausted),
        cmocka_unit_test(a_run_is_made_again_with_care_where_the_engine_asks),
        cmocka_unit_test(a_bound_ends_the_exploration_by_itself),
        cmocka_unit_test(samples_tell_how_much_is_unseen),
        cmocka_unit_test(pct_promises_where_the_target_bounds_its_steps),
        cmocka_unit_test(stress_races_and_does_not_replay),
        cmocka_unit_test(a_switch_counts_as_a_preemption_only_where_one_could_have_gone_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
