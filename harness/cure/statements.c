/*
 * statements.c - cures that change what the clients of the sql target send.
 *
 * A write that finds that things are not as they were read begins its transaction again: it raises
 * what a serialization failure is, and clients try again.
 */
#include "cure/cure_int.h"

#include "base/buf.h"
#include "cure/rewrite.h"

#include <stdlib.h>
#include <string.h>

#define WRITTEN "written" /* the column and the variable of a write that wrote */
#define FRESH "fresh"     /* of a request that has not been done yet */

/* A client whose steps are looked at, in the scenario as it is now. */
struct walk {
    struct ob_cure_case *of;
    struct ob_cure_change change;
    size_t client;
    struct ob_buf shown; /* the change, for reading */
    bool any;
};

static void begin(struct walk *w, struct ob_cure_case *of)
{
    *w = (struct walk){.of = of};
    ob_cure_change_begin(&w->change, of, NULL);
    ob_buf_init(&w->shown, 1 << 16);
}

/* Adds the cure, if something was changed. */
static void end(struct walk *w, const char *name, const char *what)
{
    const struct ob_cure cure = {
        .name = name, .what = what, .change = ob_arena_strdup(&w->of->arena, w->shown.data)};
    if (w->any)
        ob_cure_change_end(&w->change, w->of, &cure);
    ob_buf_clear(&w->shown);
}

static bool takes_part(const struct walk *w, uint64_t variants)
{
    return variants >> w->of->variant & 1;
}

static const struct ob_scenario_client *client_of(const struct walk *w)
{
    return &w->change.clients[w->client];
}

static bool is_statement(const struct walk *w, size_t index)
{
    const struct ob_sql_step *step = &client_of(w)->steps[index];
    return step->kind == OB_SQL_STATEMENT && takes_part(w, step->variants);
}

static bool is_form(const struct walk *w, size_t index, enum ob_sql_form form)
{
    return is_statement(w, index) && ob_sql_form(client_of(w)->steps[index].sql) == form;
}

/* Adds a line to what is shown, each only once. */
static void show(struct walk *w, const char *sql)
{
    if (strstr(w->shown.data, sql))
        return;
    ob_buf_printf(&w->shown, "%s%s;", w->shown.size > 0 ? "\n" : "", sql);
}

/* Calls for each client that takes part. */
static void each_client(struct walk *w, void (*change)(struct walk *))
{
    for (w->client = 0; w->client < w->change.scenario->client_count; w->client++)
        if (takes_part(w, client_of(w)->variants))
            change(w);
}

/* --- locks */

void ob_cure_propose_lock(struct ob_cure_case *of, const char *sql, const struct ob_cure *texts)
{
    struct walk w;
    const struct ob_sql_step lock = {.kind = OB_SQL_STATEMENT, .sql = sql};
    begin(&w, of);
    ob_cure_change_transact(&w.change);
    for (w.client = 0; w.client < w.change.scenario->client_count; w.client++)
        for (size_t i = 0; i + 1 < client_of(&w)->step_count; i++)
            if (client_of(&w)->steps[i].kind == OB_SQL_BEGIN &&
                takes_part(&w, client_of(&w)->steps[i].variants)) {
                ob_cure_change_insert(&w.change, w.client, i + 1, false, &lock);
                w.any = true;
            }
    show(&w, "BEGIN");
    show(&w, sql);
    ob_buf_puts(&w.shown, "\n-- …\nCOMMIT;");
    end(&w, texts->name, texts->what);
}

static void lock_reads(struct walk *w)
{
    for (size_t i = 0; i < client_of(w)->step_count; i++) {
        struct ob_sql_step lock = client_of(w)->steps[i];
        if (!is_form(w, i, OB_SQL_READS))
            continue;
        lock.sql = ob_sql_lock_read(&w->of->arena, lock.sql);
        if (!lock.sql)
            continue;
        lock.capture_count = lock.touch_count = 0;
        lock.declares = false;
        ob_cure_change_insert(&w->change, w->client, i++, false, &lock);
        show(w, lock.sql);
        w->any = true;
    }
}

void ob_cure_propose_lock_read(struct ob_cure_case *of)
{
    struct walk w;
    begin(&w, of);
    ob_cure_change_transact(&w.change);
    each_client(&w, lock_reads);
    end(&w, "lock on what is read",
        "Each look first locks the rows that it finds, and keeps them until COMMIT.");
}

/* --- conditions asked again */

/* The last step before index that captures the variable by a SELECT; SIZE_MAX: none does. */
static size_t find_read(const struct walk *w, size_t index, const char *variable,
                        const struct ob_capture **capture)
{
    const struct ob_scenario_client *client = client_of(w);
    while (index-- > 0) {
        const struct ob_sql_step *step = &client->steps[index];
        for (size_t i = 0; i < step->capture_count && is_statement(w, index); i++) {
            *capture = &step->captures[i];
            if (strcmp(step->captures[i].variable, variable) == 0)
                return is_form(w, index, OB_SQL_READS) ? index : SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

/* The step's variables, and these after them. */
static void add_variables(struct walk *w, struct ob_sql_step *step, const char *const *variables,
                          size_t count)
{
    const char **longer =
        ob_arena_alloc(&w->of->arena, (step->variable_count + count) * sizeof *longer);
    for (size_t i = 0; i < step->variable_count; i++)
        longer[i] = step->variables[i];
    for (size_t i = 0; i < count; i++)
        longer[step->variable_count++] = variables[i];
    step->variables = longer;
}

static void add_guard(struct walk *w, struct ob_sql_step *step, const char *variable,
                      enum ob_compare compare)
{
    struct ob_guard *longer =
        ob_arena_alloc(&w->of->arena, (step->guard_count + 1) * sizeof *longer);
    for (size_t i = 0; i < step->guard_count; i++)
        longer[i] = step->guards[i];
    longer[step->guard_count++] = (struct ob_guard){.variable = variable, .compare = compare};
    step->guards = longer;
}

static void add_capture(struct walk *w, struct ob_sql_step *step, const char *name)
{
    struct ob_capture *longer =
        ob_arena_alloc(&w->of->arena, (step->capture_count + 1) * sizeof *longer);
    for (size_t i = 0; i < step->capture_count; i++)
        longer[i] = step->captures[i];
    longer[step->capture_count++] = (struct ob_capture){.variable = name, .column = name};
    step->captures = longer;
}

static const char *quoted(struct ob_arena *arena, const char *text)
{
    const char *out = "'";
    for (const char *quote; (quote = strchr(text, '\'')); text = quote + 1)
        out = ob_arena_printf(arena, "%s%.*s''", out, (int)(quote - text), text);
    return ob_arena_printf(arena, "%s%s'", out, text);
}

/* The guard as a condition that asks the database again; its variables go to the step's. */
static const char *ask_guard(struct walk *w, size_t index, const struct ob_guard *guard,
                             struct ob_sql_step *step)
{
    static const char *const operators[] = {
        [OB_EQ] = "=",
        [OB_NE] = "<>",
        [OB_LT] = "<",
        [OB_LE] = "<=",
        [OB_GT] = ">",
        [OB_GE] = ">=",
        [OB_IS_NULL] = "IS NULL",
        [OB_IS_NOT_NULL] = "IS NOT NULL",
    };
    struct ob_arena *arena = &w->of->arena;
    const struct ob_capture *capture;
    size_t read = find_read(w, index, guard->variable, &capture);
    if (read == SIZE_MAX || guard->value_is_variable)
        return NULL;
    const struct ob_sql_step *reading = &client_of(w)->steps[read];
    const char *asked = ob_sql_scalar(arena, reading->sql, capture->column, step->variable_count);
    if (!asked)
        return NULL;
    add_variables(w, step, reading->variables, reading->variable_count);
    return ob_arena_printf(arena, "%s %s%s%s", asked, operators[guard->compare],
                           guard->value ? " " : "",
                           guard->value ? quoted(arena, guard->value) : "");
}

/* The write of that index writes only where the condition holds, and else begins again. */
static void write_where(struct walk *w, size_t index, const struct ob_sql_step *with,
                        const char *condition)
{
    static const char raise[] = "DO 'BEGIN RAISE EXCEPTION ''it is not as it was read'' USING "
                                "ERRCODE = ''serialization_failure''; END'";
    struct ob_sql_step step = *with, again = {.kind = OB_SQL_STATEMENT, .sql = raise};
    step.sql = ob_sql_write_where(&w->of->arena, step.sql, condition);
    if (!step.sql)
        return;
    again.guards = step.guards;
    again.guard_count = step.guard_count;
    add_guard(w, &again, WRITTEN, OB_IS_NULL);
    add_capture(w, &step, WRITTEN);
    step.declares = false;
    ob_cure_change_step(&w->change, w->client, index, &step);
    ob_cure_change_insert(&w->change, w->client, index + 1, true, &again);
    show(w, step.sql);
    w->any = true;
}

static void recheck_guards(struct walk *w, size_t index)
{
    struct ob_sql_step step = client_of(w)->steps[index];
    size_t guards = step.guard_count;
    const char *condition = NULL;
    for (size_t i = 0; i < guards; i++) {
        const char *one = ask_guard(w, index, &step.guards[i], &step);
        if (one)
            condition =
                condition ? ob_arena_printf(&w->of->arena, "%s AND %s", condition, one) : one;
    }
    if (condition)
        write_where(w, index, &step, condition);
}

static void recheck(struct walk *w)
{
    for (size_t i = 0; i < client_of(w)->step_count; i++) {
        struct ob_sql_step step = client_of(w)->steps[i];
        bool inserts = is_form(w, i, OB_SQL_INSERTS), changes = is_form(w, i, OB_SQL_CHANGES);
        const char *asked = changes ? ob_sql_ask_row(&w->of->arena, step.sql) : NULL;
        if (asked) {
            step.sql = asked;
            ob_cure_change_step(&w->change, w->client, i, &step);
            show(w, asked);
            w->any = true;
        } else if (inserts || changes) {
            recheck_guards(w, i);
        }
    }
}

void ob_cure_propose_recheck(struct ob_cure_case *of)
{
    struct walk w;
    begin(&w, of);
    ob_cure_change_transact(&w.change);
    ob_cure_change_retry(&w.change);
    each_client(&w, recheck);
    end(&w, "re-check in the write",
        "What a write depends on is asked again by the statement that writes; where that is not so "
        "any more, the client begins again.");
}

/* --- compare and set */

static bool set_where_unchanged(struct walk *w, size_t index, const char *variable)
{
    struct ob_sql_step step = client_of(w)->steps[index];
    const struct ob_capture *capture;
    size_t read = find_read(w, index, variable, &capture);
    if (read == SIZE_MAX)
        return false;
    const struct ob_sql_step *reading = &client_of(w)->steps[read];
    const char *condition = ob_sql_unchanged(&w->of->arena, reading->sql, capture->column, step.sql,
                                             step.variable_count + 1);
    if (!condition)
        return false;
    add_variables(w, &step, &variable, 1);
    add_variables(w, &step, reading->variables, reading->variable_count);
    write_where(w, index, &step, condition);
    return true;
}

static void compare_and_set(struct walk *w)
{
    for (size_t i = 0; i < client_of(w)->step_count; i++) {
        const struct ob_sql_step *step = &client_of(w)->steps[i];
        bool done = !is_form(w, i, OB_SQL_CHANGES);
        for (size_t k = 0; k < step->variable_count && !done; k++)
            done = set_where_unchanged(w, i, step->variables[k]);
        for (size_t k = 0; k < step->guard_count && !done; k++)
            done = set_where_unchanged(w, i, step->guards[k].variable);
    }
}

void ob_cure_propose_unchanged(struct ob_cure_case *of)
{
    struct walk w;
    begin(&w, of);
    ob_cure_change_transact(&w.change);
    ob_cure_change_retry(&w.change);
    each_client(&w, compare_and_set);
    end(&w, "compare and set",
        "A row is changed only if it still is as it was read; where it is not, the client begins "
        "again.");
}

/* --- done once */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Whether both send the same with the same values, so that they are the same request twice. */
static bool same_request(const struct ob_scenario_client *a, const struct ob_scenario_client *b)
{
    bool same = a->step_count == b->step_count && a->variable_count == b->variable_count;
    for (size_t i = 0; same && i < a->variable_count; i++)
        same = same_text(a->variables[i].name, b->variables[i].name) &&
               same_text(a->variables[i].value, b->variables[i].value);
    for (size_t i = 0; same && i < a->step_count; i++) {
        same = a->steps[i].kind == b->steps[i].kind && same_text(a->steps[i].sql, b->steps[i].sql);
        for (size_t k = 0; same && k < a->steps[i].variable_count; k++)
            same = strcmp(a->steps[i].variables[k], "client") != 0;
    }
    return same;
}

/* The request that the client is about: its first twin's name. */
static const char *request_of(const struct walk *w)
{
    const struct ob_scenario_client *clients = w->of->scenario->clients;
    for (size_t i = 0; i < w->client; i++)
        if (takes_part(w, clients[i].variants) && same_request(&clients[i], &clients[w->client]))
            return clients[i].name;
    return clients[w->client].name;
}

/* The writes from there to the transaction's end happen only for a request that is fresh. */
static bool guard_writes(struct walk *w, size_t from)
{
    bool any = false;
    for (size_t i = from; i < client_of(w)->step_count; i++) {
        struct ob_sql_step step = client_of(w)->steps[i];
        if ((step.kind == OB_SQL_COMMIT || step.kind == OB_SQL_ROLLBACK) &&
            takes_part(w, step.variants))
            break;
        if (!is_form(w, i, OB_SQL_INSERTS) && !is_form(w, i, OB_SQL_CHANGES))
            continue;
        add_guard(w, &step, FRESH, OB_IS_NOT_NULL);
        ob_cure_change_step(&w->change, w->client, i, &step);
        any = true;
    }
    return any;
}

static void do_once(struct walk *w)
{
    size_t transactions = 0;
    w->change.clients[w->client].retry_lost = true;
    for (size_t i = 0; i + 1 < client_of(w)->step_count; i++) {
        const struct ob_sql_step *step = &client_of(w)->steps[i];
        if (step->kind != OB_SQL_BEGIN || !takes_part(w, step->variants) || !guard_writes(w, i + 1))
            continue;
        struct ob_sql_step mark = {.kind = OB_SQL_STATEMENT};
        mark.sql =
            ob_arena_printf(&w->of->arena,
                            "INSERT INTO request_done VALUES (%s) ON CONFLICT DO NOTHING "
                            "RETURNING request AS " FRESH,
                            quoted(&w->of->arena, ob_arena_printf(&w->of->arena, "%s/%zu",
                                                                  request_of(w), ++transactions)));
        add_capture(w, &mark, FRESH);
        ob_cure_change_insert(&w->change, w->client, i + 1, false, &mark);
        w->any = true;
    }
}

/* Whether a request can come twice: tried again, or sent by two. */
static bool comes_twice(const struct walk *w)
{
    const struct ob_scenario *scenario = w->of->scenario;
    if (w->of->trace->schedule.fault_count > 0)
        return true;
    for (size_t i = 0; i < scenario->client_count; i++)
        for (size_t k = 0; k < i; k++)
            if (takes_part(w, scenario->clients[i].variants & scenario->clients[k].variants) &&
                same_request(&scenario->clients[k], &scenario->clients[i]))
                return true;
    return false;
}

void ob_cure_propose_once(struct ob_cure_case *of)
{
    static const char table[] = "CREATE TABLE request_done (request text PRIMARY KEY)";
    struct walk w;
    begin(&w, of);
    if (comes_twice(&w)) {
        ob_cure_change_set_up(&w.change, table);
        ob_cure_change_transact(&w.change);
        ob_cure_change_retry(&w.change);
        each_client(&w, do_once);
        show(&w, table);
        ob_buf_puts(&w.shown, "\nBEGIN;\nINSERT INTO request_done VALUES (…) ON CONFLICT DO NOTHING"
                              ";\n-- the rest only if that inserted a row\nCOMMIT;");
    }
    end(&w, "idempotency row",
        "A row that names the request is inserted in the transaction that does it, and what has "
        "its row is not done again; a client that hears nothing begins again.");
}
