/*
 * However the process that opened a server ends, nothing is left: no process, stopped ones
 * included, no directory, no shared memory.  Each test lets a child process open a server and meet
 * its end.
 */
#include "pg/pidfile.h"
#include "pg/server.h"

#include "tests/pg_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

/* How the child ends, beside the signals. */
enum { EXITS = 0, EXECUTES = -1, CLOSES = -2, FAILS = -3 };

/* What the child reports of its server. */
struct facts {
    pid_t keeper, postmaster, backend, stopped;
    int segment;
    char dir[200];
};

struct victim {
    struct facts facts;
    pid_t pid;
    int keeper, postmaster, backend, stopped; /* pidfds */
};

static char *place;

static int enter_place(void **state)
{
    (void)state;
    place = place_new();
    setenv("TMPDIR", place, 1);
    return 0;
}

static int leave_place(void **state)
{
    (void)state;
    place_free(place);
    return 0;
}

static _Noreturn void meet_end(struct ob_pg_server *server, int end)
{
    if (end == EXITS)
        _exit(0);
    if (end == EXECUTES)
        execl("/bin/true", "true", (char *)NULL);
    if (end == CLOSES)
        _exit(ob_pg_server_close(server) ? 0 : 1);
    if (end == FAILS)
        abort();
    for (;;)
        pause();
}

/* The child: a server with two connections, one of whose backends is stopped; then the parent's
 * word. */
static _Noreturn void be_victim(int out, int in, int end)
{
    struct facts facts = {.keeper = 0};
    struct ob_pg_server *server = NULL;
    struct ob_pg_pidfile pidfile;
    struct ob_error err;
    char byte;

    if (ob_pg_server_open(NULL, &server, &err) != OB_OK)
        _exit(2);
    char *conninfo = ob_pg_server_conninfo(server, "postgres");
    PGconn *conn = PQconnectdb(conninfo), *other = PQconnectdb(conninfo);
    if (PQstatus(other) != CONNECTION_OK ||
        !ob_pg_pidfile_read(ob_pg_server_data_dir(server), &pidfile) ||
        kill(PQbackendPID(other), SIGSTOP) != 0)
        _exit(3);
    facts.keeper = ob_pg_server_keeper_pid(server);
    facts.postmaster = ob_pg_server_postmaster_pid(server);
    facts.backend = PQbackendPID(conn);
    facts.stopped = PQbackendPID(other);
    facts.segment = pidfile.shm_id;
    snprintf(facts.dir, sizeof facts.dir, "%s", ob_pg_server_dir(server));
    if (write(out, &facts, sizeof facts) != (ssize_t)sizeof facts || read(in, &byte, 1) != 1)
        _exit(4);
    meet_end(server, end);
}

static struct victim start_victim(int end, int *go)
{
    struct victim victim = {.pid = -1};
    int from[2], to[2];
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    victim.pid = fork();
    if (victim.pid == 0) {
        (void)setpgid(0, 0);
        close(to[1]);
        be_victim(from[1], to[0], end);
    }
    close(from[1]);
    close(to[0]);
    wait_readable(from[0], "the child's server");
    assert_int_equal(read(from[0], &victim.facts, sizeof victim.facts), sizeof victim.facts);
    close(from[0]);
    victim.keeper = open_process(victim.facts.keeper);
    victim.postmaster = open_process(victim.facts.postmaster);
    victim.backend = open_process(victim.facts.backend);
    victim.stopped = open_process(victim.facts.stopped);
    assert_true(exists(victim.facts.dir));
    assert_true(segment_exists(victim.facts.segment));
    *go = to[1];
    return victim;
}

static void expect_processes_gone(struct victim *victim)
{
    wait_ended(victim->postmaster, "the end of the postmaster");
    wait_ended(victim->backend, "the end of a backend");
    wait_ended(victim->stopped, "the end of a stopped backend");
    wait_ended(victim->keeper, "the end of the keeper");
}

/* One life and death: end is one of the above, or a signal that the child is sent. */
static void expect_nothing_left(int end)
{
    int go;
    struct victim victim = start_victim(end, &go);
    assert_int_equal(write(go, "x", 1), 1);
    if (end > 0)
        assert_int_equal(kill(victim.pid, end), 0);
    int status = wait_child(victim.pid);
    if (end > 0 || end == FAILS)
        assert_int_equal(WTERMSIG(status), end > 0 ? end : SIGABRT);
    else
        assert_int_equal(status, 0);
    if (end == CLOSES) /* nothing may be pending then */
        assert_false(exists(victim.facts.dir) || segment_exists(victim.facts.segment));
    expect_processes_gone(&victim);
    wait_removed(victim.facts.dir);
    assert_false(segment_exists(victim.facts.segment));
    close(go);
}

static void nothing_is_left_after_a_normal_close(void **state)
{
    (void)state;
    expect_nothing_left(CLOSES);
}

static void nothing_is_left_after_an_exit_without_a_close(void **state)
{
    (void)state;
    expect_nothing_left(EXITS);
}

static void nothing_is_left_after_an_abort(void **state)
{
    (void)state;
    expect_nothing_left(FAILS);
}

static void nothing_is_left_when_another_program_takes_the_process(void **state)
{
    (void)state;
    expect_nothing_left(EXECUTES);
}

static void nothing_is_left_after_sigint(void **state)
{
    (void)state;
    expect_nothing_left(SIGINT);
}

static void nothing_is_left_after_sigterm(void **state)
{
    (void)state;
    expect_nothing_left(SIGTERM);
}

static void nothing_is_left_after_sighup(void **state)
{
    (void)state;
    expect_nothing_left(SIGHUP);
}

static void nothing_is_left_after_sigkill(void **state)
{
    (void)state;
    expect_nothing_left(SIGKILL);
}

/* Control-C goes to the whole foreground group; overbook may want to close in good order. */
static void the_terminals_interrupt_does_not_reach_the_server(void **state)
{
    (void)state;
    int go;
    struct victim victim = start_victim(CLOSES, &go);
    struct pollfd server = {.fd = victim.postmaster, .events = POLLIN};
    assert_true(getpgid(victim.facts.keeper) != getpgid(victim.pid));
    assert_true(getpgid(victim.facts.postmaster) != getpgid(victim.pid));
    assert_true(getpgid(victim.facts.backend) != getpgid(victim.pid));
    assert_int_equal(poll(&server, 1, 0), 0);
    assert_int_equal(write(go, "x", 1), 1);
    assert_int_equal(wait_child(victim.pid), 0);
    expect_processes_gone(&victim);
    close(go);
}

static void the_server_of_a_killed_keeper_goes_and_a_close_cleans_up(void **state)
{
    (void)state;
    int go;
    struct victim victim = start_victim(CLOSES, &go);
    assert_int_equal(kill(victim.facts.keeper, SIGKILL), 0);
    wait_ended(victim.postmaster, "the end of the postmaster, by the kernel's signal");
    assert_int_equal(write(go, "x", 1), 1);
    assert_int_equal(wait_child(victim.pid), 0);
    assert_false(exists(victim.facts.dir));
    assert_false(segment_exists(victim.facts.segment));
    wait_ended(victim.backend, "the end of a backend");
    wait_ended(victim.stopped, "the end of a stopped backend");
    close(victim.keeper);
    close(go);
}

/* Nobody was left to clean up: the next overbook does, and ends what was stopped for ever. */
static void the_next_start_sweeps_what_a_massacre_left(void **state)
{
    (void)state;
    int go;
    struct victim victim = start_victim(SIGKILL, &go);
    assert_int_equal(kill(victim.facts.keeper, SIGSTOP), 0);
    assert_int_equal(kill(victim.pid, SIGKILL), 0);
    assert_int_equal(WTERMSIG(wait_child(victim.pid)), SIGKILL);
    assert_int_equal(kill(victim.facts.postmaster, SIGKILL), 0);
    assert_int_equal(kill(victim.facts.keeper, SIGKILL), 0);
    wait_ended(victim.postmaster, "the end of the postmaster");
    wait_ended(victim.keeper, "the end of the keeper");
    assert_true(exists(victim.facts.dir));
    struct ob_pg_server *server = open_server(NULL);
    assert_false(exists(victim.facts.dir));
    assert_false(segment_exists(victim.facts.segment));
    wait_ended(victim.stopped, "the end of a stopped backend");
    wait_ended(victim.backend, "the end of a backend");
    assert_true(ob_pg_server_close(server));
    close(go);
}

/* Killed while the cluster is still being made: initdb goes too. */
static void nothing_is_left_when_the_opener_dies_while_it_starts(void **state)
{
    (void)state;
    char data[4096];
    int events = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(events, place, IN_CREATE | IN_DELETE) >= 0);
    pid_t opener = fork();
    if (opener == 0) {
        struct ob_pg_server *server = NULL;
        struct ob_error err;
        setenv("XDG_CACHE_HOME", place, 1);
        if (ob_pg_server_open(NULL, &server, &err) != OB_OK)
            _exit(1);
        for (;;)
            pause();
    }
    wait_readable(events, "the home's creation");
    ssize_t size = read(events, data, sizeof data);
    assert_true(size > 0);
    char *home = ob_asprintf("%s/%s", place, ((struct inotify_event *)data)->name);
    char *log = ob_asprintf("%s/log", home);
    int below = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(below, home, IN_CREATE) >= 0);
    while (!exists(log)) {
        wait_readable(below, "the log of initdb");
        while (read(below, data, sizeof data) > 0)
            ;
    }
    assert_int_equal(kill(opener, SIGKILL), 0);
    assert_int_equal(WTERMSIG(wait_child(opener)), SIGKILL);
    wait_removed(home);
    close(below);
    close(events);
    free(log);
    free(home);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter_place, leave_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(nothing_is_left_after_a_normal_close),
        IN_PLACE(nothing_is_left_after_an_exit_without_a_close),
        IN_PLACE(nothing_is_left_after_an_abort),
        IN_PLACE(nothing_is_left_when_another_program_takes_the_process),
        IN_PLACE(nothing_is_left_after_sigint),
        IN_PLACE(nothing_is_left_after_sigterm),
        IN_PLACE(nothing_is_left_after_sighup),
        IN_PLACE(nothing_is_left_after_sigkill),
        IN_PLACE(the_terminals_interrupt_does_not_reach_the_server),
        IN_PLACE(the_server_of_a_killed_keeper_goes_and_a_close_cleans_up),
        IN_PLACE(the_next_start_sweeps_what_a_massacre_left),
        IN_PLACE(nothing_is_left_when_the_opener_dies_while_it_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
