#!/bin/sh
# slurm-array.sh - overbook as a Slurm array: each task explores its own part of the work.
#
#   mkdir -p parts checkpoints
#   job=$(sbatch --parsable --array=1-8 slurm-array.sh PATH…)
#   sbatch --dependency=afterany:"$job" --wrap='overbook merge parts/*.json --junit result.xml'
#
# Run where all nodes see the folder.  A task that is preempted, or killed with its node, is queued
# again and goes on where it was; "overbook merge" refuses a set from which a part is missing.
#SBATCH --job-name=overbook
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60

# The embedded server's files are small and short-lived: node-local memory is best for them.
TMPDIR=${OVERBOOK_TMPDIR:-/tmp}
export TMPDIR

# --jobs is the task's processors, whatever else the node has.
exec overbook run --shard auto --keep-going --progress never \
    --checkpoint "checkpoints/$SLURM_ARRAY_TASK_ID" \
    --json "parts/$SLURM_ARRAY_TASK_ID.json" "$@"
