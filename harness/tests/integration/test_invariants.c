/*
 * The built-in invariants on a real server with the reference's schema: for each, planted bugs that
 * it catches and correct twins that pass.  A twin has to pass every invariant, not only the one
 * that it is the twin for.
 *
 * With arguments: shared objects of invariants that are wrong, each with all of them ("make
 * mutants").  What is planted is tried on one after the other, and the failures show who notices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "booking/migrate.h"
#include "check/check_int.h"
#include "pg/server.h"
#include "pg/world.h"
#include "planted.h"

static struct ob_pg_server *server;
static struct ob_pg_world *world;
static PGconn *application; /* plants: the control connection fires no triggers */
static struct ob_query_port port;
static struct ob_check *check;
static struct ob_check_item *items;
static size_t item_count;

static void execute(const char *sql)
{
    PGresult *result = PQexec(application, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

static void must(enum ob_result result, const struct ob_error *err)
{
    if (result != OB_OK)
        fail_msg("%s: %s", err->message, err->detail);
}

static void pass_over(void *arg, const char *notice)
{
    (void)arg;
    (void)notice;
}

static void take_invariants(const struct ob_invariant *invariants, size_t count)
{
    item_count = count;
    items = ob_alloc(item_count * sizeof *items);
    for (size_t i = 0; i < item_count; i++)
        items[i] = (struct ob_check_item){.name = invariants[i].name, .sql = invariants[i].sql};
    check = ob_check_new(items, item_count, &port);
}

static void drop_invariants(void)
{
    ob_check_free(check);
    free(items);
}

static void open_world(void)
{
    struct ob_error err;
    struct booking_error booking_err;
    must(ob_pg_server_open(NULL, &server, &err), &err);
    char *conninfo = ob_pg_server_conninfo(server, "postgres");
    must(ob_pg_world_open(
             &(struct ob_pg_world_options){.conninfo = conninfo, .clock = "booking.clock"}, &world,
             &err),
         &err);
    application = PQconnectdb(conninfo);
    free(conninfo);
    PQsetNoticeProcessor(application, pass_over, NULL);
    execute("SET timezone = 'UTC'");
    if (!booking_migrate(application, BOOKING_SCHEMA_LATEST, NULL, NULL, &booking_err))
        fail_msg("%s: %s", booking_err.message, booking_err.detail);
    execute(booking_sql_virtual_clock());
    /* With constraints most bugs could not be planted. */
    execute(booking_sql_without_guards());
    execute("ALTER TABLE booking.booking DROP CONSTRAINT booking_sane_range");
    execute("ALTER TABLE booking.temp_booking DROP CONSTRAINT temp_booking_sane_range");
    execute(booking_sql_seeds());
    execute("CREATE FUNCTION booking_test_clock(t timestamptz) RETURNS bigint LANGUAGE sql AS"
            " $$SELECT setval('booking.clock', (extract(epoch FROM t) * 1000000)::bigint)$$");
    must(ob_pg_world_ready(world, &err), &err);
    port = ob_pg_world_query_port(world);
}

static bool close_world(void)
{
    PQfinish(application);
    ob_pg_world_close(world);
    return ob_pg_server_close(server);
}

static int begin_with_own(void **state)
{
    (void)state;
    size_t count;
    open_world();
    const struct ob_invariant *invariants = ob_invariant_builtin(&count);
    take_invariants(invariants, count);
    return 0;
}

static int end_with_own(void **state)
{
    (void)state;
    drop_invariants();
    return close_world() ? 0 : -1;
}

static void reset_world(void)
{
    struct ob_error err;
    int64_t start_us;
    assert_true(ob_parse_time_us(PLANTED_TIME, &start_us));
    must(ob_pg_world_reset(world, start_us, &err), &err);
    /* The world does not know of a clock that was set behind its back. */
    execute("SELECT booking_test_clock('" PLANTED_TIME "')");
}

static void plant_events(const struct planted *planted, struct ob_trace *trace)
{
    for (size_t i = 0; i < PLANTED_EVENTS_MAX && planted->events[i].kind; i++)
        ob_trace_add_event(trace, planted->events[i].client, planted->events[i].kind,
                           planted->events[i].data);
}

static void run_planted(void **state)
{
    const struct planted *planted = *state;
    struct ob_error err;
    struct ob_trace trace;
    size_t count;
    const char *found = NULL;

    reset_world();
    execute(planted->rows);
    ob_trace_init(&trace);
    plant_events(planted, &trace);
    ob_check_begin(check);
    must(ob_check_run(check, &trace, planted_clients, true, 0, &err), &err);
    const struct ob_broken *broken = ob_check_broken(check, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = items[broken[i].item].name;
        if (!planted->invariant)
            fail_msg("%s: %s", name, broken[i].rows);
        else if (strcmp(name, planted->invariant) == 0)
            found = broken[i].rows;
    }
    if (planted->invariant)
        assert_string_equal(found ? found : "nothing", planted->broken);
    ob_trace_clear(&trace);
}

static void every_invariant_has_a_planted_bug(void **state)
{
    (void)state;
    for (size_t i = 0; i < item_count; i++) {
        size_t bugs = 0;
        for (size_t c = 0; planted_case(c); c++)
            bugs += planted_case(c)->invariant &&
                    strcmp(planted_case(c)->invariant, items[i].name) == 0;
        if (bugs == 0)
            fail_msg("%s has no planted bug", items[i].name);
    }
}

/* One round trip for all: printed, since it is paid for after every run. */
static void the_cost_of_a_check_is_measured(void **state)
{
    (void)state;
    struct ob_error err;
    struct ob_trace trace;
    struct timespec begin, end;
    const struct planted *planted = planted_case(0);
    int rounds = 500;
    for (size_t c = 0; planted_case(c); c++)
        planted =
            strstr(planted_case(c)->name, "held_paid_and_confirmed") ? planted_case(c) : planted;
    reset_world();
    execute(planted->rows);
    ob_trace_init(&trace);
    plant_events(planted, &trace);
    for (int i = -20; i < rounds; i++) {
        if (i == 0)
            clock_gettime(CLOCK_MONOTONIC, &begin);
        ob_check_begin(check);
        must(ob_check_run(check, &trace, planted_clients, true, 0, &err), &err);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double us =
        (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3;
    print_message("all %zu invariants: %.0f us\n", item_count, us / rounds);
    ob_trace_clear(&trace);
}

/* --- SQL of a scenario's own */

/* Runs one item over the empty clean state with one event; what it found, or NULL.  The text lives
 * until the next call. */
static const char *found_by(const char *sql)
{
    static char found[OB_BROKEN_SIZE_MAX + 1];
    struct ob_check_item item = {.name = "mine", .sql = sql};
    struct ob_check *own = ob_check_new(&item, 1, &port);
    struct ob_trace trace;
    struct ob_error err;
    size_t count;
    ob_trace_init(&trace);
    ob_trace_add_event(&trace, 1, "answer", "{\"n\":7}");
    must(ob_check_run(own, &trace, planted_clients, true, 0, &err), &err);
    const struct ob_broken *broken = ob_check_broken(own, &count);
    if (count > 0)
        snprintf(found, sizeof found, "%s", broken[0].rows);
    ob_trace_clear(&trace);
    ob_check_free(own);
    return count > 0 ? found : NULL;
}

static void own_sql_may_be_written_as_people_write_it(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *found;
    } own[] = {
        {"SELECT 1 WHERE false", NULL},
        {"SELECT 1 AS n;", "1"},
        {"SELECT 'a;b' AS t; -- a comment; and more", "a;b"},
        {"SELECT 1 AS a, 'x' AS b, NULL AS c -- no semicolon", "a 1, b x, c null"},
        {"WITH w AS (SELECT 2 AS n) SELECT n FROM w ORDER BY n;", "2"},
        {"VALUES ('one'), ('two')", "one; two"},
        {"SELECT client, kind, data->>'n' AS n FROM history", "client bob, kind answer, n 7"},
        {"SELECT seq, step FROM History WHERE step < 0;", "seq 0, step -1"},
        {"SELECT g FROM generate_series(1, 9) g", "1; 2; 3; \xe2\x80\xa6"},
        {"SELECT 1 AS ob_offending, 2 AS item", "ob_offending 1, item 2"},
        {"SELECT", "a row without columns"},
        {"SELECT id FROM booking.simulator WHERE name LIKE '%Airbus%'", "2"},
    };
    reset_world();
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const char *found = found_by(own[i].sql);
        if (!own[i].found)
            assert_null(found);
        else if (!found)
            fail_msg("%s found nothing", own[i].sql);
        else
            assert_string_equal(found, own[i].found);
    }
}

static void own_sql_that_fails_is_named_among_the_others(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "SELECT * FROM no_such_table",
        "SELECT 1 / 0",
        "SELEC 1",
        "",
        "SELECT 1; SELECT 2",
        "SELECT 'never ended",
        "DELETE FROM booking.outbox",
    };
    reset_world();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ob_check_item three[] = {{.name = "before", .sql = "SELECT 1 WHERE false"},
                                        {.name = "wrong", .sql = wrong[i]},
                                        {.name = "after", .sql = "SELECT 1 FROM history"}};
        struct ob_check *own = ob_check_new(three, 3, &port);
        struct ob_trace trace;
        struct ob_error err;
        size_t count;
        ob_trace_init(&trace);
        assert_int_equal(ob_check_run(own, &trace, planted_clients, true, 0, &err), OB_SQL);
        assert_non_null(strstr(err.message, "could not check invariant \"wrong\": "));
        ob_check_broken(own, &count);
        assert_int_equal(count, 0);
        ob_trace_clear(&trace);
        ob_check_free(own);
    }
}

static void data_that_is_no_json_is_an_error(void **state)
{
    (void)state;
    struct ob_trace trace;
    struct ob_error err;
    reset_world();
    ob_trace_init(&trace);
    ob_trace_add_event(&trace, 0, "answer", "{\"text\": \"caf\xe9\"}");
    ob_check_begin(check);
    assert_int_equal(ob_check_run(check, &trace, planted_clients, true, 0, &err), OB_SQL);
    ob_trace_clear(&trace);
}

/* --- wrong invariants */

/* Takes those of the object that differ from the built-in ones; false when that cannot be. */
static bool take_wrong(const char *path)
{
    const struct ob_invariant *(*wrong)(size_t *);
    struct ob_invariant differing[32];
    size_t count, differing_count = 0;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = object ? dlsym(object, "ob_invariant_builtin") : NULL;
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    memcpy(&wrong, &symbol, sizeof wrong);
    const struct ob_invariant *invariants = wrong(&count);
    for (size_t i = 0; i < count; i++) {
        const struct ob_invariant *right = ob_invariant_find(invariants[i].name);
        assert_true(differing_count < sizeof differing / sizeof *differing);
        if (!right || strcmp(right->sql, invariants[i].sql) != 0)
            differing[differing_count++] = invariants[i];
    }
    take_invariants(differing, differing_count);
    return differing_count > 0;
}

/* Of these tests those that can notice: twins, and what is planted for one of the invariants. */
static size_t select_tests(const struct CMUnitTest *tests, size_t count,
                           struct CMUnitTest *selected)
{
    size_t selected_count = 0;
    for (size_t t = 0; t < count; t++) {
        const struct planted *planted = tests[t].initial_state;
        bool matters = !planted->invariant;
        for (size_t i = 0; i < item_count; i++)
            matters = matters || strcmp(items[i].name, planted->invariant) == 0;
        if (matters)
            selected[selected_count++] = tests[t];
    }
    return selected_count;
}

/* That some fail is what is wanted here. */
static int try_wrong(char **paths, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest *selected = ob_alloc(count * sizeof *selected);
    bool taken = true;
    open_world();
    for (; taken && *paths; paths++) {
        print_message("invariants of %s\n", *paths);
        taken = take_wrong(*paths);
        if (taken) {
            size_t selected_count = select_tests(tests, count, selected);
            (void)_cmocka_run_group_tests("wrong invariants", selected, selected_count, NULL, NULL);
            drop_invariants();
        }
    }
    free(selected);
    return close_world() && taken ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(every_invariant_has_a_planted_bug),
        cmocka_unit_test(own_sql_may_be_written_as_people_write_it),
        cmocka_unit_test(own_sql_that_fails_is_named_among_the_others),
        cmocka_unit_test(data_that_is_no_json_is_an_error),
        cmocka_unit_test(the_cost_of_a_check_is_measured),
    };
    size_t other_count = sizeof others / sizeof *others;
    const size_t planted_count = planted_row_count + planted_answer_count;
    size_t count = planted_count + other_count;
    struct CMUnitTest *tests = ob_alloc(count * sizeof *tests);
    for (size_t i = 0; i < planted_count; i++)
        tests[i] = (struct CMUnitTest){.name = planted_case(i)->name,
                                       .test_func = run_planted,
                                       .initial_state = (void *)planted_case(i)};
    memcpy(tests + planted_count, others, sizeof others);
    int failed = argc > 1 ? try_wrong(argv + 1, tests, planted_count)
                          : _cmocka_run_group_tests("built-in invariants", tests, count,
                                                    begin_with_own, end_with_own);
    free(tests);
    return failed;
}
