/*
 * spec_int.h - what the files behind player.h share.
 *
 *   player.c       setups, permutations one after the other, teardowns
 *   permutation.c  one permutation as a chooser: what is launched next, what is reported when
 *   say.c          lines and tables
 */
#ifndef OB_SPEC_SPEC_INT_H
#define OB_SPEC_SPEC_INT_H

#include "base/buf.h"
#include "engine/run.h"
#include "spec/player.h"

/* --- say.c */

void ob_spec_say(const struct ob_spec_out *out, const char *fmt, ...) OB_PRINTF(2, 3);
void ob_spec_complain(const struct ob_spec_out *out, const char *fmt, ...) OB_PRINTF(2, 3);

/* Rows as an aligned table with a footer; nothing when there are no columns. */
void ob_spec_say_table(const struct ob_spec_out *out, const PGresult *result);

/* A step's result: a table, an error in one line, or nothing. */
void ob_spec_say_result(const struct ob_spec_out *out, const PGresult *result);

/* --- permutation.c */

struct ob_spec_performance; /* of one permutation */

/* The clients are the spec's sessions, in its order. */
struct ob_spec_performance *ob_spec_performance_new(const struct ob_spec *spec,
                                                    const struct ob_spec_permutation *permutation,
                                                    struct ob_pg_plain *plain,
                                                    const struct ob_spec_options *options,
                                                    const struct ob_spec_out *out);
void ob_spec_performance_free(struct ob_spec_performance *performance);

const struct ob_run_client *ob_spec_performance_clients(struct ob_spec_performance *performance);
struct ob_chooser ob_spec_performance_chooser(struct ob_spec_performance *performance);

/* Reports what is left after the run, which ended like this.  False when the permutation could not
 * be completed; that was written. */
bool ob_spec_performance_end(struct ob_spec_performance *performance, enum ob_run_end end);

/* After a run in which a session's connection, but not the server, was lost: isolationtester says
 * so and ends. */
enum ob_result ob_spec_performance_lost(struct ob_spec_performance *performance, bool *played,
                                        const struct ob_error *err);

/* What the session has said, in so far as it comes before a step's own line. */
void ob_spec_say_notices(struct ob_pg_plain *plain, size_t session, const char *name,
                         const struct ob_spec_out *out);

#endif
