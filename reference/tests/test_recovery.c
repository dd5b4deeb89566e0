/* Faults of the session, the worker and the provider, at every place where they can happen. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <fiu.h>
#include <fiu-control.h>

#define TRIES_MAX 5

static bool undecided(enum booking_status status)
{
    return status == BOOKING_RETRY_LATER || status == BOOKING_CRASHED || status == BOOKING_ERROR;
}

/* A customer who asks again when there is no answer; one whose first request was done after all
 * waits until the forgotten hold is over. */
static int64_t hold_carefully(struct world *world, const char *customer, int from, int to)
{
    enum booking_status status = world_hold(world, customer, from, to);

    for (int i = 0; i < TRIES_MAX && undecided(status); i++) {
        status = world_hold(world, customer, from, to);
        if (status == BOOKING_CONFLICT) {
            world_advance(world, 15 * 60);
            status = world_hold(world, customer, from, to);
        }
    }
    assert_int_equal(status, BOOKING_OK);
    return world->answer.hold_id;
}

static void pay_carefully(struct world *world, const char *customer, int64_t hold)
{
    for (int i = 0; i < TRIES_MAX && undecided(world_pay(world, customer, hold)); i++)
        continue;
    assert_int_equal(world->answer.status, BOOKING_OK);
}

static void cancel_carefully(struct world *world, const char *customer, int64_t hold)
{
    for (int i = 0; i < TRIES_MAX && undecided(world_cancel(world, customer, hold)); i++)
        continue;
    assert_int_equal(world->answer.status, BOOKING_OK);
}

/* Every kind of transaction: hold, confirmation, late payment refunded, cancellation, cleanup. */
static void whole_story(struct world *world)
{
    int64_t alice = hold_carefully(world, "alice", 10, 11);
    int64_t bob, carol;

    pay_carefully(world, "alice", alice);
    world_deliver_all(world);
    bob = hold_carefully(world, "bob", 12, 13);
    pay_carefully(world, "bob", bob);
    world_advance(world, 15 * 60);
    carol = hold_carefully(world, "carol", 12, 13);
    world_deliver_all(world);
    cancel_carefully(world, "alice", alice);
    cancel_carefully(world, "carol", carol);
    world_advance(world, 15 * 60);
    world_clean(world);
    world_clean(world);
    world_deliver_all(world);
}

/* What the story comes to, whatever went wrong on the way. */
static void assert_story_came_true(struct world *world)
{
    assert_int_equal(world_violations(world), 0);
    assert_sql_text(world,
                    "SELECT string_agg(customer_id || ' ' || status, ', ' ORDER BY id)"
                    " FROM booking.temp_booking WHERE payment_id IS NOT NULL",
                    "alice REFUNDED, bob REFUNDED");
    assert_int_equal(booking_psp_ledger_count(world->psp), 4);
    assert_int_equal(booking_psp_unstable_keys(world->psp), 0);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.refund WHERE status = 'DONE'"),
                     2);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.outbox"), 2);
}

/* Hits of a point that are still to pass before it fails once. */
static int passes;
static bool has_failed;

static int fail_once_after_passes(const char *name, int *failnum, void **failinfo,
                                  unsigned int *flags)
{
    (void)name;
    (void)failnum;
    (void)failinfo;
    (void)flags;
    if (passes-- != 0)
        return 0;
    has_failed = true;
    return 1;
}

/* Tells the story with the point failing at its first hit, then at its second, until the story has
 * fewer hits. */
static int tell_with_fault_everywhere(struct world *world, enum booking_fault fault, int failnum)
{
    int place = 0;

    do {
        world_reset(world);
        passes = place;
        has_failed = false;
        fiu_enable_external(booking_fault_point(fault), failnum, NULL, 0, fail_once_after_passes);
        whole_story(world);
        assert_story_came_true(world);
        place++;
    } while (has_failed);
    return place - 1;
}

static void the_story_comes_true_without_faults(void **state)
{
    whole_story(*state);
    assert_story_came_true(*state);
}

static void the_story_survives_a_fault_of_the_session_anywhere(void **state)
{
    static const enum booking_fault faults[] = {
        BOOKING_FAULT_COMMIT_NOT_SENT, BOOKING_FAULT_COMMIT_ACK_LOST, BOOKING_FAULT_SESSION_KILLED,
        BOOKING_FAULT_STATEMENT_40001, BOOKING_FAULT_STATEMENT_40P01};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_true(tell_with_fault_everywhere(world, faults[i], 1) >= 6);
}

static void the_story_survives_a_crash_anywhere(void **state)
{
    assert_true(tell_with_fault_everywhere(*state, BOOKING_FAULT_WORKER_CRASH, 1) >= 12);
}

static void the_story_survives_lost_calls_and_answers_of_the_provider(void **state)
{
    assert_true(tell_with_fault_everywhere(*state, BOOKING_FAULT_PSP_TIMEOUT, 1) >= 4);
    assert_true(tell_with_fault_everywhere(*state, BOOKING_FAULT_PSP_TIMEOUT, 2) >= 4);
}

static void the_story_survives_duplicates_and_early_events(void **state)
{
    assert_true(tell_with_fault_everywhere(*state, BOOKING_FAULT_WEBHOOK_DUPLICATE, 1) >= 4);
    assert_true(tell_with_fault_everywhere(*state, BOOKING_FAULT_WEBHOOK_DUPLICATE, 2) >= 4);
    assert_true(tell_with_fault_everywhere(*state, BOOKING_FAULT_WEBHOOK_BEFORE_ROW, 1) >= 2);
}

/* --- a commit whose answer is lost */

static void a_lost_acknowledgement_is_resolved_as_committed(void **state)
{
    struct world *world = *state;

    world_fault(BOOKING_FAULT_COMMIT_ACK_LOST, 1, 0);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
    assert_int_equal(world->answer.hold_id, 1);
    assert_int_equal(world->answer.retries, 0);
    assert_int_equal(world_count(world, BOOKING_COUNT_COMMIT_COMMITTED), 1);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 1);
}

static void a_commit_that_was_not_sent_is_resolved_as_aborted_and_done_again(void **state)
{
    struct world *world = *state;

    world_fault(BOOKING_FAULT_COMMIT_NOT_SENT, 1, 0);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
    assert_int_equal(world->answer.retries, 1);
    assert_int_equal(world_count(world, BOOKING_COUNT_COMMIT_ABORTED), 1);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 1);
}

/* A session that is lost at COMMIT and whose server then does not answer. */
static const struct booking_db_ops *real_ops;
static bool server_gone;

static enum booking_db_result gone_commit(struct booking_db *db, PGresult **error)
{
    (void)db;
    *error = NULL;
    server_gone = true;
    return BOOKING_DB_LOST;
}

static enum booking_db_result gone_reconnect(struct booking_db *db)
{
    return server_gone ? BOOKING_DB_LOST : real_ops->reconnect(db);
}

static void a_commit_nobody_can_be_asked_about_is_answered_with_retry_later(void **state)
{
    struct world *world = *state;
    struct booking_db_ops ops = *world->inner->ops;

    real_ops = world->inner->ops;
    server_gone = false;
    ops.commit = gone_commit;
    ops.reconnect = gone_reconnect;
    world->inner->ops = &ops;
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_RETRY_LATER);
    assert_string_equal(world->answer.reason, "commit-unresolved");
    assert_int_equal(world_count(world, BOOKING_COUNT_COMMIT_UNRESOLVED), 1);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_RETRY_LATER);
    assert_string_equal(world->answer.reason, "connection-lost");
    server_gone = false;
    world->inner->ops = real_ops;
    world->inner->ops->reconnect(world->inner);
    world->session->ops->reconnect(world->session);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
}

static void a_terminated_backend_is_replaced(void **state)
{
    struct world *world = *state;

    world_end_session(world);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
    assert_int_equal(world_count(world, BOOKING_COUNT_RETRIES_LOST), 1);
}

static void retries_are_bounded_and_counted(void **state)
{
    struct world *world = *state;

    world->app.retries_max = 3;
    fiu_enable(booking_fault_point(BOOKING_FAULT_STATEMENT_40001), 1, NULL, 0);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_RETRY_LATER);
    assert_string_equal(world->answer.reason, "retries-exhausted");
    assert_string_equal(world->answer.sqlstate, "40001");
    assert_int_equal(world->answer.retries, 3);
    assert_int_equal(world_count(world, BOOKING_COUNT_RETRIES_40001), 4);
    assert_int_equal(world_count(world, BOOKING_COUNT_RETRIES_EXHAUSTED), 1);
    assert_int_equal(world_count(world, BOOKING_COUNT_ERRORS_FIXED), 1);
}

static void an_unforeseen_error_is_not_retried(void **state)
{
    struct world *world = *state;

    world_do(world, "ALTER TABLE booking.transition DROP COLUMN at");
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_ERROR);
    assert_string_equal(world->answer.sqlstate, "42703");
    assert_int_equal(world->answer.retries, 0);
    assert_int_equal(world_clean(world), BOOKING_OK);
    world_do(world, "ALTER TABLE booking.temp_booking RENAME COLUMN expires_at TO was");
    assert_int_equal(world_clean(world), BOOKING_ERROR);
}

static void a_commit_after_a_failed_statement_is_an_error(void **state)
{
    struct world *world = *state;
    PGresult *result;

    assert_int_equal(world->inner->ops->begin(world->inner, BOOKING_SERIALIZABLE), BOOKING_DB_OK);
    assert_int_equal(world->inner->ops->exec(world->inner, "SELECT 1/0", 0, NULL, &result),
                     BOOKING_DB_ERROR);
    PQclear(result);
    assert_int_equal(world->inner->ops->commit(world->inner, &result), BOOKING_DB_ERROR);
    assert_non_null(result);
    PQclear(result);
    assert_int_equal(world->inner->ops->commit(world->inner, &result), BOOKING_DB_OK);
    assert_null(result);
}

static void a_deferred_constraint_fails_at_commit(void **state)
{
    struct world *world = *state;
    PGresult *result;

    world_do(world, "CREATE TABLE booking.late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    world->inner->ops->begin(world->inner, BOOKING_READ_COMMITTED);
    world->inner->ops->exec(world->inner, "INSERT INTO booking.late VALUES (1), (1)", 0, NULL,
                            &result);
    PQclear(result);
    assert_int_equal(world->inner->ops->commit(world->inner, &result), BOOKING_DB_ERROR);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23505");
    PQclear(result);
}

#define RECOVERY_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECOVERY_TEST(the_story_comes_true_without_faults),
        RECOVERY_TEST(the_story_survives_a_fault_of_the_session_anywhere),
        RECOVERY_TEST(the_story_survives_a_crash_anywhere),
        RECOVERY_TEST(the_story_survives_lost_calls_and_answers_of_the_provider),
        RECOVERY_TEST(the_story_survives_duplicates_and_early_events),
        RECOVERY_TEST(a_lost_acknowledgement_is_resolved_as_committed),
        RECOVERY_TEST(a_commit_that_was_not_sent_is_resolved_as_aborted_and_done_again),
        RECOVERY_TEST(a_commit_nobody_can_be_asked_about_is_answered_with_retry_later),
        RECOVERY_TEST(a_terminated_backend_is_replaced),
        RECOVERY_TEST(retries_are_bounded_and_counted),
        RECOVERY_TEST(an_unforeseen_error_is_not_retried),
        RECOVERY_TEST(a_commit_after_a_failed_statement_is_an_error),
        RECOVERY_TEST(a_deferred_constraint_fails_at_commit),
    };

    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
