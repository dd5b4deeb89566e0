#include "booking/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <fiu.h>
#include <fiu-control.h>

/* A session that writes down what it is asked. */
struct recorder {
    struct booking_db db;
    char calls[512];
    enum booking_db_result answer;
};

static void record(struct booking_db *db, const char *call)
{
    struct recorder *self = (struct recorder *)db;
    size_t used = strlen(self->calls);

    snprintf(self->calls + used, sizeof self->calls - used, "%s;", call);
}

static enum booking_db_result record_begin(struct booking_db *db, enum booking_isolation isolation)
{
    record(db, booking_isolation_name(isolation));
    return ((struct recorder *)db)->answer;
}

static enum booking_db_result record_exec(struct booking_db *db, const char *sql, int count,
                                          const char *const *params, PGresult **out)
{
    (void)count;
    (void)params;
    *out = NULL;
    record(db, sql);
    return ((struct recorder *)db)->answer;
}

static enum booking_db_result record_commit(struct booking_db *db, PGresult **error)
{
    *error = NULL;
    record(db, "commit");
    return ((struct recorder *)db)->answer;
}

static enum booking_db_result record_rollback(struct booking_db *db)
{
    record(db, "rollback");
    return ((struct recorder *)db)->answer;
}

static enum booking_db_result record_reconnect(struct booking_db *db)
{
    record(db, "reconnect");
    return ((struct recorder *)db)->answer;
}

static void record_pause(struct booking_db *db, int64_t delay_us)
{
    record(db, delay_us == 7 ? "pause 7" : "pause");
}

static void record_kill(struct booking_db *db)
{
    record(db, "kill");
}

static const struct booking_db_ops killable = {
    .begin = record_begin,
    .exec = record_exec,
    .commit = record_commit,
    .rollback = record_rollback,
    .reconnect = record_reconnect,
    .pause = record_pause,
    .kill = record_kill,
};

static const struct booking_db_ops unkillable = {
    .begin = record_begin,
    .exec = record_exec,
    .commit = record_commit,
    .rollback = record_rollback,
    .reconnect = record_reconnect,
    .pause = record_pause,
};

struct fixture {
    struct recorder inner;
    struct booking_db_faulty faulty;
    struct booking_db *db;
    PGresult *result;
};

static void set_up(struct fixture *fixture, const struct booking_db_ops *ops)
{
    *fixture = (struct fixture){.inner = {.db.ops = ops, .answer = BOOKING_DB_OK}};
    booking_db_faulty_init(&fixture->faulty, &fixture->inner.db);
    fixture->db = &fixture->faulty.db;
}

static enum booking_db_result begin(struct fixture *fixture)
{
    return fixture->db->ops->begin(fixture->db, BOOKING_SERIALIZABLE);
}

static enum booking_db_result exec(struct fixture *fixture)
{
    return fixture->db->ops->exec(fixture->db, "SELECT 1", 0, NULL, &fixture->result);
}

static enum booking_db_result commit(struct fixture *fixture)
{
    return fixture->db->ops->commit(fixture->db, &fixture->result);
}

static void fail_once(enum booking_fault fault)
{
    /* libfiu leaks a point that is enabled while it still is, and one that failed once still is. */
    fiu_disable(booking_fault_point(fault));
    fiu_enable(booking_fault_point(fault), 1, NULL, FIU_ONETIME);
}

static void every_point_has_a_name_and_a_text(void **state)
{
    (void)state;
    assert_int_equal(BOOKING_FAULT_COUNT, 13);
    for (int i = 0; i < BOOKING_FAULT_COUNT; i++) {
        assert_non_null(strchr(booking_fault_point((enum booking_fault)i), '/'));
        assert_true(strlen(booking_fault_text((enum booking_fault)i)) > 10);
    }
    assert_string_equal(booking_fault_point(BOOKING_FAULT_COMMIT_NOT_SENT), "commit/not-sent");
    assert_string_equal(booking_fault_point(BOOKING_FAULT_CLEANUP_NOW), "cleanup/now");
}

static void without_faults_every_call_is_passed_on(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &killable);
    assert_int_equal(begin(&fixture), BOOKING_DB_OK);
    assert_int_equal(exec(&fixture), BOOKING_DB_OK);
    assert_int_equal(commit(&fixture), BOOKING_DB_OK);
    assert_int_equal(fixture.db->ops->rollback(fixture.db), BOOKING_DB_OK);
    fixture.db->ops->pause(fixture.db, 7);
    assert_string_equal(fixture.inner.calls, "serializable;SELECT 1;commit;rollback;pause 7;");
}

static void a_commit_not_sent_is_no_commit(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &killable);
    begin(&fixture);
    fail_once(BOOKING_FAULT_COMMIT_NOT_SENT);
    assert_int_equal(commit(&fixture), BOOKING_DB_LOST);
    assert_string_equal(fixture.inner.calls, "serializable;kill;");
}

static void a_session_that_cannot_be_killed_is_rolled_back(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &unkillable);
    begin(&fixture);
    fail_once(BOOKING_FAULT_COMMIT_NOT_SENT);
    assert_int_equal(commit(&fixture), BOOKING_DB_LOST);
    assert_string_equal(fixture.inner.calls, "serializable;rollback;");
}

static void a_lost_acknowledgement_is_a_commit(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &unkillable);
    begin(&fixture);
    fail_once(BOOKING_FAULT_COMMIT_ACK_LOST);
    assert_int_equal(commit(&fixture), BOOKING_DB_LOST);
    assert_string_equal(fixture.inner.calls, "serializable;commit;");
}

static void a_lost_session_stays_lost_until_it_reconnects(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &killable);
    fail_once(BOOKING_FAULT_SESSION_KILLED);
    assert_int_equal(exec(&fixture), BOOKING_DB_LOST);
    assert_int_equal(exec(&fixture), BOOKING_DB_LOST);
    assert_int_equal(begin(&fixture), BOOKING_DB_LOST);
    assert_int_equal(commit(&fixture), BOOKING_DB_LOST);
    assert_int_equal(fixture.db->ops->rollback(fixture.db), BOOKING_DB_LOST);
    assert_string_equal(fixture.inner.calls, "kill;");
    assert_int_equal(fixture.db->ops->reconnect(fixture.db), BOOKING_DB_OK);
    assert_int_equal(exec(&fixture), BOOKING_DB_OK);
    assert_string_equal(fixture.inner.calls, "kill;reconnect;SELECT 1;");
}

static void a_failed_reconnect_leaves_the_session_lost(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &killable);
    fixture.inner.answer = BOOKING_DB_LOST;
    assert_int_equal(begin(&fixture), BOOKING_DB_LOST);
    assert_int_equal(fixture.db->ops->reconnect(fixture.db), BOOKING_DB_LOST);
    fixture.inner.answer = BOOKING_DB_OK;
    assert_int_equal(begin(&fixture), BOOKING_DB_LOST);
}

static void a_statement_fails_only_inside_a_transaction_and_really(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, &killable);
    fail_once(BOOKING_FAULT_STATEMENT_40001);
    exec(&fixture);
    assert_string_equal(fixture.inner.calls, "SELECT 1;");
    begin(&fixture);
    exec(&fixture);
    assert_non_null(strstr(fixture.inner.calls, "ERRCODE = '40001'"));
    fail_once(BOOKING_FAULT_STATEMENT_40P01);
    exec(&fixture);
    assert_non_null(strstr(fixture.inner.calls, "ERRCODE = '40P01'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_point_has_a_name_and_a_text),
        cmocka_unit_test(without_faults_every_call_is_passed_on),
        cmocka_unit_test(a_commit_not_sent_is_no_commit),
        cmocka_unit_test(a_session_that_cannot_be_killed_is_rolled_back),
        cmocka_unit_test(a_lost_acknowledgement_is_a_commit),
        cmocka_unit_test(a_lost_session_stays_lost_until_it_reconnects),
        cmocka_unit_test(a_failed_reconnect_leaves_the_session_lost),
        cmocka_unit_test(a_statement_fails_only_inside_a_transaction_and_really),
    };

    fiu_init(0);
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
