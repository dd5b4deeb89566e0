/*
 * racing.h - a scenario's variant on a live server, ready to be run; the server is live.h's.
 * Whatever goes wrong fails the test.
 */
#ifndef OB_TESTS_RACING_H
#define OB_TESTS_RACING_H

#include "explore/explore.h"
#include "target/target.h"

#include <libpq-fe.h>

#define OB_BUILTIN_SCENARIOS "scenarios" /* tests run at the root of the source tree */

/* Sanitizers and coverage make everything several times slower: proofs then take a part of their
 * runs.  $OVERBOOK_PROOF_PERCENT wins over that. */
uint64_t ob_racing_part(uint64_t runs);

/* All scenarios that come with overbook; the caller's to clear. */
void ob_racing_builtin(struct ob_scenario_list *list);

/* One of them by its name; NULL fails the test. */
const struct ob_scenario *ob_racing_find(const struct ob_scenario_list *list, const char *name);

/* A scenario from its text; the caller's to free. */
struct ob_scenario *ob_racing_parse(const char *text);

struct ob_racing {
    const struct ob_scenario *scenario; /* borrowed */
    size_t variant;
    struct ob_target *target;
    struct ob_rig *rig;
    PGconn *conn; /* nobody's, to the database that is raced on */
    char *conninfo, *database;
    struct ob_trace trace; /* of the last run */
    struct ob_run_outcome outcome;
    struct ob_buf text;
};

/* In a database of its own.  limits may be NULL. */
void ob_racing_open(struct ob_racing *racing, const struct ob_scenario *scenario, size_t variant,
                    const struct ob_limits *limits);
void ob_racing_close(struct ob_racing *racing);

/* One run. */
void ob_racing_run(struct ob_racing *racing, const struct ob_chooser *chooser);

/* One run in which exactly these faults happen, the first client that can move always moves, and
 * the steps begin with the clients of these numbers ("0110"). */
void ob_racing_follow(struct ob_racing *racing, const char *clients, const struct ob_fault *faults,
                      size_t fault_count);

/* The last run's trace as text; until the next call. */
const char *ob_racing_text(struct ob_racing *racing, bool exact);

/* The data of the history's events of a kind, in their order, joined by a space. */
const char *ob_racing_events(struct ob_racing *racing, const char *kind);

/* The first value of a query, as the run left the database; the caller's to free. */
char *ob_racing_value(struct ob_racing *racing, const char *sql);
void ob_racing_expect(struct ob_racing *racing, const char *sql, const char *value);

/* Fails the test with what the last run broke, if anything, and with its trace. */
void ob_racing_holds(struct ob_racing *racing);

#endif
