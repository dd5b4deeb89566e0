/* The embedded server: starting, the cache, and everything that can be wrong with a machine. */
#include "pg/cluster.h"
#include "pg/pidfile.h"
#include "pg/server.h"

#include "tests/pg_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>

/* For the time of a test, TMPDIR is a directory of its own and nothing may be left in it. */
static char *place;
/* The tests that are not about the cache share one. */
static char *shared_cache;

static int enter_place(void **state)
{
    (void)state;
    place = place_new();
    setenv("TMPDIR", place, 1);
    setenv("XDG_CACHE_HOME", shared_cache, 1);
    unsetenv("OVERBOOK_PG_BINDIR");
    return 0;
}

static size_t count_entries(const char *path, const char *prefix)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(dir);
    return count;
}

static int leave_place(void **state)
{
    (void)state;
    size_t left = count_entries(place, "overbook-pg-");
    place_free(place);
    return left == 0 ? 0 : -1;
}

static int make_cache(void **state)
{
    (void)state;
    shared_cache = place_new();
    return 0;
}

static int remove_cache(void **state)
{
    (void)state;
    place_free(shared_cache);
    return 0;
}

static bool start_cached(void)
{
    struct ob_pg_server *server = open_server(NULL);
    bool cached = ob_pg_server_start(server)->cached;
    assert_string_equal(ob_pg_server_start(server)->note, "");
    PGconn *conn = connect_to(server, "postgres");
    expect_answer(conn, "SELECT count(*) > 100 FROM pg_class", "t");
    PQfinish(conn);
    assert_true(ob_pg_server_close(server));
    return cached;
}

static enum ob_result fail_to_open(const struct ob_pg_server_options *options, struct ob_error *err)
{
    struct ob_pg_server *server = NULL;
    *err = (struct ob_error){.message = ""};
    enum ob_result result = ob_pg_server_open(options, &server, err);
    assert_null(server);
    assert_true(err->message[0] != '\0');
    return result;
}

static void the_first_start_makes_a_cluster_and_the_next_take_it_from_the_cache(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", place, 1);
    assert_false(start_cached());
    for (int i = 0; i < 3; i++) {
        struct ob_pg_server *server = open_server(NULL);
        assert_true(ob_pg_server_start(server)->cached);
        print_message("started from the cache in %.0f ms\n", ob_pg_server_start(server)->ms);
        assert_true(ob_pg_server_close(server));
    }
    assert_int_equal(count_entries(place, "overbook-pg-"), 0);
}

static void a_server_is_fast_quiet_and_repeatable(void **state)
{
    (void)state;
    static const struct ob_pg_setting expected[] = {
        {"listen_addresses", ""},
        {"fsync", "off"},
        {"synchronous_commit", "off"},
        {"full_page_writes", "off"},
        {"autovacuum", "off"},
        {"jit", "off"},
        {"max_parallel_workers", "0"},
        {"max_parallel_workers_per_gather", "0"},
        {"deadlock_timeout", "1h"},
        {"log_lock_waits", "on"},
        {"max_prepared_transactions", "64"},
        {"max_connections", "100"},
        {"wal_level", "minimal"},
        {"max_wal_senders", "0"},
        {"dynamic_shared_memory_type", "mmap"},
        {"restart_after_crash", "off"},
        {"timezone", "UTC"},
        {"datestyle", "ISO, MDY"},
        {"lc_messages", "C"},
        {"server_encoding", "UTF8"},
        {"checkpoint_timeout", "1d"},
        {"unix_socket_permissions", "0777"},
    };
    struct ob_pg_server *server = open_server(NULL);
    PGconn *conn = connect_to(server, "template1");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *sql = ob_asprintf("SHOW %s", expected[i].name);
        expect_answer(conn, sql, expected[i].value);
        free(sql);
    }
    expect_answer(conn, "SELECT current_user", "overbook");
    expect_answer(conn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user", "t");
    expect_answer(conn,
                  "SELECT count(*) FROM pg_settings WHERE pending_restart OR "
                  "(source = 'default' AND name = 'fsync')",
                  "0");
    PQfinish(conn);
    assert_true(ob_pg_server_close(server));
}

static void settings_of_the_caller_win_and_may_hold_anything(void **state)
{
    (void)state;
    static const struct ob_pg_setting settings[] = {{"work_mem", "7MB"},
                                                    {"deadlock_timeout", "10ms"},
                                                    {"overbook.text", "a'b\\c\"d\ne = f # g"}};
    const struct ob_pg_server_options options = {
        .settings = settings, .setting_count = 3, .max_connections = 23};
    struct ob_pg_server *server = open_server(&options);
    PGconn *conn = connect_to(server, "postgres");
    expect_answer(conn, "SHOW work_mem", "7MB");
    expect_answer(conn, "SHOW deadlock_timeout", "10ms");
    expect_answer(conn, "SHOW overbook.text", settings[2].value);
    expect_answer(conn, "SHOW max_connections", "23");
    PQfinish(conn);
    assert_true(ob_pg_server_close(server));
}

static void nobody_but_us_and_the_servers_user_can_reach_it(void **state)
{
    (void)state;
    struct ob_pg_server *server = open_server(NULL);
    struct stat dir, process;
    char *proc = ob_asprintf("/proc/%d", (int)ob_pg_server_postmaster_pid(server));
    assert_int_equal(stat(ob_pg_server_dir(server), &dir), 0);
    assert_int_equal(dir.st_mode & 07777, 0700);
    assert_int_equal(stat(proc, &process), 0);
    assert_true(process.st_uid != 0);
    assert_int_equal(process.st_uid, dir.st_uid);
    free(proc);
    assert_true(ob_pg_server_close(server));
}

static void a_connection_string_quotes_the_name(void **state)
{
    (void)state;
    struct ob_pg_server *server = open_server(NULL);
    PGconn *conn = connect_to(server, "postgres");
    execute(conn, "CREATE DATABASE \"it's a \\ name\"");
    PGconn *other = connect_to(server, "it's a \\ name");
    expect_answer(other, "SELECT current_database()", "it's a \\ name");
    PQfinish(other);
    PQfinish(conn);
    assert_true(ob_pg_server_close(server));
}

static void two_servers_do_not_meet(void **state)
{
    (void)state;
    struct ob_pg_server *first = open_server(NULL), *second = open_server(NULL);
    PGconn *conn = connect_to(first, "postgres"), *other = connect_to(second, "postgres");
    execute(conn, "CREATE TABLE only_here ()");
    expect_answer(other, "SELECT to_regclass('only_here') IS NULL", "t");
    assert_string_not_equal(ob_pg_server_dir(first), ob_pg_server_dir(second));
    PQfinish(conn);
    assert_true(ob_pg_server_close(first));
    assert_true(ob_pg_server_alive(second));
    expect_answer(other, "SELECT 1", "1");
    PQfinish(other);
    assert_true(ob_pg_server_close(second));
}

/* The one file or directory that pattern names below the place. */
static char *found_below(const char *pattern)
{
    glob_t found;
    char *whole = ob_asprintf("%s/%s", place, pattern);
    assert_int_equal(glob(whole, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    char *path = ob_strdup(found.gl_pathv[0]);
    globfree(&found);
    free(whole);
    return path;
}

/* Changes one byte in the middle of the file, as a bad disk would. */
static void flip(const char *path)
{
    struct stat state;
    unsigned char byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &state), 0);
    assert_int_equal(pread(fd, &byte, 1, state.st_size / 2), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, state.st_size / 2), 1);
    close(fd);
}

static void a_damaged_cache_is_made_anew(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", place, 1);
    assert_false(start_cached());
    char *table = found_below("overbook/pg*/base/1/1259");
    char *version = found_below("overbook/pg*/PG_VERSION");
    char *stamp = found_below("overbook/pg*.stamp");

    flip(table);
    assert_false(start_cached());
    assert_int_equal(truncate(table, 8192), 0);
    assert_false(start_cached());
    assert_int_equal(unlink(version), 0);
    assert_false(start_cached());
    assert_int_equal(truncate(stamp, 3), 0);
    assert_false(start_cached());
    assert_int_equal(unlink(stamp), 0);
    assert_false(start_cached());
    assert_true(start_cached());
    free(stamp);
    free(version);
    free(table);
}

static void a_cache_of_another_version_is_not_taken(void **state)
{
    (void)state;
    struct ob_pg_install install, other;
    struct ob_error err;
    assert_int_equal(ob_pg_find(&install, &err), OB_OK);
    /* The same programs, said to be of another version. */
    other = (struct ob_pg_install){
        .bindir = install.bindir, .version = ob_strdup("13.99"), .number = 130099};
    setenv("XDG_CACHE_HOME", place, 1);
    assert_false(start_cached());
    const struct ob_pg_server_options options = {.install = &other};
    struct ob_pg_server *server = open_server(&options);
    assert_false(ob_pg_server_start(server)->cached);
    assert_string_equal(ob_pg_server_install(server)->version, "13.99");
    assert_true(ob_pg_server_close(server));
    assert_true(start_cached());
    free(other.version);
    ob_pg_install_clear(&install);
}

static void whoever_cannot_have_the_caches_lock_does_not_wait(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", place, 1);
    assert_false(start_cached());
    char *lock = found_below("overbook/pg*.lock");
    int fd = open(lock, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_false(start_cached());
    assert_int_equal(flock(fd, LOCK_SH), 0);
    assert_true(start_cached());
    close(fd);
    free(lock);
}

static void without_a_cache_directory_of_ours_one_is_made_in_tmpdir(void **state)
{
    (void)state;
    char *expected = ob_asprintf("%s/overbook-cache-%ju", place, (uintmax_t)geteuid());
    char *home = ob_asprintf("%s/home", place);
    char *dir = NULL;
    struct ob_error err;
    setenv("XDG_CACHE_HOME", "/proc/nothing", 1);
    setenv("HOME", "/proc/nothing", 1);
    assert_int_equal(ob_pg_cluster_cache_dir(&dir, &err), OB_OK);
    assert_string_equal(dir, expected);
    free(dir);
    assert_int_equal(mkdir(home, 0755), 0);
    setenv("HOME", home, 1);
    if (geteuid() == 0) {
        /* Another user's home, as under sudo. */
        assert_int_equal(chown(home, 12345, 12345), 0);
        assert_int_equal(ob_pg_cluster_cache_dir(&dir, &err), OB_OK);
        assert_string_equal(dir, expected);
        assert_int_equal(count_entries(home, ""), 0);
        free(dir);
        assert_int_equal(chown(home, 0, 0), 0);
    }
    unsetenv("XDG_CACHE_HOME");
    assert_int_equal(ob_pg_cluster_cache_dir(&dir, &err), OB_OK);
    assert_ptr_equal(strstr(dir, home), dir);
    assert_non_null(strstr(dir, "/.cache/overbook"));
    free(dir);
    /* Somebody else was there before us. */
    setenv("HOME", "/proc/nothing", 1);
    assert_int_equal(chmod(expected, 0777), 0);
    dir = NULL;
    assert_int_equal(ob_pg_cluster_cache_dir(&dir, &err), OB_IO);
    assert_null(dir);
    assert_non_null(strstr(err.hint, "XDG_CACHE_HOME"));
    /* It then goes without. */
    struct ob_pg_server *server = open_server(NULL);
    assert_false(ob_pg_server_start(server)->cached);
    assert_non_null(strstr(ob_pg_server_start(server)->note, "no directory for the cache"));
    assert_true(ob_pg_server_close(server));
    free(home);
    free(expected);
}

static void a_setting_that_the_server_refuses_is_quoted_from_its_log(void **state)
{
    (void)state;
    static const struct ob_pg_setting settings[] = {{"no_such_setting", "1"}};
    const struct ob_pg_server_options options = {.settings = settings, .setting_count = 1};
    struct ob_error err;
    assert_int_equal(fail_to_open(&options, &err), OB_SERVER);
    assert_non_null(strstr(err.message, "postgres exited with status 1"));
    assert_non_null(strstr(err.detail, "unrecognized configuration parameter \"no_such_setting\""));
}

static void a_setting_whose_name_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a b", "a=1", "1a", "a\nfsync", "a'"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct ob_pg_setting setting = {names[i], "1"};
        const struct ob_pg_server_options options = {.settings = &setting, .setting_count = 1};
        struct ob_error err;
        assert_int_equal(fail_to_open(&options, &err), OB_INPUT);
        assert_non_null(strstr(err.message, "cannot be the name"));
    }
}

static void a_server_that_does_not_get_ready_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    const struct ob_pg_server_options options = {.start_ms_max = 1};
    struct ob_error err;
    assert_int_equal(fail_to_open(&options, &err), OB_SERVER);
    assert_non_null(strstr(err.message, "took no connections within 1 ms"));
}

static void a_missing_server_is_an_error_with_the_cure(void **state)
{
    (void)state;
    struct ob_error err;
    setenv("OVERBOOK_PG_BINDIR", place, 1);
    assert_int_equal(fail_to_open(NULL, &err), OB_SERVER);
    assert_non_null(strstr(err.message, "OVERBOOK_PG_BINDIR"));
    assert_non_null(strstr(err.detail, place));
    assert_non_null(strstr(err.hint, "bin directory"));
}

static void a_tmpdir_that_cannot_be_written_is_an_error_with_the_cure(void **state)
{
    (void)state;
    struct ob_error err;
    setenv("TMPDIR", "/proc/self", 1);
    assert_int_equal(fail_to_open(NULL, &err), OB_IO);
    assert_non_null(strstr(err.message, "temporary directory in \"/proc/"));
    assert_non_null(strstr(err.hint, "TMPDIR"));
}

static void a_tmpdir_too_long_for_a_socket_makes_it_live_elsewhere(void **state)
{
    (void)state;
    char *far = ob_asprintf("%s/%0*d", place, 150, 0);
    assert_int_equal(mkdir(far, 0755), 0);
    setenv("TMPDIR", far, 1);
    struct ob_pg_server *server = open_server(NULL);
    char *dir = ob_strdup(ob_pg_server_dir(server));
    assert_ptr_equal(strstr(dir, "/tmp/overbook-pg-"), dir);
    PQfinish(connect_to(server, "postgres"));
    assert_true(ob_pg_server_close(server));
    assert_false(exists(dir));
    free(dir);
    free(far);
}

/* A file system of that size at place/name; NULL when we may not mount. */
static char *small_disk(const char *name, const char *options)
{
    char *path = ob_asprintf("%s/%s", place, name);
    assert_int_equal(mkdir(path, 0755), 0);
    if (mount("tmpfs", path, "tmpfs", 0, options) == 0)
        return path;
    print_message("skipped: only root can make the small file system this test needs\n");
    free(path);
    return NULL;
}

/* The System V segments that nobody uses and whose makers are no more. */
static size_t count_lost_segments(void)
{
    char line[512];
    size_t count = 0;
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        /* key, id, permissions, size, maker, last user, attached */
        long field[7] = {0};
        char *at = line;
        for (size_t i = 0; i < 7; i++)
            field[i] = strtol(at, &at, 10);
        count += field[4] > 0 && field[6] == 0 && kill((pid_t)field[4], 0) != 0;
    }
    fclose(file);
    return count;
}

static void a_full_disk_is_an_error_that_names_it_and_the_cure(void **state)
{
    (void)state;
    struct ob_error copying, initialising;
    (void)start_cached();
    char *disk = small_disk("small", "size=12m,mode=1777");
    if (disk == NULL) {
        skip();
        return;
    }
    size_t lost = count_lost_segments();
    setenv("TMPDIR", disk, 1);
    enum ob_result copied = fail_to_open(NULL, &copying);
    setenv("XDG_CACHE_HOME", place, 1);
    enum ob_result initialised = fail_to_open(NULL, &initialising);
    size_t left = count_entries(disk, "overbook-pg-");
    assert_int_equal(umount(disk), 0);
    assert_int_equal(copied, OB_IO);
    assert_non_null(strstr(copying.message, disk));
    assert_non_null(strstr(copying.message, "No space left on device"));
    assert_non_null(strstr(copying.hint, "TMPDIR"));
    assert_int_equal(initialised, OB_SERVER);
    assert_non_null(strstr(initialising.message, "initdb exited"));
    assert_non_null(strstr(initialising.detail, "No space left on device"));
    assert_non_null(strstr(initialising.hint, disk));
    assert_int_equal(left, 0);
    assert_int_equal(count_lost_segments(), lost);
    free(disk);
}

static void a_cache_on_a_full_disk_is_said_and_does_not_stop_the_server(void **state)
{
    (void)state;
    char *disk = small_disk("small", "size=12m,mode=0755");
    if (disk == NULL) {
        skip();
        return;
    }
    setenv("XDG_CACHE_HOME", disk, 1);
    struct ob_pg_server *server = open_server(NULL);
    const struct ob_pg_server_start *start = ob_pg_server_start(server);
    char *dir = ob_asprintf("%s/overbook", disk);
    size_t left = count_entries(dir, "pg");
    assert_false(start->cached);
    assert_non_null(strstr(start->note, "No space left on device"));
    assert_non_null(strstr(start->note, disk));
    assert_true(ob_pg_server_close(server));
    assert_int_equal(umount(disk), 0);
    assert_int_equal(left, 1); /* the lock */
    free(dir);
    free(disk);
}

static void a_server_that_is_killed_is_noticed_and_leaves_nothing(void **state)
{
    (void)state;
    struct ob_pg_server *server = open_server(NULL);
    PGconn *conn = connect_to(server, "postgres");
    struct ob_pg_pidfile pidfile;
    int backend = open_process(PQbackendPID(conn));
    int postmaster = open_process(ob_pg_server_postmaster_pid(server));
    assert_true(ob_pg_pidfile_read(ob_pg_server_data_dir(server), &pidfile));
    assert_true(segment_exists(pidfile.shm_id));
    assert_true(ob_pg_server_alive(server));
    assert_int_equal(kill(PQbackendPID(conn), SIGSTOP), 0);
    assert_int_equal(kill(ob_pg_server_postmaster_pid(server), SIGKILL), 0);
    wait_ended(postmaster, "the end of the postmaster");
    wait_readable(ob_pg_server_end_fd(server), "the keeper's word of the postmaster's end");
    assert_false(ob_pg_server_alive(server));
    assert_true(ob_pg_server_close(server));
    wait_ended(backend, "the end of a stopped backend without a postmaster");
    assert_false(segment_exists(pidfile.shm_id));
    PQfinish(conn);
}

static void the_log_can_be_read_while_the_server_runs(void **state)
{
    (void)state;
    struct ob_pg_server *server = open_server(NULL);
    char tail[300];
    ob_pg_server_log_tail(server, tail, sizeof tail);
    assert_non_null(strstr(tail, "ready to accept connections"));
    assert_true(exists(ob_pg_server_log_path(server)));
    assert_true(ob_pg_server_close(server));
}

static void errors_of_statements_do_not_fill_the_log(void **state)
{
    (void)state;
    struct ob_pg_server *server = open_server(NULL);
    PGconn *conn = connect_to(server, "postgres");
    char tail[300];
    PQclear(PQexec(conn, "SELECT 1/0"));
    ob_pg_server_log_tail(server, tail, sizeof tail);
    assert_null(strstr(tail, "division by zero"));
    PQfinish(conn);
    assert_true(ob_pg_server_close(server));
}

static void closing_no_server_is_legal(void **state)
{
    (void)state;
    assert_true(ob_pg_server_close(NULL));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter_place, leave_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(the_first_start_makes_a_cluster_and_the_next_take_it_from_the_cache),
        IN_PLACE(a_server_is_fast_quiet_and_repeatable),
        IN_PLACE(settings_of_the_caller_win_and_may_hold_anything),
        IN_PLACE(nobody_but_us_and_the_servers_user_can_reach_it),
        IN_PLACE(a_connection_string_quotes_the_name),
        IN_PLACE(two_servers_do_not_meet),
        IN_PLACE(a_damaged_cache_is_made_anew),
        IN_PLACE(a_cache_of_another_version_is_not_taken),
        IN_PLACE(whoever_cannot_have_the_caches_lock_does_not_wait),
        IN_PLACE(without_a_cache_directory_of_ours_one_is_made_in_tmpdir),
        IN_PLACE(a_setting_that_the_server_refuses_is_quoted_from_its_log),
        IN_PLACE(a_setting_whose_name_is_none_is_refused),
        IN_PLACE(a_server_that_does_not_get_ready_is_an_error_and_leaves_nothing),
        IN_PLACE(a_missing_server_is_an_error_with_the_cure),
        IN_PLACE(a_tmpdir_that_cannot_be_written_is_an_error_with_the_cure),
        IN_PLACE(a_tmpdir_too_long_for_a_socket_makes_it_live_elsewhere),
        IN_PLACE(a_full_disk_is_an_error_that_names_it_and_the_cure),
        IN_PLACE(a_cache_on_a_full_disk_is_said_and_does_not_stop_the_server),
        IN_PLACE(a_server_that_is_killed_is_noticed_and_leaves_nothing),
        IN_PLACE(the_log_can_be_read_while_the_server_runs),
        IN_PLACE(errors_of_statements_do_not_fill_the_log),
        IN_PLACE(closing_no_server_is_legal),
    };
    return cmocka_run_group_tests(tests, make_cache, remove_cache);
}
