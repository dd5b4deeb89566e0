/* Waking and replaying on a live server. */
#include "live.h"

#include "base/alloc.h"
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char schema[] = "CREATE TABLE room (id int PRIMARY KEY, n int NOT NULL);"
                             "INSERT INTO room VALUES (1, 10), (2, 20);"
                             "CREATE TABLE booking (id int GENERATED ALWAYS AS IDENTITY,"
                             " room int REFERENCES room, who text UNIQUE, made xid DEFAULT"
                             " (pg_current_xact_id()::text::xid));";

#define FORCED 300

static size_t refused(const struct ob_step *step, const char *sqlstate)
{
    size_t found = OB_NO_CLIENT;
    for (size_t i = 0; i < step->completion_count; i++) {
        if (strcmp(step->completions[i].sqlstate, sqlstate) != 0)
            continue;
        assert_int_equal(found, OB_NO_CLIENT);
        found = step->completions[i].client;
    }
    return found;
}

/* ann's rollback lets both go on: whoever the schedule names first has the key. */
static void expect_order(struct ob_live *live, const char *clients, size_t loser,
                         const char *sqlstate)
{
    for (int i = 0; i < FORCED; i++) {
        ob_live_run(live, clients);
        const struct ob_step *last = &live->scene.trace.steps[4];
        assert_int_equal(live->scene.trace.uncontrolled, 0);
        assert_int_equal(last->woken, 6);
        assert_int_equal(last->completion_count, 3);
        assert_int_equal(refused(last, sqlstate), loser);
    }
}

static void either_of_two_who_wait_for_one_key_can_be_first(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "INSERT INTO room VALUES (3, 1)", "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "INSERT INTO room VALUES (3, 2)");
    OB_SCENE_ADD(&live.scene, "cat", "INSERT INTO room VALUES (3, 3)");
    expect_order(&live, "00120/1", 2, "23505");
    expect_order(&live, "00120/2", 1, "23505");
    ob_live_close(&live);
}

/* Each has its row in the index already, and then waits for the other's: the second one closes the
 * cycle. */
static void either_of_two_who_wait_for_an_exclusion_can_be_first(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, "CREATE TABLE stay (during int4range, EXCLUDE USING gist (during WITH &&))",
                 NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "INSERT INTO stay VALUES ('[1,5)')", "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "INSERT INTO stay VALUES ('[2,4)')");
    OB_SCENE_ADD(&live.scene, "cat", "INSERT INTO stay VALUES ('[3,6)')");
    expect_order(&live, "00120/1", 2, "40P01");
    expect_order(&live, "00120/2", 1, "40P01");
    ob_live_close(&live);
}

/* PostgreSQL gives the head of the queue the row's lock, and the next one waits behind it. */
static void those_who_wait_for_a_row_come_in_their_order(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE room SET n = 0 WHERE id = 1", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "UPDATE room SET n = 1 WHERE id = 1");
    OB_SCENE_ADD(&live.scene, "cat", "UPDATE room SET n = 2 WHERE id = 1");
    for (int i = 0; i < FORCED; i++) {
        bool bob_first = i % 2 == 0;
        ob_live_run(&live, bob_first ? "00120" : "00210");
        assert_int_equal(live.scene.trace.uncontrolled, 0);
        assert_int_equal(live.scene.trace.schedule.wake_count, 0);
        ob_live_expect(&live, "SELECT n FROM room WHERE id = 1", bob_first ? "2" : "1");
    }
    ob_live_close(&live);
}

/* On a server whose processes are not ours. */
static void two_who_wait_for_one_key_are_flagged_and_both_go_on(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_elsewhere(&live, schema);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "INSERT INTO room VALUES (3, 1)", "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "INSERT INTO room VALUES (3, 2)");
    OB_SCENE_ADD(&live.scene, "cat", "INSERT INTO room VALUES (3, 3)");
    for (int i = 0; i < 20; i++) {
        ob_live_run(&live, "00120");
        const struct ob_step *last = &live.scene.trace.steps[4];
        assert_int_equal(live.scene.trace.uncontrolled, 1);
        assert_true(last->uncontrolled);
        assert_int_equal(last->woken, 6);
        assert_int_equal(last->completion_count, 3);
        assert_int_not_equal(refused(last, "23505"), OB_NO_CLIENT);
    }
    ob_live_close(&live);
}

/* ann has only read, so cat, whom she held up, may commit.  The server lets cat go on before it has
 * noted that ann has ended: a cat that is quick is refused with 40001. */
static void add_three_serializable(struct ob_live *live)
{
    static const char begin[] = "begin isolation level serializable";
    OB_SCENE_ADD(&live->scene, "ann", begin, "SELECT n FROM room WHERE id = 1 FOR SHARE", "commit");
    OB_SCENE_ADD(&live->scene, "bob", begin, "INSERT INTO room VALUES (3, 30)", "commit");
    OB_SCENE_ADD(&live->scene, "cat", begin, "DELETE FROM room WHERE n = 10", "commit");
}

static void who_waits_for_a_serializable_one_goes_on_when_that_has_ended(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    add_three_serializable(&live);
    for (int i = 0; i < FORCED; i++) {
        ob_live_run(&live, "010122102");
        assert_int_equal(live.scene.trace.uncontrolled, 0);
        assert_int_equal(live.scene.trace.steps[7].woken, 4);
        assert_int_equal(refused(&live.scene.trace.steps[7], "40001"), OB_NO_CLIENT);
    }
    ob_live_close(&live);
}

static void who_waits_for_a_serializable_one_elsewhere_is_flagged(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_elsewhere(&live, schema);
    add_three_serializable(&live);
    ob_live_run(&live, "010122102");
    assert_int_equal(live.scene.trace.uncontrolled, 1);
    assert_true(live.scene.trace.steps[7].uncontrolled);
    ob_live_close(&live);
}

static void one_who_waits_is_woken_without_a_flag(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE room SET n = n + 1 WHERE id = 1", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "UPDATE room SET n = n + 1 WHERE id = 1");
    ob_live_run(&live, "0010");
    assert_int_equal(live.scene.trace.uncontrolled, 0);
    ob_live_expect(&live, "SELECT n FROM room WHERE id = 1", "12");
    ob_live_close(&live);
}

static void add_racers(struct ob_live *live)
{
    OB_SCENE_ADD(&live->scene, "ann", "begin", "SELECT count(*) FROM booking",
                 "INSERT INTO booking (room, who) VALUES (1, 'x') RETURNING *",
                 "UPDATE room SET n = n - 1 WHERE id = 1", "commit", "SELECT * FROM booking");
    OB_SCENE_ADD(&live->scene, "bob", "begin isolation level repeatable read",
                 "SELECT n FROM room WHERE id = 1 FOR UPDATE",
                 "INSERT INTO booking (room, who) VALUES (2, 'x') ON CONFLICT DO NOTHING",
                 "UPDATE room SET n = n - 2 WHERE id = 2", "commit");
    OB_SCENE_ADD(&live->scene, "cat", "begin", "UPDATE room SET n = n - 3 WHERE id = 2", "commit",
                 "SELECT pg_advisory_lock(1)", "SELECT sum(n) FROM room",
                 "SELECT pg_advisory_unlock(1)");
}

/* Every run is the same to the byte, twice. */
static void random_schedules_replay_to_the_byte(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    add_racers(&live);
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_RANDOM, 11, 3);
    unsigned careful = 0;
    size_t wakes = 0;
    for (uint64_t run = 0; run < 300; run++) {
        assert_true(ob_strategy_next(strategy, run));
        assert_int_equal(ob_scene_choose(&live.scene, ob_strategy_chooser(strategy)), OB_OK);
        assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
        assert_int_equal(live.scene.trace.uncontrolled, 0);
        wakes += live.scene.trace.schedule.wake_count;
        careful += live.scene.spec.careful;
        struct ob_schedule recorded = {0};
        ob_schedule_copy(&recorded, &live.scene.trace.schedule);
        char *first = ob_strdup(ob_scene_text(&live.scene, true));
        for (int replay = 0; replay < 2; replay++) {
            struct ob_follower follower = {.schedule = &recorded};
            enum ob_result result = ob_scene_choose(&live.scene, ob_follower_chooser(&follower));
            assert_int_equal(result, OB_OK);
            assert_string_equal(ob_scene_text(&live.scene, true), first);
        }
        free(first);
        ob_schedule_clear(&recorded);
    }
    print_message("300 random schedules, each replayed twice: %zu choices of who goes on, %u runs"
                  " were made with care\n",
                  wakes, careful);
    ob_strategy_free(strategy);
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_of_two_who_wait_for_one_key_can_be_first),
        cmocka_unit_test(either_of_two_who_wait_for_an_exclusion_can_be_first),
        cmocka_unit_test(those_who_wait_for_a_row_come_in_their_order),
        cmocka_unit_test(two_who_wait_for_one_key_are_flagged_and_both_go_on),
        cmocka_unit_test(who_waits_for_a_serializable_one_goes_on_when_that_has_ended),
        cmocka_unit_test(who_waits_for_a_serializable_one_elsewhere_is_flagged),
        cmocka_unit_test(one_who_waits_is_woken_without_a_flag),
        cmocka_unit_test(random_schedules_replay_to_the_byte),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
