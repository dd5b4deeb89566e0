#include "racing.h"

#include "live.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "explore/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || !defined __OPTIMIZE__
#define PART_PERCENT 5
#else
#define PART_PERCENT 100
#endif

static unsigned databases;

uint64_t ob_racing_part(uint64_t runs)
{
    const char *wish = getenv("OVERBOOK_PROOF_PERCENT");
    int64_t percent = PART_PERCENT;
    if (wish && !ob_parse_i64(wish, 1, 1000, &percent))
        fail_msg("OVERBOOK_PROOF_PERCENT is \"%s\", not a number from 1 to 1000", wish);
    uint64_t part = runs * (uint64_t)percent / 100;
    return part > 0 ? part : 1;
}

static void must(enum ob_result result, const struct ob_error *err)
{
    if (result != OB_OK)
        fail_msg("%s\n%s\n%s", err->message, err->detail, err->hint);
}

void ob_racing_builtin(struct ob_scenario_list *list)
{
    const char *const paths[] = {OB_BUILTIN_SCENARIOS};
    struct ob_error err;
    *list = (struct ob_scenario_list){0};
    must(ob_scenario_list_load(paths, 1, list, &err), &err);
}

const struct ob_scenario *ob_racing_find(const struct ob_scenario_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, name) == 0)
            return list->items[i];
    fail_msg("no scenario is called \"%s\"", name);
    return NULL;
}

struct ob_scenario *ob_racing_parse(const char *text)
{
    struct ob_scenario *scenario = NULL;
    struct ob_error err;
    must(ob_scenario_parse("test.yaml", text, strlen(text), &scenario, &err), &err);
    return scenario;
}

static PGconn *connect_to(const char *conninfo)
{
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static void on_server(const char *format, const char *database)
{
    char *conninfo = ob_pg_server_conninfo(ob_live_server(), "postgres");
    PGconn *conn = connect_to(conninfo);
    char sql[96];
    snprintf(sql, sizeof sql, format, database);
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    free(conninfo);
}

void ob_racing_open(struct ob_racing *racing, const struct ob_scenario *scenario, size_t variant,
                    const struct ob_limits *limits)
{
    struct ob_error err;
    *racing = (struct ob_racing){.scenario = scenario, .variant = variant};
    racing->database = ob_asprintf("racing%u", ++databases);
    on_server("CREATE DATABASE %s", racing->database);
    racing->conninfo = ob_pg_server_conninfo(ob_live_server(), racing->database);
    const struct ob_target_options options = {
        .conninfo = racing->conninfo,
        .limits = limits ? *limits : ob_limits_default(),
        .fixed_plans = true,
        .own_server = true,
    };
    must(ob_target_open(scenario, variant, &options, &racing->target, &err), &err);
    racing->rig = ob_target_rig(racing->target);
    racing->conn = connect_to(racing->conninfo);
    ob_trace_init(&racing->trace);
    ob_buf_init(&racing->text, TEXT_MAX);
}

void ob_racing_close(struct ob_racing *racing)
{
    PQfinish(racing->conn);
    ob_target_close(racing->target);
    on_server("DROP DATABASE %s WITH (FORCE)", racing->database);
    ob_trace_clear(&racing->trace);
    ob_buf_clear(&racing->text);
    free(racing->conninfo);
    free(racing->database);
}

void ob_racing_run(struct ob_racing *racing, const struct ob_chooser *chooser)
{
    struct ob_error err;
    must(ob_rig_run(racing->rig, chooser, false, &racing->trace, &racing->outcome, &err), &err);
}

void ob_racing_follow(struct ob_racing *racing, const char *clients, const struct ob_fault *faults,
                      size_t fault_count)
{
    struct ob_schedule schedule = {0};
    for (; *clients; clients++)
        ob_schedule_add_step(&schedule, (size_t)(*clients - '0'));
    for (size_t i = 0; i < fault_count; i++)
        ob_schedule_add_fault(&schedule, faults[i]);
    struct ob_follower follower = {.schedule = &schedule, .prefix = true};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    ob_racing_run(racing, &chooser);
    ob_schedule_clear(&schedule);
}

const char *ob_racing_text(struct ob_racing *racing, bool exact)
{
    ob_buf_reset(&racing->text);
    ob_trace_print(&racing->trace, racing->rig->client_names, exact, &racing->text);
    assert_false(ob_buf_failed(&racing->text));
    return racing->text.data;
}

const char *ob_racing_events(struct ob_racing *racing, const char *kind)
{
    ob_buf_reset(&racing->text);
    for (size_t i = 0; i < racing->trace.event_count; i++) {
        const struct ob_event *event = &racing->trace.events[i];
        if (strcmp(event->kind, kind) != 0)
            continue;
        ob_buf_puts(&racing->text, racing->text.size > 0 ? " " : "");
        ob_buf_puts(&racing->text, event->data);
    }
    return racing->text.size > 0 ? racing->text.data : "";
}

char *ob_racing_value(struct ob_racing *racing, const char *sql)
{
    PGresult *result = PQexec(racing->conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(racing->conn));
    char *value = ob_strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return value;
}

void ob_racing_expect(struct ob_racing *racing, const char *sql, const char *value)
{
    char *found = ob_racing_value(racing, sql);
    assert_string_equal(found, value);
    free(found);
}

void ob_racing_holds(struct ob_racing *racing)
{
    if (racing->trace.end != OB_RUN_FINISHED)
        fail_msg("%s: %s\n%s", ob_run_end_text(racing->trace.end), racing->trace.reason,
                 ob_racing_text(racing, false));
    if (racing->outcome.broken_count > 0)
        fail_msg("%s: %s\n%s", ob_check_name(racing->rig->check, racing->outcome.broken[0].item),
                 racing->outcome.broken[0].rows, ob_racing_text(racing, false));
}
