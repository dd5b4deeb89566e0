/*
 * Shrinking: what is known to be the smallest run is found, of programs that have more in them than
 * it takes; and what would explain nothing is not.  And explaining: the steps whose order it takes
 * are found, and where there are none that is said.
 */
#include "repro/explain.h"
#include "repro/left_out.h"
#include "repro/shrink.h"

#include "live.h"
#include "racing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define LOOK "SELECT count(*) AS taken FROM booking WHERE slot = 1"
#define BOOKS(name)                                                                    \
    "  - name: " name "\n"                                                             \
    "    steps:\n"                                                                     \
    "      - begin\n"                                                                  \
    "      - {sql: SELECT 1}\n"                                                        \
    "      - commit\n"                                                                 \
    "      - begin\n"                                                                  \
    "      - {sql: \"INSERT INTO visit VALUES ('" name "')\"}\n"                       \
    "      - {sql: " LOOK ", capture: {taken: taken}}\n"                               \
    "      - {sql: \"INSERT INTO booking VALUES (1, '" name "')\", when: taken = 0}\n" \
    "      - commit\n"                                                                 \
    "      - {sql: SELECT count(*) FROM visit}\n"

static const char looks_and_books[] =
    "name: looks-and-books\n"
    "about: Two look and book, two others are in the way.\n"
    "target: sql\n"
    "setup: |\n"
    "  CREATE TABLE booking (slot int, customer text);\n"
    "  CREATE TABLE visit (customer text);\n"
    "clients:\n"
    "  - {name: zoe, steps: [{sql: SELECT 2}, {sql: SELECT 3}]}\n" BOOKS(
        "ann") "  - {name: joe, steps: [begin, {sql: SELECT 4}, "
               "commit]}\n" BOOKS("bob") "invariants:\n"
                                         "  - name: one-booking\n"
                                         "    sql: SELECT slot FROM booking "
                                         "GROUP BY 1 HAVING"
                                         " count(*) > 1\n"
                                         "expect: {violates: one-booking}\n";

struct setting {
    struct ob_scenario *scenario;
    struct ob_racing racing;
    struct ob_shrunk shrunk;
    struct ob_error err;
};

static void set_up(struct setting *setting, const char *text)
{
    *setting = (struct setting){.scenario = ob_racing_parse(text)};
    ob_racing_open(&setting->racing, setting->scenario, 0, NULL);
}

static void tear_down(struct setting *setting)
{
    ob_shrunk_clear(&setting->shrunk);
    ob_racing_close(&setting->racing);
    ob_scenario_free(setting->scenario);
}

/* The first violation that runs by lot of that seed find. */
static void find(struct setting *setting, uint64_t seed, struct ob_schedule *out)
{
    const struct ob_explore_options options = {
        .strategy = OB_STRATEGY_RANDOM, .seed = seed, .runs_max = 500, .budget_us = INT64_MAX};
    struct ob_exploration found;
    if (ob_explore(setting->racing.rig, &options, &found, &setting->err) != OB_OK)
        fail_msg("%s %s", setting->err.message, setting->err.detail);
    assert_true(found.finding_count > 0);
    ob_schedule_copy(out, &found.findings[0].schedule);
    ob_exploration_clear(&found);
}

static void shrink(struct setting *setting, const struct ob_schedule *schedule, uint64_t runs_max)
{
    const struct ob_shrink_options options = {.runs_max = runs_max, .budget_us = INT64_MAX};
    ob_shrunk_clear(&setting->shrunk);
    if (ob_shrink(setting->racing.rig, schedule, 0, &options, &setting->shrunk, &setting->err) !=
        OB_OK)
        fail_msg("%s %s", setting->err.message, setting->err.detail);
}

static void find_and_shrink(struct setting *setting, uint64_t seed)
{
    struct ob_schedule schedule = {0};
    find(setting, seed, &schedule);
    shrink(setting, &schedule, OB_SHRINK_RUNS);
    ob_schedule_clear(&schedule);
}

static void explain(struct setting *setting, struct ob_explained *out)
{
    if (ob_explain(setting->racing.rig, &setting->shrunk.trace, 0, out, &setting->err) != OB_OK)
        fail_msg("%s %s", setting->err.message, setting->err.detail);
}

static void assert_size(const struct ob_run_size *size, size_t clients, size_t faults, size_t steps,
                        size_t preemptions)
{
    if (size->clients != clients || size->faults != faults || size->steps != steps ||
        size->preemptions != preemptions)
        fail_msg("%zu clients, %zu faults, %zu steps, %zu preemptions", size->clients, size->faults,
                 size->steps, size->preemptions);
}

static size_t count_steps(const struct ob_trace *trace, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < trace->step_count; i++)
        count += strcmp(trace->steps[i].text, text) == 0;
    return count;
}

/* Bystanders, transactions, other statements and needless switches go; both still look. */
static void what_is_not_needed_is_left_out(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting, looks_and_books);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        find_and_shrink(&setting, seed);
        const struct ob_shrunk *shrunk = &setting.shrunk;
        assert_size(&shrunk->size, 2, 0, 4, 1);
        assert_int_equal(shrunk->finding.replays_same, OB_REPLAYS);
        assert_true(shrunk->complete && shrunk->innocent);
        assert_true(shrunk->from.clients >= 2 && shrunk->from.steps > 4);
        assert_int_equal(count_steps(&shrunk->trace, LOOK), 2);
        char *left_out = ob_left_out(setting.racing.rig, &shrunk->finding.schedule);
        assert_ptr_equal(strstr(left_out, "all of zoe; ann's BEGIN, SELECT 1, COMMIT, BEGIN, "),
                         left_out);
        assert_non_null(strstr(left_out, "; all of joe; bob's BEGIN, "));
        free(left_out);
    }
    tear_down(&setting);
}

/* The same, given what was left: nothing is smaller. */
static void what_is_small_stays_as_it_is(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_schedule schedule = {0};
    set_up(&setting, looks_and_books);
    find_and_shrink(&setting, 1);
    ob_schedule_copy(&schedule, &setting.shrunk.finding.schedule);
    shrink(&setting, &schedule, OB_SHRINK_RUNS);
    assert_size(&setting.shrunk.from, 2, 0, 4, 1);
    assert_size(&setting.shrunk.size, 2, 0, 4, 1);
    assert_memory_equal(setting.shrunk.finding.schedule.clients, schedule.clients, 4);
    ob_schedule_clear(&schedule);
    tear_down(&setting);
}

/* With few runs it is as small as it got, and breaks the invariant all the same. */
static void a_limit_leaves_the_best_until_then(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_schedule schedule = {0};
    set_up(&setting, looks_and_books);
    find(&setting, 1, &schedule);
    struct ob_run_size before = {0};
    for (uint64_t runs = 5; runs <= 45; runs += 20) {
        shrink(&setting, &schedule, runs);
        const struct ob_shrunk *shrunk = &setting.shrunk;
        assert_true(shrunk->stopped && !shrunk->complete);
        assert_int_equal(shrunk->finding.replays_same, OB_REPLAYS);
        assert_true(shrunk->size.steps <= shrunk->from.steps);
        assert_true(before.steps == 0 || shrunk->size.steps <= before.steps);
        before = shrunk->size;
    }
    ob_schedule_clear(&schedule);
    tear_down(&setting);
}

/* The lock makes the first slot safe, and nothing the second. */
#define TAKES_TWO(name)                                                                           \
    "  - name: " name "\n"                                                                        \
    "    steps:\n"                                                                                \
    "      - begin\n"                                                                             \
    "      - {sql: SELECT 1 FROM slot WHERE id = 1 FOR UPDATE}\n"                                 \
    "      - {sql: SELECT count(*) AS n FROM booking WHERE slot = 1, capture: {n: n}}\n"          \
    "      - {sql: \"INSERT INTO booking VALUES (1, '" name "')\", when: n = 0}\n"                \
    "      - {sql: \"INSERT INTO booking VALUES (3, '" name "')\", when: n > 0}\n"                \
    "      - commit\n"                                                                            \
    "      - {sql: SELECT count(*) AS m FROM booking WHERE slot = 2, capture: {m: m}}\n"          \
    "      - {sql: \"INSERT INTO booking SELECT 2, customer FROM booking WHERE customer = '" name \
    "'\", when: m = 0}\n"

static const char locked_and_open[] =
    "name: locked-and-open\n"
    "about: One slot is booked under a lock, another is not.\n"
    "target: sql\n"
    "setup: |\n"
    "  CREATE TABLE slot (id int); INSERT INTO slot VALUES (1);\n"
    "  CREATE TABLE booking (slot int, customer text);\n"
    "clients:\n" TAKES_TWO("ann") TAKES_TWO("bob") "invariants:\n"
                                                   "  - name: one-booking\n"
                                                   "    sql: SELECT slot FROM booking WHERE slot < "
                                                   "3 GROUP BY 1 HAVING count(*) > 1 ORDER BY 1\n"
                                                   "expect: {violates: one-booking}\n";

/* A lock that does its work is not left out, since the whole program has no race there. */
static void a_race_that_the_whole_program_has_not_is_not_shown(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting, locked_and_open);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        find_and_shrink(&setting, seed);
        const struct ob_shrunk *shrunk = &setting.shrunk;
        assert_string_equal(shrunk->finding.rows, "2");
        assert_int_equal(shrunk->finding.replays_same, OB_REPLAYS);
        assert_size(&shrunk->size, 2, 0, 8, 1);
    }
    tear_down(&setting);
}

/* The steps of the second slot are in conflict, not those that only go with them. */
static void the_last_step_that_must_be_put_off_is_named(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_explained explained;
    set_up(&setting, locked_and_open);
    find_and_shrink(&setting, 1);
    explain(&setting, &explained);
    const struct ob_step *steps = setting.shrunk.trace.steps;
    assert_non_null(strstr(steps[explained.first].text, "AS m"));
    assert_non_null(strstr(steps[explained.second].text, "INSERT INTO booking SELECT 2"));
    assert_true(explained.contradiction);
    ob_explained_clear(&explained);
    tear_down(&setting);
}

#define NAMED(name) "  - {name: " name ", steps: [{sql: SELECT 1}]}\n"

static const char six_in_a_row[] = "name: six-in-a-row\n"
                                   "about: Broken in each of 720 orders.\n"
                                   "target: sql\n"
                                   "clients:\n" NAMED("a") NAMED("b") NAMED("c") NAMED("d")
                                       NAMED("e") NAMED("f") "invariants:\n"
                                                             "  - {name: never, sql: SELECT 1}\n"
                                                             "expect: {violates: never}\n";

/* A search that ended at its 120 runs has not tried all. */
static void what_was_cut_is_not_complete(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting, six_in_a_row);
    find_and_shrink(&setting, 1);
    assert_size(&setting.shrunk.size, 6, 0, 6, 0);
    assert_true(setting.shrunk.runs > 120);
    assert_false(setting.shrunk.complete);
    assert_false(setting.shrunk.stopped);
    tear_down(&setting);
}

static const char lost_answer[] =
    "name: lost-answer\n"
    "about: Who hears nothing of a commit tries again, and books twice.\n"
    "target: sql\n"
    "setup: CREATE TABLE booking (customer text)\n"
    "faults: {points: [commit/ack-lost], budget: 2}\n"
    "clients:\n"
    "  - name: ann\n"
    "    retry-lost: true\n"
    "    retries: 1\n"
    "    steps:\n"
    "      - begin\n"
    "      - {sql: SELECT 1}\n"
    "      - {sql: \"INSERT INTO booking VALUES ('ann')\"}\n"
    "      - commit\n"
    "  - name: bob\n"
    "    steps: [begin, {sql: SELECT 2}, commit]\n"
    "invariants:\n"
    "  - name: one-booking\n"
    "    sql: SELECT customer FROM booking GROUP BY 1 HAVING count(*) > 1\n"
    "expect: {violates: one-booking}\n";

static void only_the_fault_that_matters_stays(void **state)
{
    (void)state;
    struct setting setting;
    set_up(&setting, lost_answer);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        find_and_shrink(&setting, seed);
        assert_int_equal(setting.shrunk.size.clients, 1);
        assert_int_equal(setting.shrunk.size.faults, 1);
        assert_int_equal(setting.shrunk.size.preemptions, 0);
        assert_int_equal(count_steps(&setting.shrunk.trace, "INSERT INTO booking VALUES ('ann')"),
                         2);
    }
    tear_down(&setting);
}

static const char unsettled[] = "name: unsettled\n"
                                "about: Somebody pays, and gets nothing for it, whatever happens.\n"
                                "target: sql\n"
                                "setup: CREATE TABLE entry (what text)\n"
                                "clients:\n"
                                "  - name: ann\n"
                                "    steps:\n"
                                "      - {sql: \"INSERT INTO entry VALUES ('paid')\"}\n"
                                "      - {sql: \"INSERT INTO entry VALUES ('%s')\"}\n"
                                "  - {name: bob, steps: [{sql: SELECT 1}, {sql: SELECT 2}]}\n"
                                "invariants:\n"
                                "  - name: settles\n"
                                "    sql: SELECT 1 WHERE (SELECT count(*) FROM entry WHERE what ="
                                " 'paid') > (SELECT count(*) FROM entry WHERE what = 'booked')\n"
                                "%s"
                                "expect: {violates: settles}\n";

/* That the payment is still open when its client stops early would be no finding. */
static void nothing_is_left_out_of_who_breaks_it_alone(void **state)
{
    (void)state;
    struct setting setting;
    char *text = ob_asprintf(unsettled, "rejected", "");
    set_up(&setting, text);
    find_and_shrink(&setting, 1);
    assert_false(setting.shrunk.innocent);
    assert_size(&setting.shrunk.size, 2, 0, 4, 0);
    tear_down(&setting);
    free(text);
}

/* Where it must hold at every instant, the first part of what happened says it all. */
static void who_stops_early_is_harmless_where_it_must_always_hold(void **state)
{
    (void)state;
    struct setting setting;
    char *text = ob_asprintf(unsettled, "booked", "    after-commit: true\n");
    set_up(&setting, text);
    find_and_shrink(&setting, 1);
    assert_size(&setting.shrunk.size, 1, 0, 1, 0);
    assert_int_equal(setting.shrunk.finding.replays_same, OB_REPLAYS);
    tear_down(&setting);
    free(text);
}

/* It complains every other time that it is asked. */
static const char flaky[] =
    "name: flaky\n"
    "about: An invariant that remembers.\n"
    "target: sql\n"
    "setup: CREATE TABLE entry (what text)\n"
    "clients:\n"
    "  - {name: ann, steps: [{sql: SELECT 1}]}\n"
    "invariants:\n"
    "  - name: odd\n"
    "    sql: >-\n"
    "      SELECT n FROM (SELECT set_config('test.n', (coalesce(nullif(current_setting('test.n',\n"
    "      true), ''), '0')::int + 1)::text, false)::int AS n) asked WHERE n % 2 = 1\n"
    "expect: {violates: odd}\n";

static void what_does_not_come_out_each_time_is_not_shrunk(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_schedule schedule = {0};
    set_up(&setting, flaky);
    ob_schedule_add_step(&schedule, 0);
    shrink(&setting, &schedule, OB_SHRINK_RUNS);
    assert_true(setting.shrunk.same < setting.shrunk.looks);
    assert_int_equal(setting.shrunk.finding.replays, 0);
    ob_schedule_clear(&schedule);
    tear_down(&setting);
}

/* look, look, insert, insert */
static void both_looks_are_named_with_what_they_missed(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_explained explained;
    set_up(&setting, looks_and_books);
    find_and_shrink(&setting, 1);
    explain(&setting, &explained);
    assert_int_equal(explained.edge_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct ob_step *steps = setting.shrunk.trace.steps;
        assert_int_equal(explained.edges[i].kind, OB_EDGE_RW);
        assert_string_equal(steps[explained.edges[i].from].text, LOOK);
        assert_int_equal(strncmp(steps[explained.edges[i].to].text, "INSERT INTO booking", 19), 0);
    }
    assert_true(explained.contradiction);
    assert_string_equal(explained.anomaly, "phantom");
    assert_non_null(strstr(explained.sentence, "ann before bob, because step 1"));
    assert_non_null(strstr(explained.sentence, "bob before ann, because step 2"));
    assert_true(explained.runs < 20);
    ob_explained_clear(&explained);
    tear_down(&setting);
}

static const char counts_up[] =
    "name: counts-up\n"
    "about: Two read the number of free places, and write one less.\n"
    "target: sql\n"
    "setup: CREATE TABLE place (free int); INSERT INTO place VALUES (2)\n"
    "clients:\n"
    "  - name: ann\n"
    "    steps:\n"
    "      - {sql: SELECT free FROM place, capture: {free: free}}\n"
    "      - {sql: \"UPDATE place SET free = :free::int - 1\"}\n"
    "  - name: bob\n"
    "    steps:\n"
    "      - {sql: SELECT free FROM place, capture: {free: free}}\n"
    "      - {sql: \"UPDATE place SET free = :free::int - 1\"}\n"
    "invariants:\n"
    "  - {name: both-count, sql: SELECT free FROM place WHERE free IS DISTINCT FROM 0}\n"
    "expect: {violates: both-count}\n";

static void an_update_that_is_lost_is_called_so(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_explained explained;
    set_up(&setting, counts_up);
    find_and_shrink(&setting, 1);
    assert_size(&setting.shrunk.size, 2, 0, 4, 1);
    explain(&setting, &explained);
    assert_string_equal(explained.anomaly, "lost update");
    assert_true(explained.contradiction);
    ob_explained_clear(&explained);
    tear_down(&setting);
}

static void a_fault_is_the_reason_where_no_order_is(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_explained explained;
    set_up(&setting, lost_answer);
    find_and_shrink(&setting, 1);
    explain(&setting, &explained);
    assert_int_equal(explained.edge_count, 0);
    assert_string_equal(explained.anomaly, "lost acknowledgement");
    assert_string_equal(explained.sentence, "commit/ack-lost strikes ann.");
    ob_explained_clear(&explained);
    tear_down(&setting);
}

static void what_needs_no_race_is_said_to_need_none(void **state)
{
    (void)state;
    struct setting setting;
    struct ob_explained explained;
    char *text = ob_asprintf(unsettled, "rejected", "");
    set_up(&setting, text);
    find_and_shrink(&setting, 1);
    explain(&setting, &explained);
    assert_int_equal(explained.edge_count, 0);
    assert_false(explained.contradiction);
    assert_string_equal(explained.anomaly, "");
    assert_non_null(strstr(explained.sentence, "without a race"));
    ob_explained_clear(&explained);
    tear_down(&setting);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_needed_is_left_out),
        cmocka_unit_test(what_is_small_stays_as_it_is),
        cmocka_unit_test(a_race_that_the_whole_program_has_not_is_not_shown),
        cmocka_unit_test(the_last_step_that_must_be_put_off_is_named),
        cmocka_unit_test(what_was_cut_is_not_complete),
        cmocka_unit_test(a_limit_leaves_the_best_until_then),
        cmocka_unit_test(only_the_fault_that_matters_stays),
        cmocka_unit_test(nothing_is_left_out_of_who_breaks_it_alone),
        cmocka_unit_test(who_stops_early_is_harmless_where_it_must_always_hold),
        cmocka_unit_test(what_does_not_come_out_each_time_is_not_shrunk),
        cmocka_unit_test(both_looks_are_named_with_what_they_missed),
        cmocka_unit_test(an_update_that_is_lost_is_called_so),
        cmocka_unit_test(a_fault_is_the_reason_where_no_order_is),
        cmocka_unit_test(what_needs_no_race_is_said_to_need_none),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
