/* Statements that stop between their snapshot and their run: at the gates of the probe, and at
 * those that triggers are. */
#include "live.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define FORCED 200

static const char schema[] =
    "CREATE TABLE room (id int PRIMARY KEY, n int NOT NULL);"
    "INSERT INTO room VALUES (1, 10), (2, 20);"
    "CREATE TABLE booking (id int GENERATED ALWAYS AS IDENTITY, room int, who text);"
    "CREATE FUNCTION book(client text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN"
    " IF EXISTS (SELECT FROM booking WHERE room = 1) THEN RETURN false; END IF;"
    " INSERT INTO booking (room, who) VALUES (1, client); UPDATE room SET n = n + 1 WHERE id = 1;"
    " RETURN true; END $$;";

#define BOOK(who)                                                           \
    "INSERT INTO booking (room, who) SELECT 1, '" who "' WHERE NOT EXISTS " \
    "(SELECT FROM booking WHERE room = 1)"

static void expect_bookings(struct ob_live *live, const char *clients, const char *count)
{
    ob_live_run(live, clients);
    assert_int_equal(live->scene.trace.end, OB_RUN_FINISHED);
    assert_int_equal(live->scene.trace.uncontrolled, 0);
    ob_live_expect(live, "SELECT count(*) FROM booking", count);
}

static void both_insert_where_both_have_their_snapshots_first(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", BOOK("ann"));
    OB_SCENE_ADD(&live.scene, "bob", BOOK("bob"));
    for (int i = 0; i < FORCED; i++) {
        expect_bookings(&live, i % 2 == 0 ? "0101" : "0110", "2");
        expect_bookings(&live, i % 2 == 0 ? "0011" : "1100", "1");
    }
    ob_live_close(&live);
}

static void what_a_gate_shows_is_recorded(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", BOOK("ann"));
    ob_live_run(&live, "00");
    const struct ob_trace *trace = &live.scene.trace;
    assert_int_equal(trace->step_count, 2);
    assert_int_equal(trace->steps[0].kind, OB_OP_STATEMENT);
    assert_int_equal(trace->steps[0].gated, 1);
    assert_int_equal(trace->steps[0].completion_count, 0);
    assert_int_equal(trace->steps[1].kind, OB_OP_GATE);
    assert_int_equal(trace->steps[1].gated, 0);
    assert_int_equal(trace->steps[1].completion_count, 1);
    const char *text = ob_scene_text(&live.scene, false);
    assert_non_null(strstr(text, "-> has its snapshot\n"));
    assert_non_null(strstr(text, "2 ann        run      INSERT"));
    ob_live_close(&live);
}

/* Both have looked before one of them inserts; each then comes to the gate of its UPDATE. */
static void a_function_stops_at_each_statement_that_writes(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", "SELECT book('ann')");
    OB_SCENE_ADD(&live.scene, "bob", "SELECT book('bob')");
    expect_bookings(&live, "010011", "2");
    ob_live_expect(&live, "SELECT n FROM room WHERE id = 1", "12");
    expect_bookings(&live, "0001", "1");
    ob_live_expect(&live, "SELECT n FROM room WHERE id = 1", "11");
    ob_live_close(&live);
}

/* bob's statement had to wait for the table before it could take its snapshot. */
static void who_waited_comes_to_the_gate(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "LOCK TABLE booking", "commit");
    OB_SCENE_ADD(&live.scene, "bob", BOOK("bob"));
    expect_bookings(&live, "00101", "1");
    const struct ob_step *commit = &live.scene.trace.steps[3];
    assert_int_equal(commit->woken, 2);
    assert_int_equal(commit->gated, 2);
    assert_int_equal(commit->completion_count, 1);
    assert_non_null(strstr(ob_scene_text(&live.scene, false), "bob goes on: has its snapshot"));
    ob_live_close(&live);
}

/* Who closes the cycle does so in passing a gate. */
static void the_one_that_closes_a_cycle_dies(void **state)
{
    (void)state;
    static const char x[] = "UPDATE room SET n = 1 WHERE id = 1",
                      y[] = "UPDATE room SET n = 2 WHERE id = 2";
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", "begin", x, y, "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin", y, x, "commit");
    for (int i = 0; i < 20; i++) {
        bool ann_last = i % 2 == 0;
        ob_live_run(&live, ann_last ? "000111011001" : "111000100110");
        const struct ob_trace *trace = &live.scene.trace;
        size_t victim = OB_NO_CLIENT;
        for (size_t k = 0; k < trace->step_count; k++)
            for (size_t c = 0; c < trace->steps[k].completion_count; c++)
                if (strcmp(trace->steps[k].completions[c].sqlstate, "40P01") == 0)
                    victim = trace->steps[k].completions[c].client;
        assert_int_equal(victim, ann_last ? 0 : 1);
        assert_int_equal(trace->uncontrolled, 0);
    }
    ob_live_close(&live);
}

/* A run that ends at a gate leaves nothing in the way of the next one. */
static void who_stands_at_a_gate_is_sent_home(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", BOOK("ann"));
    OB_SCENE_ADD(&live.scene, "bob", "SELECT 1", BOOK("bob"));
    for (int i = 0; i < 5; i++) {
        ob_live_run(&live, "01000");
        assert_int_equal(live.scene.trace.end, OB_RUN_DIVERGED);
        ob_live_expect(&live, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
        expect_bookings(&live, "01101", "2");
    }
    ob_live_close(&live);
}

static void the_reduction_loses_nothing_at_gates(void **state)
{
    (void)state;
    static const char look[] = "SELECT count(*) FROM booking WHERE room = 1",
                      rise[] = "UPDATE room SET n = n + 1 WHERE id = 1",
                      few[] = "UPDATE room SET n = 0 WHERE n > 10",
                      repeatable[] = "begin isolation level repeatable read";
    static const struct ob_sound_program programs[] = {
        {.client_count = 2, .lines = {{BOOK("ann")}, {BOOK("bob")}}},
        {.client_count = 2, .lines = {{"begin", BOOK("ann"), "commit"}, {BOOK("bob"), look}}},
        {.client_count = 2, .lines = {{"SELECT book('ann')"}, {"SELECT book('bob')"}}},
        {.client_count = 2, .lines = {{"begin", rise, "rollback"}, {few, "SELECT n FROM room"}}},
        {.client_count = 2, .lines = {{repeatable, rise, "commit"}, {repeatable, few, "commit"}}},
        {.client_count = 3, .lines = {{rise}, {few}, {"SELECT n FROM room"}}},
    };
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    struct ob_sound sound = ob_live_sound(&live);
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        assert_true(ob_sound_compare(&sound, &programs[i], "at gates"));
    print_message("figure: %zu programs, %zu schedules, %zu runs of dpor\n", (size_t)sound.compared,
                  (size_t)sound.schedules, (size_t)sound.reduced);
    assert_int_equal(sound.lost, 0);
    ob_live_close(&live);
}

static int run_all(const char *by)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_insert_where_both_have_their_snapshots_first),
        cmocka_unit_test(what_a_gate_shows_is_recorded),
        cmocka_unit_test(a_function_stops_at_each_statement_that_writes),
        cmocka_unit_test(who_waited_comes_to_the_gate),
        cmocka_unit_test(the_one_that_closes_a_cycle_dies),
        cmocka_unit_test(who_stands_at_a_gate_is_sent_home),
        cmocka_unit_test(the_reduction_loses_nothing_at_gates),
    };
    print_message("gates by %s:\n", by);
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}

int main(void)
{
    int failed = run_all("the probe, where it is built");
    setenv("OVERBOOK_PROBE", "", 1);
    return failed + run_all("triggers");
}
