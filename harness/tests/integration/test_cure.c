/*
 * Cures: each kind of them is proposed where it belongs, and is told to cure where it does and not
 * to where it does not.  What is expected here is what PostgreSQL's manual and known bugs say, not
 * what was seen to come out.
 */
#include "cure/cure.h"
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

#define RUNS 60 /* of an exploration */

struct setting {
    struct ob_scenario *scenario;
    struct ob_racing racing;
    struct ob_shrunk shrunk;
    struct ob_query_port query;
    struct ob_cure_case of;
    struct ob_error err;
};

static void must(enum ob_result result, const struct ob_error *err)
{
    if (result != OB_OK)
        fail_msg("%s %s", err->message, err->detail);
}

/* The first violation that is found, made small. */
static void find(struct setting *s, uint64_t seed)
{
    const struct ob_explore_options options = {
        .strategy = OB_STRATEGY_RANDOM, .seed = seed, .runs_max = 500, .budget_us = INT64_MAX};
    const struct ob_shrink_options how = {.runs_max = OB_SHRINK_RUNS, .budget_us = INT64_MAX};
    struct ob_exploration found;
    must(ob_explore(s->racing.rig, &options, &found, &s->err), &s->err);
    assert_true(found.finding_count > 0);
    must(ob_shrink(s->racing.rig, &found.findings[0].schedule, found.findings[0].item, &how,
                   &s->shrunk, &s->err),
         &s->err);
    assert_true(s->shrunk.finding.replays > 0);
    ob_exploration_clear(&found);
}

static struct ob_cure_place place_of(struct ob_racing *racing, struct ob_query_port *query)
{
    *query = ob_target_query(racing->target);
    return (struct ob_cure_place){.rig = racing->rig,
                                  .query = query,
                                  .strategy = OB_STRATEGY_PORTFOLIO,
                                  .seed = 1,
                                  .runs_max = RUNS,
                                  .budget_us = INT64_MAX};
}

static void set_up(struct setting *s, const struct ob_scenario *scenario, size_t variant)
{
    ob_racing_open(&s->racing, scenario, variant, NULL);
    find(s, 1);
    struct ob_cure_place place = place_of(&s->racing, &s->query);
    s->of = (struct ob_cure_case){.scenario = scenario,
                                  .variant = variant,
                                  .item = s->shrunk.finding.item,
                                  .trace = &s->shrunk.trace,
                                  .is_race = s->shrunk.size.clients > 1};
    must(ob_cure_case_open(&s->of, &place, &s->err), &s->err);
}

static void tear_down(struct setting *s)
{
    ob_cure_case_close(&s->of);
    ob_shrunk_clear(&s->shrunk);
    ob_racing_close(&s->racing);
}

static const struct ob_cure *cure_named(const struct setting *s, const char *name)
{
    for (size_t i = 0; i < s->of.cure_count; i++)
        if (strcmp(s->of.cures[i].name, name) == 0)
            return &s->of.cures[i];
    return NULL;
}

static void try_within(struct setting *s, const struct ob_cure *cure, int64_t budget_us,
                       struct ob_cure_trial *out)
{
    struct ob_racing there;
    struct ob_query_port query;
    ob_racing_open(&there, cure->scenario, s->of.variant, NULL);
    struct ob_cure_place place = place_of(&there, &query);
    place.budget_us = budget_us;
    ob_cure_trial_init(out);
    must(ob_cure_try(&s->of, cure, &place, out, &s->err), &s->err);
    ob_racing_close(&there);
}

static void try_cure(struct setting *s, const struct ob_cure *cure, struct ob_cure_trial *out)
{
    try_within(s, cure, INT64_MAX, out);
}

static void try(struct setting *s, const char *name, struct ob_cure_trial *out)
{
    const struct ob_cure *cure = cure_named(s, name);
    if (!cure) {
        fail_msg("no cure is called \"%s\"", name);
        abort();
    }
    try_cure(s, cure, out);
}

/* What a cure comes to: the verdict and, unless it is NULL, the same schedule. */
struct wanted {
    const char *name, *verdict, *on_schedule;
};

static void check(struct setting *s, const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ob_cure_trial trial;
        try(s, wanted[i].name, &trial);
        if (strcmp(ob_cure_verdict_word(trial.verdict), wanted[i].verdict) != 0)
            fail_msg("%s: %s (%s; %s; %s)", wanted[i].name, ob_cure_verdict_word(trial.verdict),
                     trial.on_schedule, trial.in_exploration, trial.why);
        if (wanted[i].on_schedule)
            assert_string_equal(trial.on_schedule, wanted[i].on_schedule);
        ob_cure_trial_clear(&trial);
    }
}

/* A variant of a scenario that comes with overbook. */
static void expect(const char *scenario, const char *variant, const struct wanted *wanted,
                   size_t count)
{
    struct ob_scenario_list list;
    struct setting s = {0};
    ob_racing_builtin(&list);
    const struct ob_scenario *found = ob_racing_find(&list, scenario);
    set_up(&s, found, ob_scenario_variant(found, variant));
    check(&s, wanted, count);
    tear_down(&s);
    ob_scenario_list_clear(&list);
}

#define EXPECT(scenario, variant, ...)                                     \
    do {                                                                   \
        static const struct wanted wanted[] = {__VA_ARGS__};               \
        expect(scenario, variant, wanted, sizeof wanted / sizeof *wanted); \
    } while (0)

/* A scenario of its own; change: that of the first cure, NULL: whatever it is. */
static void expect_of(const char *text, const struct wanted *wanted, size_t count,
                      const char *change)
{
    struct setting s = {.scenario = ob_racing_parse(text)};
    set_up(&s, s.scenario, 0);
    check(&s, wanted, count);
    if (change)
        assert_string_equal(cure_named(&s, wanted[0].name)->change, change);
    tear_down(&s);
    ob_scenario_free(s.scenario);
}

#define TWO(steps)                                    \
    "clients:\n  - {name: ann, steps: [" steps "]}\n" \
    "  - {name: bob, steps: [" steps "]}\n"

#define LOOK_ALL "{sql: SELECT count(*) AS n FROM booking, capture: {n: n}}"
#define LOOK "{sql: SELECT count(*) AS n FROM booking WHERE slot = 1, capture: {n: n}}"
#define INSERT(slot) "{sql: \"INSERT INTO booking VALUES (" slot ", :client)\", when: n = 0}"

static const char old_snapshot[] =
    "name: old-snapshot\n"
    "about: Two look and book at repeatable read.\n"
    "target: sql\n"
    "variants: {rr: {isolation: repeatable-read}}\n"
    "setup: |\n"
    "  CREATE TABLE bay (id int PRIMARY KEY);\n"
    "  CREATE TABLE booking (slot int REFERENCES bay, customer text);\n"
    "  INSERT INTO bay VALUES (1);\n" TWO(
        "begin, " LOOK ", " INSERT("1") ", commit") "invariants:\n"
                                                    "  - {name: one-booking, sql: SELECT slot FROM "
                                                    "booking GROUP BY 1 HAVING count(*) > 1}\n"
                                                    "expect: {rr: {violates: one-booking}}\n";

static const char counts_down[] =
    "name: counts-down\n"
    "about: Two read the number of free places, and write one less.\n"
    "target: sql\n"
    "setup: CREATE TABLE place (free int); INSERT INTO place VALUES (2)\n" TWO(
        "{sql: SELECT free FROM place, capture: {free: free}}, "
        "{sql: \"UPDATE place SET free = :free::int - 1\"}") "invariants:\n"
                                                             "  - {name: both-count, sql: SELECT "
                                                             "free FROM place WHERE free IS "
                                                             "DISTINCT FROM 0}\n"
                                                             "expect: {violates: both-count}\n";

/* Each may go off duty as long as the other one is on. */
static const char write_skew[] =
    "name: write-skew\n"
    "about: Two go off duty when they see that the other one is on.\n"
    "target: sql\n"
    "setup: |\n"
    "  CREATE TABLE duty (who text, is_on text); INSERT INTO duty VALUES ('ann', 'yes'), ('bob', "
    "'yes');\n"
    "clients:\n"
    "  - name: ann\n"
    "    steps:\n"
    "      - {sql: \"SELECT is_on FROM duty WHERE who = 'ann'\", capture: {mine: is_on}}\n"
    "      - {sql: \"SELECT count(*) AS n FROM duty WHERE is_on = 'yes'\", capture: {n: n}}\n"
    "      - {sql: \"UPDATE duty SET is_on = 'no' WHERE who = 'ann'\", when: [mine = 'yes', n = "
    "2]}\n"
    "  - name: bob\n"
    "    steps:\n"
    "      - {sql: \"SELECT is_on FROM duty WHERE who = 'bob'\", capture: {mine: is_on}}\n"
    "      - {sql: \"SELECT count(*) AS n FROM duty WHERE is_on = 'yes'\", capture: {n: n}}\n"
    "      - {sql: \"UPDATE duty SET is_on = 'no' WHERE who = 'bob'\", when: [mine = 'yes', n = "
    "2]}\n"
    "invariants:\n"
    "  - {name: one-on, sql: \"SELECT 1 WHERE NOT EXISTS (SELECT FROM duty WHERE is_on = "
    "'yes')\"}\n"
    "expect: {violates: one-on}\n";

#define TAKES(id)                                                                          \
    "      - {sql: \"SELECT free FROM place WHERE id = " id "\", capture: {free: free}}\n" \
    "      - {sql: \"UPDATE place SET free = :free::int - 1 WHERE id = " id "\"}\n"

/* Who dies as a deadlock's victim has taken nothing. */
static const char opposite_orders[] =
    "name: opposite-orders\n"
    "about: Two take one place each of two rows, in opposite orders.\n"
    "target: sql\n"
    "setup: |\n"
    "  CREATE TABLE place (id int, free int); INSERT INTO place VALUES (1, 2), (2, 2);\n"
    "clients:\n"
    "  - name: ann\n    steps:\n" TAKES("1")
        TAKES("2") "      - event: took\n"
                   "  - name: bob\n    steps:\n" TAKES("2")
                       TAKES("1") "      - event: took\n"
                                  "invariants:\n"
                                  "  - name: all-count\n"
                                  "    sql: >-\n"
                                  "      SELECT id FROM place WHERE free + (SELECT count(*) FROM "
                                  "history WHERE kind = 'took') <> 2\n"
                                  "expect: {violates: all-count}\n";

static const char one_in_all[] =
    "name: one-in-all\n"
    "about: Three look, and book one slot or another.\n"
    "target: sql\n"
    "setup: CREATE TABLE booking (slot int, customer text)\n"
    "clients:\n"
    "  - {name: ann, steps: [" LOOK_ALL
    ", " INSERT("1") "]}\n"
                     "  - {name: bob, steps: [" LOOK_ALL
                     ", " INSERT("1") "]}\n"
                                      "  - {name: cat, steps: [" LOOK_ALL ", " INSERT(
                                          "2") "]}\n"
                                               "invariants:\n"
                                               "  - {name: one-booking, sql: SELECT count(*) FROM "
                                               "booking HAVING count(*) > 1}\n"
                                               "expect: {violates: one-booking}\n";

/* Of what an outer join adds no row can be locked. */
static const char outer_join[] =
    "name: outer-join\n"
    "about: Two look for a bay without a booking, and book.\n"
    "target: sql\n"
    "setup: |\n"
    "  CREATE TABLE bay (id int);\n"
    "  CREATE TABLE booking (slot int, customer text);\n"
    "  INSERT INTO bay VALUES (1);\n" TWO(
        "{sql: SELECT count(slot) AS n FROM bay LEFT JOIN booking ON slot = id, capture: {n: "
        "n}}, " INSERT(
            "1")) "invariants:\n"
                  "  - {name: one-booking, sql: SELECT slot FROM booking GROUP BY 1 HAVING "
                  "count(*) > 1}\n"
                  "expect: {violates: one-booking}\n";

/* Nothing is said of how many are to get a ticket, so none is missed by an invariant. */
static const char two_tickets[] =
    "name: two-tickets\n"
    "about: Two buy one ticket each, by the same request, of two.\n"
    "target: sql\n"
    "setup: |\n"
    "  CREATE TABLE place (free int); INSERT INTO place VALUES (2);\n"
    "  CREATE TABLE ticket (price int);\n" TWO(
        "{sql: SELECT free FROM place, capture: {free: free}}, "
        "{sql: \"WITH sold AS (INSERT INTO ticket VALUES (9)) "
        "UPDATE place SET free = :free::int - 1\"}") "invariants:\n"
                                                     "  - name: all-count\n"
                                                     "    sql: SELECT free FROM place WHERE free + "
                                                     "(SELECT count(*) FROM ticket) <> 2\n"
                                                     "expect: {violates: all-count}\n";

#define GOES_OFF                                                                  \
    "begin, {sql: SELECT count(*) AS n FROM duty WHERE is_on, capture: {n: n}}, " \
    "{sql: \"UPDATE duty SET is_on = false WHERE who = :client\", when: n = 2}, commit"

/* Nobody begins again. */
static const char off_duty[] =
    "name: off-duty\n"
    "about: Two go off duty, at repeatable read, when they see that the other one is on.\n"
    "target: sql\n"
    "variants: {rr: {isolation: repeatable-read}}\n"
    "setup: |\n"
    "  CREATE TABLE duty (who text, is_on bool);\n"
    "  INSERT INTO duty VALUES ('ann', true), ('bob', true);\n" TWO(
        GOES_OFF) "invariants:\n"
                  "  - {name: one-on, sql: SELECT 1 WHERE NOT EXISTS (SELECT FROM duty WHERE "
                  "is_on)}\n"
                  "expect: {rr: {violates: one-on}}\n";

/* Who comes second is told so by an error, when a constraint tells. */
static const char no_errors[] =
    "name: no-errors\n"
    "about: Two look and book, and nobody is to see an error.\n"
    "target: sql\n"
    "setup: CREATE TABLE booking (slot int, customer text)\n" TWO(
        LOOK ", " INSERT("1")) "invariants:\n"
                               "  - {name: one-booking, sql: SELECT slot FROM booking GROUP BY 1 "
                               "HAVING count(*) > 1}\n"
                               "  - {name: nobody-sees-an-error, sql: SELECT data FROM history "
                               "WHERE kind = 'error'}\n"
                               "expect: {violates: one-booking}\n";

static const char spec_file[] =
    "name: two-seats\n"
    "about: Both read the number of free seats, and write one less.\n"
    "target: spec\n"
    "spec: fixtures/scenarios/lost-update.spec\n"
    "invariants:\n"
    "  - name: every-booking-counts\n"
    "    sql: SELECT free FROM event WHERE free <> 10 - (SELECT count(*) FROM booking)\n"
    "expect: {violates: every-booking-counts}\n";

static void what_excludes_overlaps_cures_look_then_insert(void **state)
{
    (void)state;
    EXPECT("look-then-insert", "nothing", {"exclusion constraint", "cured", "holds"},
           {"lock on the parent", "cured", "holds"},
           {"lock on what is read", "not cured", "violated"},
           {"repeatable read, with retry", "not cured", "violated"},
           {"serializable, with retry", "cured", "holds"});
}

/* Its own switches; a level alone is for transactions, which the legacy path has not. */
static void the_reference_has_its_cures_built_in(void **state)
{
    (void)state;
    EXPECT("two-holds-one-slot", "legacy", {"the fixed flow", "cured", "holds"},
           {"the fixed flow, with the constraint", "cured", "holds"},
           {"serializable", "not cured", "violated"});
}

/* What a cure adds is made in the turn of what it goes with: alice begins, locks and looks before
 * bob does anything, and he waits for her. */
static void the_same_schedule_has_the_same_turns(void **state)
{
    (void)state;
    struct ob_scenario_list list;
    struct setting s = {0};
    ob_racing_builtin(&list);
    const struct ob_scenario *found = ob_racing_find(&list, "look-then-insert");
    set_up(&s, found, ob_scenario_variant(found, "nothing"));
    assert_int_equal(s.shrunk.trace.step_count, 4);
    size_t first = s.shrunk.trace.steps[0].client;
    struct ob_cure_trial trial;
    try(&s, "lock on the parent", &trial);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(trial.trace.steps[i].client, first);
    assert_int_not_equal(trial.trace.steps[3].client, first);
    ob_cure_trial_clear(&trial);
    tear_down(&s);
    ob_scenario_list_clear(&list);
}

/* One that asks again is no good when all of them have their snapshots already. */
static void asking_again_in_an_insert_only_seems_to_cure(void **state)
{
    (void)state;
    EXPECT("look-then-insert", "nothing", {"re-check in the write", "not cured", "holds"});
}

static void asking_the_row_again_cures_a_cleanup(void **state)
{
    (void)state;
    EXPECT("cleanup-deletes-what-was-paid", "subselect",
           {"re-check in the write", "cured", "holds"});
}

/* A lock that two read-committed transactions take in turn does not renew a snapshot. */
static void a_parent_lock_does_not_cure_under_repeatable_read(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"lock on the parent", "not cured", NULL},
                                           {"unique constraint", "cured", "holds"},
                                           {"serializable, with retry", "cured", "holds"}};
    expect_of(old_snapshot, wanted, 3, NULL);
}

static void an_update_is_not_lost_to_who_compares_or_locks(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"compare and set", "cured", "holds"},
                                           {"lock on what is read", "cured", "holds"},
                                           {"repeatable read, with retry", "cured", "holds"}};
    expect_of(counts_down, wanted, 3, NULL);
}

/* What a client compares is only the one row. */
static void comparing_one_row_does_not_cure_what_is_about_two(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"compare and set", "not cured", NULL},
                                           {"serializable, with retry", "cured", "holds"}};
    expect_of(write_skew, wanted, 2, NULL);
}

static void locks_in_opposite_orders_cure_and_deadlock(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"lock on what is read", "cured but deadlocks", NULL},
                                           {"lock on a name", "cured", "holds"}};
    expect_of(opposite_orders, wanted, 2, NULL);
}

/* That these two may not have the same slot is not all that the invariant says. */
static void a_constraint_that_fits_one_run_need_not_cure(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"unique constraint", "not cured", "holds"}};
    expect_of(one_in_all, wanted, 1, "ALTER TABLE booking ADD UNIQUE (slot);");
}

static void a_row_that_names_the_request_cures_a_lost_answer(void **state)
{
    (void)state;
    EXPECT("commit-answer-lost", "try-again", {"idempotency row", "cured", "holds"});
    EXPECT("commit-answer-lost", "give-up", {"idempotency row", "cured", "holds"});
}

/* Two that do the same are taken for one request; where both count, that is no cure. */
static void two_that_count_are_no_request_sent_twice(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"idempotency row", "not cured", NULL}};
    expect_of(counts_down, wanted, 1, NULL);
}

#define BOOKING_SCENARIO(table, insert, where)                                            \
    "name: bookings\n"                                                                    \
    "about: Two look and book.\n"                                                         \
    "target: sql\n"                                                                       \
    "setup: |\n" table "clients:\n"                                                       \
    "  - name: ann\n"                                                                     \
    "    steps:\n"                                                                        \
    "      - {sql: SELECT count(*) AS n FROM booking WHERE " where ", capture: {n: n}}\n" \
    "      - {sql: \"INSERT INTO booking " insert "\", when: n = 0}\n"                    \
    "  - name: bob\n"                                                                     \
    "    steps:\n"                                                                        \
    "      - {sql: SELECT count(*) AS n FROM booking WHERE " where ", capture: {n: n}}\n" \
    "      - {sql: \"INSERT INTO booking " insert "\", when: n = 0}\n"                    \
    "invariants:\n"                                                                       \
    "  - name: one-booking\n"                                                             \
    "    sql: SELECT slot FROM booking WHERE " where " GROUP BY 1 HAVING count(*) > 1\n"  \
    "expect: {violates: one-booking}\n"

static void expect_change(const char *text, const char *name, const char *change)
{
    struct setting s = {.scenario = ob_racing_parse(text)};
    set_up(&s, s.scenario, 0);
    const struct ob_cure *cure = cure_named(&s, name);
    if (!cure) {
        fail_msg("no cure is called \"%s\"", name);
        abort();
    }
    assert_string_equal(cure->change, change);
    const struct wanted wanted = {name, "cured", "holds"};
    check(&s, &wanted, 1);
    tear_down(&s);
    ob_scenario_free(s.scenario);
}

/* Both paid the same price and by the same means; a constraint over these too would be too weak. */
static void columns_that_do_not_matter_stay_out_of_the_constraint(void **state)
{
    (void)state;
    expect_change(BOOKING_SCENARIO("  CREATE TABLE booking (id serial, slot int, price int, means "
                                   "text, customer text);\n",
                                   "(slot, price, means, customer) VALUES (1, 90, 'card', :client)",
                                   "slot = 1"),
                  "unique constraint", "ALTER TABLE booking ADD UNIQUE (slot);");
}

/* Cancelled ones may be as many as they like. */
static void a_state_becomes_the_condition_of_the_constraint(void **state)
{
    (void)state;
    expect_change(
        BOOKING_SCENARIO("  CREATE TABLE booking (slot int, status text, customer "
                         "text);\n  INSERT INTO booking VALUES (1, 'CANCELLED', 'x'), "
                         "(1, 'CANCELLED', 'y');\n",
                         "VALUES (1, 'CONFIRMED', :client)", "slot = 1 AND status = 'CONFIRMED'"),
        "unique constraint", "CREATE UNIQUE INDEX ON booking (slot) WHERE status = 'CONFIRMED';");
}

/* What the cells of a scenario's first row come to, in their order: with each level, and again with
 * retries. */
static void expect_levels(const char *text, const char *const *words)
{
    struct setting s = {.scenario = ob_racing_parse(text)};
    struct ob_cure_matrix matrix;
    set_up(&s, s.scenario, 0);
    ob_cure_cross(&s.of, &matrix);
    assert_string_equal(matrix.rows[0]->name, "no cure");
    for (size_t i = 0; i < matrix.row_count; i++)
        assert_false(matrix.rows[i]->isolates);
    for (size_t i = 0; i < 6; i++) {
        const struct ob_cure_cell *cell = &matrix.cells[i];
        struct ob_cure_trial trial;
        assert_int_equal(cell->row, 0);
        assert_int_equal(cell->level, i / 2);
        assert_int_equal(cell->retries, i % 2);
        assert_int_equal(cell->spare, i % 2);
        try_cure(&s, &cell->cure, &trial);
        assert_int_equal(trial.fails, i == 4 || (i == 2 && strcmp(words[3], "holds") == 0));
        if (strcmp(ob_cure_cell_word(trial.verdict), words[i]) != 0)
            fail_msg("cell %zu: %s (%s; %s)", i, ob_cure_cell_word(trial.verdict),
                     trial.on_schedule, trial.in_exploration);
        assert_int_equal(*trial.shown != '\0', strcmp(words[i], "breaks") == 0);
        ob_cure_trial_clear(&trial);
    }
    tear_down(&s);
    ob_scenario_free(s.scenario);
}

/* PostgreSQL's manual, 13.2.2: an update of what another one has changed since fails; 13.2.3: so
 * does, at serializable, what no order of the two alone does. */
static void a_level_helps_those_who_begin_again(void **state)
{
    (void)state;
    expect_levels(counts_down,
                  (const char *const[]){"breaks", "breaks", "breaks", "holds", "breaks", "holds"});
    expect_levels(write_skew, (const char *const[]){"breaks", "breaks", "breaks", "breaks",
                                                    "gives up", "holds"});
}

/* The first run takes longer than that, so there is no second one. */
static void what_ran_out_of_time_cures_nothing(void **state)
{
    (void)state;
    struct ob_scenario_list list;
    struct setting s = {0};
    struct ob_cure_trial trial;
    ob_racing_builtin(&list);
    const struct ob_scenario *found = ob_racing_find(&list, "look-then-insert");
    set_up(&s, found, ob_scenario_variant(found, "nothing"));
    try_within(&s, cure_named(&s, "exclusion constraint"), 1000, &trial);
    assert_string_equal(ob_cure_verdict_word(trial.verdict), "undecided");
    ob_cure_trial_clear(&trial);
    tear_down(&s);
    ob_scenario_list_clear(&list);
}

/* PostgreSQL's manual, SELECT, The Locking Clause: not with the nullable side of an outer join. */
static void what_the_server_does_not_accept_is_not_tried(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {
        {"lock on what is read", "could not be applied", "not run"},
        {"unique constraint", "cured", "holds"},
        {"lock on a name", "cured", "holds"}};
    expect_of(outer_join, wanted, 3, NULL);
}

/* The invariant holds, since the second one gets nothing, who did where they came one after the
 * other. */
static void one_request_of_two_rejects_what_is_valid(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {
        {"idempotency row", "cured but rejects what is valid", "holds"},
        {"compare and set", "cured", "holds"}};
    expect_of(two_tickets, wanted, 2, NULL);
}

/* PostgreSQL's manual, 13.2.2: so does a lock of what another one has changed since. */
static void who_does_not_begin_again_gives_up(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"lock on what is read", "cured but gives up", "holds"},
                                           {"serializable, with retry", "cured", "holds"}};
    expect_of(off_duty, wanted, 2, NULL);
}

static void a_cure_may_break_something_else(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {
        {"unique constraint", "cured but breaks something else", "holds"},
        {"lock on a name", "cured", "holds"}};
    expect_of(no_errors, wanted, 2, NULL);
}

/* Its statements stay as they are, and nobody begins again. */
static void a_spec_is_given_levels(void **state)
{
    (void)state;
    static const struct wanted wanted[] = {{"repeatable-read", "cured but gives up", "holds"},
                                           {"serializable", "cured but gives up", "holds"}};
    expect_of(spec_file, wanted, 2, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_helps_those_who_begin_again),
        cmocka_unit_test(what_excludes_overlaps_cures_look_then_insert),
        cmocka_unit_test(what_ran_out_of_time_cures_nothing),
        cmocka_unit_test(the_reference_has_its_cures_built_in),
        cmocka_unit_test(the_same_schedule_has_the_same_turns),
        cmocka_unit_test(asking_again_in_an_insert_only_seems_to_cure),
        cmocka_unit_test(asking_the_row_again_cures_a_cleanup),
        cmocka_unit_test(a_parent_lock_does_not_cure_under_repeatable_read),
        cmocka_unit_test(an_update_is_not_lost_to_who_compares_or_locks),
        cmocka_unit_test(comparing_one_row_does_not_cure_what_is_about_two),
        cmocka_unit_test(locks_in_opposite_orders_cure_and_deadlock),
        cmocka_unit_test(a_constraint_that_fits_one_run_need_not_cure),
        cmocka_unit_test(a_row_that_names_the_request_cures_a_lost_answer),
        cmocka_unit_test(two_that_count_are_no_request_sent_twice),
        cmocka_unit_test(columns_that_do_not_matter_stay_out_of_the_constraint),
        cmocka_unit_test(a_state_becomes_the_condition_of_the_constraint),
        cmocka_unit_test(what_the_server_does_not_accept_is_not_tried),
        cmocka_unit_test(one_request_of_two_rejects_what_is_valid),
        cmocka_unit_test(who_does_not_begin_again_gives_up),
        cmocka_unit_test(a_cure_may_break_something_else),
        cmocka_unit_test(a_spec_is_given_levels),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
