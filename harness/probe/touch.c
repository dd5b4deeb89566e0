/* touch.c - what plans, functions and commands touch. */
#include "probe_int.h"

#include <access/htup_details.h>
#include <access/table.h>
#include <access/transam.h>
#include <catalog/dependency.h>
#include <catalog/namespace.h>
#include <catalog/partition.h>
#include <catalog/pg_class.h>
#include <catalog/pg_language.h>
#include <catalog/pg_proc.h>
#include <commands/proclang.h>
#include <nodes/nodeFuncs.h>
#include <parser/parsetree.h>
#include <utils/builtins.h>
#include <utils/fmgroids.h>
#include <utils/lsyscache.h>
#include <utils/rel.h>
#include <utils/syscache.h>

/* While a plan is made ready: what is found is sent together, and so many calls of nextval are for
 * sequences of the table that rows are inserted into. */
static bool starting = false;
static int own_calls = 0;

/* --- relations */

/* As it is locked: LockClauseStrength of a row's lock, or else the table's. */
static char way_of(const PlannedStmt *plan, const RangeTblEntry *entry, Index index)
{
    ListCell *cell;

    if (entry->rellockmode < RowShareLock)
        return 'R';
    if (entry->rellockmode > RowShareLock)
        return 'W';
    foreach (cell, plan->rowMarks) {
        const PlanRowMark *mark = lfirst_node(PlanRowMark, cell);
        if (mark->rti == index)
            return mark->strength == LCS_FORKEYSHARE || mark->strength == LCS_FORSHARE ? 'S' : 'W';
    }
    return 'W';
}

static void add_name(char way, Oid relation)
{
    const char *name = get_rel_name(relation);
    const char *schema = get_namespace_name(get_rel_namespace(relation));

    if (name == NULL || schema == NULL)
        ob_tell_add_anything();
    else
        ob_tell_add(way, psprintf("%s.%s", schema, name));
}

/* A partition is reached by its own name and through each of the tables that it is a part of; and
 * an INSERT into one of these does not say into which partition. */
static void add_with_parents(char way, Oid relation)
{
    ListCell *cell;

    add_name(way, relation);
    if (!get_rel_relispartition(relation))
        return;
    foreach (cell, get_partition_ancestors(relation))
        add_name(way, lfirst_oid(cell));
}

/* A trigger's function is called without being looked at by object_access_hook. */
static void add_triggers(Oid table)
{
    Relation relation = table_open(table, AccessShareLock);
    const TriggerDesc *triggers = relation->trigdesc;

    for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
        if (triggers->triggers[i].tgfoid >= FirstNormalObjectId)
            ob_touch_function(triggers->triggers[i].tgfoid);
    table_close(relation, AccessShareLock);
}

/* A table's own sequence is drawn from with its rows, without a word. */
static bool is_own_sequence(const RangeTblEntry *entry)
{
    Oid table;
    int32 column;

    return entry->relkind == RELKIND_SEQUENCE &&
           (sequenceIsOwned(entry->relid, DEPENDENCY_AUTO, &table, &column) ||
            sequenceIsOwned(entry->relid, DEPENDENCY_INTERNAL, &table, &column));
}

/* A view stands for what its query reads, which is there as well. */
static void add_relation(const PlannedStmt *plan, const RangeTblEntry *entry, Index index)
{
    char way = way_of(plan, entry, index);

    if (entry->relkind == RELKIND_VIEW || isAnyTempNamespace(get_rel_namespace(entry->relid)))
        return;
    if (entry->relkind == RELKIND_FOREIGN_TABLE || is_own_sequence(entry)) {
        ob_tell_add_anything();
    } else if (entry->relid < FirstNormalObjectId) {
        if (way != 'R')
            ob_tell_add_anything();
    } else {
        add_with_parents(way, entry->relid);
        if (entry->rellockmode >= RowExclusiveLock)
            add_triggers(entry->relid);
    }
}

static void add_relations(const PlannedStmt *plan)
{
    ListCell *cell;
    Index index = 0;

    foreach (cell, plan->rtable) {
        const RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);
        index++;
        if (entry->rtekind == RTE_RELATION)
            add_relation(plan, entry, index);
    }
}

/* --- functions */

/* Built-in functions that do more than their plans show: way 'N' is for advisory locks. */
static const struct effect {
    Oid function;
    char way;
} effects[] = {
    {F_NEXTVAL, '?'}, /* unless it is for the table's own sequence */
    {F_CURRVAL, '?'},
    {F_LASTVAL, '?'},
    {F_SETVAL_REGCLASS_INT8, '?'},
    {F_SETVAL_REGCLASS_INT8_BOOL, '?'},
    {F_PG_SEQUENCE_LAST_VALUE, '?'},
    /* what other sessions do, and ending it */
    {F_PG_CANCEL_BACKEND, '?'},
    {F_PG_TERMINATE_BACKEND, '?'},
    {F_PG_LOCK_STATUS, '?'},
    {F_PG_BLOCKING_PIDS, '?'},
    {F_PG_SAFE_SNAPSHOT_BLOCKING_PIDS, '?'},
    {F_PG_STAT_GET_ACTIVITY, '?'},
    {F_PG_PREPARED_XACT, '?'},
    {F_PG_EXPORT_SNAPSHOT, '?'},
    /* who has not committed yet */
    {F_PG_CURRENT_SNAPSHOT, '?'},
    {F_TXID_CURRENT_SNAPSHOT, '?'},
    /* large objects: rows of a catalog */
    {F_LO_CREAT, '?'},
    {F_LO_CREATE, '?'},
    {F_LO_IMPORT_TEXT, '?'},
    {F_LO_IMPORT_TEXT_OID, '?'},
    {F_LO_EXPORT, '?'},
    {F_LO_OPEN, '?'},
    {F_LOREAD, '?'},
    {F_LOWRITE, '?'},
    {F_LO_UNLINK, '?'},
    {F_LO_TRUNCATE, '?'},
    {F_LO_TRUNCATE64, '?'},
    {F_LO_FROM_BYTEA, '?'},
    {F_LO_GET_OID, '?'},
    {F_LO_GET_OID_INT8_INT4, '?'},
    {F_LO_PUT, '?'},
    {F_PG_ADVISORY_LOCK_INT8, 'N'},
    {F_PG_ADVISORY_LOCK_INT4_INT4, 'N'},
    {F_PG_ADVISORY_LOCK_SHARED_INT8, 'N'},
    {F_PG_ADVISORY_LOCK_SHARED_INT4_INT4, 'N'},
    {F_PG_ADVISORY_XACT_LOCK_INT8, 'N'},
    {F_PG_ADVISORY_XACT_LOCK_INT4_INT4, 'N'},
    {F_PG_ADVISORY_XACT_LOCK_SHARED_INT8, 'N'},
    {F_PG_ADVISORY_XACT_LOCK_SHARED_INT4_INT4, 'N'},
    {F_PG_TRY_ADVISORY_LOCK_INT8, 'N'},
    {F_PG_TRY_ADVISORY_LOCK_INT4_INT4, 'N'},
    {F_PG_TRY_ADVISORY_LOCK_SHARED_INT8, 'N'},
    {F_PG_TRY_ADVISORY_LOCK_SHARED_INT4_INT4, 'N'},
    {F_PG_TRY_ADVISORY_XACT_LOCK_INT8, 'N'},
    {F_PG_TRY_ADVISORY_XACT_LOCK_INT4_INT4, 'N'},
    {F_PG_TRY_ADVISORY_XACT_LOCK_SHARED_INT8, 'N'},
    {F_PG_TRY_ADVISORY_XACT_LOCK_SHARED_INT4_INT4, 'N'},
    {F_PG_ADVISORY_UNLOCK_INT8, 'N'},
    {F_PG_ADVISORY_UNLOCK_INT4_INT4, 'N'},
    {F_PG_ADVISORY_UNLOCK_SHARED_INT8, 'N'},
    {F_PG_ADVISORY_UNLOCK_SHARED_INT4_INT4, 'N'},
    {F_PG_ADVISORY_UNLOCK_ALL, 'N'},
};

/* '\0': nothing that its statements do not tell. */
static char effect_of_builtin(Oid function)
{
    if (function == F_NEXTVAL && own_calls > 0) {
        own_calls--;
        return '\0';
    }
    for (size_t i = 0; i < lengthof(effects); i++)
        if (effects[i].function == function)
            return effects[i].way;
    return '\0';
}

/* The statements of SQL and PL/pgSQL are seen; what is not volatile only computes. */
static char effect_of_users(Oid function)
{
    char way = '\0';
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));

    if (!HeapTupleIsValid(tuple))
        return '?';
    if (((Form_pg_proc)GETSTRUCT(tuple))->provolatile == PROVOLATILE_VOLATILE) {
        Oid language = ((Form_pg_proc)GETSTRUCT(tuple))->prolang;
        if (language != SQLlanguageId && language != get_language_oid("plpgsql", true))
            way = '?';
    }
    ReleaseSysCache(tuple);
    return way;
}

void ob_touch_function(Oid function)
{
    bool built_in = function < FirstNormalObjectId;
    char way = built_in ? effect_of_builtin(function) : effect_of_users(function);

    if (way == '\0')
        return;
    if (!starting)
        ob_tell_add_lasting(way);
    if (way == 'N')
        ob_tell_add_advisory_locks();
    else
        ob_tell_add_anything();
    if (!starting)
        ob_tell_send(false);
}

/* Collects into a list of OIDs whose next value is asked for by a name that is a constant. */
static bool find_next_values(Node *node, void *list)
{
    List **sequences = list;
    FuncExpr *call = (FuncExpr *)node;

    if (node == NULL)
        return false;
    if (IsA(node, FuncExpr) && call->funcid == F_NEXTVAL && IsA(linitial(call->args), Const) &&
        !linitial_node(Const, call->args)->constisnull)
        *sequences =
            lappend_oid(*sequences, DatumGetObjectId(linitial_node(Const, call->args)->constvalue));
    return expression_tree_walker(node, find_next_values, list);
}

/* How many calls of nextval are for the table's own sequences: these come with the rows. */
static int count_own_calls(const PlannedStmt *plan)
{
    const ModifyTable *modify = (ModifyTable *)plan->planTree;
    List *sequences = NIL, *own;
    ListCell *cell;
    int count = 0;

    if (plan->commandType != CMD_INSERT || !IsA(modify, ModifyTable) || !outerPlan(modify))
        return 0;
    find_next_values((Node *)outerPlan(modify)->targetlist, &sequences);
    if (sequences == NIL)
        return 0;
    own = getOwnedSequences(rt_fetch(linitial_int(modify->resultRelations), plan->rtable)->relid);
    foreach (cell, sequences)
        count += list_member_oid(own, lfirst_oid(cell));
    return count;
}

void ob_touch_plan(const PlannedStmt *plan)
{
    starting = true;
    own_calls = count_own_calls(plan);
    add_relations(plan);
}

void ob_touch_plan_ready(void)
{
    own_calls = 0;
    starting = false;
}

/* --- utility commands */

static bool sets_quietly(const VariableSetStmt *set)
{
    /* A snapshot that another session has exported. */
    return set->kind != VAR_SET_MULTI || strcmp(set->name, "TRANSACTION SNAPSHOT") != 0;
}

static bool only_transactions(const TransactionStmt *statement)
{
    switch (statement->kind) {
    case TRANS_STMT_PREPARE:
    case TRANS_STMT_COMMIT_PREPARED:
    case TRANS_STMT_ROLLBACK_PREPARED:
        return false;
    default:
        return true;
    }
}

bool ob_touch_is_quiet(const Node *command)
{
    switch (nodeTag(command)) {
    case T_TransactionStmt:
        return only_transactions((const TransactionStmt *)command);
    case T_VariableSetStmt:
        return sets_quietly((const VariableSetStmt *)command);
    case T_VariableShowStmt:
    case T_ConstraintsSetStmt:
    case T_PrepareStmt:
    case T_ExecuteStmt:
    case T_DeallocateStmt:
    case T_ExplainStmt:
        return true;
    default:
        return false;
    }
}
