/*
 * The fixed flow holds: small races under every schedule there is, and the whole flow under many
 * random ones with one fault each.  In the first test a flow that is known to be wrong is caught in
 * the same way, so that "holds" means something.
 */
#include "live.h"
#include "racing.h"

#include "booking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#define FAULTY_RUNS 2500 /* of each of the two scenarios */
#define SEED 1

#define INVARIANTS                                                                      \
    "invariants: [no-overlap, one-booking-per-payment, every-payment-settles, "         \
    "money-conserved, ownership, no-expired-confirm, legal-transitions, effects-once, " \
    "acknowledged-means-done, no-acknowledged-loss, no-spurious-rejection, liveness, "  \
    "sane-ranges, stable-keys, honest-metrics]\n"

static const char two_holds[] = "name: two-holds\n"
                                "about: Two holds of one slot.\n"
                                "target: reference\n"
                                "variants: {fixed: {flag: 100}, legacy: {flag: 0}}\n"
                                "clients:\n"
                                "  - {name: alice, does: hold, simulator: 1,"
                                "     slot: 2026-06-01T10:00/11:00}\n"
                                "  - {name: bob, does: hold, simulator: 1,"
                                "     slot: 2026-06-01T10:30/11:30}\n" INVARIANTS
                                "expect: {fixed: holds, legacy: {violates: no-overlap}}\n";

static const char two_deliveries[] =
    "name: two-deliveries\n"
    "about: One event, delivered twice.\n"
    "target: reference\n"
    "variants: {fixed: {flag: 100}, legacy: {flag: 0}}\n"
    "given:\n"
    "  - as: alice\n"
    "    does: [{hold: {simulator: 1, slot: 2026-06-01T10:00/11:00}}, pay]\n"
    "clients:\n"
    "  - {name: delivery, does: webhook, of: alice}\n"
    "  - {name: redelivery, does: webhook, of: alice}\n" INVARIANTS
    "expect: {fixed: holds, legacy: {violates: one-booking-per-payment}}\n";

static void exhaust(const char *text, const char *variant, struct ob_exploration *out)
{
    struct ob_scenario *scenario = ob_racing_parse(text);
    size_t index = ob_scenario_variant(scenario, variant);
    const struct ob_explore_options options = {
        .strategy = OB_STRATEGY_EXHAUSTIVE,
        .runs_max = UINT64_MAX,
        .budget_us = INT64_MAX,
        .until = scenario->variants[index].violates,
    };
    struct ob_racing racing;
    struct ob_error err;
    ob_racing_open(&racing, scenario, index, NULL);
    if (ob_explore(racing.rig, &options, out, &err) != OB_OK)
        fail_msg("%s: %s", err.message, err.detail);
    print_message("figure: %s, %s: %" PRIu64 " schedules, %" PRIu64 " outcomes, %s\n",
                  scenario->name, variant, out->runs, out->outcomes,
                  out->finding_count > 0 ? "broken"
                  : out->exhausted       ? "all of them, and it holds"
                                         : "not all");
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

static void check_every_schedule(const char *text)
{
    struct ob_exploration exploration;
    exhaust(text, "legacy", &exploration);
    assert_true(exploration.finding_count > 0);
    ob_exploration_clear(&exploration);
    exhaust(text, "fixed", &exploration);
    if (exploration.finding_count > 0)
        fail_msg("%s\n%s", exploration.findings[0].rows, exploration.findings[0].trace);
    assert_true(exploration.exhausted);
    assert_int_equal(exploration.inconclusive, OB_RUN_FINISHED);
    ob_exploration_clear(&exploration);
}

static void the_fixed_hold_holds_under_every_schedule(void **state)
{
    (void)state;
    check_every_schedule(two_holds);
}

static void the_fixed_webhook_and_its_duplicate_hold_under_every_schedule(void **state)
{
    (void)state;
    check_every_schedule(two_deliveries);
}

/* How often each fault happened, in the order in which they were first met. */
struct fired {
    const char *points[OB_FAULT_POINTS_MAX];
    uint64_t runs[OB_FAULT_POINTS_MAX];
    size_t count;
};

static uint64_t *runs_of(struct fired *fired, const char *point)
{
    size_t i = 0;
    while (i < fired->count && strcmp(fired->points[i], point) != 0)
        i++;
    if (i == fired->count)
        fired->points[fired->count++] = point;
    return &fired->runs[i];
}

/* Random choices, but in three of four runs with one point only: points that are met at each
 * statement would otherwise spend the budget before a rare one is met. */
struct swarm {
    struct ob_chooser random;
    size_t only; /* SIZE_MAX: all points */
};

static void swarm_restart(void *self)
{
    struct swarm *swarm = self;
    swarm->random.restart(swarm->random.self);
}

static size_t swarm_choose(void *self, const struct ob_choice_point *point)
{
    struct swarm *swarm = self;
    if (point->kind == OB_CHOICE_FAULT && swarm->only != SIZE_MAX && point->point != swarm->only)
        return 0;
    return swarm->random.choose(swarm->random.self, point);
}

/* Many runs of a scenario's fixed variant, none of which may break anything. */
static void race_with_faults(const struct ob_scenario *scenario, uint64_t runs, struct fired *fired)
{
    struct ob_racing racing;
    ob_racing_open(&racing, scenario, ob_scenario_variant(scenario, "fixed"), NULL);
    struct ob_strategy *strategy =
        ob_strategy_new(OB_STRATEGY_RANDOM, SEED, racing.rig->spec.client_count);
    assert_int_equal(racing.rig->spec.fault_budget, 1);
    for (size_t i = 0; i < scenario->fault_point_count; i++)
        (void)runs_of(fired, scenario->fault_points[i]);
    uint64_t steps = 0;
    for (uint64_t run = 0; run < runs; run++) {
        assert_true(ob_strategy_next(strategy, run));
        struct swarm swarm = {.random = ob_strategy_chooser(strategy), .only = SIZE_MAX};
        if (run % 4 != 0)
            swarm.only = run % scenario->fault_point_count;
        struct ob_chooser chooser = {
            .self = &swarm, .restart = swarm_restart, .choose = swarm_choose};
        ob_racing_run(&racing, &chooser);
        ob_racing_holds(&racing);
        steps += racing.trace.step_count;
        const struct ob_schedule *schedule = &racing.trace.schedule;
        for (size_t i = 0; i < schedule->fault_count; i++)
            (*runs_of(fired, scenario->fault_points[schedule->faults[i].point]))++;
    }
    print_message("figure: %s: %" PRIu64 " random schedules hold, %" PRIu64 " steps a run\n",
                  scenario->name, runs, steps / runs);
    ob_strategy_free(strategy);
    ob_racing_close(&racing);
}

static void the_whole_fixed_flow_holds_whatever_goes_wrong_once(void **state)
{
    (void)state;
    static const char *const names[] = {"anything-once", "anything-once-and-a-refund"};
    struct ob_scenario_list list;
    struct fired fired = {.count = 0};
    uint64_t runs = ob_racing_part(FAULTY_RUNS);
    ob_racing_builtin(&list);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        race_with_faults(ob_racing_find(&list, names[i]), runs, &fired);
    for (size_t i = 0; i < fired.count; i++)
        print_message("figure: %s in %" PRIu64 " runs\n", fired.points[i], fired.runs[i]);
    assert_int_equal(fired.count, BOOKING_FAULT_COUNT);
    for (size_t i = 0; i < fired.count && runs >= FAULTY_RUNS; i++)
        if (fired.runs[i] == 0)
            fail_msg("%s never happened", fired.points[i]);
    ob_scenario_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixed_hold_holds_under_every_schedule),
        cmocka_unit_test(the_fixed_webhook_and_its_duplicate_hold_under_every_schedule),
        cmocka_unit_test(the_whole_fixed_flow_holds_whatever_goes_wrong_once),
    };
    return cmocka_run_group_tests_name("proof", tests, ob_live_start, ob_live_stop);
}
