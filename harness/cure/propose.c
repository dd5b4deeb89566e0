/* propose.c - which cures are worth trying: for each target those that it can be given. */
#include "cure/cure_int.h"

#include <string.h>

static bool is_isolated(const struct ob_cure_case *of, enum ob_isolation level)
{
    return of->scenario->variants[of->variant].isolation >= level;
}

/* --- constraints, from the rows */

static enum ob_result propose_constraint(struct ob_cure_look *look, const struct ob_cure_pair *pair,
                                         struct ob_error *err)
{
    struct ob_cure_case *of = look->of;
    const char *ddl;
    enum ob_result result = ob_cure_find_key(look, pair, &ddl, err);
    if (result != OB_OK || *ddl == '\0')
        return result;
    bool excludes = strstr(ddl, "EXCLUDE") != NULL;
    struct ob_cure_change change;
    ob_cure_change_begin(&change, of, NULL);
    ob_cure_change_set_up(&change, ddl);
    const struct ob_cure cure = {
        .name = excludes ? "exclusion constraint" : "unique constraint",
        .what = ob_arena_printf(
            &of->arena, "The database refuses the second of two such rows in %s.", pair->table),
        .change = ddl,
    };
    ob_cure_change_end(&change, of, &cure);
    return OB_OK;
}

/* --- a lock that both take first */

static const char parents_sql[] =
    "SELECT c.confrelid::pg_catalog.regclass::text, pg_catalog.quote_ident(p.attname),"
    " pg_catalog.quote_ident(a.attname)"
    " FROM pg_catalog.pg_constraint c"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
    " JOIN pg_catalog.pg_attribute p ON p.attrelid = c.confrelid AND p.attnum = c.confkey[1]"
    " WHERE c.contype = 'f' AND c.conrelid = $1::pg_catalog.regclass"
    " AND pg_catalog.cardinality(c.conkey) = 1 ORDER BY c.conname LIMIT 1";

/* The statement that locks the row that both rows of the pair refer to; NULL: there is none. */
static enum ob_result find_parent(struct ob_cure_look *look, const struct ob_cure_pair *pair,
                                  const char **lock, struct ob_error *err)
{
    struct ob_arena *arena = &look->of->arena;
    struct ob_rows parents, value;
    bool there;
    *lock = NULL;
    enum ob_result result = ob_cure_ask(look, parents_sql, pair->table, &parents, &there, err);
    if (result != OB_OK || !there || parents.row_count == 0)
        return result;
    const char *column = parents.cells[2];
    const char *sql = ob_arena_printf(
        arena,
        "SELECT pg_catalog.quote_literal(a.%s) FROM ONLY %s a JOIN ONLY %s b ON a.%s = b.%s"
        " WHERE a.ctid = '%s' AND b.ctid = '%s'",
        column, pair->table, pair->table, column, column, pair->one, pair->other);
    result = ob_cure_ask(look, sql, NULL, &value, &there, err);
    if (result == OB_OK && there && value.row_count > 0)
        *lock = ob_arena_printf(arena, "SELECT FROM %s WHERE %s = %s FOR NO KEY UPDATE",
                                parents.cells[0], parents.cells[1], value.cells[0]);
    return result;
}

static enum ob_result propose_lock(struct ob_cure_look *look, const struct ob_cure_pair *pair,
                                   struct ob_error *err)
{
    struct ob_cure_case *of = look->of;
    const char *lock = NULL, *name = of->scenario->invariants[of->item].name;
    enum ob_result result = pair->found ? find_parent(look, pair, &lock, err) : OB_OK;
    if (result != OB_OK)
        return result;
    if (lock) {
        const struct ob_cure parent = {
            .name = "lock on the parent",
            .what = "Every transaction first locks the row that both belong to."};
        ob_cure_propose_lock(of, lock, &parent);
        return OB_OK;
    }
    const struct ob_cure advisory = {
        .name = "lock on a name",
        .what = "Every transaction first takes one lock that stands for what all are about: there "
                "is no row that both belong to."};
    ob_cure_propose_lock(
        of, ob_arena_printf(&of->arena, "SELECT pg_advisory_xact_lock(hashtext('%s'))", name),
        &advisory);
    return OB_OK;
}

/* --- isolation levels */

static void propose_isolation(struct ob_cure_case *of, enum ob_isolation level)
{
    static const char *const words[] = {
        [OB_REPEATABLE_READ] = "REPEATABLE READ", [OB_SERIALIZABLE] = "SERIALIZABLE"};
    static const char *const names[] = {[OB_REPEATABLE_READ] = "repeatable read, with retry",
                                        [OB_SERIALIZABLE] = "serializable, with retry"};
    struct ob_cure_change change;
    if (is_isolated(of, level))
        return;
    ob_cure_change_begin(&change, of, NULL);
    ob_cure_change_transact(&change);
    ob_cure_change_retry(&change);
    ob_cure_change_isolate(&change, level);
    const struct ob_cure cure = {
        .name = names[level],
        .isolates = true,
        .what =
            ob_arena_printf(&of->arena,
                            "Every client works in transactions at %s, and begins again when one "
                            "fails with 40001 or 40P01, at most %d times.",
                            words[level], OB_CURE_RETRIES),
        .change = ob_arena_printf(&of->arena,
                                  "BEGIN ISOLATION LEVEL %s;\n-- …\nCOMMIT;\n"
                                  "-- after 40001 or 40P01: ROLLBACK, and again from the beginning",
                                  words[level]),
    };
    ob_cure_change_end(&change, of, &cure);
}

/* Two rows in conflict, as the run leaves them. */
static enum ob_result find_pair(struct ob_cure_look *look, struct ob_cure_pair *pair,
                                struct ob_error *err)
{
    enum ob_result result = ob_cure_run_again(look, err);
    return result == OB_OK ? ob_cure_find_pair(look, pair, err) : result;
}

static enum ob_result propose_for_sql(struct ob_cure_look *look, struct ob_error *err)
{
    struct ob_cure_case *of = look->of;
    struct ob_cure_pair pair = {0};
    enum ob_result result = find_pair(look, &pair, err);
    if (result == OB_OK && pair.found)
        result = propose_constraint(look, &pair, err);
    if (result == OB_OK && of->is_race)
        result = propose_lock(look, &pair, err);
    if (result != OB_OK)
        return result;
    ob_cure_propose_once(of);
    if (!of->is_race)
        return OB_OK; /* whoever else does what makes no difference */
    ob_cure_propose_lock_read(of);
    ob_cure_propose_recheck(of);
    ob_cure_propose_unchanged(of);
    propose_isolation(of, OB_REPEATABLE_READ);
    propose_isolation(of, OB_SERIALIZABLE);
    return OB_OK;
}

/* --- the reference flow has its cures built in */

static int64_t setting_of(const struct ob_cure_case *of, const char *key)
{
    const struct ob_variant *variant = &of->scenario->variants[of->variant];
    const struct ob_setting *found =
        ob_setting_find(variant->settings, variant->setting_count, key);
    return found ? found->number : 0;
}

static void propose_switches(struct ob_cure_case *of, bool constraint, int64_t flag,
                             const struct ob_cure *texts)
{
    struct ob_cure_change change;
    bool has_constraint = setting_of(of, "constraint") != 0;
    if (has_constraint >= constraint && setting_of(of, "flag") >= flag)
        return;
    ob_cure_change_begin(&change, of, NULL);
    if (!has_constraint && constraint)
        ob_cure_change_setting(&change, "constraint", 1);
    if (setting_of(of, "flag") < flag)
        ob_cure_change_setting(&change, "flag", flag);
    ob_cure_change_end(&change, of, texts);
}

static void propose_level(struct ob_cure_case *of, enum ob_isolation level, const char *word)
{
    struct ob_cure_change change;
    if (is_isolated(of, level))
        return;
    ob_cure_change_begin(&change, of, NULL);
    ob_cure_change_isolate(&change, level);
    const struct ob_cure cure = {
        .name = word,
        .isolates = true,
        .what = "Every transaction that there is works at that level; where the target tries again "
                "after 40001, it does.",
        .change = ob_arena_printf(&of->arena, "isolation: %s", word),
    };
    ob_cure_change_end(&change, of, &cure);
}

static void propose_for_reference(struct ob_cure_case *of)
{
    const struct ob_cure constraint = {
        .name = "exclusion constraint",
        .what = "The database refuses overlapping bookings and holds of a simulator.",
        .change = "constraint: true",
    };
    const struct ob_cure flow = {
        .name = "the fixed flow",
        .what = "All customers take the path that locks the simulator first, asks again under the "
                "lock, and marks in the transaction that does it what has been done.",
        .change = "flag: 100",
    };
    const struct ob_cure both = {
        .name = "the fixed flow, with the constraint",
        .what = "The same, and the database refuses what overlaps, whoever writes.",
        .change = "flag: 100\nconstraint: true",
    };
    propose_switches(of, true, 0, &constraint);
    propose_switches(of, false, 100, &flow);
    propose_switches(of, true, 100, &both);
    if (!of->is_race)
        return;
    propose_level(of, OB_REPEATABLE_READ, "repeatable-read");
    propose_level(of, OB_SERIALIZABLE, "serializable");
}

/* A spec's statements are left as they are. */
static enum ob_result propose_for_spec(struct ob_cure_look *look, struct ob_error *err)
{
    struct ob_cure_pair pair = {0};
    enum ob_result result = find_pair(look, &pair, err);
    if (result == OB_OK && pair.found)
        result = propose_constraint(look, &pair, err);
    if (result == OB_OK && look->of->is_race) {
        propose_level(look->of, OB_REPEATABLE_READ, "repeatable-read");
        propose_level(look->of, OB_SERIALIZABLE, "serializable");
    }
    return result;
}

enum ob_result ob_cure_propose(struct ob_cure_look *look, struct ob_error *err)
{
    switch (look->of->scenario->target) {
    case OB_TARGET_SQL:
        return propose_for_sql(look, err);
    case OB_TARGET_SPEC:
        return propose_for_spec(look, err);
    case OB_TARGET_REFERENCE:
    default:
        propose_for_reference(look->of);
        return OB_OK;
    }
}
