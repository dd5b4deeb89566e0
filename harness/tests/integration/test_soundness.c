/*
 * Nothing is lost by the reduction on a live server, which tells itself what statements touch:
 * programs made by lot over tables with a foreign key, a unique and an exclusion constraint, at
 * each isolation level, end in the same ways under dpor as in all their schedules.
 *
 * OVERBOOK_SOUNDNESS=N makes N programs.
 */
#include "live.h"
#include "race_classes.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>

#define PROGRAMS 40

static const char schema[] =
    "CREATE TABLE room (id int PRIMARY KEY, n int NOT NULL);"
    "CREATE TABLE booking (id int PRIMARY KEY, room int NOT NULL REFERENCES room,"
    " during int4range NOT NULL, who text UNIQUE, EXCLUDE USING gist (during WITH &&));"
    "INSERT INTO room VALUES (1, 10), (2, 20);"
    "INSERT INTO booking VALUES (1, 1, '[0,5)', 'nobody');";

static const char *const statements[] = {
    "SELECT n FROM room WHERE id = 1",
    "SELECT id, room FROM booking",
    "SELECT count(*) FROM booking WHERE room = 1",
    "SELECT n FROM room WHERE id = 1 FOR UPDATE",
    "SELECT n FROM room WHERE id = 1 FOR KEY SHARE",
    "SELECT id FROM booking WHERE id = 1 FOR SHARE",
    "UPDATE room SET n = n + 1 WHERE id = 1",
    "UPDATE room SET n = n + 1 WHERE id = 2",
    "UPDATE room SET n = 0 WHERE n > 10",
    "INSERT INTO booking VALUES (2, 1, '[5,9)', 'ann')",
    "INSERT INTO booking VALUES (3, 2, '[7,12)', 'bob')",
    "INSERT INTO booking VALUES (4, 2, '[20,22)', 'ann')",
    "INSERT INTO booking VALUES (2, 2, '[30,31)', 'cat') ON CONFLICT DO NOTHING",
    ("INSERT INTO booking SELECT 5, 1, '[5,9)', 'eve' WHERE NOT EXISTS"
     " (SELECT FROM booking WHERE during && '[5,9)')"),
    "UPDATE booking SET room = 2 WHERE id = 1",
    "DELETE FROM booking WHERE room = 1",
    "DELETE FROM room WHERE id = 2",
};

/* A transaction of one or two statements, or a statement without one. */
static void write_client(struct ob_sound_program *program, size_t client, struct ob_rng *rng,
                         const char *begin)
{
    size_t count = 0, wanted = program->client_count == 2 ? 1 + ob_rng_below(rng, 2) : 1;
    bool transaction = ob_rng_below(rng, 4) > 0;
    const char **lines = program->lines[client];
    if (transaction)
        lines[count++] = begin;
    for (size_t i = 0; i < wanted; i++)
        lines[count++] = statements[ob_rng_below(rng, sizeof statements / sizeof *statements)];
    if (transaction)
        lines[count++] = ob_rng_below(rng, 5) == 0 ? "rollback" : "commit";
}

static void write_program(struct ob_sound_program *program, uint64_t seed)
{
    static const char *const levels[] = {"begin isolation level read committed",
                                         "begin isolation level repeatable read",
                                         "begin isolation level serializable"};
    struct ob_rng rng;
    *program = (struct ob_sound_program){0};
    ob_rng_seed(&rng, seed);
    program->client_count = 2 + (ob_rng_below(&rng, 4) == 0);
    bool mixed = ob_rng_below(&rng, 5) == 0;
    size_t level = ob_rng_below(&rng, 3);
    for (size_t i = 0; i < program->client_count; i++)
        write_client(program, i, &rng, levels[mixed ? ob_rng_below(&rng, 3) : level]);
}

static uint64_t wanted(void)
{
    const char *given = getenv("OVERBOOK_SOUNDNESS");
    uint64_t count = PROGRAMS;
    if (given && !ob_parse_u64(given, 1, 1000000, &count))
        fail_msg("OVERBOOK_SOUNDNESS is no number: %s", given);
    return count;
}

static void compare_by_lot(struct ob_live *live, uint64_t count)
{
    struct ob_sound sound = ob_live_sound(live);
    ob_sound_by_lot(&sound, count, write_program);
}

static void no_outcome_is_lost(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    compare_by_lot(&live, wanted());
    ob_live_close(&live);
}

/* Where statements that write take two steps, of which there are more schedules. */
static void no_outcome_is_lost_at_gates(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open_gated(&live, schema);
    compare_by_lot(&live, (wanted() + 3) / 4);
    ob_live_close(&live);
}

static void no_outcome_of_a_known_race_is_lost(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, ob_race_classes_schema, NULL);
    struct ob_sound sound = ob_live_sound(&live);
    for (size_t i = 0; i < ob_race_class_count; i++)
        if (!ob_sound_compare(&sound, &ob_race_classes[i].program, ob_race_classes[i].name))
            fail_msg("%s: too many schedules", ob_race_classes[i].name);
    print_message("figure: %" PRIu64 " programs by hand, %" PRIu64 " schedules, %" PRIu64
                  " runs of dpor, %" PRIu64 " programs lost outcomes\n",
                  sound.compared, sound.schedules, sound.reduced, sound.lost);
    assert_true(sound.compared >= 60);
    assert_int_equal(sound.lost, 0);
    ob_live_close(&live);
}

/* The server tells of relations, not of rows, so more can matter than on the model. */
static void the_known_programs_lose_no_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        const struct ob_golden *golden = &ob_goldens[i];
        struct ob_live live;
        struct ob_golden_count count;
        char *tables = ob_asprintf("%s%s", ob_golden_schema, golden->rows);
        ob_live_open(&live, tables, NULL);
        struct ob_golden_place place = ob_live_golden_place(&live);
        struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_DPOR, 0, 2);
        if (ob_golden_search(golden, 2, &place, strategy, &count, &live.err) != OB_OK)
            fail_msg("%s: %s %s", golden->name, live.err.message, live.err.detail);
        print_message("figure: %s: %" PRIu64 " of %" PRIu64 " schedules, %" PRIu64 " outcomes\n",
                      golden->name, count.schedules, golden->schedules[0], count.outcomes);
        assert_true(ob_strategy_exhausted(strategy));
        assert_int_equal(count.outcomes, golden->outcomes[0]);
        assert_true(count.schedules <= golden->schedules[0]);
        ob_strategy_free(strategy);
        ob_live_close(&live);
        free(tables);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_programs_lose_no_outcome),
        cmocka_unit_test(no_outcome_of_a_known_race_is_lost),
        cmocka_unit_test(no_outcome_is_lost),
        cmocka_unit_test(no_outcome_is_lost_at_gates),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
