#include "live.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define LIVE_SESSIONS 4

static struct ob_pg_server *server;
static unsigned databases;

int ob_live_start(void **state)
{
    (void)state;
    struct ob_error err;
    if (ob_pg_server_open(NULL, &server, &err) == OB_OK)
        return 0;
    print_error("%s\n%s\n%s\n", err.message, err.detail, err.hint);
    return -1;
}

int ob_live_stop(void **state)
{
    (void)state;
    return ob_pg_server_close(server) ? 0 : -1;
}

struct ob_pg_server *ob_live_server(void)
{
    return server;
}

static void must(enum ob_result result, const struct ob_error *err)
{
    if (result != OB_OK)
        fail_msg("%s\n%s\n%s", err->message, err->detail, err->hint);
}

static void sql_on(PGconn *conn, const char *sql, char **value)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    if (value)
        *value = ob_strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
}

static char *new_database(void)
{
    char *conninfo = ob_pg_server_conninfo(server, "postgres");
    PGconn *conn = PQconnectdb(conninfo);
    free(conninfo);
    char name[32], sql[64];
    snprintf(name, sizeof name, "live%u", ++databases);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", name);
    sql_on(conn, sql, NULL);
    PQfinish(conn);
    return ob_pg_server_conninfo(server, name);
}

static enum ob_result reset(void *self, struct ob_error *err)
{
    return ob_pg_world_reset(self, 0, err);
}

static enum ob_result digest(void *self, uint64_t *out, struct ob_error *err)
{
    return ob_pg_world_digest(self, out, err);
}

static void release(void *native)
{
    PQclear(native);
}

static int64_t first_number(const void *native)
{
    return PQntuples(native) > 0 ? strtoll(PQgetvalue(native, 0, 0), NULL, 10) : 0;
}

static void open_world(struct ob_live *live, const char *schema, const struct ob_limits *limits,
                       struct ob_pg_world_options options)
{
    *live = (struct ob_live){0};
    live->conninfo = new_database();
    options.conninfo = live->conninfo;
    options.session_count = LIVE_SESSIONS;
    options.learns = true;
    must(ob_pg_world_open(&options, &live->world, &live->err), &live->err);
    sql_on(ob_pg_world_control(live->world), schema, NULL);
    must(ob_pg_world_ready(live->world, &live->err), &live->err);
    struct ob_scene_place place = {.self = live->world, .reset = reset, .release = release};
    struct ob_ports ports = ob_pg_world_ports(live->world);
    ob_scene_open_at(&live->scene, place, &ports, limits);
}

void ob_live_open(struct ob_live *live, const char *schema, const struct ob_limits *limits)
{
    open_world(live, schema, limits, (struct ob_pg_world_options){.own_server = true});
}

void ob_live_open_gated(struct ob_live *live, const char *schema)
{
    open_world(live, schema, NULL, (struct ob_pg_world_options){.own_server = true, .gates = true});
    live->scene.spec.gates = true;
}

void ob_live_open_elsewhere(struct ob_live *live, const char *schema)
{
    open_world(live, schema, NULL, (struct ob_pg_world_options){.own_server = false});
}

void ob_live_close(struct ob_live *live)
{
    ob_scene_close(&live->scene);
    ob_pg_world_close(live->world);
    free(live->conninfo);
}

PGconn *ob_live_connect(struct ob_live *live)
{
    PGconn *conn = PQconnectdb(live->conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

void ob_live_sql(struct ob_live *live, const char *sql, char **value)
{
    sql_on(ob_pg_world_control(live->world), sql, value);
}

void ob_live_expect(struct ob_live *live, const char *sql, const char *value)
{
    char *found = NULL;
    ob_live_sql(live, sql, &found);
    assert_string_equal(found, value);
    free(found);
}

const char *ob_live_run(struct ob_live *live, const char *clients)
{
    must(ob_scene_run(&live->scene, clients), &live->scene.err);
    return ob_scene_text(&live->scene, false);
}

static uint64_t sure_digest(void *self)
{
    uint64_t out;
    struct ob_error err;
    if (digest(self, &out, &err) != OB_OK)
        fail_msg("%s %s", err.message, err.detail);
    return out;
}

struct ob_sound ob_live_sound(struct ob_live *live)
{
    struct ob_sound sound = {
        .scene = &live->scene, .self = live->world, .digest = sure_digest, .runs_max = 3000};
    ob_sound_begin(&sound);
    return sound;
}

struct ob_golden_place ob_live_golden_place(struct ob_live *live)
{
    return (struct ob_golden_place){
        .engine = live->scene.engine,
        .self = live->world,
        .sql = true,
        .reset = reset,
        .digest = digest,
        .value = first_number,
        .free_result = release,
    };
}
