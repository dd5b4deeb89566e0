/* The built-in scenarios: that they are complete, and that each does what it says. */
#include "live.h"
#include "racing.h"

#include "cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#define SEEDS 5
#define HOLD_RUNS 40

static struct ob_scenario_list builtin;

static int start(void **state)
{
    ob_racing_builtin(&builtin);
    return ob_live_start(state);
}

static int stop(void **state)
{
    ob_scenario_list_clear(&builtin);
    return ob_live_stop(state);
}

static bool checks(const struct ob_scenario *scenario, const char *invariant)
{
    for (size_t i = 0; i < scenario->invariant_count; i++)
        if (strcmp(scenario->invariants[i].name, invariant) == 0)
            return true;
    return false;
}

static void every_scenario_of_the_reference_checks_all_that_is_built_in(void **state)
{
    (void)state;
    size_t count;
    const struct ob_invariant *invariants = ob_invariant_builtin(&count);
    assert_true(builtin.count > 0);
    for (size_t i = 0; i < builtin.count; i++) {
        const struct ob_scenario *scenario = builtin.items[i];
        if (scenario->target != OB_TARGET_REFERENCE)
            continue;
        for (size_t k = 0; k < count; k++)
            if (!checks(scenario, invariants[k].name))
                fail_msg("%s does not check %s", scenario->name, invariants[k].name);
    }
}

static void every_scenario_has_a_variant_that_fails_and_one_that_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < builtin.count; i++) {
        const struct ob_scenario *scenario = builtin.items[i];
        size_t fail = 0;
        for (size_t v = 0; v < scenario->variant_count; v++)
            fail += scenario->variants[v].violates != NULL;
        if (fail == 0 || fail == scenario->variant_count)
            fail_msg("%s: %zu of %zu variants are to fail", scenario->name, fail,
                     scenario->variant_count);
    }
}

static void explore(struct ob_racing *racing, uint64_t seed, uint64_t runs_max,
                    struct ob_exploration *out)
{
    const struct ob_explore_options options = {
        .strategy = OB_STRATEGY_PORTFOLIO,
        .seed = seed,
        .runs_max = runs_max,
        .budget_us = INT64_MAX,
        .until = racing->scenario->variants[racing->variant].violates,
    };
    struct ob_error err;
    if (ob_explore(racing->rig, &options, out, &err) != OB_OK)
        fail_msg("%s: %s", err.message, err.detail);
    if (out->inconclusive != OB_RUN_FINISHED)
        fail_msg("%s, seed %" PRIu64 ": %s", racing->scenario->name, seed, out->reason);
}

static void check_caught(struct ob_racing *racing, uint64_t seed, uint64_t *runs)
{
    const struct ob_scenario *scenario = racing->scenario;
    const struct ob_variant *variant = &scenario->variants[racing->variant];
    uint64_t runs_max = scenario->explore.runs > 0 ? scenario->explore.runs : OB_RUNS_DEFAULT;
    struct ob_exploration exploration;
    explore(racing, seed, runs_max, &exploration);
    bool caught = false;
    for (size_t i = 0; i < exploration.finding_count; i++) {
        const struct ob_finding *finding = &exploration.findings[i];
        bool wanted = strcmp(scenario->invariants[finding->item].name, variant->violates) == 0;
        caught |= wanted && (finding->uncontrolled || finding->replays_same == finding->replays);
    }
    if (!caught)
        fail_msg("%s, %s: %s was not broken in %" PRIu64 " runs of seed %" PRIu64, scenario->name,
                 variant->name, variant->violates, exploration.runs, seed);
    *runs = exploration.runs > *runs ? exploration.runs : *runs;
    ob_exploration_clear(&exploration);
}

static void every_control_is_caught_whatever_the_seed(void **state)
{
    (void)state;
    uint64_t seeds = ob_racing_part(SEEDS);
    size_t controls = 0;
    for (size_t i = 0; i < builtin.count; i++) {
        for (size_t v = 0; v < builtin.items[i]->variant_count; v++) {
            const struct ob_variant *variant = &builtin.items[i]->variants[v];
            if (!variant->violates)
                continue;
            struct ob_racing racing;
            uint64_t runs = 0;
            ob_racing_open(&racing, builtin.items[i], v, NULL);
            for (uint64_t seed = 1; seed <= seeds; seed++)
                check_caught(&racing, seed, &runs);
            ob_racing_close(&racing);
            controls++;
            print_message("%s, %s: %s after %" PRIu64 " runs at the most\n", builtin.items[i]->name,
                          variant->name, variant->violates, runs);
        }
    }
    print_message("figure: %zu controls, each caught with %" PRIu64 " seeds of %" PRIu64 "\n",
                  controls, seeds, seeds);
}

static void check_holds(struct ob_racing *racing, uint64_t runs)
{
    struct ob_exploration exploration;
    explore(racing, SEEDS + 1, runs, &exploration);
    if (exploration.finding_count > 0)
        fail_msg("%s, %s: %s: %s\n%s", racing->scenario->name,
                 racing->scenario->variants[racing->variant].name,
                 racing->scenario->invariants[exploration.findings[0].item].name,
                 exploration.findings[0].rows, exploration.findings[0].trace);
    assert_true(exploration.runs == runs || exploration.exhausted);
    print_message("%s, %s: holds, %" PRIu64 " steps a run\n", racing->scenario->name,
                  racing->scenario->variants[racing->variant].name,
                  exploration.steps / exploration.runs);
    ob_exploration_clear(&exploration);
}

static void every_other_variant_holds(void **state)
{
    (void)state;
    uint64_t runs = ob_racing_part(HOLD_RUNS);
    size_t held = 0;
    for (size_t i = 0; i < builtin.count; i++) {
        for (size_t v = 0; v < builtin.items[i]->variant_count; v++) {
            if (builtin.items[i]->variants[v].violates)
                continue;
            struct ob_racing racing;
            ob_racing_open(&racing, builtin.items[i], v, NULL);
            check_holds(&racing, runs);
            ob_racing_close(&racing);
            held++;
        }
    }
    print_message("figure: %zu variants hold, in %" PRIu64 " runs each\n", held, runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scenario_of_the_reference_checks_all_that_is_built_in),
        cmocka_unit_test(every_scenario_has_a_variant_that_fails_and_one_that_holds),
        cmocka_unit_test(every_control_is_caught_whatever_the_seed),
        cmocka_unit_test(every_other_variant_holds),
    };
    return cmocka_run_group_tests_name("scenarios", tests, start, stop);
}
