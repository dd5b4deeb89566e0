/*
 * Shards: together they make the runs that one exploration makes, each once, under every strategy.
 */
#include "explore/strategy.h"

#include "explore/tally.h"
#include "tests/model/golden_model.h"
#include "tests/model/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define RUNS_BY_LOT 60
#define RUNS_MAX 50000

/* Something that can be run. */
struct subject {
    void *self;
    size_t client_count;
    uint64_t (*run)(void *self, struct ob_chooser chooser, struct ob_trace *trace);
};

/* What was run: a sum of the traces' digests tells two sets apart, and a tally what came twice. */
struct made {
    uint64_t runs, numbers, sum;
    struct ob_tally traces, outcomes;
    bool exhausted;
};

static void clear(struct made *made)
{
    ob_tally_clear(&made->traces);
    ob_tally_clear(&made->outcomes);
}

static void note(struct made *made, const struct ob_strategy *strategy,
                 const struct ob_trace *trace, uint64_t outcome)
{
    made->runs++;
    made->numbers += ob_strategy_number(strategy);
    if (ob_strategy_cut(strategy))
        return;
    made->sum += ob_trace_digest(trace);
    ob_tally_add(&made->traces, ob_trace_digest(trace));
    ob_tally_add(&made->outcomes, outcome);
}

static void explore(const struct subject *subject, enum ob_strategy_kind kind,
                    struct ob_shard shard, struct made *made)
{
    struct ob_strategy *strategy = ob_strategy_new(kind, 7, subject->client_count);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    uint64_t most = ob_strategy_walks(kind) ? RUNS_MAX : RUNS_BY_LOT;
    struct ob_trace trace;
    ob_trace_init(&trace);
    ob_strategy_set_shard(strategy, &shard);
    for (uint64_t i = 0; i < most && ob_strategy_next(strategy, i); i++) {
        if (ob_strategy_skips(strategy))
            continue;
        uint64_t outcome = subject->run(subject->self, chooser, &trace);
        ob_strategy_learn(strategy, &trace);
        if (!ob_strategy_foreign(strategy))
            note(made, strategy, &trace, outcome);
    }
    made->exhausted &= ob_strategy_exhausted(strategy);
    ob_trace_clear(&trace);
    ob_strategy_free(strategy);
}

static void shards_make_what_one_makes(const struct subject *subject, enum ob_strategy_kind kind)
{
    struct made one = {.exhausted = true};
    explore(subject, kind, (struct ob_shard){0, 1}, &one);
    for (unsigned count = 2; count <= 5; count += count - 1) { /* 2, 3, 5 */
        struct made all = {.exhausted = true};
        for (unsigned i = 0; i < count; i++)
            explore(subject, kind, (struct ob_shard){i, count}, &all);
        assert_int_equal(all.outcomes.count, one.outcomes.count);
        assert_int_equal(all.exhausted, one.exhausted);
        if (kind == OB_STRATEGY_DPOR) { /* nobody makes a run that another one has made */
            assert_true(all.runs >= one.runs);
            assert_int_equal(all.traces.once, all.traces.count);
        } else {
            assert_int_equal(all.runs, one.runs);
            assert_int_equal(all.sum, one.sum);
            assert_int_equal(all.traces.count, one.traces.count);
        }
        if (!ob_strategy_walks(kind))
            assert_int_equal(all.numbers, one.numbers);
        clear(&all);
    }
    clear(&one);
}

/* --- programs that block, fail and deadlock */

struct program {
    const struct ob_golden *golden;
    size_t client_count;
    struct ob_golden_model model;
};

static uint64_t run_program(void *self, struct ob_chooser chooser, struct ob_trace *trace)
{
    struct program *program = self;
    struct ob_error err;
    uint64_t outcome;
    if (ob_golden_run(program->golden, program->client_count, &program->model.place, chooser, trace,
                      &outcome, &err) != OB_OK)
        fail_msg("%s: %s", program->golden->name, err.message);
    return outcome;
}

static void check_program(size_t golden, size_t client_count, enum ob_strategy_kind kind)
{
    struct program program = {.golden = &ob_goldens[golden], .client_count = client_count};
    struct subject subject = {.self = &program, .client_count = client_count, .run = run_program};
    ob_golden_model_open(&program.model, program.golden, 0);
    shards_make_what_one_makes(&subject, kind);
    assert_int_equal(ob_golden_model_close(&program.model), 0);
}

static void two_clients_under_every_strategy(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++)
        for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++)
            if (kind != OB_STRATEGY_STRESS && kind != OB_STRATEGY_PERMUTATIONS &&
                kind != OB_STRATEGY_PORTFOLIO)
                check_program(i, 2, (enum ob_strategy_kind)kind);
}

static void three_clients_of_which_not_all_is_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        if (ob_goldens[i].outcomes[1] == 0)
            continue;
        check_program(i, 3, OB_STRATEGY_DPOR);
        check_program(i, 3, OB_STRATEGY_URW);
    }
    check_program(OB_GOLDEN_LOST_UPDATE, 3, OB_STRATEGY_BOUNDED);
}

/* --- faults */

static uint64_t run_scene(void *self, struct ob_chooser chooser, struct ob_trace *trace)
{
    struct ob_scene *scene = self;
    if (ob_scene_choose(scene, chooser) != OB_OK)
        fail_msg("%s %s", scene->err.message, scene->err.detail);
    struct ob_trace before = *trace;
    *trace = scene->trace;
    scene->trace = before;
    return ob_model_digest(scene->model);
}

static void faults_belong_to_the_step_that_they_happen_in(void **state)
{
    (void)state;
    static const struct ob_fault_point points[] = {{.name = "one", .ways = 2},
                                                   {.name = "other", .ways = 1}};
    struct ob_scene scene;
    ob_scene_open(&scene, (struct ob_model_options){0}, NULL);
    ob_model_put(scene.model, "x", 0);
    OB_SCENE_ADD(&scene, "ann", "fault 0", "begin", "add x 1", "fault 1", "commit", "fault 0");
    OB_SCENE_ADD(&scene, "bob", "begin", "fault 1", "set x 5", "commit");
    scene.spec.fault_points = points;
    scene.spec.fault_point_count = 2;
    scene.spec.fault_budget = 2;
    struct subject subject = {.self = &scene, .client_count = 2, .run = run_scene};
    for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++)
        if (kind != OB_STRATEGY_STRESS && kind != OB_STRATEGY_PERMUTATIONS &&
            kind != OB_STRATEGY_PORTFOLIO)
            shards_make_what_one_makes(&subject, (enum ob_strategy_kind)kind);
    ob_scene_close(&scene);
}

/* A portfolio gives turns by what it found, which no shard knows of the others; so the shards' runs
 * are as many, and within the bound they are all of them. */
static void a_portfolio_is_dealt_out_too(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 3; count++) {
        struct program program = {.golden = &ob_goldens[OB_GOLDEN_LOST_UPDATE], .client_count = 2};
        struct subject subject = {.self = &program, .client_count = 2, .run = run_program};
        struct made all = {.exhausted = true};
        ob_golden_model_open(&program.model, program.golden, 0);
        for (unsigned i = 0; i < count; i++)
            explore(&subject, OB_STRATEGY_PORTFOLIO, (struct ob_shard){i, count}, &all);
        assert_true(all.runs > RUNS_BY_LOT / 2);
        assert_int_equal(all.outcomes.count, 3);
        assert_int_equal(ob_golden_model_close(&program.model), 0);
        clear(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clients_under_every_strategy),
        cmocka_unit_test(three_clients_of_which_not_all_is_run),
        cmocka_unit_test(faults_belong_to_the_step_that_they_happen_in),
        cmocka_unit_test(a_portfolio_is_dealt_out_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
