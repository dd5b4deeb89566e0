#include "pg/pidfile.h"

#include "tests/pg_support.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define WHOLE "4711\n/tmp/home/data\n1790000000\n5432\n/tmp/home\n\n 10970708        19\n"

static void a_whole_file_gives_pid_segment_and_readiness(void **state)
{
    (void)state;
    struct ob_pg_pidfile found;
    assert_true(ob_pg_pidfile_parse(WHOLE "ready   \n", &found));
    assert_int_equal(found.pid, 4711);
    assert_int_equal(found.shm_id, 19);
    assert_true(found.ready);
}

static void a_server_that_is_starting_is_not_ready(void **state)
{
    (void)state;
    struct ob_pg_pidfile found;
    assert_true(ob_pg_pidfile_parse(WHOLE "starting\n", &found));
    assert_false(found.ready);
    assert_true(ob_pg_pidfile_parse(WHOLE, &found));
    assert_false(found.ready);
    assert_int_equal(found.shm_id, 19);
    assert_true(ob_pg_pidfile_parse(WHOLE "stopping\n", &found));
    assert_false(found.ready);
}

static void a_standalone_server_has_a_segment_too(void **state)
{
    (void)state;
    struct ob_pg_pidfile found;
    assert_true(ob_pg_pidfile_parse("-7491\n/d\n1\n5432\n\n\n        2    557071\n", &found));
    assert_int_equal(found.pid, 7491);
    assert_int_equal(found.shm_id, 557071);
    assert_false(found.ready);
}

static void a_line_without_its_end_does_not_count(void **state)
{
    (void)state;
    struct ob_pg_pidfile found;
    assert_true(ob_pg_pidfile_parse(WHOLE "ready", &found));
    assert_false(found.ready);
    assert_true(ob_pg_pidfile_parse("4711\n", &found));
    assert_int_equal(found.shm_id, -1);
    assert_false(ob_pg_pidfile_parse("47", &found));
}

static void what_is_no_pid_file_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "x\n", "-\n", "--4\n", "0\n", "99999999999999\n"};
    struct ob_pg_pidfile found = {.pid = 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(ob_pg_pidfile_parse(texts[i], &found));
    assert_int_equal(found.pid, 1);
    assert_false(ob_pg_pidfile_read("/nonexistent", &found));
}

static void a_segment_that_nobody_uses_is_removed(void **state)
{
    (void)state;
    int id = shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600);
    struct ob_pg_pidfile pidfile = {.pid = 1, .shm_id = id};
    assert_true(id >= 0);
    assert_true(segment_exists(id));
    assert_true(ob_pg_pidfile_remove_segment(&pidfile));
    assert_false(segment_exists(id));
    assert_true(ob_pg_pidfile_remove_segment(&pidfile));
    pidfile.shm_id = -1;
    assert_true(ob_pg_pidfile_remove_segment(&pidfile));
}

static void a_segment_in_use_is_left(void **state)
{
    (void)state;
    int id = shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600);
    struct ob_pg_pidfile pidfile = {.pid = 1, .shm_id = id};
    void *memory = shmat(id, NULL, 0);
    assert_false(ob_pg_pidfile_remove_segment(&pidfile));
    assert_true(segment_exists(id));
    assert_int_equal(shmdt(memory), 0);
    assert_true(ob_pg_pidfile_remove_segment(&pidfile));
    assert_false(segment_exists(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_gives_pid_segment_and_readiness),
        cmocka_unit_test(a_server_that_is_starting_is_not_ready),
        cmocka_unit_test(a_standalone_server_has_a_segment_too),
        cmocka_unit_test(a_line_without_its_end_does_not_count),
        cmocka_unit_test(what_is_no_pid_file_is_refused_and_changes_nothing),
        cmocka_unit_test(a_segment_that_nobody_uses_is_removed),
        cmocka_unit_test(a_segment_in_use_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
