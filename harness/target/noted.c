#include "target/noted.h"

static struct ob_noted_db *noted_of(struct booking_db *db)
{
    return (struct ob_noted_db *)db;
}

static enum booking_db_result noted_begin(struct booking_db *db, enum booking_isolation isolation)
{
    struct ob_noted_db *noted = noted_of(db);
    struct ob_buf text;
    ob_buf_init(&text, 128);
    ob_buf_printf(&text, "BEGIN ISOLATION LEVEL %s", booking_isolation_sql(isolation));
    ob_script_add_setup(noted->script, text.data, 0, NULL);
    ob_buf_clear(&text);
    return noted->inner->ops->begin(noted->inner, isolation);
}

static enum booking_db_result noted_exec(struct booking_db *db, const char *sql, int param_count,
                                         const char *const *params, PGresult **out)
{
    struct ob_noted_db *noted = noted_of(db);
    enum booking_db_result ended =
        noted->inner->ops->exec(noted->inner, sql, param_count, params, out);
    if (ended == BOOKING_DB_OK) /* what failed has done nothing */
        ob_script_add_setup(noted->script, sql, param_count, params);
    return ended;
}

static enum booking_db_result noted_commit(struct booking_db *db, PGresult **error)
{
    struct ob_noted_db *noted = noted_of(db);
    ob_script_add_setup(noted->script, "COMMIT", 0, NULL);
    return noted->inner->ops->commit(noted->inner, error);
}

static enum booking_db_result noted_rollback(struct booking_db *db)
{
    struct ob_noted_db *noted = noted_of(db);
    ob_script_add_setup(noted->script, "ROLLBACK", 0, NULL);
    return noted->inner->ops->rollback(noted->inner);
}

static enum booking_db_result noted_reconnect(struct booking_db *db)
{
    struct ob_noted_db *noted = noted_of(db);
    return noted->inner->ops->reconnect(noted->inner);
}

static void noted_pause(struct booking_db *db, int64_t delay_us)
{
    struct ob_noted_db *noted = noted_of(db);
    noted->inner->ops->pause(noted->inner, delay_us);
}

static const struct booking_db_ops noted_ops = {
    .begin = noted_begin,
    .exec = noted_exec,
    .commit = noted_commit,
    .rollback = noted_rollback,
    .reconnect = noted_reconnect,
    .pause = noted_pause,
};

void ob_noted_db_init(struct ob_noted_db *noted, struct booking_db *inner, struct ob_script *script)
{
    *noted = (struct ob_noted_db){.db.ops = &noted_ops, .inner = inner, .script = script};
}
