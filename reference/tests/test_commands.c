/* The commands, run as a person would: what they print and how they end.  And the alert rules. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

static char output[8192];

/* Runs a command of the build by the shell, output and errors together; its exit status. */
static int run(const char *command)
{
    const char *build = getenv("OVERBOOK_BUILD");
    char line[1024];
    size_t length;
    FILE *pipe;
    int status;

    if (!build)
        fail_msg("OVERBOOK_BUILD names the directory of the build; make check sets it");
    snprintf(line, sizeof line, "{ PATH=%s:$PATH; %s; } 2>&1", build, command);
    pipe = popen(line, "r");
    assert_non_null(pipe);
    length = fread(output, 1, sizeof output - 1, pipe);
    output[length] = '\0';
    status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define assert_printed(text) assert_non_null(strstr(output, text))

static int setup_empty(void **state)
{
    *state = world_open(BOOKING_SCHEMA_EMPTY, BOOKING_PATH_LEGACY);
    return 0;
}

static void migrate_goes_up_and_down_step_by_step(void **state)
{
    (void)state;
    assert_int_equal(run("booking-migrate status"), 0);
    assert_printed("pending 1 core");
    assert_int_equal(run("booking-migrate up 2"), 0);
    assert_string_equal(output, "up 1 core\nup 2 dirty_data\nschema version 2\n");
    assert_int_equal(run("booking-migrate status"), 0);
    assert_printed("applied 2 dirty_data\npending 3 holds\n");
    assert_int_equal(run("booking-migrate up 9"), 0);
    assert_printed("schema version 9\n");
    assert_int_equal(run("booking-migrate up 9"), 0);
    assert_string_equal(output, "schema version 9\n");
    assert_int_equal(run("booking-migrate down 8"), 0);
    assert_string_equal(output, "down 9 hold_no_overlap\nschema version 8\n");
    assert_int_equal(run("booking-migrate up"), 0);
    char latest[40];
    snprintf(latest, sizeof latest, "schema version %d\n", BOOKING_SCHEMA_LATEST);
    assert_printed(latest);
}

static void migrate_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    assert_int_equal(run("booking-migrate"), 2);
    assert_int_equal(run("booking-migrate sideways"), 2);
    assert_int_equal(run("booking-migrate up ten"), 2);
    assert_int_equal(run("booking-migrate up 999"), 2);
    assert_int_equal(run("booking-migrate down"), 2);
    assert_int_equal(run("booking-migrate down 5"), 2);
    assert_printed("the schema is at version 0: that is not down");
    assert_int_equal(run("booking-migrate up 1 2"), 2);
    assert_int_equal(run("booking-migrate --nonsense"), 2);
    assert_int_equal(run("booking-migrate check"), 3);
    assert_printed("hint: The check comes with schema version 2");
}

static void check_lists_dirty_rows_and_ends_with_1(void **state)
{
    struct world *world = *state;

    assert_int_equal(run("booking-migrate up 6 && booking-migrate check"), 0);
    assert_printed("0 rows that a constraint would refuse\n");
    world_do(world, booking_sql_seeds());
    world_do(world, "INSERT INTO booking.temp_booking (simulator_id, customer_id, during,"
                    " expires_at, amount_minor, currency)"
                    " VALUES (1, 'alice', 'empty', booking.now(), 1, 'EUR')");
    assert_int_equal(run("booking-migrate check"), 1);
    assert_printed("insane-range: hold 1 has the range empty\n1 rows that");
    assert_int_equal(run("booking-migrate up"), 3);
    assert_printed("could not migrate up step 7 (sane_ranges)");
    assert_printed("  hint: List them all with \"booking-migrate check\"");
}

static void the_flag_is_shown_set_and_switched_off(void **state)
{
    (void)state;
    assert_int_equal(run("booking-flag show"), 0);
    assert_string_equal(output, "0 % (no flag yet: it comes with migration 6)\n");
    assert_int_equal(run("booking-flag off"), 3);
    assert_printed("hint: Run \"booking-migrate up\"");
    run("booking-migrate up");
    assert_int_equal(run("booking-flag show"), 0);
    assert_string_equal(output, "0 %\n");
    assert_int_equal(run("booking-flag set 10"), 0);
    assert_string_equal(output, "10 %\n");
    assert_int_equal(run("booking-flag set 101"), 2);
    assert_int_equal(run("booking-flag set"), 2);
    assert_int_equal(run("booking-flag set 1x"), 2);
    assert_int_equal(run("booking-flag"), 2);
    assert_int_equal(run("booking-flag show"), 0);
    assert_string_equal(output, "10 %\n");
    assert_int_equal(run("booking-flag off"), 0);
    assert_string_equal(output, "0 %\n");
}

static void the_cleanup_runs_once_or_until_it_is_told_to_end(void **state)
{
    struct world *world = *state;

    assert_int_equal(run("booking-cleanup once"), 3);
    assert_printed("hint: is the schema there?");
    run("booking-migrate up");
    world_do(world, booking_sql_seeds());
    world_do(world, "INSERT INTO booking.temp_booking (simulator_id, customer_id, during,"
                    " expires_at, amount_minor, currency)"
                    " VALUES (1, 'alice', '[2026-06-01, 2026-06-02)', booking.now(), 1, 'EUR')");
    assert_int_equal(run("booking-cleanup once"), 0);
    assert_string_equal(output, "expired 1 holds\n");
    assert_int_equal(run("dir=$(mktemp -d); mkfifo $dir/out;"
                         " booking-cleanup --every 0.01 >$dir/out & exec 3<$dir/out;"
                         " read a <&3; read b <&3; kill $!; wait $!; echo $?, $a, $b; rm -r $dir"),
                     0);
    assert_string_equal(output, "0, expired 0 holds, expired 0 holds\n");
    assert_int_equal(run("booking-cleanup --every 0"), 2);
    assert_int_equal(run("booking-cleanup --every soon"), 2);
    assert_int_equal(run("booking-cleanup twice"), 2);
}

static void the_points_of_failure_work_from_outside(void **state)
{
    (void)state;
    if (is_sanitized) {
        print_message("skipped: fiu-run preloads libraries, which sanitizers refuse\n");
        skip();
    }
    run("booking-migrate up && booking-flag set 100");
    assert_int_equal(run("fiu-run -x -c 'enable name=session/killed,onetime' booking-cleanup once"),
                     0);
    assert_string_equal(output, "expired 0 holds\n");
    assert_int_equal(run("fiu-run -x -c 'enable name=session/killed' booking-cleanup once"), 3);
    assert_printed("retries-exhausted");
}

static void without_a_database_a_command_says_what_to_set(void **state)
{
    (void)state;
    assert_int_equal(run("unset DATABASE_URL; booking-flag show"), 2);
    assert_printed("hint: set DATABASE_URL or use --database-url URL");
    assert_int_equal(run("unset DATABASE_URL; booking-migrate status"), 2);
    assert_printed("no database");
    assert_int_equal(run("unset DATABASE_URL; booking-migrate chekc"), 2);
    assert_printed("say one of up, down, status, check");
    assert_int_equal(run("unset DATABASE_URL; booking-flag set 101"), 2);
    assert_printed("set needs a percentage from 0 to 100");
    assert_int_equal(run("unset DATABASE_URL; booking-cleanup twice"), 2);
    assert_printed("say once");
    assert_int_equal(
        run("booking-flag --database-url 'postgresql://u:s3cret@/x?host=/nowhere' show"), 3);
    assert_printed("could not connect to the database");
    assert_null(strstr(output, "s3cret"));
    assert_int_equal(run("booking-migrate -d 'host=/nowhere' status"), 3);
    assert_int_equal(run("booking-cleanup -d 'host=/nowhere'"), 3);
    assert_int_equal(run("booking-migrate --help"), 0);
    assert_printed("down VERSION");
}

static void promtool_accepts_the_alert_rules(void **state)
{
    (void)state;
    if (run("command -v promtool") != 0) {
        print_message("skipped: promtool is not installed (Debian: prometheus)\n");
        skip();
    }
    assert_int_equal(run("promtool check rules reference/monitoring/alerts.yml"), 0);
    assert_printed("8 rules found");
}

/* A rule over a metric that is never printed would never fire. */
static void alerts_speak_of_metrics_that_there_are(void **state)
{
    struct booking_monitor *monitor = booking_monitor_new(NULL, NULL);
    char *metrics = booking_monitor_prometheus(monitor);
    char *rest, *name;
    int names = 0;

    (void)state;
    assert_int_equal(
        run("grep expr -A2 reference/monitoring/alerts.yml | grep -oE 'booking_[a-z_]+_total'"), 0);
    rest = output;
    while ((name = strsep(&rest, "\n")) && *name) {
        assert_non_null(strstr(metrics, name));
        names++;
    }
    assert_true(names >= 8);
    free(metrics);
    booking_monitor_free(monitor);
}

#define COMMAND_TEST(test) cmocka_unit_test_setup_teardown(test, setup_empty, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(migrate_goes_up_and_down_step_by_step),
        COMMAND_TEST(migrate_refuses_what_makes_no_sense),
        COMMAND_TEST(check_lists_dirty_rows_and_ends_with_1),
        COMMAND_TEST(the_flag_is_shown_set_and_switched_off),
        COMMAND_TEST(the_cleanup_runs_once_or_until_it_is_told_to_end),
        COMMAND_TEST(the_points_of_failure_work_from_outside),
        cmocka_unit_test(without_a_database_a_command_says_what_to_set),
        cmocka_unit_test(promtool_accepts_the_alert_rules),
        cmocka_unit_test(alerts_speak_of_metrics_that_there_are),
    };

    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
