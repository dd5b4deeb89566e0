/* From an exploration to a verdict: what decides, and what leaves it open. */
#include "cli/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "repro/token.h"

static const struct ob_invariant_ref invariants[] = {{.name = "no-overlap"}, {.name = "ownership"}};

static const struct ob_variant variants[] = {{.name = "legacy", .violates = "no-overlap"},
                                             {.name = "fixed"}};

static const struct ob_scenario scenario = {
    .file = "some where/it's.yaml",
    .name = "two",
    .about = "Two.",
    .target = OB_TARGET_SQL,
    .invariants = invariants,
    .invariant_count = 2,
    .variants = variants,
    .variant_count = 2,
};

enum { LEGACY, FIXED };

static uint8_t clients[] = {0, 1, 0};
static uint64_t digests[] = {1, 2, 3};

/* A finding of the invariant with that index, of whose ten replays so many were the same. */
static struct ob_finding finding(size_t item, unsigned same)
{
    return (struct ob_finding){
        .item = item,
        .run = 7,
        .schedule = {.clients = clients, .step_count = 3},
        .step_digests = digests,
        .clients = 2,
        .preemptions = 1,
        .rows = "slot 1",
        .trace = "the trace",
        .replays_same = same,
        .replays = 10,
        .divergence = same < 10 ? "step 2: the answers differ" : NULL,
    };
}

struct expected {
    enum ob_verdict verdict;
    bool as_expected;
    const char *reason;
};

struct fixture {
    struct ob_report report;
    struct ob_exploration exploration;
    struct ob_judge_case judged;
    struct ob_finding findings[3];
};

static const char *const names[] = {"alice", "bob"};
static struct ob_rig rig = {.client_names = names};

static void begin(struct fixture *f, size_t variant)
{
    *f = (struct fixture){0};
    ob_report_init(&f->report);
    f->exploration = (struct ob_exploration){.runs = 300, .last_run = 300, .findings = f->findings};
    f->judged = (struct ob_judge_case){.scenario = &scenario,
                                       .variant = variant,
                                       .rig = &rig,
                                       .exploration = &f->exploration,
                                       .server_version = 150018};
}

static void found(struct fixture *f, size_t item, unsigned same)
{
    f->findings[f->exploration.finding_count++] = finding(item, same);
}

static const struct ob_report_result *judge(struct fixture *f)
{
    struct ob_report_result *result = ob_judge_begin(&f->report, &scenario, f->judged.variant);
    ob_judge(&f->report, result, &f->judged);
    return result;
}

static void expect(struct fixture *f, struct expected expected)
{
    const struct ob_report_result *result = judge(f);
    assert_string_equal(ob_verdict_word(result->verdict), ob_verdict_word(expected.verdict));
    assert_int_equal(result->as_expected, expected.as_expected);
    assert_string_equal(result->reason, expected.reason);
    ob_report_clear(&f->report);
}

static void no_violation_holds(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    expect(&f, (struct expected){OB_HOLDS, true, ""});
}

static void what_holds_unreached_is_not_as_expected(void **state)
{
    (void)state;
    static const struct ob_sometimes_ref sometimes[] = {
        {.name = "wait", .variants = 1 << LEGACY},
        {.name = "contention", .variants = 1 << LEGACY | 1 << FIXED},
    };
    struct ob_scenario racing = scenario;
    racing.sometimes = sometimes;
    racing.sometimes_count = 2;
    struct fixture f;
    begin(&f, FIXED);
    f.judged.scenario = &racing;
    expect(&f, (struct expected){OB_HOLDS, false,
                                 "contention was to be reached, and was not in 300 runs: what "
                                 "holds has not been put to the test"});
    begin(&f, FIXED);
    f.judged.scenario = &racing;
    f.exploration.reached[0] = 1;
    expect(&f, (struct expected){OB_HOLDS, true, ""});
    begin(&f, LEGACY);
    f.judged.scenario = &racing;
    found(&f, 0, 10);
    expect(&f, (struct expected){OB_VIOLATED, true, ""});
}

static void a_violation_where_none_should_be_is_unexpected(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    found(&f, 1, 10);
    expect(&f, (struct expected){OB_VIOLATED, false, "expected to hold, but ownership was broken"});
}

static void the_expected_violation_is_expected(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    found(&f, 1, 10);
    found(&f, 0, 10);
    expect(&f, (struct expected){OB_VIOLATED, true, ""});
}

static void the_expected_violation_and_its_run_come_first(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    found(&f, 1, 10);
    found(&f, 1, 10);
    found(&f, 0, 10);
    f.findings[0].run = 3;
    f.findings[0].rows = "another run";
    const struct ob_report_result *result = judge(&f);
    assert_string_equal(result->violations[0].invariant, "no-overlap");
    assert_int_equal(result->violations[1].run, 7);
    assert_string_equal(result->violations[2].why, "another run");
    ob_report_clear(&f.report);
}

static void another_violation_than_the_expected_is_unexpected(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    found(&f, 1, 10);
    expect(&f,
           (struct expected){OB_VIOLATED, false, "ownership was broken, but no-overlap should be"});
}

static void the_expected_violation_not_found_is_unexpected(void **state)
{
    (void)state;
    static const struct {
        const char *strategy;
        uint64_t runs;
        bool exhausted;
        const char *reason;
    } cases[] = {
        {"random", 300, false,
         "no-overlap should be broken, and was not in 300 runs: try --runs 3000 or --strategy "
         "exhaustive"},
        {"stress", 1, false,
         "no-overlap should be broken, and was not in 1 run: try --runs 1000 or --strategy "
         "exhaustive"},
        {"round-robin", 2, false,
         "no-overlap should be broken, and was not in 2 runs: try --strategy random"},
        {"exhaustive", 100, false,
         "no-overlap should be broken, and was not in 100 runs: try --runs 1000"},
        {"exhaustive", 6, true, "no-overlap should be broken, and was not in 6 runs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        begin(&f, LEGACY);
        f.exploration.runs = cases[i].runs;
        f.exploration.exhausted = cases[i].exhausted;
        struct ob_report_result *result = ob_judge_begin(&f.report, &scenario, LEGACY);
        result->strategy = cases[i].strategy;
        ob_judge(&f.report, result, &f.judged);
        assert_int_equal(result->verdict, OB_HOLDS);
        assert_false(result->as_expected);
        assert_string_equal(result->reason, cases[i].reason);
        ob_report_clear(&f.report);
    }
}

static void a_bound_that_was_reached_is_claimed_and_is_no_exhaustion(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.within_bound = true;
    f.exploration.bound = 1;
    assert_string_equal(judge(&f)->claim, "every schedule of at most 1 preemption was run");
    f.exploration.bound = 3;
    assert_string_equal(judge(&f)->claim, "every schedule of at most 3 preemptions was run");
    f.exploration.exhausted = true; /* which says more */
    assert_string_equal(judge(&f)->claim, "");
    f.exploration.exhausted = false;
    f.judged.require_exhausted = true;
    const struct ob_report_result *result = judge(&f);
    assert_string_equal(result->claim, "");
    assert_string_equal(result->reason,
                        "not exhausted: schedules of more preemptions were left out");
    ob_report_clear(&f.report);

    begin(&f, LEGACY);
    f.exploration.within_bound = true;
    expect(&f, (struct expected){OB_HOLDS, false,
                                 "no-overlap should be broken, and was not in 300 runs: try a "
                                 "higher bound or --strategy exhaustive"});
}

static void without_footprints_the_reduction_tells_what_it_took_for_dependent(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.reduced = f.exploration.exhausted = true;
    f.report.controlled_footprints = true;
    assert_string_equal(judge(&f)->claim,
                        "every order of steps that can matter to each other was run");
    f.report.controlled_footprints = false;
    assert_string_equal(judge(&f)->claim,
                        "every order of steps that can matter to each other was run, and any two "
                        "statements can, as the server has no probe");
    f.exploration.exhausted = false;
    assert_string_equal(judge(&f)->claim, "");
    ob_report_clear(&f.report);
}

static void confidence_is_claimed_on_its_conditions_only(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.report.controlled_deadlock = true;
    f.exploration.promised = true;
    f.exploration.promise =
        (struct ob_strategy_promise){.depth = 2, .clients = 2, .steps = 8, .runs = 72};
    assert_string_equal(judge(&f)->claim, "no bug of depth 2: 99 %");
    rig.spec.fault_budget = 1;
    assert_string_equal(judge(&f)->claim, "no bug of depth 2 that needs no fault: 99 %");
    rig.spec.fault_budget = 0;
    f.exploration.promise.runs = 71;
    assert_string_equal(judge(&f)->claim, "");
    f.exploration.promise.runs = 72;
    f.report.controlled_deadlock = false;
    assert_string_equal(judge(&f)->claim, "");
    f.report.controlled_deadlock = true;
    f.exploration.promised = false; /* as after a run that was not controlled */
    assert_string_equal(judge(&f)->claim, "");
    f.exploration.promised = true;
    f.exploration.stopped = true;
    assert_string_equal(judge(&f)->claim, "");
    f.exploration.stopped = false;
    found(&f, 1, 10);
    assert_string_equal(judge(&f)->claim, "");
    ob_report_clear(&f.report);
}

/* Its enumeration may be over, and its pct may keep its promise: each for itself. */
static void a_portfolio_claims_what_its_members_do(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.report.controlled_deadlock = true;
    f.exploration.within_bound = true;
    f.exploration.bound = 2;
    f.exploration.promised = true;
    f.exploration.promise =
        (struct ob_strategy_promise){.depth = 2, .clients = 2, .steps = 8, .runs = 72};
    assert_string_equal(judge(&f)->claim, "every schedule of at most 2 preemptions was run; no "
                                          "bug of depth 2: 99 %");
    f.exploration.promise.runs = 71;
    assert_string_equal(judge(&f)->claim, "every schedule of at most 2 preemptions was run");
    f.exploration.promise.runs = 72;
    f.exploration.exhausted = true;
    assert_string_equal(judge(&f)->claim, "");
    ob_report_clear(&f.report);

    begin(&f, LEGACY);
    f.exploration.within_bound = f.exploration.sampled = true;
    f.exploration.samples = 75;
    f.exploration.sampler = "random";
    expect(&f, (struct expected){OB_HOLDS, false,
                                 "no-overlap should be broken, and was not in 300 runs: try --runs "
                                 "3000 or --strategy exhaustive"});
}

/* What was drawn by lot does not rest on where the same choices lead; an enumeration does. */
static void choices_that_lead_elsewhere_are_a_warning_to_a_portfolio_only(void **state)
{
    (void)state;
    static const char changed[] = "the same choices did not lead to the same answers again";
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.changed = true;
    const struct ob_report_result *result = judge(&f);
    assert_int_equal(result->verdict, OB_INCONCLUSIVE);
    assert_memory_equal(result->reason, changed, sizeof changed - 1);
    assert_int_equal(result->warning_count, 0);
    f.exploration.sampled = true;
    f.exploration.samples = 75;
    f.exploration.sampler = "random";
    result = judge(&f);
    assert_int_equal(result->verdict, OB_HOLDS);
    assert_int_equal(result->warning_count, 1);
    assert_memory_equal(result->warnings[0], changed, sizeof changed - 1);
    ob_report_clear(&f.report);
}

static void what_is_left_is_estimated_until_nothing_is(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.estimate = 34650;
    assert_true(judge(&f)->estimate == 34650);
    f.exploration.within_bound = true;
    assert_true(judge(&f)->estimate == 0);
    f.exploration.within_bound = false;
    f.exploration.exhausted = true;
    assert_true(judge(&f)->estimate == 0);
    ob_report_clear(&f.report);
}

static void what_is_unseen_is_told_of_samples(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.classes_once = 150;
    f.exploration.outcomes_once = 3;
    assert_false(judge(&f)->sampled);
    f.exploration.sampled = true;
    f.exploration.samples = 300;
    f.exploration.sampler = "random";
    const struct ob_report_result *result = judge(&f);
    assert_true(result->sampled);
    assert_true(result->unseen_classes == 0.5);
    assert_true(result->unseen_outcomes == 0.01);
    ob_report_clear(&f.report);
}

static void a_violation_whose_replays_differ_decides_nothing(void **state)
{
    (void)state;
    for (size_t variant = LEGACY; variant <= FIXED; variant++) {
        struct fixture f;
        begin(&f, variant);
        found(&f, 0, 9);
        expect(&f, (struct expected){OB_INCONCLUSIVE, false,
                                     "a violation was seen, but only 9 of 10 replays were the "
                                     "same: step 2: the answers differ"});
    }
    struct fixture f;
    begin(&f, FIXED);
    found(&f, 0, 9);
    f.findings[0].uncontrolled = true;
    expect(&f, (struct expected){OB_INCONCLUSIVE, false,
                                 "a violation was seen, but only 9 of 10 replays were the same "
                                 "(the server chose which waiter went on, or when a wait timed "
                                 "out): step 2: the answers "
                                 "differ"});
}

static void a_confirmed_violation_decides_beside_one_that_is_not(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    found(&f, 1, 3);
    found(&f, 0, 10);
    expect(&f, (struct expected){OB_VIOLATED, true, ""});
}

static void a_run_that_proved_nothing_leaves_it_open(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.runs = f.exploration.last_run = 12;
    f.exploration.inconclusive = OB_RUN_NOT_BACK;
    snprintf(f.exploration.reason, sizeof f.exploration.reason, "alice");
    expect(&f, (struct expected){OB_INCONCLUSIVE, false,
                                 "run 12: a client did not come back from its own code: alice"});
}

static void set_passed_over(struct fixture *f, uint64_t runs, bool listed)
{
    static struct ob_rig ordered;
    ordered = rig;
    ordered.orders.listed = listed;
    f->judged.rig = &ordered;
    f->exploration.passed_over = runs;
    snprintf(f->exploration.passed_over_why, sizeof f->exploration.passed_over_why, "in run 2 …");
}

static void orders_that_could_not_be_followed_leave_it_open_where_they_were_asked_for(void **state)
{
    (void)state;
    struct fixture f;
    const char *why = "1 of 300 runs could not go on as their permutation says: in run 2 …";
    begin(&f, FIXED);
    set_passed_over(&f, 1, true);
    expect(&f, (struct expected){OB_INCONCLUSIVE, false, why});
    begin(&f, FIXED);
    set_passed_over(&f, 300, false);
    expect(&f, (struct expected){
                   OB_INCONCLUSIVE, false,
                   "300 of 300 runs could not go on as their permutation says: in run 2 …"});
    begin(&f, FIXED);
    set_passed_over(&f, 1, false);
    const struct ob_report_result *result = judge(&f);
    assert_int_equal(result->verdict, OB_HOLDS);
    assert_int_equal(result->warning_count, 1);
    assert_string_equal(result->warnings[0], why);
    ob_report_clear(&f.report);
    begin(&f, LEGACY);
    found(&f, 0, 10);
    set_passed_over(&f, 1, true);
    result = judge(&f);
    assert_int_equal(result->verdict, OB_VIOLATED);
    assert_int_equal(result->warning_count, 1);
    ob_report_clear(&f.report);
}

static void an_interruption_leaves_it_open_unless_a_violation_decides(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    f.exploration.stopped = true;
    expect(&f, (struct expected){OB_INCONCLUSIVE, false, "interrupted"});
    begin(&f, LEGACY);
    f.exploration.stopped = true;
    found(&f, 0, 10);
    expect(&f, (struct expected){OB_VIOLATED, true, ""});
}

static void no_run_at_all_is_not_a_proof(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.exploration.runs = 0;
    expect(&f, (struct expected){OB_INCONCLUSIVE, false, "the time was over before the first run"});
}

static void what_must_be_exhausted_and_is_not_is_left_open(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, FIXED);
    f.judged.require_exhausted = true;
    expect(&f, (struct expected){OB_INCONCLUSIVE, false,
                                 "not exhausted: the runs or the time were over before"});
    begin(&f, FIXED);
    f.judged.require_exhausted = true;
    f.exploration.uncontrolled_runs = 1;
    expect(&f, (struct expected){OB_INCONCLUSIVE, false,
                                 "not exhausted: the server chose which of several waiters went "
                                 "on, or when a wait timed out"});
    begin(&f, FIXED);
    f.judged.require_exhausted = true;
    f.exploration.exhausted = true;
    expect(&f, (struct expected){OB_HOLDS, true, ""});
}

static struct ob_statement statement(uint64_t done, uint64_t wrong, const char *sqlstate)
{
    struct ob_statement failed = {.client = 1,
                                  .text = "INSERT INTO\n  bookng VALUES ($1)",
                                  .done = done,
                                  .wrong = wrong,
                                  .message = "no"};
    snprintf(failed.sqlstate, sizeof failed.sqlstate, "%s", sqlstate);
    return failed;
}

static void a_statement_that_is_never_accepted_is_an_error(void **state)
{
    (void)state;
    struct ob_statement failed[] = {statement(300, 0, ""), statement(0, 300, "42P01")};
    for (size_t variant = LEGACY; variant <= FIXED; variant++) {
        struct fixture f;
        begin(&f, variant);
        f.exploration.statements = (struct ob_statements){.items = failed, .count = 2};
        expect(&f, (struct expected){OB_FAILED, false,
                                     "client bob: \"INSERT INTO bookng VALUES ($1)\" failed each "
                                     "time: 42P01: no"});
    }
}

static void expect_warning(struct fixture *f, enum ob_verdict verdict, const char *warning)
{
    const struct ob_report_result *result = judge(f);
    assert_int_equal(result->verdict, verdict);
    assert_true(result->as_expected);
    assert_string_equal(result->reason, "");
    assert_int_equal(result->warning_count, warning != NULL);
    if (warning)
        assert_string_equal(result->warnings[0], warning);
    ob_report_clear(&f->report);
}

static void other_failures_are_warned_of(void **state)
{
    (void)state;
    struct fixture f;
    struct ob_statement failed = statement(298, 2, "42P01");
    begin(&f, FIXED);
    f.exploration.statements = (struct ob_statements){.items = &failed, .count = 1};
    expect_warning(&f, OB_HOLDS,
                   "client bob: \"INSERT INTO bookng VALUES ($1)\" failed 2 of 300 times: "
                   "42P01: no");
    failed = statement(0, 9, "22012");
    begin(&f, FIXED);
    f.exploration.statements = (struct ob_statements){.items = &failed, .count = 1};
    expect_warning(&f, OB_HOLDS,
                   "client bob: \"INSERT INTO bookng VALUES ($1)\" failed each time: 22012: no");
    failed = statement(1, 9, "22012");
    begin(&f, FIXED);
    f.exploration.statements = (struct ob_statements){.items = &failed, .count = 1};
    expect_warning(&f, OB_HOLDS, NULL);
}

/* A statement that another client has broken may be what the violation is about. */
static void a_confirmed_violation_decides_beside_a_statement_that_is_not_accepted(void **state)
{
    (void)state;
    struct fixture f;
    struct ob_statement failed = statement(0, 1, "42703");
    begin(&f, LEGACY);
    found(&f, 0, 10);
    f.exploration.statements = (struct ob_statements){.items = &failed, .count = 1};
    expect_warning(&f, OB_VIOLATED,
                   "client bob: \"INSERT INTO bookng VALUES ($1)\" failed each time: 42703: no");
}

static void a_free_run_has_a_violation_and_nothing_to_replay(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    found(&f, 0, 0);
    f.findings[0].replays = 0;
    const struct ob_report_result *result = judge(&f);
    assert_int_equal(result->verdict, OB_VIOLATED);
    assert_true(result->as_expected);
    assert_string_equal(result->violations[0].token, "");
    assert_string_equal(result->violations[0].replay, "");
    ob_report_clear(&f.report);
}

static void the_command_to_replay_names_the_file_where_it_must(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, LEGACY);
    found(&f, 0, 10);
    const struct ob_report_result *result = judge(&f);
    const char *token = result->violations[0].token;
    struct ob_token read;
    struct ob_error err;
    assert_int_equal(ob_token_decode(token, &read, &err), OB_OK);
    assert_int_equal(read.schedule.step_count, 3);
    ob_token_clear(&read);
    char command[512];
    snprintf(command, sizeof command, "overbook replay %s", token);
    assert_string_equal(result->violations[0].replay, command);
    f.judged.named = true;
    snprintf(command, sizeof command, "overbook replay %s 'some where/it'\\''s.yaml'", token);
    assert_string_equal(judge(&f)->violations[0].replay, command);
    ob_report_clear(&f.report);
}

static void what_failed_is_an_error_and_a_lost_client_is_inconclusive(void **state)
{
    (void)state;
    struct fixture f;
    struct ob_error err;
    begin(&f, FIXED);
    struct ob_report_result *result = ob_judge_begin(&f.report, &scenario, FIXED);
    ob_error_set(&err, OB_SQL, "the setup failed");
    ob_error_detail(&err, "syntax error");
    ob_judge_error(&f.report, result, &err);
    assert_int_equal(result->verdict, OB_FAILED);
    assert_string_equal(result->reason, "the setup failed: syntax error");
    ob_error_hint(&err, "Try it with psql.");
    ob_judge_error(&f.report, result, &err);
    assert_string_equal(result->reason, "the setup failed: syntax error Try it with psql.");
    ob_error_set(&err, OB_STUCK, "bob did not come back");
    ob_judge_error(&f.report, result, &err);
    assert_int_equal(result->verdict, OB_INCONCLUSIVE);
    assert_string_equal(result->reason, "bob did not come back");
    ob_report_clear(&f.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_violation_holds),
        cmocka_unit_test(what_holds_unreached_is_not_as_expected),
        cmocka_unit_test(a_violation_where_none_should_be_is_unexpected),
        cmocka_unit_test(the_expected_violation_is_expected),
        cmocka_unit_test(the_expected_violation_and_its_run_come_first),
        cmocka_unit_test(another_violation_than_the_expected_is_unexpected),
        cmocka_unit_test(the_expected_violation_not_found_is_unexpected),
        cmocka_unit_test(a_bound_that_was_reached_is_claimed_and_is_no_exhaustion),
        cmocka_unit_test(without_footprints_the_reduction_tells_what_it_took_for_dependent),
        cmocka_unit_test(confidence_is_claimed_on_its_conditions_only),
        cmocka_unit_test(a_portfolio_claims_what_its_members_do),
        cmocka_unit_test(choices_that_lead_elsewhere_are_a_warning_to_a_portfolio_only),
        cmocka_unit_test(what_is_left_is_estimated_until_nothing_is),
        cmocka_unit_test(what_is_unseen_is_told_of_samples),
        cmocka_unit_test(a_violation_whose_replays_differ_decides_nothing),
        cmocka_unit_test(a_confirmed_violation_decides_beside_one_that_is_not),
        cmocka_unit_test(a_run_that_proved_nothing_leaves_it_open),
        cmocka_unit_test(orders_that_could_not_be_followed_leave_it_open_where_they_were_asked_for),
        cmocka_unit_test(an_interruption_leaves_it_open_unless_a_violation_decides),
        cmocka_unit_test(no_run_at_all_is_not_a_proof),
        cmocka_unit_test(what_must_be_exhausted_and_is_not_is_left_open),
        cmocka_unit_test(a_statement_that_is_never_accepted_is_an_error),
        cmocka_unit_test(other_failures_are_warned_of),
        cmocka_unit_test(a_confirmed_violation_decides_beside_a_statement_that_is_not_accepted),
        cmocka_unit_test(a_free_run_has_a_violation_and_nothing_to_replay),
        cmocka_unit_test(the_command_to_replay_names_the_file_where_it_must),
        cmocka_unit_test(what_failed_is_an_error_and_a_lost_client_is_inconclusive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
