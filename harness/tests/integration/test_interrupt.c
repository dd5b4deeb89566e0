/* Interrupting what is waited for on a live server. */
#include "live.h"

#include "pg/interrupt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* A line of the process's status: the signals that it has not taken yet, in hexadecimal. */
static bool is_pending(int pid, int signal)
{
    char path[64], line[256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned long long set;
        if (sscanf(line, "ShdPnd: %llx", &set) == 1)
            found = set & (1ULL << (signal - 1));
    }
    assert_int_equal(fclose(file), 0);
    return found;
}

/* The server's process takes the cancel request before it has read the statement, and so ignores
 * it. */
static void *go_on_once_cancelled(void *arg)
{
    const int *pid = arg;
    while (!is_pending(*pid, SIGINT))
        continue;
    assert_int_equal(kill(*pid, SIGCONT), 0);
    return NULL;
}

static void a_statement_is_cancelled_that_had_not_begun_when_it_was_first(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, "CREATE TABLE room (n int)", NULL);
    PGconn *conn = ob_live_connect(&live);
    int pid = PQbackendPID(conn);
    pthread_t thread;
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(pthread_create(&thread, NULL, go_on_once_cancelled, &pid), 0);
    ob_pg_interrupt(); /* from here on, for the whole process */
    PGresult *result = ob_pg_wait_exec(conn, "SELECT pg_sleep(1000)");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014");
    PQclear(result);
    PQfinish(conn);
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_is_cancelled_that_had_not_begun_when_it_was_first),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
