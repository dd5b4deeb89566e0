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

static void two_who_wait_for_one_key_are_flagged_and_both_go_on(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
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
        int refused = (strcmp(last->completions[1].sqlstate, "23505") == 0) +
                      (strcmp(last->completions[2].sqlstate, "23505") == 0);
        assert_int_equal(refused, 1);
    }
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

/* Every run that no wake was left to the server in is the same to the byte, twice. */
static void random_schedules_replay_to_the_byte(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    add_racers(&live);
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_RANDOM, 11, 3);
    unsigned uncontrolled = 0, careful = 0, differ = 0;
    for (uint64_t run = 0; run < 300; run++) {
        assert_true(ob_strategy_next(strategy, run));
        assert_int_equal(ob_scene_choose(&live.scene, ob_strategy_chooser(strategy)), OB_OK);
        assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
        bool controlled = live.scene.trace.uncontrolled == 0;
        uncontrolled += !controlled;
        careful += live.scene.spec.careful;
        struct ob_schedule recorded = {0};
        ob_schedule_copy(&recorded, &live.scene.trace.schedule);
        char *first = ob_strdup(ob_scene_text(&live.scene, true));
        for (int replay = 0; replay < 2; replay++) {
            struct ob_follower follower = {.schedule = &recorded};
            enum ob_result result = ob_scene_choose(&live.scene, ob_follower_chooser(&follower));
            assert_int_equal(result, OB_OK);
            const char *again = ob_scene_text(&live.scene, true);
            if (controlled)
                assert_string_equal(again, first);
            differ += strcmp(again, first) != 0;
        }
        free(first);
        ob_schedule_clear(&recorded);
    }
    print_message("300 random schedules, each replayed twice: %u with an uncontrolled wake, %u "
                  "replays of those differed; %u runs were made with care\n",
                  uncontrolled, differ, careful);
    assert_true(uncontrolled < 300);
    ob_strategy_free(strategy);
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_who_wait_for_one_key_are_flagged_and_both_go_on),
        cmocka_unit_test(one_who_waits_is_woken_without_a_flag),
        cmocka_unit_test(random_schedules_replay_to_the_byte),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
