/* shard.h - which part of the work is asked for: "2/4", or "auto". */
#ifndef OB_CLI_SHARD_H
#define OB_CLI_SHARD_H

#include "base/error.h"
#include "explore/shard.h"

/* "auto" reads the environment: a Slurm array's SLURM_ARRAY_TASK_ID among _MIN, _MAX, _STEP and
 * _COUNT; a Kubernetes indexed Job's JOB_COMPLETION_INDEX, of CI_NODE_TOTAL, since the Job does not
 * say of how many; or CI_NODE_INDEX of CI_NODE_TOTAL, of GitLab and others.  OB_USAGE otherwise. */
OB_MUSTCHECK enum ob_result ob_shard_parse(const char *text, struct ob_shard *out,
                                           struct ob_error *err);

#endif
