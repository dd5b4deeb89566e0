/*
 * database.h - where databases to be wiped come from: the embedded server, or a server of the
 * user's on which overbook makes databases of its own.
 */
#ifndef OB_CLI_DATABASE_H
#define OB_CLI_DATABASE_H

#include "cli/cli.h"

struct ob_server;

/* Opens before any thread is started, and catches signals from then on; with the embedded server
 * they are caught while it starts too: ask ob_cli_interrupted() afterwards.  OB_REFUSED: the
 * database of the URL is not marked as disposable. */
OB_MUSTCHECK enum ob_result ob_server_open(const struct ob_options *options, struct ob_server **out,
                                           struct ob_error *err);
void ob_server_close(struct ob_server *server); /* NULL is legal */

/* The two halves of it, for workers: what is done once, which for an embedded server is nothing;
 * and then, for each, a server or a session of its own.  Neither catches signals. */
OB_MUSTCHECK enum ob_result ob_server_prepare(const struct ob_options *options,
                                              struct ob_error *err);
OB_MUSTCHECK enum ob_result ob_server_join(const struct ob_options *options, struct ob_server **out,
                                           struct ob_error *err);

bool ob_server_embedded(const struct ob_server *server);
const char *ob_server_version(const struct ob_server *server); /* "15.18" */
unsigned ob_server_version_number(const struct ob_server *server);

/* An empty database, by this name where one is given (NULL: any; OB_REFUSED: there is one);
 * *conninfo is the caller's to free.  Only one at a time. */
OB_MUSTCHECK enum ob_result ob_server_create_database(struct ob_server *server, const char *name,
                                                      char **conninfo, struct ob_error *err);
/* What fills an empty database. */
typedef enum ob_result ob_server_fill(void *arg, const char *conninfo, struct ob_error *err);

/* On the embedded server: as ob_server_create_database, and filled.  That is done once for each
 * schema (a name, copied), in a database that is copied from then on, which takes a fraction of the
 * time. */
OB_MUSTCHECK enum ob_result ob_server_create_filled(struct ob_server *server, const char *schema,
                                                    ob_server_fill *fill, void *arg,
                                                    char **conninfo, struct ob_error *err);
/* Drops it again, whoever is still connected.  result and *err are how the work in it ended: they
 * are returned as they are when it failed (as OB_SERVER when the server has gone meanwhile), and
 * else it is the drop's own failure. */
OB_MUSTCHECK enum ob_result ob_server_drop_database(struct ob_server *server, enum ob_result result,
                                                    struct ob_error *err);

#endif
