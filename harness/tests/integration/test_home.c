#include "pg/home.h"

#include "tests/pg_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

static struct ob_pg_home open_in(const char *place)
{
    struct ob_pg_home home;
    struct ob_error err = {.message = ""};
    assert_int_equal(ob_pg_home_open_in(&place, 1, &home, &err), OB_OK);
    return home;
}

/* As after a crash: the directory stays, its lock is free. */
static char *abandon(struct ob_pg_home *home)
{
    char *path = ob_strdup(home->path);
    ob_pg_home_clear(home);
    return path;
}

static struct ob_pg_account account(void)
{
    struct ob_pg_account found;
    struct ob_error err;
    assert_int_equal(ob_pg_account_find(&found, &err), OB_OK);
    return found;
}

/* A process that works in dir and does nothing. */
static pid_t spawn_in(const char *dir)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(dir) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    wait_readable(ready[0], "the process in the home");
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void nobody_else_can_enter_a_home(void **state)
{
    (void)state;
    char *place = place_new();
    struct ob_pg_home home = open_in(place);
    struct stat found;
    struct ob_error err;
    assert_int_equal(stat(home.path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
    assert_int_equal(found.st_uid, geteuid());
    assert_int_equal(ob_pg_home_hand_over(&home, &err), OB_OK);
    assert_int_equal(stat(home.path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
    assert_int_equal(found.st_uid, home.account.uid);
    assert_true(found.st_uid != 0);
    assert_true(ob_pg_home_destroy(&home));
    ob_pg_home_clear(&home);
    place_free(place);
}

static void destroying_a_home_kills_what_works_in_it(void **state)
{
    (void)state;
    char *place = place_new();
    struct ob_pg_home home = open_in(place);
    assert_int_equal(mkdir(home.data, 0700), 0);
    pid_t above = spawn_in(home.path), below = spawn_in(home.data), outside = spawn_in(place);
    assert_int_equal(kill(below, SIGSTOP), 0);
    assert_int_equal(ob_pg_home_signal(home.path, 0), 2);
    assert_true(ob_pg_home_destroy(&home));
    assert_false(exists(home.path));
    assert_int_equal(wait_child(above), SIGKILL);
    assert_int_equal(wait_child(below), SIGKILL);
    assert_int_equal(waitpid(outside, NULL, WNOHANG), 0);
    assert_int_equal(kill(outside, SIGKILL), 0);
    assert_int_equal(wait_child(outside), SIGKILL);
    ob_pg_home_clear(&home);
    place_free(place);
}

static void a_sweep_removes_what_was_abandoned_and_kills_what_runs_in_it(void **state)
{
    (void)state;
    char *place = place_new();
    struct ob_pg_account swept_for = account();
    struct ob_pg_home first = open_in(place), second = open_in(place);
    struct ob_error err;
    put_file(first.path, "log", "text", 0600);
    assert_int_equal(ob_pg_home_hand_over(&second, &err), OB_OK);
    char *first_path = abandon(&first), *second_path = abandon(&second);
    pid_t pid = spawn_in(first_path);
    ob_pg_home_sweep(place, &swept_for);
    assert_false(exists(first_path));
    assert_false(exists(second_path));
    assert_int_equal(wait_child(pid), SIGKILL);
    free(second_path);
    free(first_path);
    place_free(place);
}

static void a_sweep_leaves_what_is_in_use_or_not_ours(void **state)
{
    (void)state;
    char *place = place_new();
    struct ob_pg_account swept_for = account();
    struct ob_pg_home used = open_in(place);
    char *foreign = ob_asprintf("%s/overbook-pg-abcdef", place);
    char *other = ob_asprintf("%s/overbook-pg-report", place);
    assert_int_equal(mkdir(foreign, 0700), 0);
    put_file(foreign, "precious", "text", 0600);
    assert_int_equal(mkdir(other, 0700), 0);
    put_file(other, "overbook.home", "", 0600);
    if (geteuid() == 0)
        assert_int_equal(chown(other, 12345, 12345), 0);
    ob_pg_home_sweep(place, &swept_for);
    assert_true(exists(used.path));
    assert_true(exists(foreign));
    if (geteuid() == 0)
        assert_true(exists(other));
    assert_true(ob_pg_home_destroy(&used));
    ob_pg_home_clear(&used);
    free(other);
    free(foreign);
    place_free(place);
}

static void a_removal_cut_short_can_be_swept_again(void **state)
{
    (void)state;
    char *place = place_new();
    struct ob_pg_account swept_for = account();
    struct ob_pg_home home = open_in(place);
    char *mark = ob_asprintf("%s/overbook.home", home.path);
    char *path = abandon(&home);
    assert_true(exists(mark));
    ob_pg_home_sweep(place, &swept_for);
    assert_false(exists(path));
    /* Made, but not yet marked, when its maker was killed. */
    assert_int_equal(mkdir(path, 0700), 0);
    ob_pg_home_sweep(place, &swept_for);
    assert_false(exists(path));
    free(mark);
    free(path);
    place_free(place);
}

/* A directory below place whose name is long. */
static char *long_place(const char *place)
{
    char name[101];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char *path = ob_asprintf("%s/%s", place, name);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

static void a_place_too_long_for_a_socket_is_passed_over(void **state)
{
    (void)state;
    char *place = place_new(), *far = long_place(place);
    const char *places[] = {far, place};
    struct ob_pg_home home;
    struct ob_error err;
    assert_int_equal(ob_pg_home_open_in(places, 2, &home, &err), OB_OK);
    assert_ptr_equal(strstr(home.path, far), NULL);
    assert_ptr_equal(strstr(home.path, place), home.path);
    assert_true(strlen(home.path) + sizeof "/.s.PGSQL.5432" <= 108);
    assert_true(ob_pg_home_destroy(&home));
    ob_pg_home_clear(&home);
    assert_int_equal(ob_pg_home_open_in(places, 1, &home, &err), OB_IO);
    assert_non_null(strstr(err.detail, "107 bytes"));
    assert_non_null(strstr(err.hint, "TMPDIR"));
    free(far);
    place_free(place);
}

static void a_place_with_a_comma_is_passed_over(void **state)
{
    (void)state;
    char *place = place_new();
    char *comma = ob_asprintf("%s/a,b", place);
    const char *places[] = {comma, place};
    struct ob_pg_home home;
    struct ob_error err;
    assert_int_equal(mkdir(comma, 0755), 0);
    assert_int_equal(ob_pg_home_open_in(places, 2, &home, &err), OB_OK);
    assert_null(strchr(home.path, ','));
    assert_true(ob_pg_home_destroy(&home));
    ob_pg_home_clear(&home);
    free(comma);
    place_free(place);
}

static void a_place_that_the_account_cannot_enter_is_passed_over(void **state)
{
    (void)state;
    char *place = place_new();
    char *closed = ob_asprintf("%s/closed", place);
    const char *places[] = {closed, place};
    struct ob_pg_home home;
    struct ob_error err;
    assert_int_equal(mkdir(closed, 0700), 0);
    if (geteuid() != 0) /* our own user enters its own directories */
        assert_int_equal(chmod(closed, 0), 0);
    assert_int_equal(ob_pg_home_open_in(places, 2, &home, &err), OB_OK);
    assert_null(strstr(home.path, "closed"));
    assert_true(ob_pg_home_destroy(&home));
    ob_pg_home_clear(&home);
    assert_int_equal(chmod(closed, 0700), 0);
    free(closed);
    place_free(place);
}

static void a_place_that_does_not_exist_is_an_error_with_the_cure(void **state)
{
    (void)state;
    const char *places[] = {"/nonexistent", "/tmp"};
    struct ob_pg_home home;
    struct ob_error err;
    assert_int_equal(ob_pg_home_open_in(places, 2, &home, &err), OB_IO);
    assert_non_null(strstr(err.message, "/nonexistent"));
    assert_non_null(strstr(err.hint, "TMPDIR"));
    /* Nobody can make directories there, root neither. */
    places[0] = "/proc/self";
    assert_int_equal(ob_pg_home_open_in(places, 2, &home, &err), OB_IO);
    assert_non_null(strstr(err.message, "could not make a temporary directory in \"/proc/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_else_can_enter_a_home),
        cmocka_unit_test(destroying_a_home_kills_what_works_in_it),
        cmocka_unit_test(a_sweep_removes_what_was_abandoned_and_kills_what_runs_in_it),
        cmocka_unit_test(a_sweep_leaves_what_is_in_use_or_not_ours),
        cmocka_unit_test(a_removal_cut_short_can_be_swept_again),
        cmocka_unit_test(a_place_too_long_for_a_socket_is_passed_over),
        cmocka_unit_test(a_place_with_a_comma_is_passed_over),
        cmocka_unit_test(a_place_that_the_account_cannot_enter_is_passed_over),
        cmocka_unit_test(a_place_that_does_not_exist_is_an_error_with_the_cure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
