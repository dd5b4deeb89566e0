#include "repro/versions.h"

#include "base/buf.h"
#include "base/parse.h"
#include "repro/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 20000 /* of all tables together */
#define ROWS_MAX_SQL "20001"
#define TEXT_MAX ((size_t)1 << 20)

static const char tables_sql[] =
    "SELECT n.nspname || '.' || c.relname,"
    " pg_catalog.format('%I.%I', n.nspname, c.relname)" OB_VERSIONS_TABLES " ORDER BY 1";

/* A row version that is visible. */
struct version {
    size_t table; /* index into the names */
    const char *mark;
    size_t born; /* the step that made it visible */
};

struct view {
    struct ob_arena arena; /* the marks */
    struct version *items; /* ordered by table and mark; owned */
    size_t count, capacity;
};

struct watching {
    struct ob_rig *rig;
    const struct ob_trace *trace;
    struct ob_versions *out;
    struct ob_buf sql;
    struct view views[2]; /* the last one, and the one before */
    size_t now;           /* index of the last one */
    enum ob_result result;
    struct ob_error err;
};

void ob_versions_init(struct ob_versions *versions)
{
    *versions = (struct ob_versions){0};
    ob_arena_init(&versions->arena);
}

void ob_versions_clear(struct ob_versions *versions)
{
    ob_arena_clear(&versions->arena);
    free(versions->changes);
    *versions = (struct ob_versions){0};
}

static const char *short_name(const char *name)
{
    return strncmp(name, "public.", 7) == 0 ? name + 7 : name;
}

size_t ob_versions_table(const struct ob_versions *versions, uint64_t resource)
{
    for (size_t i = 0; i < versions->name_count; i++) {
        const char *name = versions->names[i];
        if (ob_resource(name) == resource || ob_resource(short_name(name)) == resource)
            return i;
    }
    return OB_NO_TABLE;
}

const char *ob_versions_name(const struct ob_versions *versions, uint64_t resource)
{
    size_t table = ob_versions_table(versions, resource);
    return table == OB_NO_TABLE ? NULL : short_name(versions->names[table]);
}

const struct ob_change *ob_versions_find(const struct ob_versions *versions, size_t step,
                                         uint64_t resource)
{
    size_t table = ob_versions_table(versions, resource);
    for (size_t i = 0; i < versions->change_count; i++)
        if (versions->changes[i].step == step && versions->changes[i].table == table)
            return &versions->changes[i];
    return NULL;
}

/* --- looking */

/* An error of the statement means that nothing is known from here on; others end the run. */
static bool ask(struct watching *w, const char *sql, struct ob_arena *arena, struct ob_rows *out)
{
    const struct ob_query_port *query = w->rig->query;
    enum ob_result result = query->query(query->self, sql, 0, NULL, arena, out, &w->err);
    if (result == OB_OK)
        return true;
    w->out->known = false;
    if (result != OB_SQL)
        w->result = result;
    return false;
}

static bool find_tables(struct watching *w)
{
    struct ob_versions *out = w->out;
    struct ob_rows rows;
    if (!ask(w, tables_sql, &out->arena, &rows))
        return false;
    const char **names = ob_arena_alloc(&out->arena, (rows.row_count + 1) * sizeof *names);
    ob_buf_reset(&w->sql);
    ob_buf_puts(&w->sql, "SELECT t, v FROM (");
    for (size_t i = 0; i < rows.row_count; i++) {
        names[i] = rows.cells[i * 2];
        ob_buf_printf(&w->sql,
                      "%sSELECT %zu AS t, ctid::text || xmin::text COLLATE \"C\" AS v"
                      " FROM ONLY %s",
                      i > 0 ? " UNION ALL " : "", i, rows.cells[i * 2 + 1]);
    }
    ob_buf_puts(&w->sql, ") seen ORDER BY 1, 2 LIMIT " ROWS_MAX_SQL);
    out->names = names;
    out->name_count = rows.row_count;
    return rows.row_count > 0 && !ob_buf_failed(&w->sql);
}

/* As things are after that step. */
static bool look(struct watching *w, struct view *view, size_t step)
{
    struct ob_rows rows;
    ob_arena_reset(&view->arena);
    if (!ask(w, w->sql.data, &view->arena, &rows) || rows.row_count > ROWS_MAX)
        return false;
    view->count = rows.row_count;
    view->items = ob_grow(view->items, &view->capacity, view->count, sizeof *view->items);
    for (size_t i = 0; i < rows.row_count; i++) {
        uint64_t table;
        if (!ob_parse_u64(rows.cells[i * 2], 0, w->out->name_count - 1, &table))
            return false;
        view->items[i] =
            (struct version){.table = table, .mark = rows.cells[i * 2 + 1], .born = step};
    }
    return true;
}

/* --- comparing */

static int order_of(const struct version *a, const struct version *b)
{
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    return strcmp(a->mark, b->mark);
}

static struct ob_change *change_of(struct ob_versions *out, size_t step, size_t table)
{
    for (size_t i = out->change_count; i > 0 && out->changes[i - 1].step == step; i--)
        if (out->changes[i - 1].table == table)
            return &out->changes[i - 1];
    out->changes =
        ob_grow(out->changes, &out->change_capacity, out->change_count + 1, sizeof *out->changes);
    struct ob_change *change = &out->changes[out->change_count++];
    *change = (struct ob_change){.step = step, .table = table};
    return change;
}

static void note_removed(struct ob_versions *out, size_t step, const struct version *gone)
{
    struct ob_change *change = change_of(out, step, gone->table);
    change->removed++;
    for (size_t i = 0; i < change->over_count; i++)
        if (change->over[i] == gone->born)
            return;
    size_t *over = ob_arena_alloc(&out->arena, (change->over_count + 1) * sizeof *over);
    if (change->over_count > 0)
        memcpy(over, change->over, change->over_count * sizeof *over);
    over[change->over_count++] = gone->born;
    change->over = over;
}

static void compare(struct ob_versions *out, size_t step, const struct view *before,
                    struct view *after)
{
    size_t i = 0, k = 0;
    while (i < before->count || k < after->count) {
        int order = i == before->count  ? 1
                    : k == after->count ? -1
                                        : order_of(&before->items[i], &after->items[k]);
        if (order == 0)
            after->items[k++].born = before->items[i++].born;
        else if (order < 0)
            note_removed(out, step, &before->items[i++]);
        else
            change_of(out, step, after->items[k++].table)->added++;
    }
}

/* --- the run */

static bool commits(const struct ob_step *step)
{
    for (size_t i = 0; i < step->completion_count; i++)
        if (step->completions[i].committed)
            return true;
    return false;
}

static void begin(struct watching *w)
{
    struct ob_versions *out = w->out;
    ob_arena_reset(&out->arena);
    out->change_count = 0;
    out->known = w->rig->query != NULL;
    out->known = out->known && find_tables(w) && look(w, &w->views[w->now], OB_BEFORE_ALL);
}

static void after(struct watching *w, size_t step)
{
    if (!w->out->known || w->result != OB_OK || !commits(&w->trace->steps[step]))
        return;
    struct view *next = &w->views[1 - w->now];
    w->out->known = look(w, next, step);
    if (!w->out->known)
        return;
    compare(w->out, step, &w->views[w->now], next);
    w->now = 1 - w->now;
}

static void before_step(void *arg, size_t step, const struct ob_op *op, int64_t now_us)
{
    (void)op, (void)now_us;
    struct watching *w = arg;
    if (step == 0)
        begin(w);
    else
        after(w, step - 1);
}

enum ob_result ob_versions_run(struct ob_rig *rig, const struct ob_schedule *schedule,
                               struct ob_trace *trace, struct ob_versions *out,
                               struct ob_error *err)
{
    struct watching w = {.rig = rig, .trace = trace, .out = out, .result = OB_OK};
    const struct ob_run_spec before = rig->spec;
    struct ob_run_outcome outcome;
    struct ob_plan plan;
    ob_buf_init(&w.sql, TEXT_MAX);
    ob_arena_init(&w.views[0].arena);
    ob_arena_init(&w.views[1].arena);
    ob_plan_init(&plan, schedule);
    struct ob_chooser chooser = ob_plan_chooser(&plan);
    ob_rig_leave_out(rig, schedule, schedule->fault_count);
    rig->spec.before_step = before_step;
    rig->spec.before_step_arg = &w;
    out->known = false;
    enum ob_result result = ob_rig_run(rig, &chooser, false, trace, &outcome, err);
    if (result == OB_OK && trace->step_count > 0)
        after(&w, trace->step_count - 1);
    if (result == OB_OK && w.result != OB_OK) {
        result = w.result;
        *err = w.err;
    }
    rig->spec = before;
    ob_plan_clear(&plan);
    for (size_t i = 0; i < 2; i++) {
        ob_arena_clear(&w.views[i].arena);
        free(w.views[i].items);
    }
    ob_buf_clear(&w.sql);
    return result;
}
