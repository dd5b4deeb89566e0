/*
 * check.c - asking the invariants.
 *
 * Two statements are composed once and kept: over all items, and over those that are asked after
 * each commit. An item that was broken stays in them, since leaving it out would be another text
 * for the server to plan; its rows are then passed over.
 */
#include "check/check_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

struct ob_check {
    const struct ob_check_item *items; /* borrowed */
    size_t item_count;
    const struct ob_query_port *port;
    struct ob_check_statement at_end, after_commit;
    size_t *after_commit_items; /* indexes */
    size_t after_commit_count;

    /* of one run */
    struct ob_broken *broken; /* item_count of them at the most, since each is broken once */
    size_t broken_count;
    uint64_t reached;
    struct ob_arena arena; /* their texts */

    /* workspace of one call */
    struct ob_arena answer;
    struct ob_buf history, text;
};

struct ob_check *ob_check_new(const struct ob_check_item *items, size_t count,
                              const struct ob_query_port *port)
{
    struct ob_check *check = ob_alloc(sizeof *check);
    check->items = items;
    check->item_count = count;
    check->port = port;
    check->broken = ob_alloc(count * sizeof *check->broken);
    check->after_commit_items = ob_alloc(count * sizeof *check->after_commit_items);
    size_t *all = ob_alloc(count * sizeof *all), all_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!items[i].sql)
            continue;
        all[all_count++] = i;
        if (items[i].after_commit)
            check->after_commit_items[check->after_commit_count++] = i;
    }
    ob_check_compose(&check->at_end, items, all, all_count);
    ob_check_compose(&check->after_commit, items, check->after_commit_items,
                     check->after_commit_count);
    free(all);
    ob_arena_init(&check->arena);
    ob_arena_init(&check->answer);
    ob_buf_init(&check->history, SIZE_MAX);
    ob_buf_init(&check->text, SIZE_MAX);
    return check;
}

const char *ob_check_name(const struct ob_check *check, size_t item)
{
    assert(item < check->item_count);
    return check->items[item].name;
}

bool ob_check_is_instant(const struct ob_check *check, size_t item)
{
    return check->items[item].after_commit;
}

bool ob_check_has_instant(const struct ob_check *check)
{
    return check->after_commit_count > 0;
}

void ob_check_free(struct ob_check *check)
{
    if (!check)
        return;
    ob_check_statement_clear(&check->at_end);
    ob_check_statement_clear(&check->after_commit);
    free(check->after_commit_items);
    free(check->broken);
    ob_arena_clear(&check->arena);
    ob_arena_clear(&check->answer);
    ob_buf_clear(&check->history);
    ob_buf_clear(&check->text);
    free(check);
}

void ob_check_begin(struct ob_check *check)
{
    check->broken_count = 0;
    check->reached = 0;
    ob_arena_reset(&check->arena);
}

const struct ob_broken *ob_check_broken(const struct ob_check *check, size_t *count)
{
    *count = check->broken_count;
    return check->broken;
}

uint64_t ob_check_reached(const struct ob_check *check)
{
    return check->reached;
}

static void reach(struct ob_check *check, size_t item)
{
    unsigned bit = 0;
    for (size_t i = 0; i < item; i++)
        bit += check->items[i].wanted;
    assert(bit < OB_WANTED_MAX);
    check->reached |= UINT64_C(1) << bit;
}

static bool is_broken(const struct ob_check *check, size_t item)
{
    for (size_t i = 0; i < check->broken_count; i++) {
        if (check->broken[i].item == item)
            return true;
    }
    return false;
}

static enum ob_result ask(struct ob_check *check, const struct ob_check_statement *statement,
                          struct ob_rows *rows, struct ob_error *err)
{
    const char *params[] = {check->history.data};
    return check->port->query(check->port->self, statement->sql, statement->reads_history ? 1 : 0,
                              params, &check->answer, rows, err);
}

/* Asks each item by itself, so that the error of the whole becomes the error of one. */
static void find_failing(struct ob_check *check, bool at_end, struct ob_error *err)
{
    for (size_t i = 0; i < check->item_count; i++) {
        struct ob_check_statement alone;
        struct ob_error why;
        struct ob_rows rows;
        if (!check->items[i].sql || (!at_end && !check->items[i].after_commit))
            continue;
        ob_check_compose(&alone, check->items, &i, 1);
        enum ob_result result = ask(check, &alone, &rows, &why);
        ob_check_statement_clear(&alone);
        if (result != OB_OK) {
            *err = why;
            ob_error_context(err, "could not check invariant \"%s\"", check->items[i].name);
            return;
        }
    }
    ob_error_context(err, "could not check the invariants together");
}

/* Reads the rows of one item from *row on; leaves *row at the next item's first. */
static enum ob_result take_item(struct ob_check *check, const struct ob_rows *rows, size_t *row,
                                size_t step, struct ob_error *err)
{
    const char *number = rows->cells[*row * 2];
    size_t told = 0;
    uint64_t item;
    if (!number || !ob_parse_u64(number, 0, check->item_count - 1, &item))
        return ob_error_set(err, OB_INTERNAL, "could not read the invariants' answer");
    ob_buf_reset(&check->text);
    for (; *row < rows->row_count && strcmp(rows->cells[*row * 2], number) == 0; ++*row) {
        if (told == OB_BROKEN_ROWS_MAX) {
            ob_buf_puts(&check->text, "; \xe2\x80\xa6");
            continue;
        }
        ob_buf_puts(&check->text, told++ > 0 ? "; " : "");
        enum ob_result result = ob_check_row(rows->cells[*row * 2 + 1], &check->text, err);
        if (result != OB_OK)
            return result;
    }
    if (check->items[item].wanted)
        reach(check, item);
    if (check->items[item].wanted || is_broken(check, item))
        return OB_OK;
    ob_check_shorten(&check->text);
    check->broken[check->broken_count++] = (struct ob_broken){
        .item = item, .step = step, .rows = ob_arena_strdup(&check->arena, check->text.data)};
    return OB_OK;
}

enum ob_result ob_check_run(struct ob_check *check, const struct ob_trace *trace,
                            const char *const *client_names, bool at_end, size_t step,
                            struct ob_error *err)
{
    const struct ob_check_statement *statement = at_end ? &check->at_end : &check->after_commit;
    for (size_t i = 0; i < check->item_count && at_end; i++)
        if (check->items[i].reached && check->items[i].reached(trace))
            reach(check, i);
    if (!statement->sql)
        return OB_OK;
    ob_arena_reset(&check->answer);
    ob_buf_reset(&check->history);
    enum ob_result result = OB_OK;
    if (statement->reads_history)
        result = ob_check_history(trace, client_names, &check->history, err);
    if (result != OB_OK)
        return result;
    struct ob_rows rows;
    result = ask(check, statement, &rows, err);
    if (result == OB_SQL)
        find_failing(check, at_end, err);
    if (result != OB_OK)
        return result;
    assert(rows.row_count == 0 || rows.column_count == 2);
    for (size_t row = 0; row < rows.row_count && result == OB_OK;)
        result = take_item(check, &rows, &row, at_end ? SIZE_MAX : step, err);
    return result;
}
