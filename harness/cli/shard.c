#include "cli/shard.h"

#include "base/alloc.h"
#include "base/parse.h"

#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

/* Reads a whole number of the environment; instead where there is none and that is not NULL. */
static enum ob_result read_number(const char *name, const char *instead, uint64_t max,
                                  uint64_t *out, struct ob_error *err)
{
    const char *value = variable(name);
    if (!value && !instead) {
        ob_error_set(err, OB_USAGE, "--shard auto finds no %s in the environment", name);
        ob_error_hint(err, "Set it to the number of shards, or say --shard I/N.");
        return OB_USAGE;
    }
    if (ob_parse_u64(value ? value : instead, 0, max, out))
        return OB_OK;
    ob_error_set(err, OB_USAGE, "--shard auto finds %s=\"%s\" in the environment", name,
                 value ? value : instead);
    ob_error_detail(err, "That is no whole number up to %llu.", (unsigned long long)max);
    return OB_USAGE;
}

static enum ob_result set(uint64_t number, uint64_t count, const char *whence, struct ob_shard *out,
                          struct ob_error *err)
{
    if (number >= 1 && number <= count && count <= OB_SHARDS_MAX) {
        *out = (struct ob_shard){.index = (unsigned)number - 1, .count = (unsigned)count};
        return OB_OK;
    }
    ob_error_set(err, OB_USAGE, "%s is no shard: %llu of %llu", whence, (unsigned long long)number,
                 (unsigned long long)count);
    ob_error_detail(err, "Shards count from 1, up to %d of them.", OB_SHARDS_MAX);
    return OB_USAGE;
}

#define ID_MAX UINT32_MAX

/* A task of an array such as 0-7 or 1-15:2. */
static enum ob_result from_slurm(struct ob_shard *out, struct ob_error *err)
{
    uint64_t id, min, step, count;
    bool counted = variable("SLURM_ARRAY_TASK_COUNT") != NULL;
    enum ob_result result = read_number("SLURM_ARRAY_TASK_ID", NULL, ID_MAX, &id, err);
    if (result == OB_OK)
        result = read_number("SLURM_ARRAY_TASK_MIN", "1", ID_MAX, &min, err);
    if (result == OB_OK)
        result = read_number("SLURM_ARRAY_TASK_STEP", "1", ID_MAX, &step, err);
    if (result == OB_OK)
        result = read_number(counted ? "SLURM_ARRAY_TASK_COUNT" : "CI_NODE_TOTAL", NULL, ID_MAX,
                             &count, err);
    if (result != OB_OK)
        return result;
    bool in_line = step > 0 && id >= min && (id - min) % step == 0;
    return set(in_line ? (id - min) / step + 1 : 0, count, "the task of the Slurm array", out, err);
}

static enum ob_result from_index(const char *name, uint64_t first, struct ob_shard *out,
                                 struct ob_error *err)
{
    uint64_t index, count;
    enum ob_result result = read_number(name, NULL, ID_MAX, &index, err);
    if (result == OB_OK)
        result = read_number("CI_NODE_TOTAL", NULL, ID_MAX, &count, err);
    return result == OB_OK ? set(index + 1 - first, count, name, out, err) : result;
}

static enum ob_result from_environment(struct ob_shard *out, struct ob_error *err)
{
    if (variable("SLURM_ARRAY_TASK_ID"))
        return from_slurm(out, err);
    if (variable("JOB_COMPLETION_INDEX"))
        return from_index("JOB_COMPLETION_INDEX", 0, out, err);
    if (variable("CI_NODE_INDEX"))
        return from_index("CI_NODE_INDEX", 1, out, err);
    ob_error_set(err, OB_USAGE, "--shard auto finds no shard in the environment");
    ob_error_detail(err, "None of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX and CI_NODE_INDEX is "
                         "set.");
    ob_error_hint(err, "Say --shard I/N, or leave it out for all the work.");
    return OB_USAGE;
}

enum ob_result ob_shard_parse(const char *text, struct ob_shard *out, struct ob_error *err)
{
    if (strcmp(text, "auto") == 0)
        return from_environment(out, err);
    uint64_t number = 0, count = 0;
    const char *slash = strchr(text, '/');
    char *first = ob_asprintf("%.*s", (int)strcspn(text, "/"), text);
    bool valid = slash && ob_parse_u64(slash + 1, 1, OB_SHARDS_MAX, &count) &&
                 ob_parse_u64(first, 1, count, &number);
    free(first);
    if (valid)
        return set(number, count, "--shard", out, err);
    ob_error_set(err, OB_USAGE, "--shard takes I/N or auto, not \"%s\"", text);
    ob_error_detail(err, "I is from 1 to N, and N up to %d.", OB_SHARDS_MAX);
    ob_error_hint(err, "For example 1/4, or auto in a Slurm array.");
    return OB_USAGE;
}
