/* Which databases may be wiped, on a server that stands for a user's own. */
#include "pg/marker.h"

#include "tests/pg_support.h"

static struct ob_pg_server *server;
static PGconn *conn; /* to the database that is in question */

static int start(void **state)
{
    (void)state;
    server = open_server(NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return ob_pg_server_close(server) ? 0 : -1;
}

/* Each test has a new database, named precious, with rows that must survive. */
static int make_precious(void **state)
{
    (void)state;
    PGconn *admin = connect_to(server, "postgres");
    execute(admin, "CREATE DATABASE precious");
    PQfinish(admin);
    conn = connect_to(server, "precious");
    execute(conn, "CREATE TABLE orders (id int PRIMARY KEY, what text)");
    execute(conn, "INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 1000) i");
    return 0;
}

static int drop_precious(void **state)
{
    (void)state;
    PQfinish(conn);
    PGconn *admin = connect_to(server, "postgres");
    execute(admin, "DROP DATABASE precious WITH (FORCE)");
    PQfinish(admin);
    return 0;
}

/* A digest of all rows and of all that the database consists of. */
static char *content(void)
{
    return value_of(conn,
                    "SELECT md5((SELECT string_agg(o::text, ',' ORDER BY id) FROM orders o) ||"
                    " (SELECT string_agg(c::text, ',' ORDER BY oid) FROM pg_class c) ||"
                    " (SELECT string_agg(n::text, ',' ORDER BY oid) FROM pg_namespace n))");
}

static void expect_refused(PGconn *of)
{
    struct ob_error err = {.message = ""};
    assert_int_equal(ob_pg_marker_check(of, &err), OB_REFUSED);
    assert_non_null(strstr(err.message, PQdb(of)));
    assert_non_null(strstr(err.hint, "--disposable"));
    assert_int_equal(PQtransactionStatus(of), PQTRANS_IDLE);
}

static void expect_accepted(PGconn *of)
{
    struct ob_error err = {.message = ""};
    assert_int_equal(ob_pg_marker_check(of, &err), OB_OK);
    assert_int_equal(PQtransactionStatus(of), PQTRANS_IDLE);
}

static void mark(PGconn *of)
{
    struct ob_error err = {.message = ""};
    assert_int_equal(ob_pg_marker_leave(of, &err), OB_OK);
    assert_int_equal(PQtransactionStatus(of), PQTRANS_IDLE);
}

static void an_unmarked_database_is_refused_and_untouched(void **state)
{
    (void)state;
    char *before = content();
    expect_refused(conn);
    expect_refused(conn);
    char *after = content();
    assert_string_equal(after, before);
    expect_answer(conn, "SELECT count(*) FROM orders", "1000");
    free(after);
    free(before);
}

static void a_marked_database_is_accepted_and_its_rows_are_still_there(void **state)
{
    (void)state;
    mark(conn);
    expect_accepted(conn);
    mark(conn);
    expect_accepted(conn);
    expect_answer(conn, "SELECT count(*) FROM overbook.disposable", "1");
    expect_answer(conn, "SELECT count(*) FROM orders", "1000");
}

static void a_mark_taken_back_is_refused_again(void **state)
{
    (void)state;
    mark(conn);
    execute(conn, "DROP TABLE overbook.disposable");
    expect_refused(conn);
}

static void a_mark_that_came_with_a_template_does_not_count(void **state)
{
    (void)state;
    mark(conn);
    PQfinish(conn);
    PGconn *admin = connect_to(server, "postgres");
    execute(admin, "CREATE DATABASE copied TEMPLATE precious");
    conn = connect_to(server, "precious");
    PGconn *copied = connect_to(server, "copied");
    struct ob_error err;
    expect_answer(copied, "SELECT count(*) FROM overbook.disposable", "1");
    expect_refused(copied);
    assert_int_equal(ob_pg_marker_check(copied, &err), OB_REFUSED);
    assert_non_null(strstr(err.detail, "names another database"));
    expect_accepted(conn);
    mark(copied);
    expect_accepted(copied);
    PQfinish(copied);
    execute(admin, "DROP DATABASE copied");
    PQfinish(admin);
}

static void a_renamed_database_has_to_be_marked_again(void **state)
{
    (void)state;
    mark(conn);
    PQfinish(conn);
    PGconn *admin = connect_to(server, "postgres");
    execute(admin, "ALTER DATABASE precious RENAME TO production");
    PGconn *renamed = connect_to(server, "production");
    expect_refused(renamed);
    PQfinish(renamed);
    execute(admin, "ALTER DATABASE production RENAME TO precious");
    PQfinish(admin);
    conn = connect_to(server, "precious");
    expect_accepted(conn);
}

static void something_else_of_that_name_is_no_mark(void **state)
{
    (void)state;
    struct ob_error err;
    execute(conn, "CREATE SCHEMA overbook");
    execute(conn, "CREATE TABLE overbook.disposable (nothing int)");
    assert_int_equal(ob_pg_marker_check(conn, &err), OB_SQL);
    assert_string_equal(err.sqlstate, "42703");
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_IDLE);
}

static void a_view_of_that_name_is_no_mark(void **state)
{
    (void)state;
    struct ob_error err;
    execute(conn, "CREATE SCHEMA overbook");
    execute(conn, "CREATE VIEW overbook.disposable AS SELECT oid AS database_oid,"
                  " datname AS database_name FROM pg_database");
    assert_int_equal(ob_pg_marker_check(conn, &err), OB_REFUSED);
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_IDLE);
}

static void a_template_and_postgres_cannot_be_marked(void **state)
{
    (void)state;
    struct ob_error err;
    static const char *const names[] = {"template1", "postgres"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        PGconn *there = connect_to(server, names[i]);
        assert_int_equal(ob_pg_marker_leave(there, &err), OB_REFUSED);
        assert_non_null(strstr(err.message, names[i]));
        expect_answer(there, "SELECT to_regnamespace('overbook') IS NULL", "t");
        PQfinish(there);
    }
}

static void a_role_that_may_not_mark_gets_the_servers_reason(void **state)
{
    (void)state;
    struct ob_error err;
    execute(conn, "CREATE ROLE nobody_much");
    execute(conn, "SET SESSION AUTHORIZATION nobody_much");
    assert_int_equal(ob_pg_marker_leave(conn, &err), OB_SQL);
    assert_string_equal(err.sqlstate, "42501");
    assert_non_null(strstr(err.detail, "permission denied"));
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_IDLE);
    execute(conn, "RESET SESSION AUTHORIZATION");
    expect_refused(conn);
    execute(conn, "DROP ROLE nobody_much");
}

/* The rights of the role, and that asking for them changes nothing. */
static void expect_rights(const char *role, enum ob_result expected, const char *hint)
{
    struct ob_error err = {.hint = ""};
    char *become = ob_asprintf("SET SESSION AUTHORIZATION %s", role);
    execute(conn, become);
    assert_int_equal(ob_pg_marker_rights(conn, &err), expected);
    assert_int_equal(PQtransactionStatus(conn), PQTRANS_IDLE);
    expect_answer(conn, "SHOW session_replication_role", "origin");
    assert_string_equal(err.hint, hint);
    execute(conn, "RESET SESSION AUTHORIZATION");
    free(become);
}

static void a_role_without_the_rights_is_refused_with_the_statements_that_grant_them(void **state)
{
    (void)state;
    struct ob_error err;
    char name[OB_PG_DATABASE_NAME_SIZE];
    assert_int_equal(ob_pg_marker_rights(conn, &err), OB_OK);
    execute(conn, "CREATE ROLE \"A b\" CREATEDB; CREATE ROLE reader");
    if (PQserverVersion(conn) >= 150000) {
        expect_rights("\"A b\"", OB_REFUSED,
                      "GRANT SET ON PARAMETER session_replication_role TO \"A b\";");
        expect_rights("reader", OB_REFUSED,
                      "ALTER ROLE reader CREATEDB; GRANT SET ON PARAMETER "
                      "session_replication_role TO reader;");
        execute(conn, "GRANT SET ON PARAMETER session_replication_role TO \"A b\", reader");
        expect_rights("\"A b\"", OB_OK, "");
        expect_rights("reader", OB_REFUSED, "ALTER ROLE reader CREATEDB;");
        execute(conn, "REVOKE SET ON PARAMETER session_replication_role FROM \"A b\", reader");
    }
    execute(conn, "SET SESSION AUTHORIZATION reader");
    assert_int_equal(ob_pg_marker_create_from(conn, "template0", name, &err), OB_SQL);
    assert_string_equal(err.sqlstate, "42501");
    execute(conn, "RESET SESSION AUTHORIZATION");
    execute(conn, "DROP ROLE \"A b\"; DROP ROLE reader");
}

static void a_database_of_our_own_is_dropped_whoever_is_in_it(void **state)
{
    (void)state;
    struct ob_error err = {.message = ""};
    char name[OB_PG_DATABASE_NAME_SIZE], another[OB_PG_DATABASE_NAME_SIZE];
    char *expected = ob_asprintf("overbook_%d_1", (int)getpid());
    assert_int_equal(ob_pg_marker_create_from(conn, "template0", name, &err), OB_OK);
    assert_string_equal(name, expected);
    assert_int_equal(ob_pg_marker_create_from(conn, "template0", another, &err), OB_OK);
    assert_string_not_equal(another, name);
    PGconn *inside = connect_to(server, name);
    assert_int_equal(ob_pg_marker_drop(conn, name, &err), OB_OK);
    assert_int_equal(ob_pg_marker_drop(conn, name, &err), OB_OK);
    assert_int_equal(ob_pg_marker_drop(conn, another, &err), OB_OK);
    expect_answer(conn, "SELECT count(*) FROM pg_database WHERE datname LIKE 'overbook\\_%'", "0");
    expect_refused(conn);
    PQfinish(inside);
    free(expected);
}

/* As a kill of its overbook would. */
static void lose_session(PGconn *of)
{
    end_session(conn, of);
    PQfinish(of);
}

static void what_a_dead_overbook_left_is_swept_up_and_nothing_else(void **state)
{
    (void)state;
    struct ob_error err = {.message = ""};
    char left[OB_PG_DATABASE_NAME_SIZE], used[OB_PG_DATABASE_NAME_SIZE];
    char renamed[OB_PG_DATABASE_NAME_SIZE], mine[OB_PG_DATABASE_NAME_SIZE];
    PGconn *other = connect_to(server, "precious");
    assert_int_equal(ob_pg_marker_create_from(other, "template0", left, &err), OB_OK);
    assert_int_equal(ob_pg_marker_create_from(other, "template0", used, &err), OB_OK);
    assert_int_equal(ob_pg_marker_create_from(other, "template0", renamed, &err), OB_OK);
    assert_int_equal(ob_pg_marker_create_from(conn, "template0", mine, &err), OB_OK);
    char *copy = ob_asprintf("CREATE DATABASE overbook_1_2 TEMPLATE %s", left);
    char *rename = ob_asprintf("ALTER DATABASE %s RENAME TO overbook_1_3", renamed);
    execute(conn, copy); /* its table overbook.disposable, and not the comment */
    execute(conn, rename);
    execute(conn, "CREATE DATABASE overbook_1_1");
    assert_int_equal(ob_pg_marker_sweep(conn), 0); /* the other is there */
    lose_session(other);
    PGconn *inside = connect_to(server, used);
    assert_int_equal(ob_pg_marker_sweep(conn), 1);
    assert_int_equal(ob_pg_marker_sweep(conn), 0);
    lose_session(inside);
    assert_int_equal(ob_pg_marker_sweep(conn), 1);
    expect_answer(conn,
                  "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname "
                  "LIKE 'overbook\\_1\\__'",
                  "overbook_1_1 overbook_1_2 overbook_1_3");
    assert_int_equal(ob_pg_marker_drop(conn, mine, &err), OB_OK);
    execute(conn, "DROP DATABASE overbook_1_1");
    execute(conn, "DROP DATABASE overbook_1_2");
    execute(conn, "DROP DATABASE overbook_1_3");
    free(rename);
    free(copy);
}

static void one_with_a_name_of_its_own_is_swept_up_too(void **state)
{
    (void)state;
    struct ob_error err = {.message = ""};
    PGconn *other = connect_to(server, "precious");
    assert_int_equal(ob_pg_marker_create_named(other, "named", &err), OB_OK);
    assert_int_equal(ob_pg_marker_sweep(conn), 0); /* the other is there */
    lose_session(other);
    execute(conn, "ALTER DATABASE named RENAME TO somebodys");
    assert_int_equal(ob_pg_marker_sweep(conn), 0);
    execute(conn, "ALTER DATABASE somebodys RENAME TO named");
    assert_int_equal(ob_pg_marker_sweep(conn), 1);
    expect_answer(conn, "SELECT count(*) FROM pg_database WHERE datname = 'named'", "0");
}

static void prepare_in(const char *name)
{
    PGconn *inside = connect_to(server, name);
    execute(inside, "BEGIN; CREATE TABLE t (n int); PREPARE TRANSACTION 'that''s left'");
    PQfinish(inside);
}

static void a_transaction_that_is_left_prepared_keeps_no_database(void **state)
{
    (void)state;
    struct ob_error err = {.message = ""};
    char name[OB_PG_DATABASE_NAME_SIZE];
    assert_int_equal(ob_pg_marker_create_from(conn, "template0", name, &err), OB_OK);
    prepare_in(name);
    assert_int_equal(ob_pg_marker_drop(conn, name, &err), OB_OK);
    PGconn *other = connect_to(server, "precious");
    assert_int_equal(ob_pg_marker_create_from(other, "template0", name, &err), OB_OK);
    prepare_in(name);
    lose_session(other);
    assert_int_equal(ob_pg_marker_sweep(conn), 1);
    expect_answer(conn, "SELECT count(*) FROM pg_prepared_xacts", "0");
}

static void a_database_that_cannot_be_dropped_is_named(void **state)
{
    (void)state;
    struct ob_error err = {.message = ""};
    execute(conn, "CREATE ROLE nobody_much");
    execute(conn, "SET SESSION AUTHORIZATION nobody_much");
    assert_int_equal(ob_pg_marker_drop(conn, "postgres", &err), OB_SQL);
    assert_non_null(strstr(err.message, "the database \"postgres\" is left"));
    assert_non_null(strstr(err.hint, "DROP DATABASE \"postgres\""));
    execute(conn, "RESET SESSION AUTHORIZATION");
    execute(conn, "DROP ROLE nobody_much");
}

static void the_connection_string_of_another_database_keeps_everything_else(void **state)
{
    (void)state;
    char *text = ob_asprintf("host='%s' user=overbook dbname=precious password='a b\\'c' "
                             "application_name='it\\'s'",
                             ob_pg_server_dir(server));
    PGconn *from = PQconnectdb(text);
    char *conninfo = ob_pg_marker_conninfo(from, "postgres");
    PGconn *to = PQconnectdb(conninfo);
    assert_int_equal(PQstatus(to), CONNECTION_OK);
    expect_answer(to, "SELECT current_database()", "postgres");
    expect_answer(to, "SHOW application_name", "it's");
    assert_string_equal(PQpass(to), "a b'c");
    PQfinish(to);
    PQfinish(from);
    free(conninfo);
    free(text);
}

static void a_lost_connection_is_the_servers_failure(void **state)
{
    (void)state;
    struct ob_error err;
    PGconn *victim = connect_to(server, "precious");
    end_session(conn, victim);
    assert_int_equal(ob_pg_marker_check(victim, &err), OB_SERVER);
    PQfinish(victim);
}

#define WITH_PRECIOUS(test) cmocka_unit_test_setup_teardown(test, make_precious, drop_precious)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PRECIOUS(an_unmarked_database_is_refused_and_untouched),
        WITH_PRECIOUS(a_marked_database_is_accepted_and_its_rows_are_still_there),
        WITH_PRECIOUS(a_mark_taken_back_is_refused_again),
        WITH_PRECIOUS(a_mark_that_came_with_a_template_does_not_count),
        WITH_PRECIOUS(a_renamed_database_has_to_be_marked_again),
        WITH_PRECIOUS(something_else_of_that_name_is_no_mark),
        WITH_PRECIOUS(a_view_of_that_name_is_no_mark),
        WITH_PRECIOUS(a_template_and_postgres_cannot_be_marked),
        WITH_PRECIOUS(a_role_that_may_not_mark_gets_the_servers_reason),
        WITH_PRECIOUS(a_role_without_the_rights_is_refused_with_the_statements_that_grant_them),
        WITH_PRECIOUS(a_database_of_our_own_is_dropped_whoever_is_in_it),
        WITH_PRECIOUS(what_a_dead_overbook_left_is_swept_up_and_nothing_else),
        WITH_PRECIOUS(one_with_a_name_of_its_own_is_swept_up_too),
        WITH_PRECIOUS(a_transaction_that_is_left_prepared_keeps_no_database),
        WITH_PRECIOUS(a_database_that_cannot_be_dropped_is_named),
        WITH_PRECIOUS(the_connection_string_of_another_database_keeps_everything_else),
        WITH_PRECIOUS(a_lost_connection_is_the_servers_failure),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
