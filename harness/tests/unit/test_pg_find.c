#include "pg/find.h"

#include "tests/pg_support.h"

#include <sched.h>
#include <sys/mount.h>

/* A bin directory whose postgres prints that line. */
static char *fake_server(const char *line)
{
    char *dir = place_new();
    char *script = ob_asprintf("#!/bin/sh\necho '%s'\n", line);
    put_file(dir, "postgres", script, 0755);
    put_file(dir, "initdb", "#!/bin/sh\n", 0755);
    free(script);
    return dir;
}

static void version_lines_are_read(void **state)
{
    (void)state;
    char version[32];
    assert_int_equal(ob_pg_find_version("postgres (PostgreSQL) 15.18", version, sizeof version),
                     150018);
    assert_string_equal(version, "15.18");
    assert_int_equal(
        ob_pg_find_version("postgres (PostgreSQL) 13.2 (Debian 13.2-1)\n", version, sizeof version),
        130002);
    assert_string_equal(version, "13.2");
    assert_int_equal(ob_pg_find_version("postgres (PostgreSQL) 18beta1", version, sizeof version),
                     180000);
    assert_string_equal(version, "18beta1");
    assert_int_equal(ob_pg_find_version("postgres (PostgreSQL) 19devel", version, sizeof version),
                     190000);
    assert_int_equal(ob_pg_find_version("postgres (PostgreSQL) 9.6.24", version, sizeof version),
                     90600);
}

static void lines_that_are_no_version_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "postgres",
        "postgres (PostgreSQL) ",
        "postgres (PostgreSQL) x15",
        "postgres (PostgreSQL) 123456789.1",
        "postgres (PostgreSQL) 15.123456789",
        "postgres (EnterpriseDB) 15.1",
        "psql (PostgreSQL) 15.1",
        "postgres (PostgreSQL) 15.1-with-a-suffix-that-is-longer-than-the-buffer",
    };
    char version[32] = "before";
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(ob_pg_find_version(lines[i], version, sizeof version), 0);
    assert_string_equal(version, "before");
}

static void the_directory_named_by_the_variable_is_taken(void **state)
{
    (void)state;
    char *dir = fake_server("postgres (PostgreSQL) 14.11 (Debian)");
    struct ob_pg_install install;
    struct ob_error err;
    setenv("OVERBOOK_PG_BINDIR", dir, 1);
    assert_int_equal(ob_pg_find(&install, &err), OB_OK);
    assert_string_equal(install.bindir, dir);
    assert_string_equal(install.version, "14.11");
    assert_int_equal(install.number, 140011);
    ob_pg_install_clear(&install);
    place_free(dir);
}

static void refuse_variable(const char *dir, const char *reason)
{
    struct ob_pg_install install = {.number = 7};
    struct ob_error err;
    setenv("OVERBOOK_PG_BINDIR", dir, 1);
    assert_int_equal(ob_pg_find(&install, &err), OB_SERVER);
    assert_int_equal(install.number, 7);
    assert_non_null(strstr(err.message, "OVERBOOK_PG_BINDIR"));
    assert_non_null(strstr(err.detail, reason));
    assert_non_null(strstr(err.hint, "version 13"));
}

static void a_server_older_than_13_is_refused(void **state)
{
    (void)state;
    char *dir = fake_server("postgres (PostgreSQL) 12.18");
    refuse_variable(dir, "holds version 12.18, older than 13");
    place_free(dir);
}

static void somebody_s_server_older_than_13_is_refused(void **state)
{
    (void)state;
    struct ob_error err;
    assert_int_equal(ob_pg_find_recent(130000, "13.0", &err), OB_OK);
    assert_int_equal(ob_pg_find_recent(180004, "18.4", &err), OB_OK);
    assert_int_equal(ob_pg_find_recent(120022, "12.22", &err), OB_REFUSED);
    assert_string_equal(err.message,
                        "the server is PostgreSQL 12.22, and overbook works on 13 or newer");
    assert_non_null(strstr(err.hint, "--database-url"));
}

static void a_server_that_tells_no_version_is_refused(void **state)
{
    (void)state;
    char *dir = fake_server("hello");
    refuse_variable(dir, "does not tell its version");
    put_file(dir, "postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 15.1'\nexit 1\n", 0755);
    refuse_variable(dir, "does not tell its version");
    put_file(dir, "postgres", "not a program", 0755);
    refuse_variable(dir, "does not tell its version");
    place_free(dir);
}

static void a_directory_without_the_programs_is_refused(void **state)
{
    (void)state;
    char *dir = place_new();
    refuse_variable(dir, "has no postgres");
    put_file(dir, "postgres", "#!/bin/sh\n", 0755);
    refuse_variable(dir, "has no initdb");
    put_file(dir, "initdb", "#!/bin/sh\n", 0644);
    refuse_variable(dir, "has no initdb");
    refuse_variable("/nonexistent", "/nonexistent has no postgres");
    place_free(dir);
}

static void without_the_variable_pg_config_is_asked_first(void **state)
{
    (void)state;
    char *dir = fake_server("postgres (PostgreSQL) 13.9");
    char *tools = place_new();
    char *script = ob_asprintf("#!/bin/sh\n[ \"$1\" = --bindir ] && echo %s\n", dir);
    char *path = ob_asprintf("%s:/usr/bin:/bin", tools);
    char *before = ob_strdup(getenv("PATH"));
    struct ob_pg_install install;
    struct ob_error err;
    put_file(tools, "pg_config", script, 0755);
    setenv("PATH", path, 1);
    setenv("OVERBOOK_PG_BINDIR", "", 1);
    assert_int_equal(ob_pg_find(&install, &err), OB_OK);
    assert_string_equal(install.bindir, dir);
    assert_int_equal(install.number, 130009);
    ob_pg_install_clear(&install);
    setenv("PATH", before, 1);
    free(before);
    free(path);
    free(script);
    place_free(tools);
    place_free(dir);
}

/* The usual place made empty for this process alone; false when we may not. */
static bool hide_usual_place(void)
{
    static const char place[] = "/usr/lib/postgresql";
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
           (!exists(place) || mount("tmpfs", place, "tmpfs", 0, "size=64k") == 0);
}

/* The last test of all, since the place stays hidden. */
static void without_the_usual_places_the_path_is_searched_and_then_missed(void **state)
{
    (void)state;
    if (!hide_usual_place()) {
        print_message("skipped: only root can hide the servers of this machine\n");
        skip();
    }
    char *old = fake_server("postgres (PostgreSQL) 12.1");
    char *dir = fake_server("postgres (PostgreSQL) 16.3");
    char *path = ob_asprintf("relative:%s:/nonexistent:%s", old, dir);
    char *before = ob_strdup(getenv("PATH"));
    struct ob_pg_install install;
    struct ob_error err;
    unsetenv("OVERBOOK_PG_BINDIR");
    setenv("PATH", path, 1);
    assert_int_equal(ob_pg_find(&install, &err), OB_OK);
    assert_string_equal(install.bindir, dir);
    ob_pg_install_clear(&install);
    setenv("PATH", old, 1);
    assert_int_equal(ob_pg_find(&install, &err), OB_SERVER);
    assert_non_null(strstr(err.message, "found no usable PostgreSQL server"));
    assert_non_null(strstr(err.detail, "holds version 12.1, older than 13"));
    assert_non_null(strstr(err.hint, "apt-get install postgresql"));
    assert_non_null(strstr(err.hint, "--database-url"));
    setenv("PATH", before, 1);
    free(before);
    free(path);
    place_free(dir);
    place_free(old);
}

/* Where the machine has no server at all, this is the path of the one we made, otherwise a real
 * one. */
static void without_pg_config_the_usual_places_and_the_path_are_tried(void **state)
{
    (void)state;
    char *dir = fake_server("postgres (PostgreSQL) 16.3");
    char *before = ob_strdup(getenv("PATH"));
    struct ob_pg_install install;
    struct ob_error err;
    setenv("PATH", dir, 1);
    unsetenv("OVERBOOK_PG_BINDIR");
    assert_int_equal(ob_pg_find(&install, &err), OB_OK);
    assert_true(install.number >= OB_PG_VERSION_MIN);
    assert_true(strcmp(install.bindir, dir) == 0 ||
                strncmp(install.bindir, "/usr/lib/postgresql/", 20) == 0);
    ob_pg_install_clear(&install);
    setenv("PATH", before, 1);
    free(before);
    place_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_lines_are_read),
        cmocka_unit_test(lines_that_are_no_version_are_refused),
        cmocka_unit_test(the_directory_named_by_the_variable_is_taken),
        cmocka_unit_test(a_server_older_than_13_is_refused),
        cmocka_unit_test(somebody_s_server_older_than_13_is_refused),
        cmocka_unit_test(a_server_that_tells_no_version_is_refused),
        cmocka_unit_test(a_directory_without_the_programs_is_refused),
        cmocka_unit_test(without_the_variable_pg_config_is_asked_first),
        cmocka_unit_test(without_pg_config_the_usual_places_and_the_path_are_tried),
        cmocka_unit_test(without_the_usual_places_the_path_is_searched_and_then_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
