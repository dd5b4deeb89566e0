#include "cli/study.h"

#include "base/alloc.h"
#include "cli/cli.h"

#include <stdlib.h>

static bool shrink_progress(void *arg, const struct ob_shrinking *now)
{
    const struct ob_variant_job *job = arg;
    const struct ob_explored explored = {.runs = now->runs, .findings = 1, .shrinking = true};
    return !job->progress || job->progress(job->progress_arg, &explored);
}

/* What the smallest run of another finding breaks too, if both are of one run, is shrunk from
 * there. */
static enum ob_result shrink_one(struct ob_rig *rig, const struct ob_exploration *exploration,
                                 size_t index, const struct ob_shrink_options *options,
                                 struct ob_study *studies, struct ob_error *err)
{
    const struct ob_finding *finding = &exploration->findings[index];
    struct ob_shrunk *shrunk = &studies[index].shrunk;
    for (size_t i = 0; i < index; i++) {
        if (exploration->findings[i].run != finding->run || studies[i].shrunk.finding.replays == 0)
            continue;
        enum ob_result result = ob_shrink(rig, &studies[i].shrunk.finding.schedule, finding->item,
                                          options, shrunk, err);
        if (result != OB_OK || shrunk->finding.replays > 0)
            return result;
        ob_shrunk_clear(shrunk);
    }
    return ob_shrink(rig, &finding->schedule, finding->item, options, shrunk, err);
}

enum ob_result ob_study_all(const struct ob_variant_job *job, struct ob_rig *rig,
                            const struct ob_exploration *exploration, struct ob_study **out,
                            struct ob_error *err)
{
    struct ob_variant_job told = *job;
    const struct ob_shrink_options options = {
        .runs_max = job->options->shrink_runs ? job->options->shrink_runs : OB_SHRINK_RUNS,
        .budget_us = OB_SHRINK_US,
        .progress = shrink_progress,
        .progress_arg = &told};
    enum ob_result result = OB_OK;
    *out = ob_alloc(exploration->finding_count * sizeof **out);
    for (size_t i = 0; i < exploration->finding_count && result == OB_OK; i++) {
        const struct ob_finding *finding = &exploration->findings[i];
        struct ob_study *study = &(*out)[i];
        if (job->options->no_shrink || exploration->stopped || finding->replays == 0 ||
            finding->replays_same < finding->replays || ob_cli_interrupted())
            continue;
        result = shrink_one(rig, exploration, i, &options, *out, err);
        if (result == OB_OK && study->shrunk.finding.replays > 0 && !ob_cli_interrupted())
            result = ob_explain(rig, &study->shrunk.trace, finding->item, &study->explained, err);
    }
    return result == OB_INTERRUPTED ? OB_OK : result; /* what was found stands */
}

void ob_study_clear_all(struct ob_study *studies, size_t count)
{
    for (size_t i = 0; studies && i < count; i++) {
        ob_shrunk_clear(&studies[i].shrunk);
        ob_explained_clear(&studies[i].explained);
    }
    free(studies);
}
