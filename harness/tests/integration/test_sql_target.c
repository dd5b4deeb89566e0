/* The sql target: what a client of a scenario's statements does, one rule in each test. */
#include "live.h"
#include "racing.h"

#include "base/alloc.h"
#include "explore/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define HEAD(setup) "name: x\nabout: A race.\ntarget: sql\nsetup: |\n  " setup "\n"
#define ONE "clients:\n  - name: ann\n"
#define TAIL "invariants: [{name: none, sql: SELECT 1 WHERE false}]\nexpect: holds\n"

/* A scenario, opened; what it races. */
struct opened {
    struct ob_scenario *scenario;
    struct ob_racing racing;
};

static void open_text(struct opened *opened, const char *text)
{
    opened->scenario = ob_racing_parse(text);
    ob_racing_open(&opened->racing, opened->scenario, 0, NULL);
}

static void close_text(struct opened *opened)
{
    ob_racing_close(&opened->racing);
    ob_scenario_free(opened->scenario);
}

/* Opens, runs without a fault, and sees that it finished. */
static void run_text(struct opened *opened, const char *text)
{
    open_text(opened, text);
    ob_racing_follow(&opened->racing, "", NULL, 0);
    assert_int_equal(opened->racing.trace.end, OB_RUN_FINISHED);
}

static void captures_take_the_first_row_or_null(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened,
             HEAD("CREATE TABLE t (n int, who text); INSERT INTO t VALUES (1, 'a'), (2, NULL);") ONE
             "    steps:\n"
             "      - {sql: 'SELECT n, who FROM t ORDER BY n', capture: {n: n, w: who}}\n"
             "      - {event: first, data: {n: ':n', w: ':w'}}\n"
             "      - {sql: 'SELECT n, who FROM t ORDER BY n DESC', capture: {n: n, w: who}}\n"
             "      - {event: first, data: {n: ':n', w: ':w'}}\n"
             "      - {sql: SELECT n FROM t WHERE n > 2, capture: {n: n}}\n"
             "      - {event: first, data: {n: ':n', w: ':w'}}\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "first"),
                        "{\"n\":\"1\",\"w\":\"a\"} {\"n\":\"2\",\"w\":null} "
                        "{\"n\":null,\"w\":null}");
    close_text(&opened);
}

/* The error of a scenario's first run. */
static struct ob_error run_fails(const char *text)
{
    struct opened opened;
    struct ob_error err;
    open_text(&opened, text);
    struct ob_schedule nothing = {0};
    struct ob_follower follower = {.schedule = &nothing, .prefix = true};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    assert_int_equal(ob_rig_run(opened.racing.rig, &chooser, false, &opened.racing.trace,
                                &opened.racing.outcome, &err),
                     OB_SQL);
    close_text(&opened);
    return err;
}

static void a_column_to_capture_that_is_not_there_fails_the_run(void **state)
{
    (void)state;
    struct ob_error err = run_fails(HEAD("CREATE TABLE t (n int);") ONE
                                    "    steps:\n"
                                    "      - begin\n"
                                    "      - {sql: 'SELECT count(*) AS cnt, 1 AS i FROM t',"
                                    " capture: {n: cmt}}\n"
                                    "      - commit\n" TAIL);
    assert_string_equal(err.message, "client ann, step 2: the result has no column \"cmt\"");
    assert_string_equal(err.detail, "It has cnt, i.");
    assert_string_equal(err.hint, "Did you mean \"cnt\"?");
    err = run_fails(HEAD("CREATE TABLE t (n int);") ONE
                    "    steps: [{sql: INSERT INTO t VALUES (1), capture: {n: n}}]\n" TAIL);
    assert_string_equal(err.message, "client ann, step 1: the result has no column \"n\"");
    assert_string_equal(err.detail, "It has none.");
    assert_string_equal(err.hint, "");
}

static void a_skipped_step_leaves_its_variables_as_they_were(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened, HEAD("CREATE TABLE t (n int);") ONE
             "    vars: {n: 7}\n"
             "    steps:\n"
             "      - {sql: SELECT 8 AS n, capture: {n: n}, when: n > 7}\n"
             "      - {event: said, data: {n: ':n'}}\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "said"), "{\"n\":\"7\"}");
    assert_int_equal(opened.racing.trace.step_count, 0);
    close_text(&opened);
}

static void guards_compare_numbers_as_numbers_and_the_rest_as_text(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened, HEAD("CREATE TABLE t (n int);") ONE
             "    vars: {n: 9, m: 10, z: '09', w: abc, nothing: ~}\n"
             "    steps:\n"
             "      - {event: yes, data: {is: 9 < 10}, when: 'n < :m'}\n"
             "      - {event: no, when: 'n >= :m'}\n"
             "      - {event: yes, data: {is: abc < abd}, when: \"w < 'abd'\"}\n"
             "      - {event: yes, data: {is: '9 > 10 as text'}, when: \"w <> '10'\"}\n"
             "      - {event: no, when: nothing = 9}\n"
             "      - {event: no, when: nothing <> 9}\n"
             "      - {event: yes, data: {is: 'null'}, when: [nothing is null, n is not null]}\n"
             "      - {event: no, when: [n = 9, m = 9]}\n"
             "      - {sql: SELECT 9.50 AS p, capture: {p: p}}\n"
             "      - {event: yes, data: {is: 9.50 < 10.00}, when: [p < 10.00, p = 9.5]}\n"
             "      - {event: yes, data: {is: '9 = 09'}, when: 'n = :z'}\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "yes"),
                        "{\"is\":\"9 < 10\"} {\"is\":\"abc < abd\"} {\"is\":\"9 > 10 as text\"} "
                        "{\"is\":\"null\"} {\"is\":\"9.50 < 10.00\"} {\"is\":\"9 = 09\"}");
    assert_string_equal(ob_racing_events(&opened.racing, "no"), "");
    close_text(&opened);
}

static void variables_are_parameters_and_never_pasted(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened, HEAD("CREATE TABLE t (who text);") ONE
             "    vars: {w: \"'); DROP TABLE t; --\"}\n"
             "    steps:\n"
             "      - {sql: 'INSERT INTO t VALUES (:w), (:client)'}\n" TAIL);
    ob_racing_expect(&opened.racing, "SELECT string_agg(who, '|' ORDER BY who) FROM t",
                     "'); DROP TABLE t; --|ann");
    close_text(&opened);
}

static void a_serialization_failure_begins_the_steps_again_as_at_the_start(void **state)
{
    (void)state;
    struct opened opened;
    /* The sequence survives the rollback: the third attempt gets through. */
    run_text(&opened,
             HEAD("CREATE SEQUENCE tries; CREATE TABLE t (n int);"
                  " CREATE FUNCTION try() RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
                  " IF nextval('tries') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001';"
                  " END IF; RETURN currval('tries'); END $$;") ONE
             "    vars: {n: 0}\n"
             "    retries: 5\n"
             "    steps:\n"
             "      - begin\n"
             "      - {event: began, data: {n: ':n'}}\n"
             "      - {sql: SELECT 5 AS n, capture: {n: n}}\n"
             "      - {sql: 'INSERT INTO t VALUES (try())'}\n"
             "      - commit\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "began"),
                        "{\"n\":\"0\"} {\"n\":\"0\"} {\"n\":\"0\"}");
    assert_string_equal(ob_racing_events(&opened.racing, "error"),
                        "{\"sqlstate\":\"40001\"} {\"sqlstate\":\"40001\"}");
    ob_racing_expect(&opened.racing, "SELECT string_agg(n::text, ' ') FROM t", "3");
    close_text(&opened);
}

static void retries_are_bounded(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened, HEAD("CREATE TABLE t (n int);") ONE
             "    retries: 2\n"
             "    steps:\n"
             "      - sql: DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "error"),
                        "{\"sqlstate\":\"40P01\"} {\"sqlstate\":\"40P01\"} "
                        "{\"sqlstate\":\"40P01\"}");
    close_text(&opened);
}

static void another_error_rolls_back_and_ends_the_client(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened, HEAD("CREATE TABLE t (n int PRIMARY KEY);") ONE
             "    retries: 5\n"
             "    steps:\n"
             "      - begin\n"
             "      - {sql: INSERT INTO t VALUES (1)}\n"
             "      - {sql: INSERT INTO t VALUES (1)}\n"
             "      - commit\n"
             "      - {event: done}\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "error"), "{\"sqlstate\":\"23505\"}");
    assert_string_equal(ob_racing_events(&opened.racing, "done"), "");
    assert_non_null(strstr(ob_racing_text(&opened.racing, false), "ROLLBACK"));
    ob_racing_expect(&opened.racing, "SELECT count(*) FROM t", "0");
    close_text(&opened);
}

static void a_commit_that_fails_is_an_error_too(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened, HEAD("CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);") ONE
             "    steps:\n"
             "      - begin\n"
             "      - {sql: 'INSERT INTO t VALUES (1), (1)'}\n"
             "      - commit\n"
             "      - {event: done}\n" TAIL);
    assert_string_equal(ob_racing_events(&opened.racing, "error"), "{\"sqlstate\":\"23505\"}");
    assert_string_equal(ob_racing_events(&opened.racing, "done"), "");
    close_text(&opened);
}

static void a_transaction_that_is_left_open_is_rolled_back(void **state)
{
    (void)state;
    struct opened opened;
    run_text(&opened,
             HEAD("CREATE TABLE t (n int);") ONE "    vars: {n: 1}\n"
                                                 "    steps:\n"
                                                 "      - begin\n"
                                                 "      - {sql: INSERT INTO t VALUES (1)}\n"
                                                 "      - {commit, when: n = 2}\n" TAIL);
    ob_racing_expect(&opened.racing, "SELECT count(*) FROM t", "0");
    close_text(&opened);
}

#define CLOCKED HEAD("CREATE TABLE t (at timestamptz, sent timestamptz);")

static void the_clock_moves_for_all_and_goes_back_with_the_next_run(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened,
              CLOCKED "start: 2026-06-01T09:00:00Z\n" ONE "    steps:\n"
                      "      - {event: now, data: {at: ':now'}}\n"
                      "      - {clock: {advance: 90s}}\n"
                      "      - {sql: 'INSERT INTO t VALUES (overbook.now(), :now::timestamptz)'}\n"
                      "      - {clock: {to: 2026-06-02T00:00:00Z}}\n"
                      "      - {event: now, data: {at: ':now'}}\n" TAIL);
    for (int run = 0; run < 2; run++) {
        ob_racing_follow(&opened.racing, "", NULL, 0);
        assert_string_equal(ob_racing_events(&opened.racing, "now"),
                            "{\"at\":\"2026-06-01T09:00:00.000000Z\"} "
                            "{\"at\":\"2026-06-02T00:00:00.000000Z\"}");
        ob_racing_expect(&opened.racing,
                         "SELECT at = sent AND at = '2026-06-01 09:01:30+00' FROM t", "t");
    }
    close_text(&opened);
}

/* A clock that was set by one client is the other's time, also within a transaction. */
static void time_is_the_schedule_s_for_every_client(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD("CREATE TABLE t (n int);") ONE
              "    isolation: repeatable-read\n"
              "    steps:\n"
              "      - begin\n"
              "      - {sql: 'SELECT overbook.now()::text AS at', capture: {a: at}}\n"
              "      - {sql: 'SELECT overbook.now()::text AS at', capture: {b: at}}\n"
              "      - commit\n"
              "      - {event: saw, data: {a: ':a', b: ':b'}}\n"
              "  - {name: time, steps: [{clock: {advance: 1h}}]}\n" TAIL);
    ob_racing_follow(&opened.racing, "00100", NULL, 0);
    assert_string_equal(ob_racing_events(&opened.racing, "saw"),
                        "{\"a\":\"2026-06-01 09:00:00+00\",\"b\":\"2026-06-01 10:00:00+00\"}");
    close_text(&opened);
}

/* now() is the transaction's time, and the statement's is the statement's. */
static void with_the_probe_now_is_virtual_too(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD("CREATE TABLE t (made timestamptz DEFAULT now());") ONE
              "    steps:\n"
              "      - begin\n"
              "      - {sql: INSERT INTO t DEFAULT VALUES}\n"
              "      - {clock: {advance: 1h}}\n"
              "      - {sql: 'SELECT now()::text AS now, statement_timestamp()::text AS at, (SELECT"
              " made::text FROM t) AS made', capture: {n: now, a: at, m: made}}\n"
              "      - commit\n"
              "      - {event: saw, data: {n: ':n', a: ':a', m: ':m'}}\n" TAIL);
    bool probe = ob_target_has_probe(opened.racing.target);
    for (int run = 0; run < 2 && probe; run++) {
        ob_racing_follow(&opened.racing, "", NULL, 0);
        assert_string_equal(ob_racing_events(&opened.racing, "saw"),
                            "{\"n\":\"2026-06-01 09:00:00+00\",\"a\":\"2026-06-01 10:00:00+00\","
                            "\"m\":\"2026-06-01 09:00:00+00\"}");
    }
    close_text(&opened);
    if (!probe) {
        print_message("skipped: now() goes with the machine, as there is no probe\n");
        skip();
    }
}

/* What is past due must not depend on the day on which the scenario is run. */
static void setup_and_checks_have_the_virtual_time(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD("CREATE TABLE t (made timestamptz DEFAULT now(), clock timestamptz);"
                            " INSERT INTO t (clock) VALUES (overbook.now());") ONE
              "    steps: [{clock: {advance: 1h}}]\n"
              "invariants: [{name: an-hour-old, sql: \"SELECT now() FROM t WHERE now() <> made +"
              " interval '1 h'\"}]\n"
              "expect: holds\n");
    bool probe = ob_target_has_probe(opened.racing.target);
    for (int run = 0; run < 2; run++) {
        ob_racing_follow(&opened.racing, "", NULL, 0);
        ob_racing_expect(&opened.racing, "SELECT clock = '2026-06-01 09:00+00' FROM t", "t");
        if (!probe)
            continue;
        ob_racing_expect(&opened.racing, "SELECT made = clock FROM t", "t");
        ob_racing_holds(&opened.racing);
    }
    close_text(&opened);
}

/* Each client updates a row of its own and commits. */
static char *declaring(const char *ann, const char *bob)
{
    return ob_asprintf(HEAD("CREATE TABLE slot (id int, n int); INSERT INTO slot VALUES (1, 0), (2,"
                            " 0);") "clients:\n"
                                    "  - name: ann\n    steps:\n      - begin\n"
                                    "      - {sql: UPDATE slot SET n = n + 1 WHERE id = 1%s}\n"
                                    "      - commit\n"
                                    "  - name: bob\n    steps:\n      - begin\n"
                                    "      - {sql: UPDATE slot SET n = n + 1 WHERE id = 2%s}\n"
                                    "      - commit\n" TAIL,
                       ann, bob);
}

/* The runs that dpor makes of it; those cut short are none. */
static uint64_t reduced_runs(const char *ann, const char *bob)
{
    struct opened opened;
    uint64_t runs = 0, made = 0;
    char *text = declaring(ann, bob);
    open_text(&opened, text);
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_DPOR, 1, 2);
    for (; ob_strategy_next(strategy, runs); runs++) {
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        ob_racing_run(&opened.racing, &chooser);
        ob_strategy_learn(strategy, &opened.racing.trace);
        made += !ob_strategy_cut(strategy);
    }
    assert_true(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
    close_text(&opened);
    free(text);
    return made;
}

static void dpor_believes_what_is_declared(void **state)
{
    (void)state;
    static const char one[] = ", touches: {write: slot/1}", two[] = ", touches: {write: slot/2}",
                      all[] = ", touches: {write: slot}";
    uint64_t unsaid = reduced_runs("", "");
    assert_int_equal(reduced_runs(one, two), 1);
    assert_true(unsaid > 1);
    assert_true(reduced_runs(one, one) > 1); /* the same row, as far as it says */
    assert_true(reduced_runs(one, all) > 1); /* a row, and the table that it is in */
    assert_true(reduced_runs(one, "") > 1);
    assert_true(reduced_runs("", two) > 1);
}

#define LOSING(more)                                                                \
    HEAD("CREATE TABLE t (n int);")                                                 \
    ONE more "    steps:\n"                                                         \
             "      - begin\n"                                                      \
             "      - {sql: INSERT INTO t VALUES (1)}\n"                            \
             "      - commit\n"                                                     \
             "      - {event: done}\n"                                              \
             "faults: {points: [commit/not-sent, commit/ack-lost, session/killed, " \
             "statement/40001]}\n" TAIL

enum { NOT_SENT, ACK_LOST, KILLED, FAILED_40001 };

static void lose(struct opened *opened, const char *text, size_t point)
{
    const struct ob_fault fault = {.point = point, .client = 0, .hit = 0, .way = 1};
    open_text(opened, text);
    ob_racing_follow(&opened->racing, "", &fault, 1);
    assert_int_equal(opened->racing.trace.end, OB_RUN_FINISHED);
    assert_int_equal(opened->racing.trace.schedule.fault_count, 1);
}

static void a_lost_session_ends_the_client(void **state)
{
    (void)state;
    static const struct {
        size_t point;
        const char *rows;
    } losses[] = {{NOT_SENT, "0"}, {ACK_LOST, "1"}, {KILLED, "0"}};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct opened opened;
        lose(&opened, LOSING("    retries: 3\n"), losses[i].point);
        assert_string_equal(ob_racing_events(&opened.racing, "lost"), "{}");
        assert_string_equal(ob_racing_events(&opened.racing, "done"), "");
        ob_racing_expect(&opened.racing, "SELECT count(*) FROM t", losses[i].rows);
        close_text(&opened);
    }
}

static void a_lost_session_is_a_reason_to_begin_again_where_the_scenario_says_so(void **state)
{
    (void)state;
    static const struct {
        size_t point;
        const char *rows;
    } losses[] = {{NOT_SENT, "1"}, {ACK_LOST, "2"}, {KILLED, "1"}};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct opened opened;
        lose(&opened, LOSING("    retries: 3\n    retry-lost: true\n"), losses[i].point);
        assert_string_equal(ob_racing_events(&opened.racing, "lost"), "{}");
        assert_string_equal(ob_racing_events(&opened.racing, "done"), "{}");
        ob_racing_expect(&opened.racing, "SELECT count(*) FROM t", losses[i].rows);
        close_text(&opened);
    }
}

static void an_injected_failure_is_one_like_any_other(void **state)
{
    (void)state;
    struct opened opened;
    lose(&opened, LOSING("    retries: 1\n"), FAILED_40001);
    assert_string_equal(ob_racing_events(&opened.racing, "error"), "{\"sqlstate\":\"40001\"}");
    assert_string_equal(ob_racing_events(&opened.racing, "done"), "{}");
    ob_racing_expect(&opened.racing, "SELECT count(*) FROM t", "1");
    close_text(&opened);
}

static void settings_of_a_session_do_not_outlive_the_run(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD("CREATE TABLE t (n int);") ONE
              "    steps:\n"
              "      - {sql: SHOW search_path, capture: {was: search_path}}\n"
              "      - {sql: SET search_path = pg_catalog}\n"
              "      - {event: was, data: {path: ':was'}}\n" TAIL);
    for (int run = 0; run < 2; run++) {
        ob_racing_follow(&opened.racing, "", NULL, 0);
        assert_string_equal(ob_racing_events(&opened.racing, "was"), "{\"path\":\"public\"}");
    }
    close_text(&opened);
}

/* Runs and runs again: what ann was told must be the same, whatever the run before had done. */
static void expect_same_again(const char *text, const char *told)
{
    struct opened opened;
    open_text(&opened, text);
    for (int run = 0; run < 20; run++) {
        ob_racing_follow(&opened.racing, "", NULL, 0);
        assert_int_equal(opened.racing.trace.end, OB_RUN_FINISHED);
        assert_string_equal(ob_racing_events(&opened.racing, "error"), "");
        assert_string_equal(ob_racing_events(&opened.racing, "told"), told);
    }
    close_text(&opened);
}

static void rows_lie_in_the_same_order_in_every_run(void **state)
{
    (void)state;
    expect_same_again(HEAD("CREATE TABLE t (n int, at int); INSERT INTO t VALUES (1), (2), (3);"
                           "UPDATE t SET at = 0 WHERE n = 1;") ONE
                      "    steps:\n"
                      "      - {sql: SELECT n FROM t LIMIT 1, capture: {n: n}}\n"
                      "      - {event: told, data: {n: ':n'}}\n"
                      "      - {sql: UPDATE t SET at = 1 WHERE n = 2}\n"
                      "      - {sql: UPDATE t SET at = NULL WHERE n = 2}\n" TAIL,
                      "{\"n\":\"2\"}");
    expect_same_again(HEAD("CREATE TABLE t (n int, what text); CREATE INDEX ON t (n);"
                           "INSERT INTO t SELECT 1, repeat('x', 700) FROM generate_series(1, 30);")
                          ONE "    steps:\n"
                              "      - begin\n"
                              "      - {sql: \"UPDATE t SET n = 2 WHERE ctid = '(0,3)'\"}\n"
                              "      - rollback\n"
                              "      - {sql: \"INSERT INTO t VALUES (1, 'new')\"}\n"
                              "      - {sql: SELECT ctid AS at FROM t WHERE what = 'new',"
                              " capture: {at: at}}\n"
                              "      - {event: told, data: {at: ':at'}}\n" TAIL,
                      "{\"at\":\"(2,10)\"}");
    expect_same_again(HEAD("CREATE TABLE t (n int, what text);") ONE
                      "    steps:\n"
                      "      - {sql: \"INSERT INTO t SELECT g, repeat('x', 2500)"
                      " FROM generate_series(1, 2) AS g\"}\n"
                      "      - {sql: \"UPDATE t SET what = repeat('y', 2500) WHERE n = 1\"}\n"
                      "      - {sql: \"SELECT string_agg(ctid::text, ' ') AS at FROM t\","
                      " capture: {at: at}}\n"
                      "      - {event: told, data: {at: ':at'}}\n" TAIL,
                      "{\"at\":\"(0,2) (0,3)\"}");
}

static void a_change_of_the_schema_does_not_outlive_the_run(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "ALTER TABLE t ADD CONSTRAINT one UNIQUE (n)",
        "CREATE TABLE more (n int)",
        "CREATE INDEX one ON t (n)",
        "DROP TABLE gone",
        "DROP FUNCTION f()",
        "ALTER SEQUENCE s INCREMENT 2",
        "GRANT SELECT ON t TO public",
        "SELECT f()",
        "DO 'BEGIN PERFORM f(); END'",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct opened opened;
        char *text =
            ob_asprintf(HEAD("CREATE TABLE t (n int); CREATE TABLE gone (n int); CREATE SEQUENCE s;"
                             "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS"
                             " 'BEGIN EXECUTE ''CREATE TABLE made (n int)''; END';") ONE
                        "    steps: [begin, {sql: \"%s\"}, commit, {event: done}]\n" TAIL,
                        changes[i]);
        open_text(&opened, text);
        for (int run = 0; run < 3; run++) {
            ob_racing_follow(&opened.racing, "", NULL, 0);
            if (strcmp(ob_racing_events(&opened.racing, "done"), "{}") != 0)
                fail_msg("%s: %s", changes[i], ob_racing_text(&opened.racing, false));
        }
        close_text(&opened);
        free(text);
    }
}

static void a_materialized_view_is_put_back(void **state)
{
    (void)state;
    expect_same_again(HEAD("CREATE TABLE t (n int);"
                           "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM t;") ONE
                      "    steps:\n"
                      "      - {sql: SELECT n FROM v, capture: {n: n}}\n"
                      "      - {event: told, data: {n: ':n'}}\n"
                      "      - {sql: INSERT INTO t VALUES (1)}\n"
                      "      - {sql: REFRESH MATERIALIZED VIEW v}\n" TAIL,
                      "{\"n\":\"0\"}");
}

static void a_temporary_table_is_no_change_of_the_schema(void **state)
{
    (void)state;
    struct opened opened;
    open_text(&opened, HEAD("CREATE TABLE t (n int);") ONE
              "    steps:\n"
              "      - {sql: SELECT pg_backend_pid() AS pid, capture: {pid: pid}}\n"
              "      - {event: pid, data: {pid: ':pid'}}\n"
              "      - {sql: CREATE TEMP TABLE mine (id serial PRIMARY KEY)}\n"
              "      - {sql: DROP TABLE mine}\n" TAIL);
    ob_racing_follow(&opened.racing, "", NULL, 0);
    char *pid = ob_strdup(ob_racing_events(&opened.racing, "pid"));
    ob_racing_follow(&opened.racing, "", NULL, 0);
    assert_string_equal(ob_racing_events(&opened.racing, "pid"), pid);
    free(pid);
    close_text(&opened);
}

static void a_transaction_that_is_left_prepared_is_rolled_back(void **state)
{
    (void)state;
    expect_same_again(HEAD("CREATE TABLE t (n int); INSERT INTO t VALUES (0);") ONE
                      "    steps:\n"
                      "      - begin\n"
                      "      - {sql: UPDATE t SET n = n + 1}\n"
                      "      - {sql: \"PREPARE TRANSACTION 'it''s mine'\"}\n"
                      "      - rollback\n"
                      "      - {sql: SELECT n FROM t, capture: {n: n}}\n"
                      "      - {event: told, data: {n: ':n'}}\n" TAIL,
                      "{\"n\":\"0\"}");
}

static void a_lock_in_the_way_of_a_check_is_named(void **state)
{
    (void)state;
    static const char *const ends[] = {"commit",
                                       "{sql: PREPARE TRANSACTION 'mine'}\n      - commit"};
    static const char *const reasons[] = {
        "could not check invariant \"none\": ann holds a lock on t",
        "could not check invariant \"none\": a prepared transaction holds a lock on t",
    };
    for (size_t i = 0; i < 2; i++) {
        struct opened opened;
        char *text = ob_asprintf(HEAD("CREATE TABLE t (n int);") ONE
                                 "    steps:\n"
                                 "      - begin\n"
                                 "      - {sql: LOCK TABLE t}\n"
                                 "      - {sql: SELECT 1}\n"
                                 "      - %s\n"
                                 "  - {name: bob, steps: [{sql: SELECT 1}]}\n"
                                 "invariants:\n"
                                 "  - {name: none, sql: SELECT n FROM t, after-commit: true}\n"
                                 "expect: holds\n",
                                 ends[i]);
        open_text(&opened, text);
        ob_racing_follow(&opened.racing, i == 0 ? "001" : "00001", NULL, 0);
        assert_int_equal(opened.racing.trace.end, OB_RUN_UNCHECKED);
        assert_string_equal(opened.racing.trace.reason, reasons[i]);
        ob_racing_follow(&opened.racing, "1", NULL, 0);
        assert_int_equal(opened.racing.trace.end, i == 0 ? OB_RUN_FINISHED : OB_RUN_UNCHECKED);
        close_text(&opened);
        free(text);
    }
}

static void a_setup_that_fails_is_the_scenarios_error(void **state)
{
    (void)state;
    struct ob_scenario *scenario = ob_racing_parse(HEAD("CREATE TABLE t (n nonsense);") ONE
                                                   "    steps: [{sql: SELECT 1}]\n" TAIL);
    char *conninfo = ob_pg_server_conninfo(ob_live_server(), "postgres");
    const struct ob_target_options options = {.conninfo = conninfo, .limits = ob_limits_default()};
    struct ob_target *target = NULL;
    struct ob_error err;
    assert_int_equal(ob_target_open(scenario, 0, &options, &target, &err), OB_SQL);
    assert_null(target);
    assert_string_equal(err.message, "the setup of x failed");
    assert_string_equal(err.sqlstate, "42704");
    assert_non_null(strstr(err.detail, "nonsense"));
    free(conninfo);
    ob_scenario_free(scenario);
}

static void a_run_that_is_given_up_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    struct ob_scenario *scenario = ob_racing_parse(HEAD("CREATE TABLE t (n int);") ONE
                                                   "    retries: 100\n    steps:\n"
                                                   "      - begin\n"
                                                   "      - {sql: INSERT INTO t VALUES (1)}\n"
                                                   "      - {sql: INSERT INTO t VALUES (2)}\n"
                                                   "      - commit\n"
                                                   "      - {event: done}\n" TAIL);
    struct ob_limits limits = ob_limits_default();
    limits.steps_max = 3;
    struct ob_racing racing;
    ob_racing_open(&racing, scenario, 0, &limits);
    for (int run = 0; run < 3; run++) {
        ob_racing_follow(&racing, "", NULL, 0);
        assert_int_equal(racing.trace.end, OB_RUN_STEP_LIMIT);
        assert_int_equal(racing.trace.step_count, 3);
        assert_string_equal(ob_racing_events(&racing, "done"), "");
    }
    ob_racing_close(&racing);
    ob_scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_take_the_first_row_or_null),
        cmocka_unit_test(a_skipped_step_leaves_its_variables_as_they_were),
        cmocka_unit_test(a_column_to_capture_that_is_not_there_fails_the_run),
        cmocka_unit_test(guards_compare_numbers_as_numbers_and_the_rest_as_text),
        cmocka_unit_test(variables_are_parameters_and_never_pasted),
        cmocka_unit_test(a_serialization_failure_begins_the_steps_again_as_at_the_start),
        cmocka_unit_test(retries_are_bounded),
        cmocka_unit_test(another_error_rolls_back_and_ends_the_client),
        cmocka_unit_test(a_commit_that_fails_is_an_error_too),
        cmocka_unit_test(a_transaction_that_is_left_open_is_rolled_back),
        cmocka_unit_test(the_clock_moves_for_all_and_goes_back_with_the_next_run),
        cmocka_unit_test(time_is_the_schedule_s_for_every_client),
        cmocka_unit_test(with_the_probe_now_is_virtual_too),
        cmocka_unit_test(setup_and_checks_have_the_virtual_time),
        cmocka_unit_test(dpor_believes_what_is_declared),
        cmocka_unit_test(a_lost_session_ends_the_client),
        cmocka_unit_test(a_lost_session_is_a_reason_to_begin_again_where_the_scenario_says_so),
        cmocka_unit_test(an_injected_failure_is_one_like_any_other),
        cmocka_unit_test(settings_of_a_session_do_not_outlive_the_run),
        cmocka_unit_test(rows_lie_in_the_same_order_in_every_run),
        cmocka_unit_test(a_change_of_the_schema_does_not_outlive_the_run),
        cmocka_unit_test(a_materialized_view_is_put_back),
        cmocka_unit_test(a_temporary_table_is_no_change_of_the_schema),
        cmocka_unit_test(a_transaction_that_is_left_prepared_is_rolled_back),
        cmocka_unit_test(a_lock_in_the_way_of_a_check_is_named),
        cmocka_unit_test(a_setup_that_fails_is_the_scenarios_error),
        cmocka_unit_test(a_run_that_is_given_up_leaves_nothing_to_the_next),
    };
    return cmocka_run_group_tests_name("sql target", tests, ob_live_start, ob_live_stop);
}
