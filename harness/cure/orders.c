/* orders.c - what the clients do one after the other, which a cure must leave as it is. */
#include "cure/cure_int.h"

#include "base/digest.h"
#include "explore/finding.h"
#include "repro/plan.h"

#include <string.h>

/* The n-th order of the clients, false when there are no more: each comes first once. */
static bool make_order(size_t n, size_t count, size_t order[OB_CLIENTS_MAX])
{
    if (n >= OB_CURE_ORDERS_MAX || n >= count)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = (n + i) % count;
    return true;
}

/* Classes 42 (syntax, names, rights) and 0A (not supported): no order of clients helps. */
static bool is_unaccepted(const char *sqlstate)
{
    return strncmp(sqlstate, "42", 2) == 0 || strncmp(sqlstate, "0A", 2) == 0;
}

static size_t count_errors(struct ob_cure_look *look)
{
    const struct ob_trace *trace = &look->trace;
    size_t count = 0;
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        for (size_t k = 0; k < step->completion_count; k++) {
            const struct ob_completion *ended = &step->completions[k];
            count += ended->sqlstate[0] != '\0' && strcmp(ended->sqlstate, "00000") != 0;
            if (!look->unaccepted && is_unaccepted(ended->sqlstate))
                look->unaccepted = ob_arena_strdup(&look->of->arena, ended->message);
        }
    }
    return count;
}

/* Rows as text, in an order of their own. */
static enum ob_result digest(struct ob_cure_look *look, uint64_t *out, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    uint64_t hash = OB_HASH_START;
    for (size_t i = 0; i < look->of->table_count && result == OB_OK; i++) {
        struct ob_rows rows;
        bool there;
        const char *sql = ob_arena_printf(
            &look->of->arena,
            "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) FROM ONLY %s t",
            look->of->tables[i]);
        result = ob_cure_ask(look, sql, NULL, &rows, &there, err);
        if (result == OB_OK && there && rows.row_count > 0 && rows.cells[0])
            hash = ob_hash_text(hash, rows.cells[0]);
        hash = ob_hash_u64(hash, i);
    }
    *out = ob_hash_end(hash);
    return result;
}

static enum ob_result try_order(struct ob_cure_look *look, struct ob_chooser chooser,
                                struct ob_cure_order *out, struct ob_error *err)
{
    struct ob_run_outcome outcome;
    enum ob_result result =
        ob_rig_run(look->place->rig, &chooser, false, &look->trace, &outcome, err);
    if (result != OB_OK)
        return result;
    *out = (struct ob_cure_order){
        .breaks = look->trace.end != OB_RUN_FINISHED || ob_run_breaks(&outcome, look->of->item),
        .errors = count_errors(look),
    };
    return digest(look, &out->state, err);
}

enum ob_result ob_cure_try_orders(struct ob_cure_look *look, struct ob_cure_order *orders,
                                  size_t *count, struct ob_error *err)
{
    static const struct ob_schedule whole;
    struct ob_rig *rig = look->place->rig;
    const struct ob_run_spec before = rig->spec;
    size_t order[OB_CLIENTS_MAX];
    enum ob_result result = OB_OK;
    ob_rig_leave_out(rig, &whole, 0);
    rig->spec.gates = false;
    *count = 0;
    for (size_t n = 0; result == OB_OK && make_order(n, rig->spec.client_count, order); n++) {
        struct ob_turns turns = {.order = order, .count = rig->spec.client_count};
        result = try_order(look, ob_turns_chooser(&turns), &orders[n], err);
        *count += result == OB_OK;
    }
    rig->spec = before;
    return result;
}
