/*
 * spec_program.h - the permutations of an isolation spec as programs of a run, and as orders in
 * which these are launched.
 *
 * Program n (from 1) is the file's permutation n.  A file without permutations has one program, in
 * which each session sends its steps once in its own order; its orders are all in which that can be
 * done.
 */
#ifndef OB_TARGET_SPEC_PROGRAM_H
#define OB_TARGET_SPEC_PROGRAM_H

#include "explore/order.h"
#include "scenario/spec.h"

size_t ob_spec_program_count(const struct ob_spec *spec);

/* The session's next step in the program, an index into the spec's; *at is where to look from,
 * 0 at first.  False: there is none. */
bool ob_spec_program_step(const struct ob_spec *spec, size_t program, size_t session, size_t *at,
                          size_t *step);

struct ob_spec_programs;
struct ob_spec_programs *ob_spec_programs_new(const struct ob_spec *spec); /* borrowed */
void ob_spec_programs_free(struct ob_spec_programs *programs);             /* NULL is legal */

/* The orders; as long as the programs live. */
struct ob_orders ob_spec_programs_orders(struct ob_spec_programs *programs);

#endif
