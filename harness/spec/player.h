/*
 * player.h - plays an isolation spec on live sessions and prints what isolationtester prints.
 *
 * The steps run on the engine, with its step and settle rules; a permutation is a chooser that
 * launches the steps in its order, and what it says at each point follows from what the sessions
 * have said until then.
 */
#ifndef OB_SPEC_PLAYER_H
#define OB_SPEC_PLAYER_H

#include "base/error.h"
#include "engine/trace.h"
#include "pg/plain.h"
#include "scenario/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the output goes: piece by piece, complaints (standard error) and the rest in the order in
 * which they come. */
struct ob_spec_out {
    void *self;
    void (*write)(void *self, bool complaint, const char *text, size_t size);
};

struct ob_spec_options {
    const char *application; /* the name that sessions' names begin with; NULL: the connection's */
    int limit_s;             /* after which a step is cancelled */
    /* After each permutation, before its teardown, when not NULL: what happened in it. */
    void (*performed)(void *arg, const struct ob_trace *trace);
    void *arg;
};

/* Plays all permutations.  *played is false when isolationtester would have ended with status 1;
 * what it says then has been written.  OB_SERVER: a server that went away, written too. */
OB_MUSTCHECK enum ob_result ob_spec_play(const struct ob_spec *spec, struct ob_pg_plain *plain,
                                         const struct ob_spec_options *options,
                                         const struct ob_spec_out *out, bool *played,
                                         struct ob_error *err);

#endif
