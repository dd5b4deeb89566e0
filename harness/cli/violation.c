#include "cli/violation.h"

#include "base/buf.h"
#include "cli/study.h"
#include "cli/timeline.h"
#include "repro/left_out.h"
#include "repro/token.h"

#include <stdlib.h>
#include <string.h>

char *ob_violation_token(const struct ob_finding *finding, const struct ob_scenario *scenario,
                         size_t variant, unsigned server_version)
{
    struct ob_token token = {.variant = (uint8_t)variant, .server_version = server_version};
    memcpy(token.scenario, scenario->hash, sizeof token.scenario);
    ob_token_record(&token, &finding->schedule, finding->step_digests);
    char *text = ob_token_encode(&token);
    ob_token_clear(&token);
    return text;
}

/* A file's name, or other text that begins with a letter, as a word for a shell. */
static const char *shell_word(struct ob_arena *arena, const char *file)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./";
    if (file[0] != '-' && strspn(file, plain) == strlen(file))
        return file;
    const char *word = file[0] == '-' ? "./" : "";
    for (const char *quote; (quote = strchr(file, '\'')); file = quote + 1)
        word = ob_arena_printf(arena, "%s%.*s'\\''", word, (int)(quote - file), file);
    return ob_arena_printf(arena, "'%s%s'", word, file);
}

const char *ob_violation_replay(struct ob_arena *arena, const char *token, const char *file,
                                const char *const *invariants, size_t invariant_count)
{
    const char *command = ob_arena_printf(arena, "overbook replay %s", token);
    if (!file)
        return command;
    for (size_t i = 0; i < invariant_count && ob_scenario_is_spec(file); i++)
        command =
            ob_arena_printf(arena, "%s --invariant %s", command, shell_word(arena, invariants[i]));
    return ob_arena_printf(arena, "%s %s", command, shell_word(arena, file));
}

/* The run's; what else the same run broke has one already. */
static const struct ob_report_timeline *
timeline_of(struct ob_report *report, const struct ob_report_result *result, size_t filled,
            const struct ob_judge_case *judged, const struct ob_finding *finding)
{
    for (size_t i = 0; i < filled; i++)
        if (result->violations[i].run == finding->run)
            return result->violations[i].timeline;
    return ob_timeline_unpack(&report->arena, &finding->packed, judged->rig->client_names,
                              judged->rig->spec.client_count);
}

/* The finding's token, and the command that replays it; "" for a free run, which has no schedule
 * that could be followed again. */
static void give_token(struct ob_arena *arena, const struct ob_judge_case *judged,
                       const struct ob_finding *finding, const char **token, const char **replay)
{
    *token = *replay = "";
    if (finding->replays == 0)
        return;
    char *word =
        ob_violation_token(finding, judged->scenario, judged->variant, judged->server_version);
    *token = ob_arena_strdup(arena, word);
    *replay = ob_violation_replay(arena, word, judged->named ? judged->scenario->file : NULL,
                                  judged->invariants, judged->invariant_count);
    free(word);
}

static const struct ob_report_shrunk *shrunk_of(struct ob_report *report,
                                                const struct ob_judge_case *judged, size_t index)
{
    struct ob_arena *arena = &report->arena;
    const struct ob_shrunk *shrunk = judged->studies ? &judged->studies[index].shrunk : NULL;
    if (!shrunk || shrunk->finding.replays == 0)
        return NULL;
    struct ob_report_shrunk *out = ob_arena_alloc(arena, sizeof *out);
    *out = (struct ob_report_shrunk){
        .clients = shrunk->size.clients,
        .faults = shrunk->size.faults,
        .steps = shrunk->size.steps,
        .preemptions = shrunk->size.preemptions,
        .replays_same = shrunk->finding.replays_same,
        .replays = shrunk->finding.replays,
        .runs = shrunk->runs,
        .complete = shrunk->complete,
    };
    char *left_out = ob_left_out(judged->rig, &shrunk->finding.schedule);
    out->left_out = ob_arena_strdup(arena, left_out);
    free(left_out);
    give_token(arena, judged, &shrunk->finding, &out->token, &out->replay);
    out->timeline = ob_timeline_of(arena, &shrunk->trace, judged->rig->client_names,
                                   judged->rig->spec.client_count);
    return out;
}

/* What the kind of the edge rests on. */
static const char *basis(struct ob_arena *arena, const struct ob_study *study,
                         const struct ob_edge *edge)
{
    const char *table = ob_explained_table(&study->explained, edge);
    switch (edge->basis) {
    case OB_BASIS_WORDS:
        return "; the kind goes by the statements' words";
    case OB_BASIS_TABLES:
        return ob_arena_printf(arena, "; both touch %s", *table ? table : "the same");
    case OB_BASIS_ROWS:
        return ob_arena_printf(arena,
                               "; row versions of %s, which one reads, came or went by the "
                               "other",
                               table);
    case OB_BASIS_NONE:
    default:
        return "";
    }
}

static const char *because(struct ob_arena *arena, const struct ob_judge_case *judged,
                           const struct ob_study *study, const struct ob_edge *edge)
{
    const char *const *names = judged->rig->client_names;
    const struct ob_step *steps = study->shrunk.trace.steps;
    return ob_arena_printf(arena, "%s holds when step %zu of %s comes after step %zu of %s%s",
                           ob_check_name(judged->rig->check, study->shrunk.finding.item),
                           edge->from + 1, names[steps[edge->from].client], edge->to + 1,
                           names[steps[edge->to].client], basis(arena, study, edge));
}

static const struct ob_report_explanation *
explanation_of(struct ob_report *report, const struct ob_judge_case *judged, size_t index)
{
    struct ob_arena *arena = &report->arena;
    const struct ob_study *study = judged->studies ? &judged->studies[index] : NULL;
    if (!study || !study->explained.sentence)
        return NULL;
    const struct ob_explained *explained = &study->explained;
    struct ob_report_explanation *out = ob_arena_alloc(arena, sizeof *out);
    struct ob_report_edge *edges = ob_arena_alloc(arena, explained->edge_count * sizeof *edges);
    for (size_t i = 0; i < explained->edge_count; i++) {
        const struct ob_edge *edge = &explained->edges[i];
        edges[i] = (struct ob_report_edge){.from = edge->from,
                                           .to = edge->to,
                                           .kind = ob_edge_word(edge->kind),
                                           .because = because(arena, judged, study, edge)};
    }
    *out = (struct ob_report_explanation){
        .anomaly = explained->anomaly,
        .sentence = ob_arena_strdup(arena, explained->sentence),
        .first = explained->first,
        .second = explained->second,
        .edges = edges,
        .edge_count = explained->edge_count,
    };
    return out;
}

void ob_violation_add(struct ob_report *report, struct ob_report_result *result, size_t place,
                      const struct ob_judge_case *judged, size_t index)
{
    const struct ob_finding *finding = &judged->exploration->findings[index];
    struct ob_report_violation *violation = &result->violations[place];
    struct ob_arena *arena = &report->arena;
    *violation = (struct ob_report_violation){
        .invariant = ob_arena_strdup(arena, judged->scenario->invariants[finding->item].name),
        .run = finding->run,
        .clients = finding->clients,
        .faults = finding->schedule.fault_count,
        .steps = finding->schedule.step_count,
        .preemptions = finding->preemptions,
        .replays_same = finding->replays_same,
        .replays = finding->replays,
        .why = ob_arena_strdup(arena, finding->rows),
        .trace = ob_arena_strdup(arena, finding->trace),
    };
    give_token(arena, judged, finding, &violation->token, &violation->replay);
    violation->timeline = timeline_of(report, result, place, judged, finding);
    violation->shrunk = shrunk_of(report, judged, index);
    violation->explanation = explanation_of(report, judged, index);
}
