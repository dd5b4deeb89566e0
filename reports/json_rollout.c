/* json_rollout.c - a rollout in the JSON result. */
#include "json_int.h"

static json_t *cell_json(struct ob_json_builder *b, const struct ob_report_cell *cell)
{
    json_t *object = json_object(), *broken = json_array();
    for (size_t i = 0; i < cell->broken_count; i++)
        ob_json_append(b, broken, ob_json_text(b, cell->broken[i]));
    ob_json_put_text(b, object, "name", cell->name);
    ob_json_put(b, object, "broken", broken);
    if (cell->broken_count > 0) {
        ob_json_put_count(b, object, "result", cell->result);
        ob_json_put_count(b, object, "violation", cell->violation);
    }
    ob_json_put(b, object, "undecided",
                cell->undecided ? ob_json_text(b, cell->undecided) : json_null());
    ob_json_put_count(b, object, "runs", cell->runs);
    return object;
}

static json_t *move_json(struct ob_json_builder *b, const struct ob_report_move *move)
{
    json_t *object = cell_json(b, &move->cell);
    ob_json_put_count(b, object, "from", move->from);
    ob_json_put_count(b, object, "to", move->to);
    ob_json_put_text(b, object, "variant", move->variant);
    ob_json_put_count(b, object, "refused", move->refused);
    ob_json_put_bool(b, object, "safe", move->safe);
    ob_json_put_text(b, object, "reason", move->reason);
    return object;
}

static json_t *order_json(struct ob_json_builder *b, const struct ob_report_order *order)
{
    json_t *object = json_object(), *phases = json_array();
    for (size_t i = 0; i < order->phase_count; i++)
        ob_json_append(b, phases, json_integer((json_int_t)order->phases[i]));
    ob_json_put_text(b, object, "name", order->name);
    ob_json_put_text(b, object, "about", order->about);
    ob_json_put_text(b, object, "expected", order->expected_safe ? "safe" : "unsafe");
    ob_json_put_bool(b, object, "safe", order->safe);
    ob_json_put_bool(b, object, "undecided", order->undecided);
    ob_json_put_text(b, object, "reason", order->reason);
    ob_json_put(b, object, "phases", phases);
    return object;
}

json_t *ob_json_rollout(struct ob_json_builder *b, const struct ob_report_rollout *rollout)
{
    json_t *object = json_object(), *phases = json_array(), *moves = json_array(),
           *orders = json_array();
    for (size_t i = 0; i < rollout->phase_count; i++)
        ob_json_append(b, phases, cell_json(b, &rollout->phases[i]));
    for (size_t i = 0; i < rollout->move_count; i++)
        ob_json_append(b, moves, move_json(b, &rollout->moves[i]));
    for (size_t i = 0; i < rollout->order_count; i++)
        ob_json_append(b, orders, order_json(b, &rollout->orders[i]));
    ob_json_put_text(b, object, "name", rollout->name);
    ob_json_put_text(b, object, "about", rollout->about);
    ob_json_put(b, object, "phases", phases);
    ob_json_put(b, object, "moves", moves);
    ob_json_put(b, object, "orders", orders);
    return object;
}
