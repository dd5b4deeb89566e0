#include "explore/finding.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "engine/trace_pack.h"
#include "explore/follower.h"

#include <stdlib.h>

#define OB_TRACE_TEXT_MAX ((size_t)1 << 20)
#define OB_TRACE_PACKED_MAX ((size_t)1 << 26)

struct ob_run_size ob_run_size(const struct ob_trace *trace)
{
    struct ob_run_size size = {.faults = trace->schedule.fault_count, .steps = trace->step_count};
    ob_client_set moved = 0;
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        moved |= (ob_client_set)1 << step->client;
        if (i == 0 || step->client == step[-1].client)
            continue;
        size.preemptions += step->enabled >> step[-1].client & 1;
    }
    size.clients = (size_t)__builtin_popcountll(moved);
    return size;
}

const char *ob_run_breaks(const struct ob_run_outcome *outcome, size_t item)
{
    for (size_t i = 0; i < outcome->broken_count; i++)
        if (outcome->broken[i].item == item)
            return outcome->broken[i].rows;
    return NULL;
}

void ob_finding_record(struct ob_finding *out, const struct ob_rig *rig,
                       const struct ob_trace *trace, size_t item, const char *rows, uint64_t run)
{
    struct ob_run_size size = ob_run_size(trace);
    *out = (struct ob_finding){
        .item = item,
        .run = run,
        .clients = size.clients,
        .preemptions = size.preemptions,
        .rows = ob_strdup(rows),
        .uncontrolled = trace->uncontrolled > 0,
    };
    ob_schedule_copy(&out->schedule, &trace->schedule);
    out->step_digests = ob_alloc(trace->step_count * sizeof *out->step_digests);
    for (size_t i = 0; i < trace->step_count; i++)
        out->step_digests[i] = ob_trace_step_digest(trace, i);
    struct ob_buf text;
    ob_buf_init(&text, OB_TRACE_TEXT_MAX);
    ob_trace_print(trace, rig->client_names, false, &text);
    out->trace = ob_buf_take(&text);
    ob_buf_init(&out->packed, OB_TRACE_PACKED_MAX);
    ob_trace_pack(trace, &out->packed);
    if (ob_buf_failed(&out->packed))
        ob_buf_reset(&out->packed);
}

void ob_finding_clear(struct ob_finding *finding)
{
    ob_schedule_clear(&finding->schedule);
    free(finding->step_digests);
    free(finding->rows);
    free(finding->trace);
    free(finding->divergence);
    ob_buf_clear(&finding->packed);
    *finding = (struct ob_finding){0};
}

/* The same only when each step was, and the invariant is broken again. */
static void count_replay(struct ob_finding *finding, const struct ob_rig *rig, bool differs,
                         const char *why, const struct ob_run_outcome *outcome)
{
    bool again = ob_run_breaks(outcome, finding->item) != NULL;
    finding->replays++;
    finding->replays_same += !differs && again;
    if ((!differs && again) || finding->divergence)
        return;
    finding->divergence = differs ? ob_strdup(why)
                                  : ob_asprintf("each step was the same, and %s is not broken\n",
                                                ob_check_name(rig->check, finding->item));
}

static void compare(struct ob_finding *findings, size_t count, const struct ob_rig *rig,
                    const struct ob_trace *trace, const struct ob_trace *replayed,
                    const struct ob_run_outcome *outcome)
{
    size_t step;
    struct ob_buf why;
    ob_buf_init(&why, OB_TRACE_TEXT_MAX);
    bool differs = ob_trace_diff(trace, replayed, rig->client_names, &step, &why);
    for (size_t i = 0; i < count; i++)
        count_replay(&findings[i], rig, differs, why.data, outcome);
    ob_buf_clear(&why);
}

enum ob_result ob_findings_confirm(struct ob_finding *findings, size_t count, struct ob_rig *rig,
                                   const struct ob_trace *trace, struct ob_error *err)
{
    struct ob_trace replayed;
    ob_trace_init(&replayed);
    struct ob_follower follower = {.schedule = &findings[0].schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    enum ob_result result = OB_OK;
    for (unsigned i = 0; i < OB_REPLAYS && result == OB_OK; i++) {
        struct ob_run_outcome outcome;
        result = ob_rig_run(rig, &chooser, false, &replayed, &outcome, err);
        if (result == OB_OK)
            compare(findings, count, rig, trace, &replayed, &outcome);
    }
    ob_trace_clear(&replayed);
    for (size_t i = 0; i < count && result != OB_OK; i++) {
        findings[i].replays = OB_REPLAYS;
        if (!findings[i].divergence)
            findings[i].divergence = ob_strdup("the others were not made\n");
    }
    return result;
}
