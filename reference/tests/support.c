/*
 * support.c - a small world for tests on a server.
 */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include <fiu.h>
#include <fiu-control.h>

#define END_MS_MAX 30000

const char *world_url(void)
{
    const char *url = getenv("DATABASE_URL");

    if (!url)
        fail_msg("run it through reference/tests/with-server");
    return url;
}

struct booking_db *world_connect(void)
{
    struct booking_error err;
    struct booking_db *db = NULL;

    if (booking_db_open(world_url(), &db, &err) != BOOKING_DB_OK)
        fail_msg("%s: %s", err.message, err.detail);
    return db;
}

void world_do(struct world *world, const char *sql)
{
    PGresult *result = PQexec(booking_db_connection(world->plain), sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

void world_end_session(struct world *world)
{
    int pid = PQbackendPID(booking_db_connection(world->inner));
    struct pollfd process = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    char sql[64];

    assert_true(process.fd >= 0);
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", pid);
    world_do(world, sql);
    if (poll(&process, 1, END_MS_MAX) != 1)
        fail_msg("the session's process has not ended within %d ms", END_MS_MAX);
    close(process.fd);
}

void world_text(struct world *world, const char *sql, char *out, size_t size)
{
    PGresult *result = PQexec(booking_db_connection(world->plain), sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    snprintf(out, size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "(no row)");
    PQclear(result);
}

int64_t world_int(struct world *world, const char *sql)
{
    char text[64];

    world_text(world, sql, text, sizeof text);
    return strtoll(text, NULL, 10);
}

static int64_t provider_now(void *clock)
{
    return *(_Atomic int64_t *)clock;
}

static void note_race(void *arg, const char *line)
{
    struct world *world = arg;

    pthread_mutex_lock(&world->mutex);
    world->races_logged++;
    snprintf(world->last_race, sizeof world->last_race, "%s", line);
    pthread_mutex_unlock(&world->mutex);
}

static void set_clock(struct world *world)
{
    char sql[96];

    snprintf(sql, sizeof sql, "SELECT setval('booking.clock', %" PRId64 ")",
             (int64_t)world->now_us);
    world_do(world, sql);
}

void world_advance(struct world *world, int64_t seconds)
{
    world->now_us += seconds * 1000000;
    set_clock(world);
}

static void make_schema(struct world *world, int version, enum booking_path path)
{
    struct booking_error err;

    world_do(world, "SET client_min_messages = error");
    world_do(world, "DROP SCHEMA IF EXISTS booking, booking_archive CASCADE");
    if (!booking_migrate(booking_db_connection(world->plain), version, NULL, NULL, &err))
        fail_msg("%s: %s", err.message, err.detail);
    if (version == 0)
        return;
    world_do(world, booking_sql_virtual_clock());
    world_do(world, booking_sql_seeds());
    set_clock(world);
    if (version >= 6 && path == BOOKING_PATH_FIXED)
        assert_int_equal(booking_flag_set(world->plain, 100, &err), BOOKING_DB_OK);
}

struct world *world_open(int version, enum booking_path path)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    fiu_init(0);
    pthread_mutex_init(&world->mutex, NULL);
    world->now_us = WORLD_START_US;
    world->plain = world_connect();
    world->inner = world_connect();
    make_schema(world, version, path);
    booking_db_faulty_init(&world->faulty, world->inner);
    world->session = &world->faulty.db;
    world->psp = booking_psp_new(&(struct booking_psp_options){
        .secret = WORLD_SECRET, .now_us = provider_now, .clock = &world->now_us});
    world->monitor = booking_monitor_new(note_race, world);
    assert_non_null(world->monitor);
    booking_app_init(&world->app, booking_psp_payments(world->psp), world->monitor, WORLD_SECRET);
    world->app.pause_us = 50;
    return world;
}

static void disable_faults(void)
{
    for (int fault = 0; fault < BOOKING_FAULT_COUNT; fault++)
        fiu_disable(booking_fault_point((enum booking_fault)fault));
}

void world_reset(struct world *world)
{
    disable_faults();
    world_do(world, "TRUNCATE booking.temp_booking, booking.booking, booking.outbox,"
                    " booking.transition, booking.event, booking.refund, booking.manual_case,"
                    " booking.unmatched RESTART IDENTITY CASCADE");
    booking_psp_reset(world->psp);
    booking_monitor_reset(world->monitor);
    world->now_us = WORLD_START_US;
    world->races_logged = 0;
    set_clock(world);
}

void world_close(struct world *world)
{
    disable_faults();
    booking_psp_free(world->psp);
    booking_monitor_free(world->monitor);
    booking_db_close(world->inner);
    booking_db_close(world->plain);
    pthread_mutex_destroy(&world->mutex);
    free(world);
}

int world_setup(void **state)
{
    *state = world_open(BOOKING_SCHEMA_LATEST, BOOKING_PATH_FIXED);
    return 0;
}

int world_teardown(void **state)
{
    world_close(*state);
    return 0;
}

enum booking_status world_hold(struct world *world, const char *customer, int from, int to)
{
    char start[32], end[32];
    struct booking_slot_request request = {
        .customer = customer, .simulator_id = 1, .start = start, .end = end};

    snprintf(start, sizeof start, "2026-06-01 %02d:00", from);
    snprintf(end, sizeof end, "2026-06-01 %02d:00", to);
    return booking_hold(&world->app, world->session, &request, &world->answer);
}

enum booking_status world_pay(struct world *world, const char *customer, int64_t hold_id)
{
    struct booking_hold_ref request = {.customer = customer, .hold_id = hold_id};

    return booking_pay(&world->app, world->session, &request, &world->answer);
}

enum booking_status world_return(struct world *world, const char *customer, const char *payment_id)
{
    struct booking_return_request request = {.customer = customer, .payment_id = payment_id};

    return booking_return(&world->app, world->session, &request, &world->answer);
}

enum booking_status world_cancel(struct world *world, const char *customer, int64_t hold_id)
{
    struct booking_hold_ref request = {.customer = customer, .hold_id = hold_id};

    return booking_cancel(&world->app, world->session, &request, &world->answer);
}

enum booking_status world_clean(struct world *world)
{
    return booking_cleanup(&world->app, world->session, &world->answer);
}

enum booking_status world_deliver(struct world *world)
{
    struct booking_delivery delivery;
    struct booking_webhook_request request;

    assert_true(booking_psp_take(world->psp, &delivery));
    request = (struct booking_webhook_request){
        .body = delivery.body, .body_size = delivery.body_size, .signature = delivery.signature};
    booking_webhook(&world->app, world->session, &request, &world->answer);
    booking_psp_delivered(world->psp, delivery.id, booking_status_http(world->answer.status));
    return world->answer.status;
}

int world_deliver_all(struct world *world)
{
    int64_t due_us;
    int count = 0;

    while ((due_us = booking_psp_next_due_us(world->psp)) >= 0) {
        if (due_us > world->now_us)
            world_advance(world, (due_us - world->now_us + 999999) / 1000000);
        world_deliver(world);
        count++;
    }
    return count;
}

int64_t world_paid(struct world *world, const char *customer)
{
    int64_t hold_id;

    assert_int_equal(world_hold(world, customer, 10, 11), BOOKING_OK);
    hold_id = world->answer.hold_id;
    assert_int_equal(world_pay(world, customer, hold_id), BOOKING_OK);
    return hold_id;
}

void world_emit(struct world *world, const char *type, const char *payment_id, const char *customer,
                int64_t hold_id, int64_t amount_minor)
{
    struct booking_event_facts facts = {.type = type,
                                        .payment_id = payment_id,
                                        .customer = customer,
                                        .currency = "EUR",
                                        .hold_id = hold_id,
                                        .amount_minor = amount_minor};

    booking_psp_emit(world->psp, &facts);
}

uint64_t world_count(struct world *world, enum booking_counter counter)
{
    return booking_monitor_get(world->monitor, counter);
}

/* Hits to let pass before the point fails; the tests that use it have one thread at it. */
static int hits_left;

static int fail_at_hit(const char *name, int *failnum, void **failinfo, unsigned int *flags)
{
    (void)name;
    (void)failnum;
    (void)failinfo;
    (void)flags;
    return hits_left-- == 0;
}

void world_fault(enum booking_fault fault, int failnum, int hits_before)
{
    hits_left = hits_before;
    fiu_disable(booking_fault_point(fault)); /* libfiu leaks one that is enabled again */
    fiu_enable_external(booking_fault_point(fault), failnum, NULL, 0, fail_at_hit);
}

/* Each query returns offending rows. */
static const char *const invariants[] = {
    /* no overlap */
    "WITH claim AS (SELECT 'b' || id AS name, hold_id, simulator_id, during FROM booking.booking"
    " WHERE status = 'CONFIRMED' UNION ALL SELECT 'h' || id, id, simulator_id, during"
    " FROM booking.temp_booking WHERE status = 'RESERVED' AND expires_at > booking.now())"
    " SELECT 'overlap ' || a.name || ' ' || b.name FROM claim a JOIN claim b"
    " ON a.name < b.name AND a.simulator_id = b.simulator_id AND a.during && b.during",
    /* one booking for a payment and for a hold */
    "SELECT 'payment twice ' || payment_id FROM booking.booking GROUP BY payment_id"
    " HAVING count(*) > 1",
    "SELECT 'hold twice ' || hold_id FROM booking.booking GROUP BY hold_id HAVING count(*) > 1",
    /* a live booking has a confirmed hold, its customer and its payment */
    "SELECT 'booking ' || b.id FROM booking.booking b JOIN booking.temp_booking h"
    " ON h.id = b.hold_id WHERE b.status = 'CONFIRMED' AND (h.status <> 'CONFIRMED'"
    " OR h.customer_id <> b.customer_id OR h.payment_id IS DISTINCT FROM b.payment_id)",
    "SELECT 'confirmed without booking ' || h.id FROM booking.temp_booking h"
    " WHERE h.status = 'CONFIRMED' AND NOT EXISTS (SELECT FROM booking.booking b"
    " WHERE b.hold_id = h.id AND b.status = 'CONFIRMED')",
    /* legal transitions, confirmed only in time */
    "SELECT 'transition ' || hold_id || ': ' || from_status || ' to ' || to_status"
    " FROM booking.transition WHERE from_status IS NOT NULL"
    " AND (from_status, to_status) NOT IN (('RESERVED', 'CONFIRMED'), ('RESERVED', 'EXPIRED'),"
    " ('RESERVED', 'CANCELLED'), ('EXPIRED', 'RESERVED'), ('EXPIRED', 'REFUNDED'),"
    " ('CONFIRMED', 'CANCELLED'), ('CANCELLED', 'REFUNDED'))",
    "SELECT 'confirmed late ' || hold_id FROM booking.transition"
    " WHERE to_status = 'CONFIRMED' AND at >= expires_at",
    /* one mail for one transition */
    "SELECT 'mails ' || hold_id || ' ' || kind FROM booking.outbox GROUP BY hold_id, kind"
    " HAVING count(*) > 1",
};

static int count_rows(struct world *world, const char *sql)
{
    PGresult *result = PQexec(booking_db_connection(world->plain), sql);
    int rows = PQntuples(result);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    for (int i = 0; i < rows; i++)
        print_message("violated: %s\n", PQgetvalue(result, i, 0));
    PQclear(result);
    return rows;
}

/* The ends that the database knows for a captured payment: bookings, full refunds, open cases. */
static int64_t count_ends(struct world *world, const char *payment_id, int64_t refunded_minor)
{
    char sql[512];

    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM booking.booking WHERE payment_id = '%s'"
             " AND status = 'CONFIRMED') + (SELECT count(*) FROM booking.manual_case"
             " WHERE payment_id = '%s' AND status = 'OPEN')",
             payment_id, payment_id);
    return world_int(world, sql) + (refunded_minor > 0);
}

/* Each captured payment has one end, and refunds are whole. */
static int count_unsettled(struct world *world)
{
    struct booking_payments *port = booking_psp_payments(world->psp);
    struct booking_ledger_entry entry;
    struct booking_payment payment;
    int unsettled = 0;

    for (size_t i = 0; booking_psp_ledger_get(world->psp, i, &entry); i++) {
        if (entry.kind != BOOKING_LEDGER_CAPTURE)
            continue;
        assert_int_equal(port->ops->lookup(port, entry.payment_id, &payment), BOOKING_PAYMENTS_OK);
        if (count_ends(world, payment.id, payment.refunded_minor) == 1 &&
            (payment.refunded_minor == 0 || payment.refunded_minor == payment.captured_minor))
            continue;
        print_message("violated: %s is not settled in one way\n", payment.id);
        unsettled++;
    }
    return unsettled;
}

int world_violations(struct world *world)
{
    int violations = count_unsettled(world);

    for (size_t i = 0; i < sizeof invariants / sizeof *invariants; i++)
        violations += count_rows(world, invariants[i]);
    return violations;
}
