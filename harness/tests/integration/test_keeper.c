#include "pg/keeper.h"

#include "tests/pg_support.h"

#include <signal.h>
#include <sys/ipc.h>

/* A program that does nothing until it is killed. */
static const char *const idle[] = {"/usr/bin/tail", "-f", "/dev/null", NULL};

struct kept {
    struct ob_pg_keeper keeper;
    char *path;  /* the home's, still known when the keeper is closed */
    char *place; /* TMPDIR for the time of the test */
};

static struct kept open_kept(void)
{
    struct kept kept = {.place = place_new()};
    struct ob_error err = {.message = ""};
    setenv("TMPDIR", kept.place, 1);
    assert_int_equal(ob_pg_keeper_open(&kept.keeper, &err), OB_OK);
    assert_int_equal(ob_pg_home_hand_over(&kept.keeper.home, &err), OB_OK);
    kept.path = ob_strdup(kept.keeper.home.path);
    return kept;
}

static void free_kept(struct kept *kept)
{
    assert_false(exists(kept->path));
    free(kept->path);
    place_free(kept->place);
}

static pid_t run(struct kept *kept, const char *const *argv)
{
    struct ob_error err = {.message = ""};
    pid_t pid = 0;
    assert_int_equal(ob_pg_keeper_run(&kept->keeper, argv, &pid, &err), OB_OK);
    assert_true(pid > 0);
    return pid;
}

static int run_to_end(struct kept *kept, const char *const *argv)
{
    struct ob_error err = {.message = ""};
    bool ended = false;
    int status = -1;
    (void)run(kept, argv);
    assert_int_equal(ob_pg_keeper_wait(&kept->keeper, -1, SUPPORT_MS_MAX, &ended, &status, &err),
                     OB_OK);
    assert_true(ended);
    return status;
}

static void a_program_runs_in_the_home_as_the_account_with_its_output_in_the_log(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    static const char *const argv[] = {"/bin/sh", "-c", "pwd; id -u; echo $TZ$PGDATA; exit 3",
                                       NULL};
    char tail[300];
    setenv("PGDATA", "/elsewhere", 1);
    int status = run_to_end(&kept, argv);
    char *expected =
        ob_asprintf("%s\n%ju\nUTC", kept.path, (uintmax_t)kept.keeper.home.account.uid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_true(kept.keeper.home.account.uid != 0);
    ob_pg_keeper_log_tail(&kept.keeper, tail, sizeof tail);
    assert_string_equal(tail, expected);
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free(expected);
    free_kept(&kept);
}

static void one_program_can_follow_another(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    static const char *const first[] = {"/bin/sh", "-c", "exit 0", NULL};
    static const char *const second[] = {"/bin/sh", "-c", "kill -KILL $$", NULL};
    assert_int_equal(run_to_end(&kept, first), 0);
    int status = run_to_end(&kept, second);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

static void a_program_that_cannot_be_executed_ends_and_the_error_says_so(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    static const char *const argv[] = {"/nonexistent/postgres", NULL};
    struct ob_error err;
    int status = run_to_end(&kept, argv);
    assert_int_equal(ob_pg_keeper_program_error(&kept.keeper, "postgres", status, &err), OB_SERVER);
    assert_non_null(strstr(err.message, "postgres exited with status 127"));
    assert_non_null(strstr(err.detail, "could not execute \"/nonexistent/postgres\""));
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

static void the_error_for_a_full_disk_names_the_cure(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    static const char *const argv[] = {
        "/bin/sh", "-c", "echo 'FATAL: could not write: No space left on device'; exit 1", NULL};
    struct ob_error err;
    int status = run_to_end(&kept, argv);
    assert_int_equal(ob_pg_keeper_program_error(&kept.keeper, "initdb", status, &err), OB_SERVER);
    assert_non_null(strstr(err.hint, "TMPDIR"));
    assert_non_null(strstr(err.hint, kept.path));
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

static void the_tail_of_a_log_begins_with_a_whole_line(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    static const char *const argv[] = {"/bin/sh", "-c", "printf 'abc\\ndefg\\nhij\\n'", NULL};
    char tail[16];
    assert_int_equal(run_to_end(&kept, argv), 0);
    ob_pg_keeper_log_tail(&kept.keeper, tail, 16);
    assert_string_equal(tail, "abc\ndefg\nhij");
    ob_pg_keeper_log_tail(&kept.keeper, tail, 10);
    assert_string_equal(tail, "defg\nhij");
    ob_pg_keeper_log_tail(&kept.keeper, tail, 9);
    assert_string_equal(tail, "hij");
    ob_pg_keeper_log_tail(&kept.keeper, tail, 3);
    assert_string_equal(tail, "j");
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

static void waiting_ends_with_the_other_event_or_the_limit(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    struct ob_error err;
    bool ended = true;
    int ends[2], status;
    (void)run(&kept, idle);
    assert_int_equal(ob_pg_keeper_wait(&kept.keeper, -1, 1, &ended, &status, &err), OB_SERVER);
    assert_non_null(strstr(err.message, "nothing came"));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(
        ob_pg_keeper_wait(&kept.keeper, ends[0], SUPPORT_MS_MAX, &ended, &status, &err), OB_OK);
    assert_false(ended);
    assert_false(ob_pg_keeper_ended(&kept.keeper));
    assert_true(ob_pg_keeper_close(&kept.keeper));
    close(ends[0]);
    close(ends[1]);
    free_kept(&kept);
}

static void closing_ends_programs_that_run_are_stopped_or_were_orphaned(void **state)
{
    (void)state;
    static const char *const orphan[] = {"/bin/sh", "-c", "tail -f /dev/null & echo $! > orphan",
                                         NULL};
    struct kept kept = open_kept();
    char text[32], *path = ob_asprintf("%s/orphan", kept.path);
    assert_int_equal(run_to_end(&kept, orphan), 0);
    assert_true(ob_pg_tree_read_end(path, text, sizeof text));
    int left_behind = open_process((pid_t)strtol(text, NULL, 10));
    pid_t pid = run(&kept, idle);
    int program = open_process(pid);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_true(ob_pg_keeper_close(&kept.keeper));
    wait_ended(program, "the end of the program");
    wait_ended(left_behind, "the end of the orphan");
    free(path);
    free_kept(&kept);
}

static void a_signal_to_the_keeper_ends_it_all(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    int program = open_process(run(&kept, idle));
    int keeper = open_process(kept.keeper.pid);
    assert_int_equal(kill(kept.keeper.pid, SIGTERM), 0);
    wait_ended(program, "the end of the program");
    wait_ended(keeper, "the end of the keeper");
    assert_false(exists(kept.path));
    assert_true(ob_pg_keeper_ended(&kept.keeper));
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

static void when_the_keeper_is_killed_the_opener_cleans_up(void **state)
{
    (void)state;
    struct kept kept = open_kept();
    struct ob_error err;
    pid_t pid = run(&kept, idle);
    int program = open_process(pid);
    assert_int_equal(kill(kept.keeper.pid, SIGKILL), 0);
    wait_ended(program, "the end of the program, by the kernel's signal");
    assert_true(exists(kept.path));
    assert_true(ob_pg_keeper_ended(&kept.keeper));
    assert_int_equal(ob_pg_keeper_run(&kept.keeper, idle, &pid, &err), OB_SERVER);
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

static void a_keeper_has_no_terminal_and_no_file_of_the_opener(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    struct kept kept = open_kept();
    (void)run(&kept, idle);
    assert_int_equal(getsid(kept.keeper.pid), kept.keeper.pid);
    /* Nobody else holds the writing end: reading comes to its end. */
    close(ends[1]);
    wait_readable(ends[0], "end of file on a pipe that only the opener had");
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    assert_true(ob_pg_keeper_close(&kept.keeper));
    free_kept(&kept);
}

/* Whatever happens to the opener: the program, the keeper and the directory go. */
static void opener_ends_by(int signal_number)
{
    struct facts {
        pid_t keeper, program;
        char path[200];
    } facts;
    int ends[2];
    char *place = place_new();
    setenv("TMPDIR", place, 1);
    assert_int_equal(pipe(ends), 0);
    pid_t opener = fork();
    if (opener == 0) {
        struct ob_pg_keeper keeper;
        struct ob_error err;
        if (ob_pg_keeper_open(&keeper, &err) != OB_OK ||
            ob_pg_home_hand_over(&keeper.home, &err) != OB_OK ||
            ob_pg_keeper_run(&keeper, idle, &facts.program, &err) != OB_OK)
            _exit(1);
        facts.keeper = keeper.pid;
        snprintf(facts.path, sizeof facts.path, "%s", keeper.home.path);
        if (write(ends[1], &facts, sizeof facts) != (ssize_t)sizeof facts)
            _exit(1);
        if (signal_number == 0)
            _exit(0);
        for (;;)
            pause();
    }
    wait_readable(ends[0], "the child's program");
    assert_int_equal(read(ends[0], &facts, sizeof facts), sizeof facts);
    /* Where the opener has left already, so may they have. */
    int keeper = pidfd_open(facts.keeper, 0), program = pidfd_open(facts.program, 0);
    if (signal_number != 0) {
        assert_true(keeper >= 0 && program >= 0);
        assert_int_equal(kill(opener, signal_number), 0);
    }
    assert_int_equal(wait_child(opener), signal_number);
    if (keeper >= 0)
        wait_ended(keeper, "the end of the keeper");
    if (program >= 0)
        wait_ended(program, "the end of the program");
    wait_removed(facts.path);
    close(ends[0]);
    close(ends[1]);
    place_free(place);
}

static void all_goes_when_the_opener_is_killed(void **state)
{
    (void)state;
    opener_ends_by(SIGKILL);
    opener_ends_by(SIGTERM);
    opener_ends_by(SIGINT);
}

static void all_goes_when_the_opener_exits_without_closing(void **state)
{
    (void)state;
    opener_ends_by(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_runs_in_the_home_as_the_account_with_its_output_in_the_log),
        cmocka_unit_test(one_program_can_follow_another),
        cmocka_unit_test(a_program_that_cannot_be_executed_ends_and_the_error_says_so),
        cmocka_unit_test(the_error_for_a_full_disk_names_the_cure),
        cmocka_unit_test(the_tail_of_a_log_begins_with_a_whole_line),
        cmocka_unit_test(waiting_ends_with_the_other_event_or_the_limit),
        cmocka_unit_test(closing_ends_programs_that_run_are_stopped_or_were_orphaned),
        cmocka_unit_test(a_signal_to_the_keeper_ends_it_all),
        cmocka_unit_test(when_the_keeper_is_killed_the_opener_cleans_up),
        cmocka_unit_test(a_keeper_has_no_terminal_and_no_file_of_the_opener),
        cmocka_unit_test(all_goes_when_the_opener_is_killed),
        cmocka_unit_test(all_goes_when_the_opener_exits_without_closing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
