/*
 * key.c - the constraint that two rows call for.
 *
 * What the rows have in common are columns that are equal, ranges that overlap, and pairs of times,
 * from and to, that do.  Not all of it matters: when one of the rows is supposed to differ there
 * and the invariant is still broken, it does not.  When the invariant holds as soon as both rows
 * have another value, it is about that value, a state, and not about having the same one: then it
 * is the constraint's condition.
 */
#include "cure/cure_int.h"

#include "base/buf.h"

#include <string.h>

#define PARTS_MAX 32

enum role { PART_KEY, PART_STATE, PART_NOTHING };

struct part {
    const char *of_a, *of_b; /* the expression, of the row a and b */
    const char *plain;       /* without a row's name */
    const char *operator;    /* "=" or "&&" */
    const char *other;       /* an assignment that makes a row differ; NULL: none is known */
    const char *value;       /* a literal; NULL: it is no state */
    enum role role;
};

struct finding_key {
    struct ob_cure_look *look;
    const struct ob_cure_pair *pair;
    struct part parts[PARTS_MAX];
    size_t count;
};

static const char columns_sql[] =
    "SELECT pg_catalog.quote_ident(a.attname), t.typtype::text, t.typcategory::text,"
    " pg_catalog.format_type(a.atttypid, NULL)"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped"
    " AND a.attgenerated = '' ORDER BY a.attnum";

/* An assignment by which a row's value becomes another one. */
static const char *other_value(struct ob_arena *arena, const char *column, const char *kind,
                               const char *category, const char *type)
{
    if (*kind == 'r')
        return ob_arena_printf(arena, "%s = 'empty'", column);
    if (*kind == 'e')
        return ob_arena_printf(arena,
                               "%s = (SELECT min(other) FROM unnest(enum_range(NULL::%s)) other"
                               " WHERE other <> %s)",
                               column, type, column);
    switch (*category) {
    case 'N':
        return ob_arena_printf(arena, "%s = %s + 30011", column, column);
    case 'S':
        return ob_arena_printf(arena, "%s = %s || '~'", column, column);
    case 'D':
        return ob_arena_printf(arena, "%s = %s + interval '1000 years'", column, column);
    case 'B':
        return ob_arena_printf(arena, "%s = NOT %s", column, column);
    default:
        return strcmp(type, "uuid") == 0
                   ? ob_arena_printf(arena, "%s = md5(%s::text)::uuid", column, column)
                   : NULL;
    }
}

/* Whether the rows of the pair have the part in common. */
static enum ob_result shares(struct finding_key *f, const struct part *part, bool *out,
                             struct ob_error *err)
{
    const struct ob_cure_pair *pair = f->pair;
    const char *sql = ob_arena_printf(
        &f->look->of->arena,
        "SELECT %s %s %s FROM ONLY %s a, ONLY %s b WHERE a.ctid = '%s' AND b.ctid = '%s'",
        part->of_a, part->operator, part->of_b, pair->table, pair->table, pair->one, pair->other);
    return ob_cure_ask_whether(f->look, sql, out, err);
}

static enum ob_result add(struct finding_key *f, const struct part *part, struct ob_error *err)
{
    bool shared;
    enum ob_result result = shares(f, part, &shared, err);
    if (result == OB_OK && shared && f->count < PARTS_MAX)
        f->parts[f->count++] = *part;
    return result;
}

static enum ob_result add_column(struct finding_key *f, const char *const *cells,
                                 struct ob_error *err)
{
    struct ob_arena *arena = &f->look->of->arena;
    const char *name = cells[0], *kind = cells[1], *category = cells[2], *type = cells[3];
    const struct part part = {
        .of_a = ob_arena_printf(arena, "a.%s", name),
        .of_b = ob_arena_printf(arena, "b.%s", name),
        .plain = name,
        .operator= * kind == 'r' ? "&&" : "=",
        .other = other_value(arena, name, kind, category, type),
        .value = strchr("SEB", *category) ? name : NULL,
    };
    return add(f, &part, err);
}

static const char *range_of(const char *type)
{
    if (strncmp(type, "timestamp", 9) == 0)
        return strstr(type, "with time zone") ? "tstzrange" : "tsrange";
    return strcmp(type, "date") == 0 ? "daterange" : NULL;
}

/* Two columns one after the other, from when and to when. */
static enum ob_result add_times(struct finding_key *f, const char *const *from,
                                const char *const *to, struct ob_error *err)
{
    struct ob_arena *arena = &f->look->of->arena;
    const char *range = range_of(from[3]);
    if (!range || strcmp(from[3], to[3]) != 0)
        return OB_OK;
    const struct part part = {
        .of_a = ob_arena_printf(arena, "%s(a.%s, a.%s)", range, from[0], to[0]),
        .of_b = ob_arena_printf(arena, "%s(b.%s, b.%s)", range, from[0], to[0]),
        .plain = ob_arena_printf(arena, "%s(%s, %s)", range, from[0], to[0]),
        .operator= "&&",
        .other = ob_arena_printf(arena,
                                 "%s = %s + interval '1000 years', %s = %s + interval '1000 years'",
                                 from[0], from[0], to[0], to[0]),
    };
    return add(f, &part, err);
}

static enum ob_result find_parts(struct finding_key *f, struct ob_error *err)
{
    struct ob_rows rows;
    bool there;
    enum ob_result result = ob_cure_ask(f->look, columns_sql, f->pair->table, &rows, &there, err);
    for (size_t i = 0; result == OB_OK && there && i < rows.row_count; i++) {
        const char *const *cells = rows.cells + 4 * i;
        result = add_column(f, cells, err);
        if (result == OB_OK && i + 1 < rows.row_count)
            result = add_times(f, cells, cells + 4, err);
    }
    return result;
}

/* --- what matters */

static enum ob_result find_role(struct finding_key *f, struct part *part, struct ob_error *err)
{
    struct ob_arena *arena = &f->look->of->arena;
    enum ob_cure_said said;
    const char *one = ob_arena_printf(arena, "UPDATE ONLY %s SET %s WHERE ctid = '%s'",
                                      f->pair->table, part->other, f->pair->other);
    enum ob_result result = ob_cure_suppose(f->look, one, &said, err);
    if (result != OB_OK || said == OB_SAID_NOTHING)
        return result;
    if (said == OB_SAID_BROKEN) {
        part->role = PART_NOTHING;
        return OB_OK;
    }
    const char *both = ob_arena_printf(arena, "UPDATE ONLY %s SET %s WHERE ctid IN ('%s', '%s')",
                                       f->pair->table, part->other, f->pair->one, f->pair->other);
    result = ob_cure_suppose(f->look, both, &said, err);
    if (result == OB_OK && said == OB_SAID_HOLDS && part->value)
        part->role = PART_STATE;
    return result;
}

static enum ob_result find_value(struct finding_key *f, struct part *part, struct ob_error *err)
{
    struct ob_rows rows;
    bool there;
    const char *sql =
        ob_arena_printf(&f->look->of->arena,
                        "SELECT pg_catalog.quote_literal(%s::text) FROM ONLY %s WHERE ctid = '%s'",
                        part->plain, f->pair->table, f->pair->one);
    enum ob_result result = ob_cure_ask(f->look, sql, NULL, &rows, &there, err);
    part->value = result == OB_OK && there && rows.row_count > 0 ? rows.cells[0] : NULL;
    return result;
}

static enum ob_result find_roles(struct finding_key *f, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    bool any = false;
    for (size_t i = 0; i < f->count && result == OB_OK; i++) {
        if (f->parts[i].other)
            result = find_role(f, &f->parts[i], err);
        if (result == OB_OK && f->parts[i].role == PART_STATE)
            result = find_value(f, &f->parts[i], err);
        any |= f->parts[i].role == PART_KEY;
    }
    /* An invariant about the table as a whole: the least that a constraint can say is all. */
    for (size_t i = 0; i < f->count && !any; i++)
        if (f->parts[i].role == PART_NOTHING)
            f->parts[i].role = PART_KEY;
    return result;
}

/* --- the constraint */

static bool has_range(const struct finding_key *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->parts[i].role == PART_KEY && strcmp(f->parts[i].operator, "&&") == 0)
            return true;
    return false;
}

static size_t put_keys(const struct finding_key *f, bool operators, struct ob_buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct part *part = &f->parts[i];
        if (part->role != PART_KEY)
            continue;
        ob_buf_printf(out, "%s%s", count++ > 0 ? ", " : "", part->plain);
        if (operators)
            ob_buf_printf(out, " WITH %s", part->operator);
    }
    return count;
}

static void put_states(const struct finding_key *f, const char *open, const char *close,
                       struct ob_buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct part *part = &f->parts[i];
        if (part->role == PART_STATE && part->value)
            ob_buf_printf(out, "%s%s = %s", count++ > 0 ? " AND " : open, part->plain, part->value);
    }
    ob_buf_puts(out, count > 0 ? close : "");
}

static bool has_state(const struct finding_key *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->parts[i].role == PART_STATE)
            return true;
    return false;
}

static size_t put_constraint(const struct finding_key *f, struct ob_buf *out)
{
    bool ranges = has_range(f), partial = has_state(f);
    size_t count;
    if (ranges) {
        ob_buf_printf(out,
                      "CREATE EXTENSION IF NOT EXISTS btree_gist;\n"
                      "ALTER TABLE %s\n  ADD EXCLUDE USING gist (",
                      f->pair->table);
        count = put_keys(f, true, out);
        put_states(f, ") WHERE (", "", out);
        ob_buf_puts(out, ");");
    } else if (partial) {
        ob_buf_printf(out, "CREATE UNIQUE INDEX ON %s (", f->pair->table);
        count = put_keys(f, false, out);
        put_states(f, ") WHERE ", ";", out);
    } else {
        ob_buf_printf(out, "ALTER TABLE %s ADD UNIQUE (", f->pair->table);
        count = put_keys(f, false, out);
        ob_buf_puts(out, ");");
    }
    return count;
}

enum ob_result ob_cure_find_key(struct ob_cure_look *look, const struct ob_cure_pair *pair,
                                const char **ddl, struct ob_error *err)
{
    struct finding_key f = {.look = look, .pair = pair};
    struct ob_buf text;
    *ddl = "";
    enum ob_result result = find_parts(&f, err);
    if (result == OB_OK)
        result = find_roles(&f, err);
    if (result != OB_OK)
        return result;
    ob_buf_init(&text, 1 << 16);
    if (put_constraint(&f, &text) > 0)
        *ddl = ob_arena_strdup(&look->of->arena, text.data);
    ob_buf_clear(&text);
    return OB_OK;
}
