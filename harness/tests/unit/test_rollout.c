/*
 * A rollout's plan as phases, moves and scenarios, and what follows for it from their results.
 */
#include "cli/rollout_judge.h"
#include "scenario/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_sample.h"

static const char plan[] =
    "name: fix\n"
    "about: A fix gets into use.\n"
    "from: {schema: 3, code: old}\n"
    "orders:\n"
    "  code-first: {steps: [migrate: 7, deploy: mixed, deploy: new, flag: 10, flag: 100]}\n"
    "  old-again: {expect: unsafe, steps: [migrate: 7, deploy: mixed]}\n"
    "traffic:\n"
    "  two: {about: Two book., clients: [{name: ann, does: cleanup}, {name: bob, does: cleanup}]}\n"
    "  one: {about: One books., clients: [{name: ann, does: cleanup}]}\n"
    "explore: {runs: 9}\n"
    "invariants: [no-overlap, {name: liveness, from: 7}]\n";

static struct ob_rollout *load(const char *text)
{
    struct ob_error err;
    struct ob_rollout *rollout = NULL;
    if (ob_rollout_parse("plan.yaml", text, strlen(text), &rollout, &err) != OB_OK)
        fail_msg("%s", err.message);
    return rollout;
}

static void a_plan_has_each_phase_once_and_each_move_both_ways(void **state)
{
    (void)state;
    struct ob_rollout *rollout = load(plan);
    static const char *const phases[] = {
        "schema 3, old code, flag 0 %",         "schema 7, old code, flag 0 %",
        "schema 7, old and new code, flag 0 %", "schema 7, new code, flag 0 %",
        "schema 7, new code, flag 10 %",        "schema 7, new code, flag 100 %"};
    assert_int_equal(rollout->phase_count, sizeof phases / sizeof *phases);
    for (size_t i = 0; i < rollout->phase_count; i++)
        assert_string_equal(rollout->phases[i].name, phases[i]);
    assert_int_equal(rollout->phases[2].variant_count, 2);
    assert_int_equal(rollout->move_count, 10);
    assert_string_equal(rollout->moves[0].name, "migrate to 7");
    assert_string_equal(rollout->moves[0].variant, "s3-old-0-schema-7");
    assert_string_equal(rollout->moves[1].name, "migrate to 3");
    assert_null(rollout->moves[2].variant);
    assert_string_equal(rollout->moves[7].variant, "s7-new-10-flag-0");
    assert_int_equal(rollout->order_count, 2);
    assert_true(rollout->orders[0].safe);
    assert_false(rollout->orders[1].safe);
    assert_int_equal(rollout->orders[1].phase_count, 3);
    assert_ptr_equal(ob_rollout_find_move(rollout, 0, 1), &rollout->moves[0]);
    assert_null(ob_rollout_find_move(rollout, 0, 2));
    ob_rollout_free(rollout);
}

static const struct ob_scenario_client *client(const struct ob_scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->client_count; i++)
        if (strcmp(scenario->clients[i].name, name) == 0)
            return &scenario->clients[i];
    fail_msg("no client %s", name);
    return NULL;
}

static uint64_t bit(const struct ob_scenario *scenario, const char *variant)
{
    size_t index = ob_scenario_variant(scenario, variant);
    assert_true(index < scenario->variant_count);
    return UINT64_C(1) << index;
}

static void each_traffic_is_a_scenario_with_a_variant_for_each_phase_and_move(void **state)
{
    (void)state;
    struct ob_rollout *rollout = load(plan);
    assert_int_equal(rollout->traffic.count, 2);
    struct ob_scenario *two = rollout->traffic.items[0], *one = rollout->traffic.items[1];
    assert_string_equal(two->name, "fix-two");
    assert_string_equal(one->about, "One books.");
    assert_int_equal(two->explore.runs, 9);
    assert_int_equal(two->variant_count, 7 + 6);
    assert_true(two->variants[0].any);
    assert_memory_not_equal(two->hash, one->hash, sizeof two->hash);

    uint64_t old = bit(two, "s7-old-0"), mixed = bit(two, "s7-mixed-0"),
             other = bit(two, "s7-mixed-0-other"), new = bit(two, "s7-new-0");
    assert_int_equal(client(two, "ann")->legacy & (old | mixed | other | new), old | mixed);
    assert_int_equal(client(two, "bob")->legacy & (old | mixed | other | new), old | other);
    assert_int_equal(client(two, "operator-1")->variants, bit(two, "s3-old-0-schema-7"));
    assert_string_equal(client(two, "operator-1")->actions[0].verb, "migrate");
    assert_string_equal(client(two, "operator-7")->actions[0].verb, "flag");

    /* What needs version 7 is not asked where there may be less. */
    assert_int_equal(two->invariants[0].variants, UINT64_MAX >> (64 - two->variant_count));
    assert_int_equal(two->invariants[1].variants & bit(two, "s3-old-0"), 0);
    assert_int_equal(two->invariants[1].variants & bit(two, "s7-old-0-schema-3"), 0);
    assert_int_not_equal(two->invariants[1].variants & bit(two, "s7-new-0-flag-10"), 0);
    ob_rollout_free(rollout);
}

static void a_file_without_orders_is_no_plan(void **state)
{
    (void)state;
    static const char text[] = "name: x\nabout: A race.\n";
    struct ob_error err;
    struct ob_rollout *rollout = load(plan), *none = rollout;
    assert_int_equal(ob_rollout_parse("x.yaml", text, strlen(text), &none, &err), OB_OK);
    assert_null(none);
    ob_rollout_free(rollout);
}

#define HEAD "name: fix\nabout: x\nfrom: {schema: 3}\n"
#define TAIL \
    "traffic: {t: {about: x, clients: [{name: ann, does: cleanup}]}}\ninvariants: [liveness]\n"

static void what_is_wrong_in_a_plan_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {HEAD "orders: {a: {steps: [migrate: 3]}}\n" TAIL,
         "p.yaml:4:22: this step changes nothing"},
        {HEAD "orders: {a: {steps: [{migrate: 4, flag: 1}]}}\n" TAIL,
         "p.yaml:4:22: a step is one of migrate, deploy and flag"},
        {HEAD "orders: {a: {steps: [deploy: newest]}}\n" TAIL,
         "p.yaml:4:30: unknown deploy \"newest\""},
        {HEAD "orders: {a: {step: [flag: 1]}}\n" TAIL, "p.yaml:4:14: unknown key \"step\""},
        {"name: fix\nabout: x\nfrom: {code: old}\norders: {a: {steps: [flag: 1]}}\n" TAIL,
         "p.yaml:3:7: \"schema\" is missing from this phase"},
        {HEAD "orders: {a: {steps: [flag: 1]}}\n"
              "traffic: {t: {about: x, clients: [{name: ann, does: clean}]}}\n"
              "invariants: [liveness]\n",
         "p.yaml:5:53: unknown verb \"clean\""},
        {HEAD "orders: {a: {steps: [flag: 1]}}\n"
              "traffic: {t: {about: x, clients: [{name: ann, does: cleanup}]}}\n"
              "invariants: [{name: livenes, from: 2}]\n",
         "p.yaml:6:14: unknown invariant \"livenes\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ob_error err;
        struct ob_rollout *rollout = NULL;
        assert_int_equal(
            ob_rollout_parse("p.yaml", bad[i].text, strlen(bad[i].text), &rollout, &err), OB_INPUT);
        assert_string_equal(err.message, bad[i].message);
        assert_true(err.hint[0] != '\0');
        assert_null(rollout);
    }
}

/* --- what follows */

struct setting {
    struct ob_rollout *rollout;
    struct ob_report report;
};

/* Everything holds, in both traffics. */
static void set_up(struct setting *setting)
{
    setting->rollout = load(plan);
    ob_report_init(&setting->report);
    for (size_t i = 0; i < 2; i++) {
        const struct ob_scenario *scenario = setting->rollout->traffic.items[i];
        for (size_t v = 0; v < scenario->variant_count; v++)
            *ob_report_add(&setting->report) =
                (struct ob_report_result){.scenario = scenario->name,
                                          .variant = scenario->variants[v].name,
                                          .runs = 9,
                                          .as_expected = true,
                                          .expected = OB_EXPECTED_ANY,
                                          .strategy = "random"};
    }
}

static void tear_down(struct setting *setting)
{
    ob_report_clear(&setting->report);
    ob_rollout_free(setting->rollout);
}

static struct ob_report_result *result_of(struct setting *setting, const char *scenario,
                                          const char *variant)
{
    for (size_t i = 0; i < setting->report.result_count; i++) {
        struct ob_report_result *result = &setting->report.results[i];
        if (strcmp(result->scenario, scenario) == 0 && strcmp(result->variant, variant) == 0)
            return result;
    }
    fail_msg("no result %s %s", scenario, variant);
    return NULL;
}

/* A traffic's variant breaks that invariant. */
static void breaks(struct setting *setting, const char *scenario, const char *variant,
                   const char *invariant)
{
    struct ob_report_result *result = result_of(setting, scenario, variant);
    struct ob_report_violation *violation =
        ob_arena_alloc(&setting->report.arena, sizeof *violation);
    *violation = (struct ob_report_violation){
        .invariant = invariant, .replays_same = 10, .replays = 10, .replay = "", .why = "rows"};
    result->verdict = OB_VIOLATED;
    result->violations = violation;
    result->violation_count = 1;
}

static const struct ob_report_rollout *judge(struct setting *setting)
{
    return setting->report.rollout = ob_rollout_judge(&setting->report, setting->rollout);
}

/* The old code breaks, as it does before anything is done. */
static void old_code_breaks(struct setting *setting)
{
    static const char *const before[] = {"s3-old-0", "s3-old-0-schema-7", "s7-old-0",
                                         "s7-mixed-0-other"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        breaks(setting, i % 2 ? "fix-one" : "fix-two", before[i], "no-overlap");
}

static void an_order_is_safe_while_nothing_new_breaks(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    old_code_breaks(&setting);
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_int_equal(rollout->phases[0].broken_count, 1);
    assert_int_equal(rollout->phases[0].runs, 18);
    assert_int_equal(rollout->phases[2].runs, 36);
    assert_int_equal(rollout->phases[5].broken_count, 0);
    assert_true(rollout->orders[0].safe);
    /* The other one ends in a phase that breaks it. */
    assert_false(rollout->orders[1].safe);
    assert_string_equal(rollout->orders[1].reason, "in the end no-overlap is still broken");
    assert_int_equal(ob_report_exit_status(&setting.report), 0);
    tear_down(&setting);
}

static void a_move_that_breaks_what_was_not_broken_is_not_safe(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    breaks(&setting, "fix-one", "s7-new-0-flag-10", "liveness");
    breaks(&setting, "fix-one", "s7-new-100-flag-10", "no-overlap");
    const struct ob_report_rollout *rollout = judge(&setting);
    const struct ob_report_move *flag = &rollout->moves[6], *back = &rollout->moves[9];
    assert_false(flag->safe);
    assert_string_equal(flag->reason,
                        "while it is made liveness is broken, which it was not before");
    assert_true(rollout->moves[7].safe);
    assert_true(rollout->moves[8].safe);
    assert_false(back->safe);
    assert_string_equal(back->reason,
                        "while it is made no-overlap is broken, which neither phase breaks");
    assert_false(rollout->orders[0].safe);
    assert_string_equal(rollout->orders[0].reason,
                        "from \"schema 7, new code, flag 0 %\", flag to 10 %: while it is made "
                        "liveness is broken, which it was not before");
    assert_int_equal(ob_report_exit_status(&setting.report), 1);
    tear_down(&setting);
}

static void a_phase_that_breaks_what_was_not_broken_is_not_gone_to(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    breaks(&setting, "fix-two", "s7-new-10", "no-overlap");
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_false(rollout->moves[6].safe);
    assert_string_equal(rollout->moves[6].reason,
                        "after it no-overlap is broken, which it was not before");
    /* Back from 100 % it is what it was. */
    assert_true(rollout->moves[9].safe);
    tear_down(&setting);
}

/* The schema before has not got what it asks for. */
static void what_was_not_asked_before_is_not_new(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    breaks(&setting, "fix-two", "s7-old-0", "liveness");
    assert_true(judge(&setting)->moves[0].safe);
    tear_down(&setting);
}

/* The first migration was refused in three runs, and came later in two. */
static void refuse(struct setting *setting)
{
    static const struct ob_report_request requests[] = {
        {"ann", "hold", OB_REPORT_WHILE, "error, with 23P01", 5},
        {"operator", "migrate 4 up", OB_REPORT_WHILE, "error, with 23P01", 3},
        {"operator", "migrate 5 up", OB_REPORT_WHILE, "ok, after 55P03", 2},
        {"operator", "migrate 5 up", OB_REPORT_WHILE, "retry-later, with 55P03", 2},
    };
    struct ob_report_result *result = result_of(setting, "fix-one", "s3-old-0-schema-7");
    result->requests = requests;
    result->request_count = sizeof requests / sizeof *requests;
}

static void a_migration_that_may_be_refused_is_told(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    refuse(&setting);
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_int_equal(rollout->moves[0].refused, 3);
    assert_true(rollout->moves[0].safe);
    assert_int_equal(rollout->moves[1].refused, 0);
    assert_string_equal(rollout->orders[0].reason,
                        "no move breaks anything that was not broken before it, and in the end "
                        "everything holds; \"migrate to 7\" was refused in 3 of 18 runs, which "
                        "changes nothing");
    tear_down(&setting);
}

static void interrupt(struct setting *setting, const char *scenario, const char *variant)
{
    struct ob_report_result *result = result_of(setting, scenario, variant);
    result->verdict = OB_INCONCLUSIVE;
    result->as_expected = false;
    result->reason = "interrupted";
}

static void what_is_not_known_is_not_safe(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    old_code_breaks(&setting);
    interrupt(&setting, "fix-one", "s7-new-0-flag-10");
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_false(rollout->moves[6].safe);
    assert_string_equal(rollout->moves[6].reason, "it is undecided, fix-one: interrupted");
    assert_false(rollout->orders[0].safe);
    assert_true(rollout->orders[0].undecided);
    assert_int_equal(ob_report_exit_status(&setting.report), 4);
    tear_down(&setting);
}

/* Nobody knows whether it is unsafe as it is expected to be. */
static void what_is_not_known_is_not_unsafe_either(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    interrupt(&setting, "fix-one", "s7-new-0-flag-10");
    struct ob_report_order order = judge(&setting)->orders[0];
    order.expected_safe = false;
    assert_false(ob_report_order_is_as_expected(&order));
    tear_down(&setting);
}

/* Nor does what one traffic broke become doubtful by another that says nothing. */
static void what_one_traffic_breaks_is_known(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    interrupt(&setting, "fix-one", "s7-new-0-flag-10");
    breaks(&setting, "fix-two", "s7-new-0-flag-10", "no-overlap");
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_false(rollout->orders[0].undecided);
    assert_non_null(strstr(rollout->orders[0].reason, "while it is made no-overlap is broken"));
    tear_down(&setting);
}

/* What is known to break is enough, wherever in the order it comes. */
static void one_bad_move_is_enough(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    interrupt(&setting, "fix-one", "s3-old-0-schema-7");
    breaks(&setting, "fix-two", "s7-new-0-flag-10", "no-overlap");
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_false(rollout->moves[0].safe);
    assert_false(rollout->orders[0].safe);
    assert_false(rollout->orders[0].undecided);
    assert_non_null(strstr(rollout->orders[0].reason, "while it is made no-overlap is broken"));
    tear_down(&setting);
}

/* A violation that could not be made again shows nothing, neither that it breaks nor that it
 * holds. */
static void what_was_not_confirmed_is_not_counted(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    breaks(&setting, "fix-two", "s7-new-10", "no-overlap");
    result_of(&setting, "fix-two", "s7-new-10")->violations[0].replays_same = 9;
    const struct ob_report_rollout *rollout = judge(&setting);
    assert_int_equal(rollout->phases[4].broken_count, 0);
    assert_false(rollout->orders[0].safe);
    assert_non_null(strstr(rollout->orders[0].reason, "it is undecided, fix-two: no-overlap was "
                                                      "broken, but could not be made again"));
    tear_down(&setting);
}

static void a_rollout_is_the_same_when_it_is_read_again(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting);
    breaks(&setting, "fix-one", "s7-new-0-flag-10", "liveness");
    refuse(&setting);
    judge(&setting);
    const struct ob_table_options options = {.unicode = true, .whole = true, .width = 80};
    struct ob_report again;
    struct ob_error err;
    char *json = report_sample_render(&setting.report, ob_report_json);
    ob_report_init(&again);
    if (ob_report_read("x.json", json, strlen(json), &again, &err) != OB_OK)
        fail_msg("%s", err.message);
    char *texts[2] = {NULL, NULL};
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        FILE *out = open_memstream(&texts[i], &sizes[i]);
        assert_int_equal(ob_report_rollout(i ? &again : &setting.report, &options, out, &err),
                         OB_OK);
        fclose(out);
    }
    assert_string_equal(texts[0], texts[1]);
    assert_non_null(strstr(texts[0], "\xe2\x9c\x97    flag to 10 %"));
    assert_non_null(strstr(texts[0], "code-first: not safe, but expected to be safe"));
    assert_non_null(strstr(texts[0], "       ann, hold: error, with 23P01 (5)\n"));
    assert_non_null(strstr(texts[0], "safe, back safe; refused in 3 of 18\n"));
    free(texts[0]);
    free(texts[1]);
    free(json);
    ob_report_clear(&again);
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_has_each_phase_once_and_each_move_both_ways),
        cmocka_unit_test(each_traffic_is_a_scenario_with_a_variant_for_each_phase_and_move),
        cmocka_unit_test(a_file_without_orders_is_no_plan),
        cmocka_unit_test(what_is_wrong_in_a_plan_is_told_with_its_place),
        cmocka_unit_test(an_order_is_safe_while_nothing_new_breaks),
        cmocka_unit_test(a_move_that_breaks_what_was_not_broken_is_not_safe),
        cmocka_unit_test(a_phase_that_breaks_what_was_not_broken_is_not_gone_to),
        cmocka_unit_test(what_was_not_asked_before_is_not_new),
        cmocka_unit_test(a_migration_that_may_be_refused_is_told),
        cmocka_unit_test(what_is_not_known_is_not_safe),
        cmocka_unit_test(what_is_not_known_is_not_unsafe_either),
        cmocka_unit_test(what_one_traffic_breaks_is_known),
        cmocka_unit_test(one_bad_move_is_enough),
        cmocka_unit_test(what_was_not_confirmed_is_not_counted),
        cmocka_unit_test(a_rollout_is_the_same_when_it_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
