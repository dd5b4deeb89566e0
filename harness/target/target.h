/*
 * target.h - what is tested: a scenario's variant, installed in a database of its own and ready to
 * be run.
 *
 * A target puts the pieces together: the world (sessions on the database), the engine, the checks,
 * the faults, and for each client the code that it runs.  What it hands out is a rig, on which
 * explorations and replays work.
 */
#ifndef OB_TARGET_TARGET_H
#define OB_TARGET_TARGET_H

#include "base/error.h"
#include "explore/rig.h"
#include "scenario/scenario.h"
#include "target/script.h"

struct ob_target;

struct ob_target_options {
    const char *conninfo; /* of a database that may be filled and wiped; empty but for the schema */
    struct ob_limits limits;
    const unsigned *fault_budget;         /* NULL: the scenario's */
    bool fixed_plans, own_server, learns; /* pg/world.h */
    bool has_schema;                      /* the database has been through ob_target_fill */
    const char *setting;                  /* of the clients' sessions (pg/setting.h); NULL: none */
    struct ob_script *script; /* filled while the target is opened and runs; NULL: not wanted */
};

/* The name of the schema that the variant begins with, where others may begin with the same;
 * NULL: it has none of that kind. */
const char *ob_target_schema(const struct ob_scenario *scenario, size_t variant);

/* Fills an empty database with it. */
OB_MUSTCHECK enum ob_result ob_target_fill(const struct ob_scenario *scenario, size_t variant,
                                           const char *conninfo, struct ob_error *err);

/* Installs the variant and does what the scenario gives as done.  The scenario is borrowed for the
 * target's life.  OB_INPUT: the scenario asks for what this target cannot do; OB_SQL: its own SQL
 * failed. */
OB_MUSTCHECK enum ob_result ob_target_open(const struct ob_scenario *scenario, size_t variant,
                                           const struct ob_target_options *options,
                                           struct ob_target **out, struct ob_error *err);
void ob_target_close(struct ob_target *target); /* NULL is legal */

struct ob_rig *ob_target_rig(struct ob_target *target);

/* The database that is raced on, for who looks into it between two steps (pg/world.h). */
struct ob_pg_world;
struct ob_pg_world *ob_target_world(struct ob_target *target);

/* Asks the target's database, outside of all clients. */
struct ob_query_port ob_target_query(const struct ob_target *target);

/* Whether deadlock victims are in overbook's hands on this server. */
bool ob_target_controls_deadlock(const struct ob_target *target);

/* Whether the server has the probe: now() says the virtual time, and what statements touch is told
 * where that is wanted. */
bool ob_target_has_probe(const struct ob_target *target);

#endif
