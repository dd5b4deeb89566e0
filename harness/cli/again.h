/*
 * again.h - recorded runs, each with the target that it is of: what replay and shrink have in
 * common.
 */
#ifndef OB_CLI_AGAIN_H
#define OB_CLI_AGAIN_H

#include "cli/cli.h"
#include "cli/database.h"
#include "cli/tokens.h"
#include "lanes.h"
#include "report.h"
#include "repro/token.h"
#include "scenario/scenario.h"
#include "target/target.h"

#include <jansson.h>

struct ob_again_run;
typedef enum ob_result ob_again_body(void *arg, const struct ob_again_run *run,
                                     struct ob_error *err);

struct ob_again {
    const struct ob_options *options; /* borrowed */
    bool smallest; /* of a result the smallest runs are made again, not those that were found */
    ob_again_body *after; /* called for each run when its database is gone; NULL: nothing is */
    struct ob_scenario_list list;
    struct ob_tokens tokens;
    struct ob_server *server; /* from the first run on */
    struct ob_script *script; /* borrowed: filled with what is run; NULL: not wanted */
    bool stuck;
};

/* A run that is to be made again, in a database of its own. */
struct ob_again_run {
    const struct ob_token_text *text;
    const struct ob_record *record; /* the text's run, or the whole one */
    const struct ob_token *token;
    bool changed; /* the scenario is not the one that it was recorded of, but one of its name */
    const struct ob_scenario *scenario;
    struct ob_target *target; /* NULL when it is gone */
    struct ob_server *server;
};

/* Reads the token or result that is named first, and the scenarios that are named after it, or else
 * those that the result names, or else the built-in ones.  *self is to be closed in any case. */
OB_MUSTCHECK enum ob_result ob_again_open(struct ob_again *self, const struct ob_options *options,
                                          bool smallest, struct ob_error *err);
/* In their order, until one fails or the user interrupts. */
OB_MUSTCHECK enum ob_result ob_again_each(struct ob_again *self, ob_again_body *body, void *arg,
                                          struct ob_error *err);
/* Tells the error, if result is one, and gives the exit status; after OB_STUCK it ends the process
 * itself. */
int ob_again_close(struct ob_again *self, enum ob_result result, bool inconclusive,
                   const struct ob_error *err);

/* Steps that are marked where a run is drawn (reports/lanes.h). */
struct ob_again_marks {
    size_t first, second, other;
};

/* For what is drawn on standard output: as wide as the terminal or $COLUMNS, whole where there is
 * neither, with no step marked. */
struct ob_lanes_options ob_again_drawing(const struct ob_options *options);

/* Appends a run of the rig's, drawn, or with -v as text with all that is compared; and what it
 * leaves out. */
void ob_again_put_run(const struct ob_options *options, const struct ob_rig *rig,
                      const struct ob_trace *trace, const struct ob_again_marks *marks,
                      struct ob_buf *out);

/* Writes {"overbook": version, key: results} to the path, "-" being standard output; results are
 * borrowed. */
OB_MUSTCHECK enum ob_result ob_again_write(const char *path, const char *key, json_t *results,
                                           struct ob_error *err);

#endif
