/*
 * cure_int.h - what the parts of the cures share.
 *
 *   evidence.c  the database that the violating run left: tables, and the rows in conflict
 *   key.c       what these rows must not have in common: a constraint
 *   orders.c    what the clients do one after the other
 *   change.c    a scenario like another one, but for something
 *   propose.c   which cures are worth trying
 *   statements.c  those that change what clients send, by PostgreSQL's grammar (rewrite.h)
 *   plan.c      a schedule of the original for changed clients
 *   cross.c     all of them at each isolation level
 *   trial.c     trying one
 */
#ifndef OB_CURE_CURE_INT_H
#define OB_CURE_CURE_INT_H

#include "cure/cure.h"

/* --- asking the database */

struct ob_cure_look {
    struct ob_cure_case *of;
    const struct ob_cure_place *place;
    struct ob_trace trace;  /* of the last run */
    const char *unaccepted; /* the first error of a statement that the server does not even take, of
                               runs one after the other; NULL: none; in the case's arena */
};

/* Asks; the answer lives in the case's arena.  *there: it came, since a question may be none that
 * this table or type can be asked. */
OB_MUSTCHECK enum ob_result ob_cure_ask(struct ob_cure_look *look, const char *sql,
                                        const char *param, struct ob_rows *out, bool *there,
                                        struct ob_error *err);

/* The first cell of the answer is "t". */
OB_MUSTCHECK enum ob_result ob_cure_ask_whether(struct ob_cure_look *look, const char *sql,
                                                bool *out, struct ob_error *err);

/* What the invariant says when a change of rows was made, which is then taken back. */
enum ob_cure_said { OB_SAID_BROKEN, OB_SAID_HOLDS, OB_SAID_NOTHING };
OB_MUSTCHECK enum ob_result ob_cure_suppose(struct ob_cure_look *look, const char *change,
                                            enum ob_cure_said *said, struct ob_error *err);

/* Makes the case's run again. */
OB_MUSTCHECK enum ob_result ob_cure_run_again(struct ob_cure_look *look, struct ob_error *err);

/* --- rows in conflict */

/* Two rows of a table, each of which alone would break nothing. */
struct ob_cure_pair {
    const char *table;
    const char *one, *other; /* ctid */
    bool found;
};
OB_MUSTCHECK enum ob_result ob_cure_find_pair(struct ob_cure_look *look, struct ob_cure_pair *out,
                                              struct ob_error *err);

/* The constraint that keeps the rows of the pair apart and says as little else as that takes; ""
 * when there is none. */
OB_MUSTCHECK enum ob_result ob_cure_find_key(struct ob_cure_look *look,
                                             const struct ob_cure_pair *pair, const char **ddl,
                                             struct ob_error *err);

/* --- clients one after the other */

/* Fills orders (OB_CURE_ORDERS_MAX of them), of the case's or a cure's rig; the tables are the
 * case's. */
OB_MUSTCHECK enum ob_result ob_cure_try_orders(struct ob_cure_look *look,
                                               struct ob_cure_order *orders, size_t *count,
                                               struct ob_error *err);

/* --- changed scenarios */

struct ob_cure_change {
    struct ob_arena *arena;
    const struct ob_scenario *original;
    size_t variant;
    struct ob_scenario *scenario; /* shares what was not changed with the original */
    struct ob_variant *changed;   /* the variant */
    struct ob_scenario_client *clients;
    struct ob_cure_client *origins;
};

/* upon: what is changed further; NULL: the case's scenario as it is. */
void ob_cure_change_begin(struct ob_cure_change *change, struct ob_cure_case *of,
                          const struct ob_cure *upon);
/* SQL after the variant's own setup. */
void ob_cure_change_set_up(struct ob_cure_change *change, const char *sql);
/* The client's step of that index (of what it is now) is replaced. */
void ob_cure_change_step(struct ob_cure_change *change, size_t client, size_t index,
                         const struct ob_sql_step *step);
/* A number or a truth value that the variant of the reference target has. */
void ob_cure_change_setting(struct ob_cure_change *change, const char *key, int64_t number);
/* A step comes before that index, and goes with the step that is there; after: with the one
 * before it. */
void ob_cure_change_insert(struct ob_cure_change *change, size_t client, size_t index, bool after,
                           const struct ob_sql_step *step);
/* All clients that have no transaction get one around what they do. */
void ob_cure_change_transact(struct ob_cure_change *change);
/* All clients begin again after 40001 and 40P01. */
void ob_cure_change_retry(struct ob_cure_change *change);
/* All clients have that level. */
void ob_cure_change_isolate(struct ob_cure_change *change, enum ob_isolation level);
/* The changed scenario as a cure with these texts. */
struct ob_cure ob_cure_change_made(const struct ob_cure_change *change,
                                   const struct ob_cure *texts);
/* Adds it to the case's cures. */
void ob_cure_change_end(struct ob_cure_change *change, struct ob_cure_case *of,
                        const struct ob_cure *texts);

#define OB_CURE_RETRIES 5

/* --- proposing and planning */

OB_MUSTCHECK enum ob_result ob_cure_propose(struct ob_cure_look *look, struct ob_error *err);

/* Changes of what the clients of the sql target do: conditions asked again, rows locked, rows that
 * say what has been done (statements.c).  Each adds a cure where it applies. */
void ob_cure_propose_lock_read(struct ob_cure_case *of);
void ob_cure_propose_recheck(struct ob_cure_case *of);
void ob_cure_propose_unchanged(struct ob_cure_case *of);
void ob_cure_propose_once(struct ob_cure_case *of);
/* Every transaction begins with that statement. */
void ob_cure_propose_lock(struct ob_cure_case *of, const char *sql, const struct ob_cure *texts);

struct ob_cure_losses {
    bool deadlocked, gave_up;
};

/* Whether some client's last statement, a rollback aside, ended with 40P01, or with 40001.
 * goes_on: as in a session of a spec, which takes its next step and begins nothing again, so that
 * what is lost stays lost. */
void ob_cure_losses_of(const struct ob_trace *trace, bool goes_on, struct ob_cure_losses *out);

/* The case's schedule, as the cure's clients can follow it.  The caller's to clear. */
void ob_cure_plan(const struct ob_cure_case *of, const struct ob_cure *cure,
                  struct ob_schedule *out);

#endif
