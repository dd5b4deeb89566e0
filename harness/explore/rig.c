#include "explore/rig.h"

#include "base/digest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct step_check {
    struct ob_rig *rig;
    struct ob_trace *trace;
    bool locked; /* a check found a lock in its way */
};

static bool is_locked(enum ob_result result, const struct ob_error *err)
{
    return result == OB_SQL && strcmp(err->sqlstate, OB_LOCK_NOT_AVAILABLE) == 0;
}

/* What could not be checked proves nothing, and is nobody's failure. */
static enum ob_result end_unchecked(struct ob_trace *trace, const struct ob_error *err)
{
    int room = (int)sizeof trace->reason - 1;
    trace->end = OB_RUN_UNCHECKED;
    snprintf(trace->reason, sizeof trace->reason, "%.*s", room, err->message);
    return OB_OK;
}

static enum ob_result check(struct ob_rig *rig, struct ob_trace *trace, bool at_end, size_t step,
                            struct ob_error *err)
{
    int64_t started_us = rig->monotonic_us(rig->self);
    enum ob_result result = ob_check_run(rig->check, trace, rig->client_names, at_end, step, err);
    rig->check_us += rig->monotonic_us(rig->self) - started_us;
    return result;
}

/* A statement outside of a transaction commits too, and a COMMIT that had to wait does so in
 * another client's step. */
static bool commits(const struct ob_step *step)
{
    for (size_t i = 0; i < step->completion_count; i++)
        if (step->completions[i].committed)
            return true;
    return false;
}

static enum ob_result check_commit(void *arg, const struct ob_step *step, struct ob_error *err)
{
    struct step_check *context = arg;
    if (!commits(step))
        return OB_OK;
    size_t index = (size_t)(step - context->trace->steps);
    enum ob_result result = check(context->rig, context->trace, false, index, err);
    context->locked = is_locked(result, err);
    return result;
}

static enum ob_result execute(struct ob_rig *rig, struct ob_run_spec *spec, struct ob_trace *trace,
                              struct ob_error *err)
{
    int64_t started_us = rig->monotonic_us(rig->self);
    enum ob_result result = rig->reset(rig->self, err);
    rig->reset_us += rig->monotonic_us(rig->self) - started_us;
    if (result != OB_OK)
        return result;
    ob_check_begin(rig->check);
    result = ob_engine_run(rig->engine, spec, trace, err);
    rig->settle_us += trace->settle_us;
    return result;
}

static enum ob_result digest(struct ob_rig *rig, const struct ob_trace *trace, uint64_t *out,
                             struct ob_error *err)
{
    uint64_t state;
    enum ob_result result = rig->digest(rig->self, &state, err);
    if (result != OB_OK)
        return result;
    uint64_t hash = ob_hash_u64(OB_HASH_START, state);
    for (size_t i = 0; i < rig->spec.client_count; i++)
        hash = ob_hash_u64(hash, trace->seen[i]);
    *out = ob_hash_end(hash);
    return OB_OK;
}

void ob_rig_leave_out(struct ob_rig *rig, const struct ob_schedule *schedule, size_t fault_budget)
{
    rig->spec.omissions = schedule->omissions;
    rig->spec.omission_count = schedule->omission_count;
    rig->spec.fault_budget = fault_budget;
}

enum ob_result ob_rig_run(struct ob_rig *rig, const struct ob_chooser *chooser, bool free_running,
                          struct ob_trace *trace, struct ob_run_outcome *out, struct ob_error *err)
{
    struct step_check context = {.rig = rig, .trace = trace};
    struct ob_run_spec spec = rig->spec;
    spec.chooser = *chooser;
    spec.free_running = free_running;
    spec.after_step = free_running ? NULL : check_commit;
    spec.after_step_arg = &context;
    enum ob_result result = execute(rig, &spec, trace, err);
    if (result == OB_OK && trace->end == OB_RUN_AGAIN) {
        spec.careful = true;
        result = execute(rig, &spec, trace, err);
        assert(result != OB_OK || trace->end != OB_RUN_AGAIN);
    }
    *out = (struct ob_run_outcome){0};
    if (context.locked)
        return end_unchecked(trace, err);
    if (result != OB_OK || (trace->end != OB_RUN_FINISHED && trace->end != OB_RUN_STUCK))
        return result;
    rig->finish(rig->self, trace);
    result = check(rig, trace, true, OB_BEFORE_ALL, err);
    if (result == OB_OK)
        result = digest(rig, trace, &out->outcome, err);
    if (is_locked(result, err))
        return end_unchecked(trace, err);
    if (result == OB_OK) {
        out->broken = ob_check_broken(rig->check, &out->broken_count);
        out->reached = ob_check_reached(rig->check);
    }
    return result;
}
