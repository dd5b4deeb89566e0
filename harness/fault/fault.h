/*
 * fault.h - libfiu's points of failure, decided by the schedule.
 *
 * Each point that a scenario lists is enabled with fiu_enable_external under its exact name, so
 * that the code under test asks fiu_fail as it would in a service, and the answer is a choice of
 * the run.  The callback runs under libfiu's read lock: it asks the client that moves, which never
 * blocks, and enables or disables nothing.
 *
 * libfiu's table of points is one for the whole process, so at most one set is enabled at a time.
 */
#ifndef OB_FAULT_FAULT_H
#define OB_FAULT_FAULT_H

#include "base/error.h"
#include "engine/run.h"

#include <stddef.h>

struct ob_faults;

/* Enables the points, in the order of their indices in a run's list; names are borrowed. */
OB_MUSTCHECK enum ob_result ob_faults_open(const char *const *names, size_t count,
                                           struct ob_faults **out, struct ob_error *err);
void ob_faults_close(struct ob_faults *faults); /* disables them; NULL is legal */

/* The list for ob_run_spec; lives as long as the faults. */
const struct ob_fault_point *ob_faults_points(const struct ob_faults *faults);

#endif
