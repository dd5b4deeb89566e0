/*
 * evidence.c - what the violating run left in the database: which rows the invariant is about is
 * not read out of its text, but asked: a row belongs to the conflict when the invariant holds
 * without it.
 */
#include "cure/cure_int.h"

#include "explore/finding.h"
#include "repro/plan.h"
#include "repro/versions.h"

#include <stdlib.h>
#include <string.h>

#define TABLES_MAX "24"
#define ROWS_MAX "40" /* of a table */

static const char tables_sql[] =
    "SELECT c.oid::pg_catalog.regclass::text" OB_VERSIONS_TABLES " ORDER BY 1 LIMIT " TABLES_MAX;

/* --- asking */

enum ob_result ob_cure_ask(struct ob_cure_look *look, const char *sql, const char *param,
                           struct ob_rows *out, bool *there, struct ob_error *err)
{
    const struct ob_query_port *query = look->place->query;
    const char *params[] = {param};
    enum ob_result result =
        query->query(query->self, sql, param ? 1 : 0, params, &look->of->arena, out, err);
    *there = result == OB_OK;
    return result == OB_SQL ? OB_OK : result;
}

enum ob_result ob_cure_ask_whether(struct ob_cure_look *look, const char *sql, bool *out,
                                   struct ob_error *err)
{
    struct ob_rows rows;
    bool there;
    enum ob_result result = ob_cure_ask(look, sql, NULL, &rows, &there, err);
    if (result != OB_OK)
        return result;
    *out = there && rows.row_count > 0 && rows.cells[0] && strcmp(rows.cells[0], "t") == 0;
    return OB_OK;
}

/* Whether the invariant is broken as things are. */
static enum ob_result check(struct ob_cure_look *look, enum ob_cure_said *said,
                            struct ob_error *err)
{
    struct ob_rig *rig = look->place->rig;
    ob_check_begin(rig->check);
    enum ob_result result =
        ob_check_run(rig->check, &look->trace, rig->client_names, true, OB_BEFORE_ALL, err);
    *said = OB_SAID_NOTHING;
    if (result != OB_OK)
        return result == OB_SQL ? OB_OK : result;
    size_t count;
    const struct ob_broken *broken = ob_check_broken(rig->check, &count);
    *said = OB_SAID_HOLDS;
    for (size_t i = 0; i < count; i++)
        if (broken[i].item == look->of->item)
            *said = OB_SAID_BROKEN;
    return OB_OK;
}

/* Neither triggers nor foreign keys have a say in it. */
enum ob_result ob_cure_suppose(struct ob_cure_look *look, const char *change,
                               enum ob_cure_said *said, struct ob_error *err)
{
    struct ob_rows rows;
    bool there;
    *said = OB_SAID_NOTHING;
    enum ob_result result = ob_cure_ask(look, "BEGIN", NULL, &rows, &there, err);
    if (result == OB_OK)
        result = ob_cure_ask(look, "SET LOCAL session_replication_role = replica", NULL, &rows,
                             &there, err);
    if (result == OB_OK && there)
        result = ob_cure_ask(look, change, NULL, &rows, &there, err);
    if (result == OB_OK && there)
        result = check(look, said, err);
    struct ob_error ignored;
    enum ob_result ended =
        ob_cure_ask(look, "ROLLBACK", NULL, &rows, &there, result == OB_OK ? err : &ignored);
    return result == OB_OK ? ended : result;
}

/* --- the run */

enum ob_result ob_cure_run_again(struct ob_cure_look *look, struct ob_error *err)
{
    const struct ob_schedule *schedule = &look->of->trace->schedule;
    struct ob_rig *rig = look->place->rig;
    struct ob_run_spec before = rig->spec;
    struct ob_run_outcome outcome;
    struct ob_plan plan;
    ob_plan_init(&plan, schedule);
    struct ob_chooser chooser = ob_plan_chooser(&plan);
    ob_rig_leave_out(rig, schedule, schedule->fault_count);
    enum ob_result result = ob_rig_run(rig, &chooser, false, &look->trace, &outcome, err);
    rig->spec = before;
    ob_plan_clear(&plan);
    return result;
}

/* --- tables and rows */

static enum ob_result find_tables(struct ob_cure_look *look, struct ob_error *err)
{
    struct ob_cure_case *of = look->of;
    struct ob_rows rows;
    bool there;
    enum ob_result result = ob_cure_ask(look, tables_sql, NULL, &rows, &there, err);
    if (result != OB_OK || !there)
        return result;
    const char **tables = ob_arena_alloc(&of->arena, rows.row_count * sizeof *tables);
    for (size_t i = 0; i < rows.row_count; i++)
        tables[i] = rows.cells[i];
    of->tables = tables;
    of->table_count = rows.row_count;
    return OB_OK;
}

/* The first two rows of the table without either of which the invariant holds. */
static enum ob_result find_in(struct ob_cure_look *look, const char *table,
                              struct ob_cure_pair *out, struct ob_error *err)
{
    struct ob_arena *arena = &look->of->arena;
    struct ob_rows rows;
    bool there;
    const char *found[2];
    size_t count = 0;
    const char *sql = ob_arena_printf(
        arena, "SELECT ctid::text FROM ONLY %s ORDER BY ctid LIMIT " ROWS_MAX, table);
    enum ob_result result = ob_cure_ask(look, sql, NULL, &rows, &there, err);
    for (size_t i = 0; result == OB_OK && there && i < rows.row_count && count < 2; i++) {
        enum ob_cure_said said;
        const char *without =
            ob_arena_printf(arena, "DELETE FROM ONLY %s WHERE ctid = '%s'", table, rows.cells[i]);
        result = ob_cure_suppose(look, without, &said, err);
        if (result == OB_OK && said == OB_SAID_HOLDS)
            found[count++] = rows.cells[i];
    }
    if (result == OB_OK && count == 2)
        *out = (struct ob_cure_pair){table, found[0], found[1], true};
    return result;
}

enum ob_result ob_cure_find_pair(struct ob_cure_look *look, struct ob_cure_pair *out,
                                 struct ob_error *err)
{
    enum ob_cure_said said;
    *out = (struct ob_cure_pair){0};
    enum ob_result result = check(look, &said, err);
    if (result != OB_OK || said != OB_SAID_BROKEN)
        return result; /* only seen on the way, or flaky */
    for (size_t i = 0; i < look->of->table_count && result == OB_OK && !out->found; i++)
        result = find_in(look, look->of->tables[i], out, err);
    return result;
}

enum ob_result ob_cure_case_open(struct ob_cure_case *self, const struct ob_cure_place *place,
                                 struct ob_error *err)
{
    struct ob_cure_look look = {.of = self, .place = place};
    ob_arena_init(&self->arena);
    ob_trace_init(&look.trace);
    enum ob_result result = find_tables(&look, err);
    if (result == OB_OK)
        result = ob_cure_try_orders(&look, self->orders, &self->order_count, err);
    if (result == OB_OK)
        result = ob_cure_propose(&look, err);
    ob_trace_clear(&look.trace);
    return result;
}

void ob_cure_case_close(struct ob_cure_case *self)
{
    free(self->cures);
    ob_arena_clear(&self->arena);
    *self = (struct ob_cure_case){0};
}
