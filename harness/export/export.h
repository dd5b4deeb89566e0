/*
 * export.h - a run that breaks an invariant, as something that other tools can run.
 *
 * What the clients really sent, statement by statement, with literals in the places of parameters;
 * before it the setup, after it the query that shows the offending rows.  What happens outside the
 * database is a remark.  A run in which something decides that no other tool can arrange is
 * refused.
 */
#ifndef OB_EXPORT_EXPORT_H
#define OB_EXPORT_EXPORT_H

#include "base/buf.h"
#include "base/error.h"
#include "engine/trace.h"
#include "scenario/scenario.h"
#include "target/script.h"

struct ob_export_step {
    size_t session;
    const char *name; /* unique */
    const char *sql;
    const char *remark; /* what happened outside of the database before it; NULL: nothing */
    /* How it went. */
    bool waits; /* for a lock */
    bool dies;  /* it closes a cycle of waits */
    size_t end; /* the step in whose course it was answered; SIZE_MAX: never */
    char sqlstate[6];
    uint32_t row_count;
    uint64_t digest;
    bool known; /* the above; false for steps that the run did not have */
};

struct ob_export_session {
    const char *name;
    const char *setup; /* statements */
};

struct ob_export {
    struct ob_arena arena; /* of all texts */
    const char *scenario, *variant, *about, *invariant, *token;
    const char *rows;    /* what offends, as it was found */
    const char **setups; /* each of any number of statements */
    size_t setup_count;
    const char *teardown;               /* drops what is there after the run; NULL: not known */
    struct ob_export_session *sessions; /* the last one asks for the offending rows */
    size_t session_count;
    struct ob_export_step *steps;
    size_t step_count, step_capacity;
    size_t check;       /* the step that asks */
    bool reads_history; /* it looks at what the clients were told in this very run */
};

struct ob_export_source {
    const struct ob_scenario *scenario;
    size_t variant;
    const char *token;
    const struct ob_trace *trace; /* of the run */
    const struct ob_script *script;
    const char *const *client_names;
    size_t client_count;
    size_t item; /* the invariant that it breaks */
    const struct ob_broken *broken;
};

/* Texts are copied.  OB_INPUT: something in the run cannot be taken elsewhere; message, detail and
 * hint say what, where and what to do. The export is the caller's to clear, on OB_OK only. */
OB_MUSTCHECK enum ob_result ob_export_make(const struct ob_export_source *source,
                                           struct ob_export *out, struct ob_error *err);
void ob_export_clear(struct ob_export *export);

/* Appends an isolation spec, for PostgreSQL's isolationtester.  OB_INPUT: its text cannot be
 * written without a "}" in the SQL. */
OB_MUSTCHECK enum ob_result ob_export_spec(const struct ob_export *export, struct ob_buf *out,
                                           struct ob_error *err);

/* Appends parts to paste into psql, each with the window that it is for. */
OB_MUSTCHECK enum ob_result ob_export_psql(const struct ob_export *export, struct ob_buf *out,
                                           struct ob_error *err);

/* Appends a test in C, for libpq and cmocka: it fails as long as the invariant is broken.
 * OB_INPUT: the invariant cannot be asked without the run. */
OB_MUSTCHECK enum ob_result ob_export_cmocka(const struct ob_export *export, struct ob_buf *out,
                                             struct ob_error *err);

/* Appends a scenario file that is this one run, and expects what it broke.  OB_INPUT: the file
 * could not be read, or is a spec. */
OB_MUSTCHECK enum ob_result ob_export_yaml(const struct ob_export_source *source,
                                           struct ob_buf *out, struct ob_error *err);

/* Plays the export in a fresh database, as isolationtester would, and compares: that it does what
 * the run did, and shows the offending rows.  Fills in the teardown.  OB_INPUT: it does not. */
OB_MUSTCHECK enum ob_result ob_export_prove(struct ob_export *export, const char *conninfo,
                                            struct ob_error *err);

#endif
