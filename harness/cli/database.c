#include "cli/database.h"

#include "base/alloc.h"
#include "pg/find.h"
#include "pg/marker.h"
#include "pg/server.h"
#include "pg/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMAS_MAX 4

/* A database that is only copied from. */
struct schema {
    char *name; /* owned */
    char database[OB_PG_DATABASE_NAME_SIZE];
};

struct ob_server {
    struct ob_pg_server *embedded;           /* owned; NULL: a server of the user's */
    PGconn *conn;                            /* owned; to the URL's database, or to "postgres" */
    char database[OB_PG_DATABASE_NAME_SIZE]; /* "": none at present */
    char *version;                           /* owned */
    struct schema schemas[SCHEMAS_MAX];      /* embedded */
    size_t schema_count;
};

static enum ob_result connect_server(struct ob_server *server, const char *conninfo,
                                     struct ob_error *err)
{
    const char *const keywords[] = {"dbname", "fallback_application_name", NULL};
    const char *const values[] = {conninfo, "overbook", NULL};
    server->conn = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(server->conn) != CONNECTION_OK) {
        ob_error_set(err, OB_SERVER, "could not connect to the database");
        ob_error_detail(err, "%s", PQerrorMessage(server->conn));
        ob_error_hint(err,
                      "Is the server there, does it let you in, and has it a free connection?");
        return OB_SERVER;
    }
    const char *version = PQparameterStatus(server->conn, "server_version");
    server->version = ob_strdup(version ? version : "unknown");
    server->version[strcspn(server->version, " ")] = '\0'; /* without the packager's own */
    return OB_OK;
}

/* Nothing is changed on a server before all that could be refused has been asked. */
static enum ob_result prepare_users(PGconn *conn, bool disposable, struct ob_error *err)
{
    enum ob_result result =
        disposable ? ob_pg_marker_allowed(conn, err) : ob_pg_marker_check(conn, err);
    if (result == OB_OK)
        result = ob_pg_marker_rights(conn, err);
    if (result == OB_OK && disposable)
        result = ob_pg_marker_leave(conn, err);
    if (result != OB_OK)
        return result;
    size_t swept = ob_pg_marker_sweep(conn);
    if (swept > 0)
        fprintf(stderr, "overbook: dropped %zu database%s that a killed run had left\n", swept,
                swept == 1 ? "" : "s");
    return OB_OK;
}

enum ob_result ob_server_prepare(const struct ob_options *options, struct ob_error *err)
{
    if (!options->database_url)
        return OB_OK;
    struct ob_server server = {0};
    enum ob_result result = connect_server(&server, options->database_url, err);
    if (result == OB_OK)
        result = ob_pg_find_recent(PQserverVersion(server.conn), server.version, err);
    if (result == OB_OK)
        result = prepare_users(server.conn, options->disposable, err);
    PQfinish(server.conn);
    free(server.version);
    return result;
}

static enum ob_result open_embedded(struct ob_server *server, struct ob_error *err)
{
    enum ob_result result = ob_pg_server_open(NULL, &server->embedded, err);
    if (result != OB_OK)
        return result;
    char *conninfo = ob_pg_server_conninfo(server->embedded, "postgres");
    result = connect_server(server, conninfo, err);
    free(conninfo);
    return result;
}

enum ob_result ob_server_join(const struct ob_options *options, struct ob_server **out,
                              struct ob_error *err)
{
    struct ob_server *server = ob_alloc(sizeof *server);
    enum ob_result result = options->database_url
                                ? connect_server(server, options->database_url, err)
                                : open_embedded(server, err);
    if (result != OB_OK) {
        ob_server_close(server);
        return result;
    }
    *out = server;
    return OB_OK;
}

/* An embedded server that is on its way up is brought up and taken down again.  One of the user's
 * may never answer, and nothing has been made yet. */
enum ob_result ob_server_open(const struct ob_options *options, struct ob_server **out,
                              struct ob_error *err)
{
    if (!options->database_url)
        ob_cli_catch_signals();
    enum ob_result result = ob_server_prepare(options, err);
    if (result == OB_OK)
        result = ob_server_join(options, out, err);
    if (result == OB_OK && options->database_url)
        ob_cli_catch_signals();
    return result;
}

void ob_server_close(struct ob_server *server)
{
    if (!server)
        return;
    PQfinish(server->conn);
    (void)ob_pg_server_close(server->embedded); /* what is left is swept away at the next start */
    for (size_t i = 0; i < server->schema_count; i++)
        free(server->schemas[i].name);
    free(server->version);
    free(server);
}

bool ob_server_embedded(const struct ob_server *server)
{
    return server->embedded != NULL;
}

const char *ob_server_version(const struct ob_server *server)
{
    return server->version;
}

unsigned ob_server_version_number(const struct ob_server *server)
{
    return (unsigned)PQserverVersion(server->conn);
}

/* Whatever failed while the server went away failed because of that; the embedded one's log has
 * gone with it. */
static enum ob_result blame_server(const struct ob_server *server, struct ob_error *err)
{
    if (server->embedded)
        ob_error_hint(err, "The embedded server has ended.  Was it killed, or out of memory?");
    return err->code = OB_SERVER;
}

static enum ob_result tell_of_database(const struct ob_server *server, enum ob_result result,
                                       char **conninfo, struct ob_error *err)
{
    if (result == OB_OK)
        *conninfo = ob_pg_marker_conninfo(server->conn, server->database);
    else if (result == OB_SERVER)
        result = blame_server(server, err);
    return result;
}

static enum ob_result fill_new(struct ob_server *server, const char *schema, ob_server_fill *fill,
                               void *arg, struct ob_error *err)
{
    struct schema *added = &server->schemas[server->schema_count];
    enum ob_result result =
        ob_pg_marker_create_from(server->conn, "template0", added->database, err);
    if (result != OB_OK)
        return result;
    char *conninfo = ob_pg_marker_conninfo(server->conn, added->database);
    result = fill(arg, conninfo, err);
    free(conninfo);
    if (result != OB_OK)
        return result; /* it goes with the server */
    added->name = ob_strdup(schema);
    server->schema_count++;
    return OB_OK;
}

static const char *find_schema(const struct ob_server *server, const char *name)
{
    for (size_t i = 0; i < server->schema_count; i++)
        if (strcmp(server->schemas[i].name, name) == 0)
            return server->schemas[i].database;
    return NULL;
}

enum ob_result ob_server_create_filled(struct ob_server *server, const char *schema,
                                       ob_server_fill *fill, void *arg, char **conninfo,
                                       struct ob_error *err)
{
    enum ob_result result = OB_OK;
    assert(server->embedded && server->database[0] == '\0');
    if (!find_schema(server, schema)) {
        assert(server->schema_count < SCHEMAS_MAX);
        result = fill_new(server, schema, fill, arg, err);
    }
    if (result == OB_OK)
        result = ob_pg_marker_create_from(server->conn, find_schema(server, schema),
                                          server->database, err);
    return tell_of_database(server, result, conninfo, err);
}

/* The first session in a database writes a file that the next ones begin with, and which is copied
 * with the others. */
static enum ob_result visit(void *arg, const char *conninfo, struct ob_error *err)
{
    (void)arg;
    PGconn *conn = PQconnectdb(conninfo);
    enum ob_result result = OB_OK;
    if (PQstatus(conn) != CONNECTION_OK) {
        result = ob_error_set(err, OB_SERVER, "could not connect to the database");
        ob_error_detail(err, "%s", PQerrorMessage(conn));
    }
    PQfinish(conn);
    return result;
}

enum ob_result ob_server_create_database(struct ob_server *server, const char *name,
                                         char **conninfo, struct ob_error *err)
{
    assert(server->database[0] == '\0');
    if (server->embedded && !name)
        return ob_server_create_filled(server, "", visit, NULL, conninfo, err);
    enum ob_result result =
        name ? ob_pg_marker_create_named(server->conn, name, err)
             : ob_pg_marker_create_from(server->conn, "template0", server->database, err);
    if (result == OB_OK && name)
        snprintf(server->database, sizeof server->database, "%s", name);
    return tell_of_database(server, result, conninfo, err);
}

enum ob_result ob_server_drop_database(struct ob_server *server, enum ob_result result,
                                       struct ob_error *err)
{
    assert(server->database[0] != '\0');
    struct ob_error dropping;
    enum ob_result dropped = ob_pg_marker_drop(server->conn, server->database, &dropping);
    if (dropped != OB_OK && PQstatus(server->conn) != CONNECTION_OK) {
        PQreset(server->conn); /* the session may be gone, and the server still be there */
        dropped = ob_pg_marker_drop(server->conn, server->database, &dropping);
    }
    server->database[0] = '\0';
    if (dropped == OB_SERVER && result != OB_OK && result != OB_STUCK)
        result = blame_server(server, err);
    if (dropped == OB_OK || server->embedded)
        return result;
    if (result != OB_OK) {
        ob_error_hint(err, "%s", dropping.hint);
        return result;
    }
    *err = dropping;
    return dropped;
}
