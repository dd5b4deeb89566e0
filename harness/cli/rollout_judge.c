#include "cli/rollout_judge.h"

#include <inttypes.h>
#include <string.h>

struct judging {
    struct ob_report *report;
    struct ob_arena *arena;
    const struct ob_rollout *plan;
    struct ob_report_rollout *out;
};

static bool has(const struct ob_report_cell *cell, const char *invariant)
{
    for (size_t i = 0; i < cell->broken_count; i++)
        if (strcmp(cell->broken[i], invariant) == 0)
            return true;
    return false;
}

/* The first invariant that one cell breaks and neither of the others does, or NULL.  The second one
 * may be NULL. */
static const char *first_new(const struct ob_report_cell *cell, const struct ob_report_cell *a,
                             const struct ob_report_cell *b)
{
    for (size_t i = 0; i < cell->broken_count; i++)
        if (!has(a, cell->broken[i]) && !(b && has(b, cell->broken[i])))
            return cell->broken[i];
    return NULL;
}

/* --- cells */

static bool is_confirmed(const struct ob_report_violation *violation)
{
    return violation->replays > 0 && violation->replays_same == violation->replays;
}

/* Where it is broken: of the results of that variant the first. */
static bool find_violation(const struct ob_report *report, const char *variant,
                           const char *invariant, struct ob_report_cell *cell)
{
    for (size_t i = 0; i < report->result_count; i++) {
        const struct ob_report_result *result = &report->results[i];
        for (size_t k = 0; strcmp(result->variant, variant) == 0 && k < result->violation_count;
             k++) {
            if (strcmp(result->violations[k].invariant, invariant) != 0 ||
                !is_confirmed(&result->violations[k]))
                continue;
            cell->result = i;
            cell->violation = k;
            return true;
        }
    }
    return false;
}

/* Why a result says too little; NULL where it does not.  What was seen and could not be made again
 * is neither broken nor known to hold. */
static const char *doubt(struct judging *j, const struct ob_report_result *result)
{
    if (result->verdict != OB_HOLDS && result->verdict != OB_VIOLATED)
        return ob_arena_printf(j->arena, "%s: %s", result->scenario, result->reason);
    for (size_t i = 0; i < result->violation_count; i++)
        if (!is_confirmed(&result->violations[i]))
            return ob_arena_printf(j->arena, "%s: %s was broken, but could not be made again",
                                   result->scenario, result->violations[i].invariant);
    return NULL;
}

static void add_runs(struct judging *j, const char *variant, struct ob_report_cell *cell)
{
    for (size_t i = 0; i < j->report->result_count; i++) {
        const struct ob_report_result *result = &j->report->results[i];
        if (strcmp(result->variant, variant) != 0)
            continue;
        cell->runs += result->runs;
        if (!cell->undecided)
            cell->undecided = doubt(j, result);
    }
}

/* In the order of the plan's invariants; the first of them is the one that is shown. */
static void fill_cell(struct judging *j, const char *name, const char *const *variants,
                      size_t variant_count, struct ob_report_cell *out)
{
    const struct ob_scenario *scenario = j->plan->traffic.items[0];
    const char **broken = ob_arena_alloc(j->arena, scenario->invariant_count * sizeof *broken);
    struct ob_report_cell at = {0};
    *out = (struct ob_report_cell){.name = ob_arena_strdup(j->arena, name), .broken = broken};
    for (size_t i = 0; i < variant_count; i++)
        add_runs(j, variants[i], out);
    for (size_t i = 0; i < scenario->invariant_count; i++) {
        bool found = false;
        const char *invariant = scenario->invariants[i].name;
        for (size_t k = 0; k < variant_count && !found; k++)
            found = find_violation(j->report, variants[k], invariant, &at);
        if (found && out->broken_count == 0) {
            out->result = at.result;
            out->violation = at.violation;
        }
        if (found)
            broken[out->broken_count++] = ob_arena_strdup(j->arena, invariant);
    }
}

/* What is new is shown rather than what was broken before. */
static void show(const struct judging *j, const struct ob_rollout_move *planned,
                 const char *invariant, struct ob_report_cell *cell)
{
    if (invariant && planned->variant)
        (void)find_violation(j->report, planned->variant, invariant, cell);
}

/* --- moves */

/* The first invariant that the phase after breaks and the one before does not, although it was
 * asked there too; or NULL. */
static const char *first_new_after(const struct judging *j, size_t from, size_t to)
{
    const struct ob_report_cell *before = &j->out->phases[from], *after = &j->out->phases[to];
    for (size_t i = 0; i < after->broken_count; i++)
        if (!has(before, after->broken[i]) && ob_rollout_asks(j->plan, from, after->broken[i]))
            return after->broken[i];
    return NULL;
}

/* What leaves open whether the move is a safe step forward; NULL where nothing does. */
static const char *doubt_of_move(const struct judging *j, const struct ob_report_cell *move,
                                 size_t from, size_t to)
{
    const struct ob_report_cell *before = &j->out->phases[from], *after = &j->out->phases[to];
    if (first_new(move, before, NULL) || first_new_after(j, from, to))
        return before->undecided;
    return move->undecided ? move->undecided : after->undecided;
}

/* Why the move is not known to be safe as a step forward; NULL where it is. */
static const char *why_not(struct judging *j, const struct ob_report_cell *move, size_t from,
                           size_t to)
{
    const char *during = first_new(move, &j->out->phases[from], NULL),
               *then = first_new_after(j, from, to), *doubt = doubt_of_move(j, move, from, to);
    if (doubt)
        return ob_arena_printf(j->arena, "it is undecided, %s", doubt);
    if (during)
        return ob_arena_printf(j->arena, "while it is made %s is broken, which it was not before",
                               during);
    return then ? ob_arena_printf(j->arena, "after it %s is broken, which it was not before", then)
                : NULL;
}

static const char *why_not_back(struct judging *j, const struct ob_report_move *back)
{
    const char *during =
        first_new(&back->cell, &j->out->phases[back->from], &j->out->phases[back->to]);
    if (back->cell.undecided)
        return ob_arena_printf(j->arena, "it is undecided, %s", back->cell.undecided);
    return during ? ob_arena_printf(j->arena,
                                    "while it is made %s is broken, which neither phase breaks",
                                    during)
                  : NULL;
}

/* Whether a migration ended in an error that no later attempt made good. */
static bool is_refusal(const struct ob_report_request *request)
{
    return strncmp(request->request, "migrate ", strlen("migrate ")) == 0 &&
           strstr(request->outcome, "error") != NULL;
}

/* Runs in which the migration was refused. */
static uint64_t count_refused(const struct judging *j, const char *variant)
{
    uint64_t refused = 0;
    for (size_t i = 0; i < j->report->result_count; i++) {
        const struct ob_report_result *result = &j->report->results[i];
        for (size_t k = 0; k < result->request_count; k++)
            if (strcmp(result->variant, variant) == 0 && is_refusal(&result->requests[k]))
                refused += result->requests[k].count;
    }
    return refused;
}

static void fill_move(struct judging *j, size_t index)
{
    const struct ob_rollout_move *planned = &j->plan->moves[index];
    struct ob_report_move *move = &j->out->moves[index];
    bool back = index % 2 == 1;
    fill_cell(j, planned->name, &planned->variant, planned->variant ? 1 : 0, &move->cell);
    move->from = planned->from;
    move->to = planned->to;
    move->variant = planned->variant ? ob_arena_strdup(j->arena, planned->variant) : "";
    move->refused = count_refused(j, move->variant);
    const char *why =
        back ? why_not_back(j, move) : why_not(j, &move->cell, planned->from, planned->to);
    const struct ob_report_cell *before = &j->out->phases[move->from],
                                *after = &j->out->phases[move->to];
    show(j, planned, first_new(&move->cell, before, back ? after : NULL), &move->cell);
    move->safe = why == NULL;
    move->reason = why ? why : "";
}

/* --- orders */

static const struct ob_report_cell *move_cell(const struct judging *j, size_t from, size_t to)
{
    const struct ob_rollout_move *move = ob_rollout_find_move(j->plan, from, to);
    return &j->out->moves[move - j->plan->moves].cell;
}

/* The first move of the order that is known not to be safe (undecided: that may be either), and
 * why; NULL: there is none. */
static const char *first_unsafe(struct judging *j, const struct ob_report_order *order,
                                bool undecided)
{
    for (size_t i = 0; i + 1 < order->phase_count; i++) {
        size_t from = order->phases[i], to = order->phases[i + 1];
        const struct ob_report_cell *move = move_cell(j, from, to);
        const char *why = why_not(j, move, from, to);
        if (why && (doubt_of_move(j, move, from, to) != NULL) == undecided)
            return ob_arena_printf(j->arena, "from \"%s\", %s: %s", j->out->phases[from].name,
                                   move->name, why);
    }
    return NULL;
}

/* One bad move is enough, whatever is not known of the others. */
static const char *why_order_is_not(struct judging *j, struct ob_report_order *order)
{
    const struct ob_report_cell *last = &j->out->phases[order->phases[order->phase_count - 1]];
    const char *why = first_unsafe(j, order, false);
    if (!why && last->broken_count > 0)
        why = ob_arena_printf(j->arena, "in the end %s is still broken", last->broken[0]);
    if (why)
        return why;
    why = first_unsafe(j, order, true);
    order->undecided = why != NULL;
    return why;
}

/* Where the order's migrations may be refused, a sentence; else "". */
static const char *refusals(struct judging *j, const struct ob_report_order *order)
{
    const char *text = "";
    for (size_t i = 0; i + 1 < order->phase_count; i++) {
        const struct ob_rollout_move *move =
            ob_rollout_find_move(j->plan, order->phases[i], order->phases[i + 1]);
        const struct ob_report_move *judged = &j->out->moves[move - j->plan->moves];
        if (judged->refused > 0)
            text = ob_arena_printf(j->arena,
                                   "%s; \"%s\" was refused in %" PRIu64 " of %" PRIu64
                                   " runs, which changes nothing",
                                   text, judged->cell.name, judged->refused, judged->cell.runs);
    }
    return text;
}

static void fill_order(struct judging *j, const struct ob_rollout_order *planned,
                       struct ob_report_order *out)
{
    size_t *phases = ob_arena_alloc(j->arena, planned->phase_count * sizeof *phases);
    memcpy(phases, planned->phases, planned->phase_count * sizeof *phases);
    *out = (struct ob_report_order){
        .name = ob_arena_strdup(j->arena, planned->name),
        .about = ob_arena_strdup(j->arena, planned->about),
        .expected_safe = planned->safe,
        .phases = phases,
        .phase_count = planned->phase_count,
    };
    const char *why = why_order_is_not(j, out);
    out->safe = why == NULL;
    out->reason = why ? why
                      : ob_arena_printf(j->arena,
                                        "no move breaks anything that was not broken before it, "
                                        "and in the end everything holds%s",
                                        refusals(j, out));
}

const struct ob_report_rollout *ob_rollout_judge(struct ob_report *report,
                                                 const struct ob_rollout *rollout)
{
    struct ob_arena *arena = &report->arena;
    struct ob_report_rollout *out = ob_arena_alloc(arena, sizeof *out);
    struct judging j = {report, arena, rollout, out};
    *out = (struct ob_report_rollout){
        .name = ob_arena_strdup(arena, rollout->name),
        .about = ob_arena_strdup(arena, rollout->about),
        .phases = ob_arena_alloc(arena, rollout->phase_count * sizeof *out->phases),
        .phase_count = rollout->phase_count,
        .moves = ob_arena_alloc(arena, rollout->move_count * sizeof *out->moves),
        .move_count = rollout->move_count,
        .orders = ob_arena_alloc(arena, rollout->order_count * sizeof *out->orders),
        .order_count = rollout->order_count,
    };
    for (size_t i = 0; i < rollout->phase_count; i++)
        fill_cell(&j, rollout->phases[i].name, rollout->phases[i].variants,
                  rollout->phases[i].variant_count, &out->phases[i]);
    for (size_t i = 0; i < rollout->move_count; i++)
        fill_move(&j, i);
    for (size_t i = 0; i < rollout->order_count; i++)
        fill_order(&j, &rollout->orders[i], &out->orders[i]);
    return out;
}
