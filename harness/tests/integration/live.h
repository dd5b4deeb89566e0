/*
 * live.h - a scene on a live server: a database of its own, a world on it, and clients that follow
 * scripts in SQL.  Whatever goes wrong fails the test.
 */
#ifndef OB_TESTS_LIVE_H
#define OB_TESTS_LIVE_H

#include "pg/server.h"
#include "pg/world.h"
#include "tests/model/golden.h"
#include "tests/model/scene.h"
#include "tests/model/sound.h"

struct ob_live {
    struct ob_pg_world *world;
    struct ob_scene scene;
    struct ob_error err;
    char *conninfo;
};

/* One server for all tests of a program: cmocka's fixture of the group, and what it made. */
int ob_live_start(void **state);
int ob_live_stop(void **state);
struct ob_pg_server *ob_live_server(void);

/* A new database with this schema, which is its clean state; four sessions.  limits may be NULL. */
void ob_live_open(struct ob_live *live, const char *schema, const struct ob_limits *limits);
/* The same, where statements that write stop at gates. */
void ob_live_open_gated(struct ob_live *live, const char *schema);
/* The same as on a server whose processes are somebody else's. */
void ob_live_open_elsewhere(struct ob_live *live, const char *schema);
void ob_live_close(struct ob_live *live);

/* A connection of nobody's to the same database. */
PGconn *ob_live_connect(struct ob_live *live);

/* Runs SQL on the control connection; its first value is in *value when that is not NULL. */
void ob_live_sql(struct ob_live *live, const char *sql, char **value);
void ob_live_expect(struct ob_live *live, const char *sql, const char *value);

/* ob_scene_run() that must not fail, and its trace for reading. */
const char *ob_live_run(struct ob_live *live, const char *clients);

/* The world as a place for golden programs; the engine is the scene's. */
struct ob_golden_place ob_live_golden_place(struct ob_live *live);

/* The comparison of outcomes there, begun. */
struct ob_sound ob_live_sound(struct ob_live *live);

#endif
