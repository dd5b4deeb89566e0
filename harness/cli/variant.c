#include "cli/variant.h"

#include "cli/judge.h"
#include "target/target.h"

#include <stdlib.h>

static enum ob_result choose_strategy(const struct ob_options *options,
                                      const struct ob_scenario *scenario,
                                      struct ob_variant_plan *out, struct ob_error *err)
{
    out->strategy = OB_STRATEGY_RANDOM;
    if (options->strategy_given) {
        out->strategy = options->strategy;
        out->argument = options->strategy_argument;
        return OB_OK;
    }
    if (scenario->explore.strategy[0] == '\0')
        return OB_OK;
    enum ob_result result =
        ob_strategy_parse(scenario->explore.strategy, &out->strategy, &out->argument, err);
    if (result == OB_OK)
        return OB_OK;
    ob_error_context(err, "%s", scenario->file);
    return err->code = OB_INPUT;
}

enum ob_result ob_variant_plan(const struct ob_options *options, const struct ob_scenario *scenario,
                               struct ob_variant_plan *out, struct ob_error *err)
{
    struct ob_variant_plan plan = {0};
    enum ob_result result = choose_strategy(options, scenario, &plan, err);
    if (result != OB_OK)
        return result;
    plan.runs_max = OB_RUNS_DEFAULT;
    if (ob_strategy_ends(plan.strategy))
        plan.runs_max = UINT64_MAX; /* --runs and --budget bound it */
    if (scenario->explore.runs > 0)
        plan.runs_max = scenario->explore.runs;
    if (options->runs > 0)
        plan.runs_max = options->runs;
    *out = plan;
    return OB_OK;
}

static enum ob_result open_target(const struct ob_variant_job *job,
                                  const struct ob_variant_plan *plan, const char *conninfo,
                                  struct ob_target **out, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fault_budget = job->options->faults,
        .fixed_plans = true,
        .own_server = ob_server_embedded(job->server),
        .learns = ob_strategy_reduces(plan->strategy),
    };
    return ob_target_open(job->scenario, job->variant, &options, out, err);
}

static enum ob_result explore_target(const struct ob_variant_job *job,
                                     const struct ob_variant_plan *plan, struct ob_rig *rig,
                                     struct ob_exploration *out, struct ob_error *err)
{
    const struct ob_options *options = job->options;
    const struct ob_explore_options explore = {
        .strategy = plan->strategy,
        .argument = &plan->argument,
        .seed = options->seed,
        .runs_max = plan->runs_max,
        .budget_us = options->budget_us,
        .keep_going = options->keep_going,
        .shard = options->shard,
        .orders_first = options->from_permutations,
        .until = job->scenario->variants[job->variant].violates,
        .progress = job->progress,
        .progress_arg = job->progress_arg,
    };
    return ob_explore(rig, &explore, out, err);
}

static void judge(const struct ob_variant_job *job, const struct ob_variant_plan *plan,
                  const struct ob_rig *rig, const struct ob_exploration *exploration,
                  struct ob_report *report)
{
    const struct ob_options *options = job->options;
    const struct ob_judge_case judged = {
        .scenario = job->scenario,
        .variant = job->variant,
        .rig = rig,
        .exploration = exploration,
        .argument = plan->argument,
        .server_version = ob_server_version_number(job->server),
        .named = options->arg_count > 0,
        .require_exhausted = options->require_exhausted,
        .is_part = options->shard.count > 0,
        .invariants = options->invariants,
        .invariant_count = options->invariant_count,
    };
    ob_judge(report, &report->results[report->result_count - 1], &judged);
}

static enum ob_result explore(const struct ob_variant_job *job, const char *conninfo,
                              struct ob_report *report, struct ob_error *err)
{
    struct ob_variant_plan plan;
    enum ob_result result = ob_variant_plan(job->options, job->scenario, &plan, err);
    if (result != OB_OK)
        return result;
    char name[OB_STRATEGY_NAME_SIZE];
    ob_strategy_name(plan.strategy, plan.argument, name);
    report->results[report->result_count - 1].strategy = ob_arena_strdup(&report->arena, name);
    report->controlled_steps &= plan.strategy != OB_STRATEGY_STRESS;
    struct ob_target *target = NULL;
    result = open_target(job, &plan, conninfo, &target, err);
    if (result != OB_OK)
        return result;
    report->controlled_deadlock &= ob_target_controls_deadlock(target);
    struct ob_exploration exploration;
    struct ob_rig *rig = ob_target_rig(target);
    result = explore_target(job, &plan, rig, &exploration, err);
    if (result == OB_OK)
        judge(job, &plan, rig, &exploration, report);
    ob_exploration_clear(&exploration);
    if (result != OB_STUCK) /* a thread of it still runs */
        ob_target_close(target);
    return result;
}

enum ob_result ob_variant_run(const struct ob_variant_job *job, struct ob_report *report,
                              struct ob_error *err)
{
    struct ob_report_result *line = ob_judge_begin(report, job->scenario, job->variant);
    char *conninfo = NULL;
    enum ob_result result = ob_server_create_database(job->server, NULL, &conninfo, err);
    bool created = result == OB_OK;
    if (created) {
        result = explore(job, conninfo, report, err);
        result = ob_server_drop_database(job->server, result, err);
    }
    if (result != OB_OK)
        ob_judge_error(report, line, err);
    free(conninfo);
    bool ends_all = result == OB_SERVER || result == OB_REFUSED || result == OB_STUCK || !created;
    return ends_all ? result : OB_OK;
}
