#include "cli/judge.h"

#include "repro/token.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ob_report_result *ob_judge_begin(struct ob_report *report,
                                        const struct ob_scenario *scenario, size_t variant)
{
    struct ob_report_result *result = ob_report_add(report);
    struct ob_arena *arena = &report->arena;
    const char *violates = scenario->variants[variant].violates;
    result->scenario = ob_arena_strdup(arena, scenario->name);
    result->file = ob_arena_strdup(arena, scenario->file);
    result->about = ob_arena_strdup(arena, scenario->about);
    result->variant = ob_arena_strdup(arena, scenario->variants[variant].name);
    result->target = scenario->target == OB_TARGET_SQL ? "sql" : "reference";
    result->expected = violates ? ob_arena_printf(arena, "violates %s", violates) : "holds";
    result->strategy = "";
    result->reason = "";
    return result;
}

static char *token_of(const struct ob_finding *finding, const struct ob_scenario *scenario,
                      size_t variant, unsigned server_version)
{
    struct ob_token token = {.variant = (uint8_t)variant, .server_version = server_version};
    memcpy(token.scenario, scenario->hash, sizeof token.scenario);
    ob_token_record(&token, &finding->schedule, finding->step_digests);
    char *text = ob_token_encode(&token);
    ob_token_clear(&token);
    return text;
}

static void fill_violations(struct ob_report *report, struct ob_report_result *result,
                            const struct ob_scenario *scenario, size_t variant,
                            const struct ob_exploration *exploration, unsigned server_version)
{
    struct ob_arena *arena = &report->arena;
    result->violation_count = exploration->finding_count;
    result->violations =
        ob_arena_alloc(arena, result->violation_count * sizeof *result->violations);
    for (size_t i = 0; i < exploration->finding_count; i++) {
        const struct ob_finding *finding = &exploration->findings[i];
        /* A free run has no schedule that could be followed again. */
        char *token =
            finding->replays > 0 ? token_of(finding, scenario, variant, server_version) : NULL;
        result->violations[i] = (struct ob_report_violation){
            .invariant = ob_arena_strdup(arena, scenario->invariants[finding->item].name),
            .run = finding->run,
            .token = ob_arena_strdup(arena, token ? token : ""),
            .clients = finding->clients,
            .faults = finding->schedule.fault_count,
            .steps = finding->schedule.step_count,
            .preemptions = finding->preemptions,
            .replays_same = finding->replays_same,
            .replays = finding->replays,
            .why = ob_arena_strdup(arena, finding->rows),
            .trace = ob_arena_strdup(arena, finding->trace),
        };
        free(token);
    }
}

/* The first finding whose replays went another way, or NULL. */
static const struct ob_finding *diverged(const struct ob_exploration *exploration)
{
    for (size_t i = 0; i < exploration->finding_count; i++)
        if (exploration->findings[i].replays_same < exploration->findings[i].replays)
            return &exploration->findings[i];
    return NULL;
}

static bool was_found(const struct ob_report_result *result, const char *invariant)
{
    for (size_t i = 0; i < result->violation_count; i++)
        if (strcmp(result->violations[i].invariant, invariant) == 0)
            return true;
    return false;
}

static void inconclusive(struct ob_report_result *result, const char *reason)
{
    result->verdict = OB_INCONCLUSIVE;
    result->as_expected = false;
    result->reason = reason;
}

static void compare_with_expectation(struct ob_report *report, struct ob_report_result *result,
                                     const char *violates)
{
    struct ob_arena *arena = &report->arena;
    const char *first = result->violation_count > 0 ? result->violations[0].invariant : NULL;
    result->verdict = first ? OB_VIOLATED : OB_HOLDS;
    result->as_expected = violates ? was_found(result, violates) : !first;
    if (result->as_expected)
        return;
    if (!violates)
        result->reason = ob_arena_printf(arena, "%s was broken, and nothing should be", first);
    else if (first)
        result->reason = ob_arena_printf(arena, "%s was broken, but %s should be", first, violates);
    else
        result->reason =
            ob_arena_printf(arena, "%s should be broken, and was not in %" PRIu64 " run%s",
                            violates, result->runs, result->runs == 1 ? "" : "s");
}

void ob_judge(struct ob_report *report, struct ob_report_result *result,
              const struct ob_scenario *scenario, size_t variant, const struct ob_rig *rig,
              const struct ob_exploration *exploration, unsigned server_version,
              bool require_exhausted)
{
    struct ob_arena *arena = &report->arena;
    result->runs = exploration->runs;
    result->steps = exploration->steps;
    result->uncontrolled_runs = exploration->uncontrolled_runs;
    result->exhausted = exploration->exhausted;
    result->classes = exploration->classes;
    result->outcomes = exploration->outcomes;
    result->seconds_total = (double)exploration->total_us / 1e6;
    result->seconds_reset = (double)rig->reset_us / 1e6;
    result->seconds_settle = (double)rig->settle_us / 1e6;
    result->seconds_check = (double)rig->check_us / 1e6;
    fill_violations(report, result, scenario, variant, exploration, server_version);
    compare_with_expectation(report, result, scenario->variants[variant].violates);
    const struct ob_finding *flaky = diverged(exploration);
    if (flaky)
        inconclusive(result, ob_arena_printf(arena,
                                             "a violation was seen, but only %u of %u replays "
                                             "were the same%s: %s",
                                             flaky->replays_same, flaky->replays,
                                             flaky->uncontrolled ? " (uncontrolled wake)" : "",
                                             flaky->divergence));
    else if (exploration->inconclusive != OB_RUN_FINISHED)
        inconclusive(result, ob_arena_printf(arena, "run %" PRIu64 ": %s: %s", exploration->runs,
                                             ob_run_end_text(exploration->inconclusive),
                                             exploration->reason));
    else if (exploration->stopped)
        inconclusive(result, "interrupted");
    else if (require_exhausted && !exploration->exhausted && exploration->finding_count == 0)
        inconclusive(result,
                     exploration->uncontrolled_runs > 0
                         ? "not exhausted: the server chose which of several waiters went on"
                         : "not exhausted: the runs or the time were over before");
}

void ob_judge_error(struct ob_report *report, struct ob_report_result *result,
                    const struct ob_error *err)
{
    const char *separator = err->detail[0] != '\0' ? ": " : "";
    result->verdict = OB_FAILED;
    result->as_expected = false;
    result->reason =
        ob_arena_printf(&report->arena, "%s%s%s", err->message, separator, err->detail);
}
