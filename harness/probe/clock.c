/*
 * clock.c - the virtual time: what the last value of a sequence says.
 *
 * A sequence, since its value is seen at once by all sessions and at all isolation levels, and
 * since it can be set from anywhere in one statement.
 */
#include "probe_int.h"

#include <access/htup_details.h>
#include <access/parallel.h>
#include <access/relation.h>
#include <access/xact.h>
#include <catalog/namespace.h>
#include <catalog/pg_class.h>
#include <commands/sequence.h>
#include <storage/bufmgr.h>
#include <storage/proc.h>
#include <utils/lsyscache.h>
#include <utils/regproc.h>
#include <utils/rel.h>
#include <utils/timestamp.h>
#include <utils/varlena.h>

/* The time of the present transaction. */
static LocalTransactionId timed_transaction = InvalidLocalTransactionId;
static TimestampTz transaction_time = 0;

/* The time last told: as long as a statement has it, it is the same statement. */
static TimestampTz statement_time = DT_NOBEGIN;

static LocalTransactionId local_transaction(void)
{
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

bool ob_clock_is_name(const char *text)
{
    List *names = NIL;

    return text[0] == '\0' ||
           (SplitIdentifierString(pstrdup(text), '.', &names) && list_length(names) <= 2);
}

static Oid sequence_named(const char *name)
{
#if PG_VERSION_NUM >= 160000
    List *names = stringToQualifiedNameList(name, NULL);
#else
    List *names = stringToQualifiedNameList(name);
#endif
    Oid found = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);

    return OidIsValid(found) && get_rel_relkind(found) == RELKIND_SEQUENCE ? found : InvalidOid;
}

static int64 last_value(Oid sequence)
{
    Relation relation = relation_open(sequence, AccessShareLock);
    Buffer buffer = ReadBuffer(relation, 0);
    HeapTupleData row = {0};
    Page page;
    int64 value;

    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    page = BufferGetPage(buffer);
    row.t_data = (HeapTupleHeader)PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
    value = ((Form_pg_sequence_data)GETSTRUCT(&row))->last_value;
    UnlockReleaseBuffer(buffer);
    relation_close(relation, AccessShareLock);
    return value;
}

/* A transaction has the time at which its first statement began, as ever, and what runs within a
 * client's statement has that one's.  A parallel worker has its leader's.  With assertions the
 * server allows this to workers only. */
void ob_clock_tell(const char *sequence)
{
#ifndef USE_ASSERT_CHECKING
    TimestampTz now;
    Oid found;

    if (sequence == NULL || sequence[0] == '\0' || !IsTransactionState() || IsParallelWorker())
        return;
    found = sequence_named(sequence);
    if (!OidIsValid(found))
        return;
    now = last_value(found) - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    if (timed_transaction != local_transaction()) {
        timed_transaction = local_transaction();
        transaction_time = now;
    }
    if (GetCurrentStatementStartTimestamp() != statement_time)
        statement_time = now;
    SetParallelStartTimestamps(transaction_time, statement_time);
#endif
}
