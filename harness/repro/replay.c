#include "repro/replay.h"

#include "base/alloc.h"
#include "explore/follower.h"
#include "repro/plan.h"

#include <stdlib.h>

enum ob_result ob_replay_check(const struct ob_rig *rig, const struct ob_token *token,
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

bool ob_replay_same_step(const struct ob_trace *trace, const struct ob_token *token, size_t step)
{
    return trace->steps[step].client == token->schedule.clients[step] &&
           ob_token_check(ob_trace_step_digest(trace, step)) == token->checks[step];
}

static char *why_other_step(const struct ob_trace *trace, const struct ob_token *token,
                            const char *const *names, size_t step)
{
    size_t client = token->schedule.clients[step];
    if (trace->steps[step].client != client)
        return ob_asprintf("at step %zu \"%s\" should move, and cannot", step + 1, names[client]);
    return ob_asprintf("step %zu of \"%s\" went another way than recorded", step + 1,
                       names[client]);
}

/* Of a run whose steps were the same until its end or the record's. */
static char *why_other_end(const struct ob_trace *trace, const struct ob_token *token,
                           const char *const *names)
{
    size_t recorded = token->schedule.step_count, now = trace->step_count;
    if (now < recorded && trace->end == OB_RUN_DIVERGED)
        return ob_asprintf("at step %zu \"%s\" should move, and cannot", now + 1,
                           names[token->schedule.clients[now]]);
    if (now > recorded || trace->end == OB_RUN_DIVERGED)
        return ob_asprintf("after step %zu the record ends, and the run goes on", recorded);
    if (trace->end != OB_RUN_FINISHED && trace->end != OB_RUN_STUCK)
        return ob_asprintf("after step %zu: %s: %s", now, ob_run_end_text(trace->end),
                           trace->reason);
    if (now < recorded)
        return ob_asprintf("the run ended after %zu steps of the %zu recorded", now, recorded);
    return NULL;
}

/* The first step that is not as recorded, with the reason; without a reason there is none. */
static char *find_divergence(const struct ob_trace *trace, const struct ob_token *token,
                             const char *const *names, size_t *step)
{
    size_t recorded = token->schedule.step_count;
    for (*step = 0; *step < trace->step_count && *step < recorded; (*step)++)
        if (!ob_replay_same_step(trace, token, *step))
            return why_other_step(trace, token, names, *step);
    return why_other_end(trace, token, names);
}

enum ob_result ob_replay_choose(struct ob_rig *rig, const struct ob_token *token,
                                const struct ob_chooser *chooser, struct ob_replay *out,
                                struct ob_error *err)
{
    enum ob_result result = ob_replay_check(rig, token, err);
    if (result != OB_OK)
        return result;
    *out = (struct ob_replay){0};
    ob_trace_init(&out->trace);
    ob_rig_leave_out(rig, &token->schedule, token->schedule.fault_count);
    result = ob_rig_run(rig, chooser, false, &out->trace, &out->outcome, err);
    if (result != OB_OK) {
        ob_replay_clear(out);
        return result;
    }
    out->why = find_divergence(&out->trace, token, rig->client_names, &out->step);
    out->diverged = out->why != NULL;
    if (!out->why)
        out->why = ob_strdup("");
    return OB_OK;
}

/* What the run until then showed stays, should the one that goes on be the same as recorded. */
static enum ob_result go_on(struct ob_rig *rig, const struct ob_token *token,
                            struct ob_replay *replay, struct ob_error *err)
{
    struct ob_replay more;
    struct ob_plan plan;
    ob_plan_init(&plan, &token->schedule);
    struct ob_chooser chooser = ob_plan_chooser(&plan);
    enum ob_result result = ob_replay_choose(rig, token, &chooser, &more, err);
    ob_plan_clear(&plan);
    if (result == OB_OK && !more.diverged) {
        char *why = replay->why;
        replay->why = more.why;
        more.why = why;
        more.diverged = true;
        more.step = replay->step;
    }
    ob_replay_clear(replay);
    if (result == OB_OK) {
        *replay = more;
        replay->went_on = true;
    }
    return result;
}

enum ob_result ob_replay_run(struct ob_rig *rig, const struct ob_token *token, bool continues,
                             struct ob_replay *out, struct ob_error *err)
{
    struct ob_follower follower = {.schedule = &token->schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    enum ob_result result = ob_replay_choose(rig, token, &chooser, out, err);
    if (result == OB_OK && continues && out->trace.end == OB_RUN_DIVERGED)
        result = go_on(rig, token, out, err);
    return result;
}

void ob_replay_clear(struct ob_replay *replay)
{
    ob_trace_clear(&replay->trace);
    free(replay->why);
    *replay = (struct ob_replay){0};
}
