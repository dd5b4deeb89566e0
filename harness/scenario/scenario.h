/*
 * scenario.h - a scenario file, loaded and checked.
 *
 * A scenario is immutable after loading and owns all its texts.  Whatever is wrong in the file is
 * refused here, with file, line, column and, where one is near, the word that was meant: nothing
 * is left for a run to find out.  What may be written, with types and defaults, is in
 * vocabulary.h; docs/scenario-format.md tells it to users.
 *
 * Parties: whoever an action can be about.  They are the clients, in their order, and then the
 * guests: names that only "given" uses, of somebody who acted before the race and has no thread in
 * it.  A party's index is its client's, or client_count plus its guest's.
 */
#ifndef OB_SCENARIO_SCENARIO_H
#define OB_SCENARIO_SCENARIO_H

#include "base/alloc.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_SCENARIO_CLIENTS_MAX ((size_t)64)
#define OB_SCENARIO_VARIANTS_MAX ((size_t)64)  /* sets of variants are bits of a uint64_t */
#define OB_SCENARIO_VARIABLES_MAX ((size_t)64) /* of one client, with those built in */
#define OB_SCENARIO_SOMETIMES_MAX ((size_t)16)
#define OB_SCENARIO_SIZE_MAX ((size_t)1 << 20) /* bytes of a file */

enum ob_target_kind { OB_TARGET_REFERENCE, OB_TARGET_SQL, OB_TARGET_SPEC };

struct ob_spec; /* spec.h */

enum ob_isolation { OB_READ_COMMITTED, OB_REPEATABLE_READ, OB_SERIALIZABLE };

struct ob_place {
    int line, column; /* from 1 */
};

/* A key of an action or a variant with its value, already of the right type (vocabulary.h). */
enum ob_value_kind {
    OB_VALUE_TEXT,
    OB_VALUE_WORD, /* one of the vocabulary's words; number: its index among the key's words */
    OB_VALUE_NUMBER,
    OB_VALUE_BOOLEAN,  /* number is 0 or 1 */
    OB_VALUE_TIME,     /* number: microseconds since 1970 */
    OB_VALUE_DURATION, /* number: microseconds */
    OB_VALUE_RANGE,    /* number … end: microseconds since 1970, end excluded */
    OB_VALUE_PARTY,    /* number: the party's index */
};

struct ob_setting {
    const char *key;
    enum ob_value_kind kind;
    const char *text; /* as written */
    int64_t number, end;
    struct ob_place place;
};

/* One thing that a client of the reference flow does.  The settings hold what the file says and
 * the default of every key that has one; so "of" is always there where the verb knows it.  An
 * action of "given" carries its party as the setting "as", unless it is nobody's (cleanup,
 * clock). */
struct ob_action {
    const char *verb; /* a word of the vocabulary: "hold", "pay", "webhook", … */
    const struct ob_setting *settings;
    size_t setting_count;
    struct ob_place place;
};

/* A variable that has a value before the client's first step.  Every client has two more, built
 * in: "client", its name, and "now", the virtual time as RFC 3339 text when the step is posted. */
struct ob_variable {
    const char *name;
    const char *value; /* NULL: null */
};

/* A guard: the step is skipped unless variable OP value holds.  Numbers compare as numbers, else
 * as text; null compares with nothing.  A skipped step leaves the variables that it would have
 * captured as they were. */
enum ob_compare { OB_EQ, OB_NE, OB_LT, OB_LE, OB_GT, OB_GE, OB_IS_NULL, OB_IS_NOT_NULL };

struct ob_guard {
    const char *variable;
    enum ob_compare compare;
    const char *value; /* a literal or, when value_is_variable, a name; NULL for IS [NOT] NULL */
    bool value_is_variable;
};

enum ob_sql_step_kind {
    OB_SQL_BEGIN,
    OB_SQL_STATEMENT,
    OB_SQL_COMMIT,
    OB_SQL_ROLLBACK,
    OB_SQL_CLOCK, /* time_us, advances */
    OB_SQL_EVENT, /* adds to the history: event_kind, event_data */
};

struct ob_capture {
    const char *variable, *column; /* of the first row; null when there is no row */
};

/* Something that a statement is declared to touch. */
enum ob_declared_way { OB_DECLARED_READ, OB_DECLARED_SHARE, OB_DECLARED_WRITE };

struct ob_declared {
    enum ob_declared_way way;
    const char *relation; /* with its schema */
    const char *key;      /* of one of its rows, in whatever words; NULL: all of it */
};

struct ob_sql_step {
    enum ob_sql_step_kind kind;
    const char *sql;              /* one statement, with :variable replaced by $1, $2 … */
    const char *const *variables; /* the variable of each parameter */
    size_t variable_count;
    const struct ob_capture *captures;
    size_t capture_count;
    const struct ob_guard *guards; /* all must hold */
    size_t guard_count;
    bool declares; /* that it touches these, and nothing else */
    const struct ob_declared *touches;
    size_t touch_count;
    int64_t time_us; /* the clock's new time; what it goes forward by when advances */
    bool advances;
    const char *event_kind;
    const char *event_data; /* a JSON object; a value ":name" is the variable's */
    uint64_t variants;      /* bit i: is part of variant i */
    struct ob_place place;
};

struct ob_scenario_client {
    const char *name;
    const struct ob_action *actions; /* target reference */
    size_t action_count;
    const struct ob_setting *settings; /* target reference: customer */
    size_t setting_count;
    uint64_t legacy, fixed; /* target reference, bit i: its path in variant i, whatever the flag */
    const struct ob_sql_step *steps; /* target sql */
    size_t step_count;
    const struct ob_variable *variables; /* target sql: the file's, without those built in */
    size_t variable_count;
    enum ob_isolation isolation; /* target sql; the variant's, unless the client says otherwise */
    bool isolation_given;
    /* Target sql: how often its steps are begun again, with the variables as they were at the
     * start, after 40001 or 40P01. */
    unsigned retries;
    bool retry_lost;   /* target sql: the same after the session was lost */
    uint64_t variants; /* bit i: takes part in variant i */
    struct ob_place place;
};

struct ob_smallest {
    bool known;
    int64_t clients, faults, steps, preemptions;
};

struct ob_variant {
    const char *name;
    /* Target reference: flag, hold-for, and either constraint or schema. */
    const struct ob_setting *settings;
    size_t setting_count;
    enum ob_isolation isolation; /* every target; default read committed */
    bool gates;         /* statements that write stop between their snapshot and their run */
    const char *setup;  /* targets sql and spec: run after the scenario's own setup; "" for none */
    const char *source; /* the real race that it rebuilds; "" when the file does not say */
    /* What is expected: with violates NULL, that every invariant holds; or nothing. */
    const char *violates;
    bool any;
    struct ob_smallest smallest; /* run known to do so */
    struct ob_place place;
};

struct ob_invariant_ref {
    const char *name;
    const char *sql;   /* the scenario's own; NULL for a built-in one */
    bool after_commit; /* checked after each commit too, not only at the end */
    uint64_t variants; /* bit i: is checked in variant i */
    struct ob_place place;
};

/* What some run must reach, or that a variant holds says nothing. */
struct ob_sometimes_ref {
    const char *name;
    const char *sql;   /* returns rows when it was reached; NULL for a built-in one */
    uint64_t variants; /* bit i: wanted of variant i */
    struct ob_place place;
};

struct ob_explore_wish {
    const char *strategy; /* as on the command line; "" when the file says nothing */
    uint64_t runs;        /* 0 when the file says nothing */
    const char *schedule; /* a token: this run and no other; "" when the file says nothing */
};

struct ob_scenario {
    struct ob_arena arena; /* owns everything below */
    const char *file;      /* as given, for messages */
    const char *name, *about;
    enum ob_target_kind target;
    const char *setup; /* target sql: tables and rows, once */
    /* Target spec: its sessions are the clients, in its order, and its setups the scenario's. */
    struct ob_spec *spec;  /* owned */
    const char *spec_file; /* its path */
    int64_t start_us;      /* virtual time at the start of each run; default 2026-06-01T09:00:00Z */
    const struct ob_action *given; /* target reference: done in order before the race */
    size_t given_count;
    const struct ob_scenario_client *clients;
    size_t client_count;       /* 1 … OB_SCENARIO_CLIENTS_MAX */
    const char *const *guests; /* target reference */
    size_t guest_count;
    const char *const *fault_points; /* "area/what" */
    size_t fault_point_count;
    unsigned fault_budget;
    const struct ob_invariant_ref *invariants;
    size_t invariant_count;
    const struct ob_sometimes_ref *sometimes;
    size_t sometimes_count;            /* at most OB_SCENARIO_SOMETIMES_MAX */
    const struct ob_variant *variants; /* at least one; "default" when the file names none */
    size_t variant_count;              /* at most OB_SCENARIO_VARIANTS_MAX */
    struct ob_explore_wish explore;
    uint8_t hash[32]; /* SHA-256 of the file's bytes, and of its spec's */
};

/* Loads a file, also a spec without invariants of its own.  OB_INPUT: message "FILE:LINE:COLUMN:
 * what", or that the file could not be read; hint the cure. *out is then untouched.  The scenario
 * is the caller's (ob_scenario_free). */
OB_MUSTCHECK enum ob_result ob_scenario_load(const char *path, struct ob_scenario **out,
                                             struct ob_error *err);

/* The same from memory; file is what messages call it. */
OB_MUSTCHECK enum ob_result ob_scenario_parse(const char *file, const char *data, size_t size,
                                              struct ob_scenario **out, struct ob_error *err);

/* A spec as a scenario of the target spec, named after the file, with the one variant "default",
 * which is expected to hold.  invariants are texts "NAME: SQL"; beside them nobody may be left
 * stuck.  When there are none, and NAME.yaml or NAME.yml beside the spec is a scenario that names
 * it, that one is loaded. */
OB_MUSTCHECK enum ob_result ob_scenario_load_spec(const char *path, const char *const *invariants,
                                                  size_t invariant_count, struct ob_scenario **out,
                                                  struct ob_error *err);

/* Whether the path is that of a spec: "….spec". */
bool ob_scenario_is_spec(const char *path);

void ob_scenario_free(struct ob_scenario *scenario);

/* The variant's index, or SIZE_MAX. */
size_t ob_scenario_variant(const struct ob_scenario *scenario, const char *name);

/* The setting of that key, or NULL. */
const struct ob_setting *ob_setting_find(const struct ob_setting *settings, size_t count,
                                         const char *key);

/* All scenario files of the paths, loaded.  A path is a file, or a folder: *.yaml and *.yml in
 * it and below it, each folder in strcmp order, without hidden ones and without following links
 * to folders.  Specs that are named get the invariants.  Two scenarios of one name, and a folder
 * without any, are refused (OB_INPUT).  The list and its scenarios are the caller's
 * (ob_scenario_list_clear); on failure *out is untouched. */
struct ob_scenario_list {
    struct ob_scenario **items;
    size_t count, capacity;
};
OB_MUSTCHECK enum ob_result ob_scenario_list_load(const char *const *paths, size_t path_count,
                                                  struct ob_scenario_list *out,
                                                  struct ob_error *err);
OB_MUSTCHECK enum ob_result ob_scenario_list_load_with(const char *const *paths, size_t path_count,
                                                       const char *const *invariants,
                                                       size_t invariant_count,
                                                       struct ob_scenario_list *out,
                                                       struct ob_error *err);
void ob_scenario_list_clear(struct ob_scenario_list *list);

#endif
