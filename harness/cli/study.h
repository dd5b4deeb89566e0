/* study.h - what was found, looked at closely: made as small as it gets, and explained. */
#ifndef OB_CLI_STUDY_H
#define OB_CLI_STUDY_H

#include "cli/variant.h"
#include "repro/explain.h"
#include "repro/shrink.h"

struct ob_study {
    struct ob_shrunk shrunk;       /* finding.replays is 0 where it was not */
    struct ob_explained explained; /* of the smallest run; sentence is NULL where it was not */
};

/* Of each finding whose replays are the same, unless that is not wanted.  *out, as many as there
 * are findings, is the caller's in any case. */
OB_MUSTCHECK enum ob_result ob_study_all(const struct ob_variant_job *job, struct ob_rig *rig,
                                         const struct ob_exploration *exploration,
                                         struct ob_study **out, struct ob_error *err);
void ob_study_clear_all(struct ob_study *studies, size_t count); /* NULL is legal */

#endif
