#include "repro/replay.h"

#include "base/alloc.h"
#include "explore/follower.h"

#include <stdlib.h>

static enum ob_result check_token(const struct ob_rig *rig, const struct ob_token *token,
                                  struct ob_error *err)
{
    const struct ob_schedule *schedule = &token->schedule;
    const struct ob_run_spec *spec = &rig->spec;
    bool fits = schedule->program <= spec->program_count;
    for (size_t i = 0; i < schedule->step_count; i++)
        fits = fits && schedule->clients[i] < spec->client_count;
    for (size_t i = 0; i < schedule->fault_count; i++) {
        const struct ob_fault *fault = &schedule->faults[i];
        fits = fits && fault->client < spec->client_count &&
               fault->point < spec->fault_point_count && fault->way >= 1 &&
               fault->way <= spec->fault_points[fault->point].ways;
    }
    for (size_t i = 0; i < schedule->omission_count; i++)
        fits = fits && schedule->omissions[i].client < spec->client_count;
    if (fits)
        return OB_OK;
    return ob_error_set(err, OB_INPUT,
                        "the token names clients, faults or a program that its scenario has not");
}

/* The first step whose check is not the recorded one, with the reason; false: there is none. */
static bool find_divergence(const struct ob_trace *trace, const struct ob_token *token,
                            const char *const *names, size_t *step, char **why)
{
    size_t recorded = token->schedule.step_count;
    for (size_t i = 0; i < trace->step_count && i < recorded; i++) {
        if (ob_token_check(ob_trace_step_digest(trace, i)) == token->checks[i])
            continue;
        *step = i;
        *why = ob_asprintf("step %zu of \"%s\" went another way than recorded", i + 1,
                           names[trace->steps[i].client]);
        return true;
    }
    if (trace->end == OB_RUN_DIVERGED) {
        *step = trace->step_count;
        *why =
            trace->step_count < recorded
                ? ob_asprintf("at step %zu \"%s\" should move, and cannot", trace->step_count + 1,
                              names[token->schedule.clients[trace->step_count]])
                : ob_asprintf("after step %zu the record ends, and the run goes on", recorded);
        return true;
    }
    if (trace->end != OB_RUN_FINISHED && trace->end != OB_RUN_STUCK) {
        *step = trace->step_count;
        *why = ob_asprintf("after step %zu: %s: %s", trace->step_count, ob_run_end_text(trace->end),
                           trace->reason);
        return true;
    }
    if (trace->step_count == recorded)
        return false;
    *step = trace->step_count;
    *why = ob_asprintf("the run ended after %zu steps of the %zu recorded", trace->step_count,
                       recorded);
    return true;
}

enum ob_result ob_replay_run(struct ob_rig *rig, const struct ob_token *token,
                             struct ob_replay *out, struct ob_error *err)
{
    enum ob_result result = check_token(rig, token, err);
    if (result != OB_OK)
        return result;
    *out = (struct ob_replay){0};
    ob_trace_init(&out->trace);
    struct ob_follower follower = {.schedule = &token->schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    ob_rig_leave_out(rig, &token->schedule, token->schedule.fault_count);
    result = ob_rig_run(rig, &chooser, false, &out->trace, &out->outcome, err);
    if (result != OB_OK) {
        ob_replay_clear(out);
        return result;
    }
    out->diverged = find_divergence(&out->trace, token, rig->client_names, &out->step, &out->why);
    if (!out->why)
        out->why = ob_strdup("");
    return OB_OK;
}

void ob_replay_clear(struct ob_replay *replay)
{
    ob_trace_clear(&replay->trace);
    free(replay->why);
    *replay = (struct ob_replay){0};
}
