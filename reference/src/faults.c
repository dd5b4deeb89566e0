/*
 * faults.c - points of failure by name, and the session that fails at them.
 *
 * The one place for faults of the session: whatever session is wrapped, on libpq or in a harness,
 * fails in the same ways.  A lost COMMIT has two branches, and both are really taken at the server.
 */
#include "booking/faults.h"

#include <assert.h>
#include <stddef.h>

#ifdef FIU_ENABLE
#include <fiu.h>
#endif

static const struct {
    const char *point, *text;
} faults[] = {
#define FAULT_ROW(name, point, text) {point, text},
    BOOKING_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const char *booking_fault_point(enum booking_fault fault)
{
    return faults[fault].point;
}

const char *booking_fault_text(enum booking_fault fault)
{
    return faults[fault].text;
}

int booking_fault(enum booking_fault fault)
{
#ifdef FIU_ENABLE
    return fiu_fail(faults[fault].point);
#else
    (void)fault;
    return 0;
#endif
}

/* The server forgets the transaction, the caller learns nothing. */
static enum booking_db_result lose(struct booking_db_faulty *self)
{
    struct booking_db *inner = self->inner;

    if (inner->ops->kill)
        inner->ops->kill(inner);
    else if (self->in_transaction)
        inner->ops->rollback(inner);
    self->lost = true;
    self->in_transaction = false;
    return BOOKING_DB_LOST;
}

/* Passes on how a call ended, and notes a session that was really lost. */
static enum booking_db_result note(struct booking_db_faulty *self, enum booking_db_result ended)
{
    if (ended == BOOKING_DB_LOST) {
        self->lost = true;
        self->in_transaction = false;
    }
    return ended;
}

static enum booking_db_result faulty_begin(struct booking_db *db, enum booking_isolation isolation)
{
    struct booking_db_faulty *self = (struct booking_db_faulty *)db;
    enum booking_db_result ended;

    if (self->lost)
        return BOOKING_DB_LOST;
    ended = note(self, self->inner->ops->begin(self->inner, isolation));
    self->in_transaction = ended == BOOKING_DB_OK;
    return ended;
}

/* The statement that fails in place of the real one: the transaction is really aborted. */
static const char *statement_instead(const struct booking_db_faulty *self)
{
    if (!self->in_transaction)
        return NULL;
    if (booking_fault(BOOKING_FAULT_STATEMENT_40001))
        return "DO $$BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '40001'; END$$";
    if (booking_fault(BOOKING_FAULT_STATEMENT_40P01))
        return "DO $$BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '40P01'; END$$";
    return NULL;
}

static enum booking_db_result faulty_exec(struct booking_db *db, const char *sql, int param_count,
                                          const char *const *params, PGresult **out)
{
    struct booking_db_faulty *self = (struct booking_db_faulty *)db;
    struct booking_db *inner = self->inner;
    const char *instead;

    *out = NULL;
    if (self->lost)
        return BOOKING_DB_LOST;
    if (booking_fault(BOOKING_FAULT_SESSION_KILLED))
        return lose(self);
    instead = statement_instead(self);
    if (instead)
        return note(self, inner->ops->exec(inner, instead, 0, NULL, out));
    return note(self, inner->ops->exec(inner, sql, param_count, params, out));
}

static enum booking_db_result faulty_commit(struct booking_db *db, PGresult **error)
{
    struct booking_db_faulty *self = (struct booking_db_faulty *)db;
    enum booking_db_result ended;

    *error = NULL;
    if (self->lost)
        return BOOKING_DB_LOST;
    if (booking_fault(BOOKING_FAULT_COMMIT_NOT_SENT))
        return lose(self);
    ended = note(self, self->inner->ops->commit(self->inner, error));
    self->in_transaction = false;
    if (ended != BOOKING_DB_LOST && booking_fault(BOOKING_FAULT_COMMIT_ACK_LOST)) {
        PQclear(*error);
        *error = NULL;
        return lose(self);
    }
    return ended;
}

static enum booking_db_result faulty_rollback(struct booking_db *db)
{
    struct booking_db_faulty *self = (struct booking_db_faulty *)db;

    if (self->lost)
        return BOOKING_DB_LOST;
    self->in_transaction = false;
    return note(self, self->inner->ops->rollback(self->inner));
}

static enum booking_db_result faulty_reconnect(struct booking_db *db)
{
    struct booking_db_faulty *self = (struct booking_db_faulty *)db;
    enum booking_db_result ended = self->inner->ops->reconnect(self->inner);

    self->lost = ended != BOOKING_DB_OK;
    self->in_transaction = false;
    return ended;
}

static void faulty_pause(struct booking_db *db, int64_t delay_us)
{
    struct booking_db_faulty *self = (struct booking_db_faulty *)db;

    self->inner->ops->pause(self->inner, delay_us);
}

static void faulty_kill(struct booking_db *db)
{
    lose((struct booking_db_faulty *)db);
}

static const struct booking_db_ops faulty_ops = {
    .begin = faulty_begin,
    .exec = faulty_exec,
    .commit = faulty_commit,
    .rollback = faulty_rollback,
    .reconnect = faulty_reconnect,
    .pause = faulty_pause,
    .kill = faulty_kill,
};

static_assert(sizeof faults / sizeof *faults == BOOKING_FAULT_COUNT, "one row for each point");

void booking_db_faulty_init(struct booking_db_faulty *faulty, struct booking_db *inner)
{
    *faulty = (struct booking_db_faulty){.db.ops = &faulty_ops, .inner = inner};
}
