/* read_rollout.c - a rollout of a stored result. */
#include "read_int.h"

#include <string.h>

static void read_broken(struct ob_reader *r, const json_t *object, struct ob_report_cell *out)
{
    const json_t *array = ob_read_array(r, object, "broken");
    const struct ob_report *report = r->report;
    size_t count = json_array_size(array);
    const char **broken = ob_arena_alloc(&r->report->arena, count * sizeof *broken);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name)
            ob_read_refuse(r, "broken", "a list of texts");
        broken[i] = ob_arena_strdup(&r->report->arena, name ? name : "");
    }
    out->broken = broken;
    out->broken_count = count;
    if (count == 0)
        return;
    out->result = ob_read_index(r, object, "result", report->result_count);
    if (!r->failed)
        out->violation =
            ob_read_index(r, object, "violation", report->results[out->result].violation_count);
}

static void read_cell(struct ob_reader *r, const json_t *object, struct ob_report_cell *out)
{
    const json_t *undecided = json_object_get(object, "undecided");
    out->name = ob_read_text(r, object, "name");
    out->runs = ob_read_count(r, object, "runs");
    out->undecided = json_is_null(undecided) ? NULL : ob_read_text(r, object, "undecided");
    read_broken(r, object, out);
}

static void read_moves(struct ob_reader *r, const json_t *array, struct ob_report_rollout *out)
{
    out->move_count = json_array_size(array);
    out->moves = ob_arena_alloc(&r->report->arena, out->move_count * sizeof *out->moves);
    for (size_t i = 0; i < out->move_count && !r->failed; i++) {
        const json_t *object = json_array_get(array, i);
        struct ob_report_move *move = &out->moves[i];
        read_cell(r, object, &move->cell);
        move->from = ob_read_index(r, object, "from", out->phase_count);
        move->to = ob_read_index(r, object, "to", out->phase_count);
        move->variant = ob_read_text(r, object, "variant");
        move->refused = ob_read_count(r, object, "refused");
        move->safe = ob_read_bool(r, object, "safe");
        move->reason = ob_read_text(r, object, "reason");
    }
}

static void read_order(struct ob_reader *r, const json_t *object, size_t phase_count,
                       struct ob_report_order *out)
{
    const json_t *array = ob_read_array(r, object, "phases");
    size_t *phases =
        ob_arena_alloc(&r->report->arena, json_array_size(array) * sizeof *out->phases);
    out->name = ob_read_text(r, object, "name");
    out->about = ob_read_text(r, object, "about");
    out->expected_safe = strcmp(ob_read_text(r, object, "expected"), "safe") == 0;
    out->safe = ob_read_bool(r, object, "safe");
    /* Older results do not say. */
    out->undecided = json_object_get(object, "undecided") && ob_read_bool(r, object, "undecided");
    out->reason = ob_read_text(r, object, "reason");
    out->phases = phases;
    for (; out->phase_count < json_array_size(array) && !r->failed; out->phase_count++) {
        json_int_t phase = json_integer_value(json_array_get(array, out->phase_count));
        if (phase < 0 || (uint64_t)phase >= phase_count)
            ob_read_refuse(r, "phases", "a list of the rollout's phases");
        phases[out->phase_count] = (size_t)phase;
    }
}

/* Each move is followed by the one that goes back. */
static void check_pairs(struct ob_reader *r, const struct ob_report_rollout *rollout)
{
    bool paired = rollout->move_count % 2 == 0;
    for (size_t i = 0; paired && i < rollout->move_count; i += 2)
        paired = rollout->moves[i].from == rollout->moves[i + 1].to &&
                 rollout->moves[i].to == rollout->moves[i + 1].from;
    if (!r->failed && !paired)
        ob_read_refuse(r, "moves", "a list of moves, there and back");
}

void ob_read_rollout(struct ob_reader *r, const json_t *object)
{
    struct ob_arena *arena = &r->report->arena;
    struct ob_report_rollout *out = ob_arena_alloc(arena, sizeof *out);
    const json_t *phases = ob_read_array(r, object, "phases");
    const json_t *orders = ob_read_array(r, object, "orders");
    *out = (struct ob_report_rollout){.name = ob_read_text(r, object, "name"),
                                      .about = ob_read_text(r, object, "about"),
                                      .phase_count = json_array_size(phases),
                                      .order_count = json_array_size(orders)};
    out->phases = ob_arena_alloc(arena, out->phase_count * sizeof *out->phases);
    out->orders = ob_arena_alloc(arena, out->order_count * sizeof *out->orders);
    for (size_t i = 0; i < out->phase_count && !r->failed; i++)
        read_cell(r, json_array_get(phases, i), &out->phases[i]);
    read_moves(r, ob_read_array(r, object, "moves"), out);
    for (size_t i = 0; i < out->order_count && !r->failed; i++)
        read_order(r, json_array_get(orders, i), out->phase_count, &out->orders[i]);
    check_pairs(r, out);
    if (!r->failed)
        r->report->rollout = out;
}
