/*
 * cross.c - a case's cures, and none, at each isolation level.
 *
 * Where a level makes a client fail with 40001, what it comes to depends on whether somebody tries
 * again.  So each cell of the sql target whose clients do not try again of themselves is followed
 * by one in which they do.
 */
#include "cure/cure_int.h"

#include <assert.h>

static bool all_retry(const struct ob_cure_case *of, const struct ob_scenario *scenario)
{
    for (size_t i = 0; i < scenario->client_count; i++)
        if ((scenario->clients[i].variants >> of->variant & 1) && scenario->clients[i].retries == 0)
            return false;
    return true;
}

static struct ob_cure make(struct ob_cure_case *of, const struct ob_cure_cell *cell,
                           const struct ob_cure *row)
{
    struct ob_cure_change change;
    ob_cure_change_begin(&change, of, row);
    if (of->scenario->target == OB_TARGET_SQL && cell->level > OB_READ_COMMITTED)
        ob_cure_change_transact(&change);
    if (cell->spare)
        ob_cure_change_retry(&change);
    ob_cure_change_isolate(&change, cell->level);
    return ob_cure_change_made(&change, row);
}

static void add(struct ob_cure_case *of, struct ob_cure_cell cell, struct ob_cure_matrix *out)
{
    cell.cure = make(of, &cell, out->rows[cell.row]);
    out->cells[out->cell_count++] = cell;
}

/* The scenario as it is, as a cure. */
static const struct ob_cure *make_none(struct ob_cure_case *of)
{
    const struct ob_cure texts = {
        .name = "no cure", .what = "Everything stays as it is.", .change = ""};
    struct ob_cure *none = ob_arena_alloc(&of->arena, sizeof *none);
    struct ob_cure_change change;
    ob_cure_change_begin(&change, of, NULL);
    *none = ob_cure_change_made(&change, &texts);
    return none;
}

void ob_cure_cross(struct ob_cure_case *of, struct ob_cure_matrix *out)
{
    static const enum ob_isolation levels[] = {OB_READ_COMMITTED, OB_REPEATABLE_READ,
                                               OB_SERIALIZABLE};
    size_t level_count = sizeof levels / sizeof *levels, rows_max = of->cure_count + 1;
    bool sql = of->scenario->target == OB_TARGET_SQL;
    *out = (struct ob_cure_matrix){
        .rows = ob_arena_alloc(&of->arena, rows_max * sizeof(void *)),
        .cells = ob_arena_alloc(&of->arena, 2 * rows_max * level_count * sizeof *out->cells),
    };
    out->rows[out->row_count++] = make_none(of);
    for (size_t i = 0; i < of->cure_count; i++)
        if (!of->cures[i].isolates)
            out->rows[out->row_count++] = &of->cures[i];
    for (size_t row = 0; row < out->row_count; row++) {
        bool retries = sql && all_retry(of, out->rows[row]->scenario);
        for (size_t i = 0; i < level_count; i++) {
            add(of, (struct ob_cure_cell){.row = row, .level = levels[i], .retries = retries}, out);
            if (sql && !retries)
                add(of,
                    (struct ob_cure_cell){
                        .row = row, .level = levels[i], .retries = true, .spare = true},
                    out);
        }
    }
    assert(out->cell_count <= 2 * rows_max * level_count);
}
