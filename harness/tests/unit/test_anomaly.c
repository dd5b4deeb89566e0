/*
 * What an edge is about and what a run is called, of made-up runs: each name with the run that
 * deserves it, and with one that only looks so.
 */
#include "repro/anomaly.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { ANN, BOB };
enum { R = OB_TOUCH_READ, W = OB_TOUCH_WRITE, RW = OB_TOUCH_READ | OB_TOUCH_WRITE };

struct made {
    struct ob_trace trace;
    struct ob_versions versions;
    struct ob_accesses accesses;
    struct ob_facts facts;
    enum ob_level level;
};

static const char *const tables[] = {"public.slot", "public.mail", "app.room"};

static int set_up(void **state)
{
    static struct made made;
    made = (struct made){0};
    ob_trace_init(&made.trace);
    ob_versions_init(&made.versions);
    made.versions.known = true;
    made.versions.names = tables;
    made.versions.name_count = sizeof tables / sizeof *tables;
    *state = &made;
    return 0;
}

static int tear_down(void **state)
{
    struct made *made = *state;
    ob_accesses_clear(&made->accesses);
    ob_versions_clear(&made->versions);
    ob_trace_clear(&made->trace);
    return 0;
}

static void answer(struct made *made, struct ob_step *step, size_t client, const char *table,
                   unsigned ways, bool open)
{
    struct ob_footprint touches = {.known = true, .level = made->level};
    struct ob_arena *arena = &made->trace.arena;
    const struct ob_completion *before = step->completions;
    if (table)
        ob_footprint_add(&touches, ob_resource(table), ways);
    step->completions = ob_arena_alloc(arena, (step->completion_count + 1) * sizeof *before);
    if (step->completion_count > 0)
        memcpy(step->completions, before, step->completion_count * sizeof *before);
    step->completions[step->completion_count++] =
        (struct ob_completion){.client = client,
                               .sqlstate = "00000",
                               .message = "",
                               .open = open,
                               .committed = !open,
                               .footprint = ob_footprint_copy(arena, &touches)};
    ob_footprint_clear(&touches);
}

static struct ob_step *add(struct made *made, size_t client, enum ob_op_kind kind, const char *text)
{
    struct ob_step *step = ob_trace_add_step(&made->trace);
    *step = (struct ob_step){.client = client, .kind = kind, .text = text, .params = ""};
    return step;
}

/* A statement that is answered at once: within a transaction, or one of its own. */
static void within(struct made *made, size_t client, const char *table, unsigned ways)
{
    answer(made, add(made, client, OB_OP_STATEMENT, "x"), client, table, ways, true);
}

static void alone(struct made *made, size_t client, const char *table, unsigned ways)
{
    answer(made, add(made, client, OB_OP_STATEMENT, "x"), client, table, ways, false);
}

static struct ob_step *commit(struct made *made, size_t client)
{
    struct ob_step *step = add(made, client, OB_OP_COMMIT, "COMMIT");
    answer(made, step, client, NULL, 0, false);
    return step;
}

/* The step made rows of the table visible, and in their place took away such as another step had
 * made. */
static void changed(struct made *made, size_t step, const char *table, size_t added, size_t removed,
                    size_t over)
{
    struct ob_versions *versions = &made->versions;
    size_t *steps = ob_arena_alloc(&versions->arena, sizeof *steps);
    *steps = over;
    size_t index = ob_versions_table(versions, ob_resource(table));
    versions->changes = ob_grow(versions->changes, &versions->change_capacity,
                                versions->change_count + 1, sizeof *versions->changes);
    versions->changes[versions->change_count++] = (struct ob_change){.step = step,
                                                                     .table = index,
                                                                     .added = added,
                                                                     .removed = removed,
                                                                     .over = steps,
                                                                     .over_count = removed > 0};
}

static struct ob_edge edge_of(struct made *made, size_t from, size_t to)
{
    struct ob_edge edge = {.from = from, .to = to};
    ob_accesses_clear(&made->accesses);
    ob_accesses_of(&made->trace, &made->accesses);
    made->facts = (struct ob_facts){&made->trace, &made->accesses, &made->versions};
    ob_edge_explain(&made->facts, &edge);
    return edge;
}

static void assert_called(struct made *made, const struct ob_edge *edge, const struct ob_edge *back,
                          const char *name)
{
    bool words;
    assert_string_equal(ob_anomaly_of(&made->facts, edge, back, &words), name);
    assert_false(words);
}

static void assert_about(const struct made *made, const struct ob_edge *edge,
                         enum ob_edge_kind kind, enum ob_basis basis, const char *table)
{
    assert_int_equal(edge->kind, kind);
    assert_int_equal(edge->basis, basis);
    assert_string_equal(ob_versions_name(&made->versions, edge->resource), table);
}

static void who_replaces_what_it_had_not_seen_loses_an_update(void **state)
{
    struct made *made = *state;
    alone(made, ANN, tables[0], R);
    alone(made, BOB, tables[0], R);
    alone(made, BOB, tables[0], W);
    alone(made, ANN, tables[0], W);
    changed(made, 2, tables[0], 1, 1, OB_BEFORE_ALL);
    changed(made, 3, tables[0], 1, 1, 2);
    struct ob_edge edge = edge_of(made, 0, 2), back = edge_of(made, 1, 3);
    assert_about(made, &edge, OB_EDGE_RW, OB_BASIS_ROWS, "slot");
    assert_called(made, &edge, &back, "lost update");
}

/* The same statements, on different rows of the table. */
static void who_changes_another_row_skews(void **state)
{
    struct made *made = *state;
    alone(made, ANN, tables[0], R);
    alone(made, BOB, tables[0], R);
    alone(made, BOB, tables[0], W);
    alone(made, ANN, tables[0], W);
    changed(made, 2, tables[0], 1, 1, OB_BEFORE_ALL);
    changed(made, 3, tables[0], 1, 1, OB_BEFORE_ALL);
    struct ob_edge edge = edge_of(made, 0, 2), back = edge_of(made, 1, 3);
    assert_called(made, &edge, &back, "write skew");
}

static void a_row_that_came_is_a_phantom(void **state)
{
    struct made *made = *state;
    alone(made, ANN, tables[2], R);
    alone(made, BOB, tables[2], R);
    alone(made, BOB, tables[2], W);
    alone(made, ANN, tables[2], W);
    changed(made, 2, tables[2], 1, 0, 0);
    changed(made, 3, tables[2], 1, 0, 0);
    struct ob_edge edge = edge_of(made, 0, 2), back = edge_of(made, 1, 3);
    assert_about(made, &edge, OB_EDGE_RW, OB_BASIS_ROWS, "app.room");
    assert_called(made, &edge, &back, "phantom");
    assert_called(made, &edge, NULL, "");
}

static void an_unrelated_write_makes_no_edge(void **state)
{
    struct made *made = *state;
    alone(made, ANN, tables[0], R);
    alone(made, BOB, tables[1], W);
    alone(made, ANN, tables[0], W);
    changed(made, 1, tables[1], 1, 0, 0);
    changed(made, 2, tables[0], 1, 0, 0);
    struct ob_edge edge = edge_of(made, 0, 1);
    assert_int_equal(edge.kind, OB_EDGE_OTHER);
    assert_int_equal(edge.basis, OB_BASIS_NONE);
}

/* What was not visible yet was not seen, and an edge without a kind rests on nothing. */
static void a_write_that_is_visible_later_makes_no_edge(void **state)
{
    struct made *made = *state;
    within(made, ANN, tables[0], W);
    alone(made, BOB, tables[0], R);
    commit(made, ANN);
    changed(made, 2, tables[0], 1, 1, OB_BEFORE_ALL);
    struct ob_edge edge = edge_of(made, 0, 1);
    assert_int_equal(edge.kind, OB_EDGE_OTHER);
    assert_int_equal(edge.basis, OB_BASIS_NONE);
}

/* A row's lock is told as a write, but leaves the row as it was. */
static void a_lock_is_no_write(void **state)
{
    struct made *made = *state;
    alone(made, ANN, tables[0], R);
    alone(made, BOB, tables[0], RW);
    struct ob_edge edge = edge_of(made, 0, 1);
    assert_int_equal(edge.kind, OB_EDGE_OTHER);
    made->versions.known = false;
    edge = edge_of(made, 0, 1);
    assert_int_equal(edge.kind, OB_EDGE_RW);
    assert_int_equal(edge.basis, OB_BASIS_TABLES);
}

static void what_was_rolled_back_is_missed_by_nobody(void **state)
{
    struct made *made = *state;
    made->versions.known = false;
    within(made, BOB, tables[0], W);
    alone(made, ANN, tables[0], R);
    struct ob_step *step = commit(made, BOB);
    step->completions[0].committed = false;
    struct ob_edge edge = edge_of(made, 1, 2);
    assert_int_equal(edge.kind, OB_EDGE_OTHER);
}

/* The commit stands for what its transaction wrote; the snapshot decides who saw it. */
static void a_later_snapshot_sees_what_was_committed(void **state)
{
    struct made *made = *state;
    within(made, BOB, tables[0], W);
    alone(made, ANN, tables[0], R);
    commit(made, BOB);
    alone(made, ANN, tables[0], R);
    changed(made, 2, tables[0], 1, 1, OB_BEFORE_ALL);
    struct ob_edge missed = edge_of(made, 1, 2), seen = edge_of(made, 2, 3);
    assert_int_equal(missed.kind, OB_EDGE_RW);
    assert_int_equal(seen.kind, OB_EDGE_WR);
}

static void from_repeatable_read_on_the_first_snapshot_counts(void **state)
{
    struct made *made = *state;
    made->level = OB_LEVEL_TRANSACTION;
    answer(made, add(made, ANN, OB_OP_BEGIN, "BEGIN"), ANN, NULL, 0, true); /* takes none */
    within(made, ANN, tables[1], R);
    alone(made, BOB, tables[0], W);
    within(made, ANN, tables[0], R);
    changed(made, 2, tables[0], 1, 1, OB_BEFORE_ALL);
    struct ob_edge edge = edge_of(made, 1, 2);
    assert_about(made, &edge, OB_EDGE_RW, OB_BASIS_ROWS, "slot");
}

/* BOB locks the room, then books the slot; ANN's statement waits for the room with the snapshot
 * that it has.  Booked or not before the lock was free, that is what the read misses. */
static struct ob_edge read_behind_a_lock(struct made *made, const char *locked)
{
    within(made, BOB, locked, W);
    within(made, BOB, tables[0], W);
    struct ob_step *step = add(made, ANN, OB_OP_STATEMENT, "x");
    step->blocked = (ob_client_set)1 << ANN;
    step = commit(made, BOB);
    answer(made, step, ANN, tables[2], W, true);
    struct ob_footprint *touches = &step->completions[1].footprint;
    struct ob_touch *both = ob_arena_alloc(&made->trace.arena, 2 * sizeof *both);
    uint64_t slot = ob_resource(tables[0]), room = ob_resource(tables[2]);
    both[slot > room] = (struct ob_touch){slot, R};
    both[slot < room] = (struct ob_touch){room, W};
    touches->touches = both;
    touches->count = 2;
    commit(made, ANN);
    changed(made, 3, tables[0], 1, 0, 0);
    return edge_of(made, 2, 3);
}

static void a_snapshot_from_before_the_wait_is_stale(void **state)
{
    struct made *made = *state;
    struct ob_stale stale;
    struct ob_edge edge = read_behind_a_lock(made, tables[2]);
    assert_about(made, &edge, OB_EDGE_RW, OB_BASIS_ROWS, "slot");
    assert_true(ob_edge_is_stale(&made->facts, &edge, &stale));
    assert_true(stale.waited && stale.snapshot == 2 && stale.published == 3 && stale.locked == 3);
    assert_called(made, &edge, NULL, "stale read behind a lock");
}

/* The other one never held what was waited for: the wait was for somebody else. */
static void a_lock_that_guards_something_else_makes_nothing_stale(void **state)
{
    struct made *made = *state;
    struct ob_edge edge = read_behind_a_lock(made, tables[1]);
    assert_int_equal(edge.kind, OB_EDGE_RW);
    assert_called(made, &edge, NULL, "");
}

/* Both hold the key of the parent that their rows point to: nobody waits for that. */
static void a_lock_that_is_shared_guards_nothing(void **state)
{
    struct made *made = *state;
    made->level = OB_LEVEL_TRANSACTION;
    within(made, ANN, tables[1], R);
    within(made, BOB, tables[2], OB_TOUCH_SHARE);
    within(made, BOB, tables[0], W);
    commit(made, BOB);
    within(made, ANN, tables[2], OB_TOUCH_SHARE);
    within(made, ANN, tables[0], R);
    commit(made, ANN);
    changed(made, 3, tables[0], 1, 0, 0);
    struct ob_edge edge = edge_of(made, 0, 3);
    assert_int_equal(edge.kind, OB_EDGE_RW);
    assert_called(made, &edge, NULL, "");
}

/* SELECT, and only then the lock: a look before it is not behind it. */
static void who_reads_before_the_lock_reads_nothing_behind_it(void **state)
{
    struct made *made = *state;
    within(made, BOB, tables[2], W);
    within(made, ANN, tables[0], R);
    within(made, BOB, tables[0], W);
    commit(made, BOB);
    within(made, ANN, tables[2], W);
    commit(made, ANN);
    changed(made, 3, tables[0], 1, 0, 0);
    struct ob_edge edge = edge_of(made, 1, 3);
    assert_int_equal(edge.kind, OB_EDGE_RW);
    assert_called(made, &edge, NULL, "");
}

/* One snapshot for the whole transaction: no lock that is got later makes it newer. */
static void a_lock_without_a_wait_can_be_too_late(void **state)
{
    struct made *made = *state;
    made->level = OB_LEVEL_TRANSACTION;
    within(made, ANN, tables[1], R);
    within(made, BOB, tables[2], W);
    within(made, BOB, tables[0], W);
    commit(made, BOB);
    within(made, ANN, tables[2], W);
    within(made, ANN, tables[0], R);
    commit(made, ANN);
    changed(made, 3, tables[0], 1, 0, 0);
    struct ob_edge edge = edge_of(made, 0, 3);
    assert_called(made, &edge, NULL, "stale read behind a lock");
}

/* As people declare it: rows, and a table without its schema. */
static void a_declared_row_that_both_change_is_a_lost_update(void **state)
{
    struct made *made = *state;
    static const char *const names[] = {"slot/1", "slot"};
    for (size_t i = 0; i < 2; i++) {
        ob_trace_reset(&made->trace);
        alone(made, ANN, names[i], R);
        alone(made, BOB, names[i], R);
        alone(made, BOB, names[i], RW);
        alone(made, ANN, names[i], RW);
        changed(made, 2, tables[0], 1, 1, OB_BEFORE_ALL);
        changed(made, 3, tables[0], 1, 1, OB_BEFORE_ALL);
        struct ob_edge edge = edge_of(made, 0, 2), back = edge_of(made, 1, 3);
        assert_int_equal(edge.basis, i == 0 ? OB_BASIS_TABLES : OB_BASIS_ROWS);
        assert_called(made, &edge, &back, i == 0 ? "lost update" : "write skew");
    }
}

static void words_are_the_last_resort_and_say_so(void **state)
{
    struct made *made = *state;
    bool words;
    static const char *const texts[] = {"SELECT 1", "SELECT 1", "INSERT INTO a", "INSERT INTO a"};
    for (size_t i = 0; i < 4; i++) {
        struct ob_step *step = add(made, i % 2, OB_OP_STATEMENT, texts[i]);
        answer(made, step, step->client, NULL, 0, false);
        step->completions[0].footprint.known = false;
    }
    struct ob_edge edge = edge_of(made, 0, 3), back = edge_of(made, 1, 2);
    assert_int_equal(edge.kind, OB_EDGE_RW);
    assert_int_equal(edge.basis, OB_BASIS_WORDS);
    assert_string_equal(ob_anomaly_of(&made->facts, &edge, &back, &words), "phantom");
    assert_true(words);
}

/* The kind of an edge between two statements of which nothing but the words is known. */
static enum ob_edge_kind kind_of(struct made *made, const char *from, const char *to)
{
    const char *const texts[] = {from, to};
    ob_trace_reset(&made->trace);
    for (size_t i = 0; i < 2; i++) {
        struct ob_step *step = add(made, i, OB_OP_STATEMENT, texts[i]);
        answer(made, step, step->client, NULL, 0, false);
        step->completions[0].footprint.known = false;
    }
    return edge_of(made, 0, 1).kind;
}

static void words_are_those_of_the_statement_however_it_is_written(void **state)
{
    static const char update[] = "UPDATE a SET n = 1";
    static const char *const locks[] = {
        "SELECT 1 FROM a FOR UPDATE",
        "SELECT 1 FROM a\nFOR UPDATE",
        "SELECT 1 FROM a for  no key\tupdate",
        "SELECT 1 FROM (SELECT 1 FROM a)x FOR/* rows */SHARE",
        "-- locked\nSELECT 1 FROM a WHERE s = ''FOR KEY SHARE",
        "WITH gone AS (DELETE FROM a RETURNING n) SELECT n FROM gone",
        "WITH some AS (SELECT 1 AS n) UPDATE a SET n = some.n FROM some",
        "/* first */ INSERT INTO a VALUES (1)",
        "merge into a",
    };
    static const char *const reads[] = {
        "SELECT 1 FROM a",
        "(SELECT 1 FROM a)",
        "/* all */\n select 1",
        "SELECT ' for update ' FROM a",
        "SELECT 1 FROM a -- not for update",
        "SELECT substring(s from 1 for 3) FROM a",
        "SELECT \" for share\" FROM a",
        "WITH all_of AS (SELECT 1 FROM a) SELECT 1 FROM all_of",
    };
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        if (kind_of(*state, locks[i], update) != OB_EDGE_WW)
            fail_msg("does not write: %s", locks[i]);
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        if (kind_of(*state, reads[i], update) != OB_EDGE_RW)
            fail_msg("does not only read: %s", reads[i]);
    assert_int_equal(kind_of(*state, "selected", update), OB_EDGE_OTHER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_replaces_what_it_had_not_seen_loses_an_update),
        TEST(who_changes_another_row_skews),
        TEST(a_row_that_came_is_a_phantom),
        TEST(an_unrelated_write_makes_no_edge),
        TEST(a_write_that_is_visible_later_makes_no_edge),
        TEST(a_lock_is_no_write),
        TEST(what_was_rolled_back_is_missed_by_nobody),
        TEST(a_later_snapshot_sees_what_was_committed),
        TEST(from_repeatable_read_on_the_first_snapshot_counts),
        TEST(a_snapshot_from_before_the_wait_is_stale),
        TEST(a_lock_that_guards_something_else_makes_nothing_stale),
        TEST(a_lock_that_is_shared_guards_nothing),
        TEST(who_reads_before_the_lock_reads_nothing_behind_it),
        TEST(a_lock_without_a_wait_can_be_too_late),
        TEST(a_declared_row_that_both_change_is_a_lost_update),
        TEST(words_are_the_last_resort_and_say_so),
        TEST(words_are_those_of_the_statement_however_it_is_written),
    };
    return cmocka_run_group_tests_name("anomaly", tests, NULL, NULL);
}
