/*
 * model.h - PostgreSQL at READ COMMITTED in a few hundred lines, behind the engine's ports: what
 * the engine is tested against where the server must be slow, late, or fail on purpose.
 *
 * Rows have a name and a number.  A writer owns its row until its transaction ends; others wait in
 * a queue, first in, first out.  The one whose deadlock check is on and finds a cycle dies. Nothing
 * happens by itself: each call of a port lets every session go on by one small tick, so that all
 * that an engine may see on the way is seen.  The clock is the machine's, and jumps over waits.
 *
 * A statement is one or more of these, separated by "; ":
 *     read ROW                      its number
 *     rows PREFIX                   how many rows there are whose names begin so, and which
 *     lock ROW                      as SELECT … FOR UPDATE
 *     set ROW N, add ROW N, delete ROW
 *     insert ROW N                  23505 where there is one
 *     take NAME, give NAME          an advisory lock, until it is given back or the session ends
 *     fail STATE                    an error with this SQLSTATE
 *     die                           the session is lost
 *     never                         is never answered, unless cancelled
 *     timeout N                     from now on the session's waits end after N ticks with 55P03
 *     check N                       from now on they have a deadlock check of their own, after N
 *
 * Threads: all functions may be called from any.
 */
#ifndef OB_TESTS_MODEL_H
#define OB_TESTS_MODEL_H

#include "engine/port.h"

struct ob_model;

struct ob_model_options {
    size_t session_count;
    unsigned latency; /* ticks until a session that can go on does */
    uint64_t
        jitter_seed;  /* not 0: up to three more ticks, and ticks while a question is answered */
    size_t fail_call; /* not 0: from this call (from 1) of a port that can fail on, all do */
    bool deaf;        /* cancel requests do nothing */
    bool holds;       /* sessions can be held */
    bool tells;       /* what operations touch: rows, and what their names begin with */
    bool racing;      /* free-running mode: waiting does not move the clock */
};

struct ob_model *ob_model_new(const struct ob_model_options *options);
void ob_model_free(struct ob_model *model);
struct ob_ports ob_model_ports(struct ob_model *model);

/* A row that is there at the start, and after each reset. */
void ob_model_put(struct ob_model *model, const char *row, int64_t value);

/* Lets a session that is no client's own the row. */
void ob_model_occupy(struct ob_model *model, const char *row);

void ob_model_reset(struct ob_model *model);
uint64_t ob_model_digest(const struct ob_model *model); /* of the committed rows */

/* The committed number of a row; missing where there is no such row. */
int64_t ob_model_value(const struct ob_model *model, const char *row, int64_t missing);

/* Calls so far of ports that can fail. */
size_t ob_model_calls(const struct ob_model *model);

/* Results that were handed out and neither freed nor discarded. */
size_t ob_model_results_alive(const struct ob_model *model);

/* The number in a reply's native result. */
int64_t ob_model_result_value(const void *native);
void ob_model_result_free(void *native);

#endif
