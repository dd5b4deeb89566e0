/*
 * overbook_probe.c - a module of PostgreSQL's server that overbook asks for what only the server
 * knows, and for control that clients do not have.  Loaded with session_preload_libraries.  With
 * its settings as they are by default, it does nothing.
 *
 *   overbook.footprints  tells the client what each of its statements touches, together with what
 *                        triggers, functions and checks of foreign keys run inside of it
 *   overbook.now         the time, in microseconds since 1970, that now() and its kin tell
 *   overbook.gate        the key of an advisory lock that each statement takes and frees again
 *                        between taking its snapshot and running
 *
 * Footprints go by NoticeResponse with the SQLSTATE OBF01, whatever client_min_messages says, and
 * as soon as they are known: a statement that waits for a lock has said for what.  The first line
 * of the text is the transaction's level (c, r or s: read committed, repeatable read,
 * serializable); each other one a way and a name ("W public.bookings"), or "?":
 *
 *   R  read as a snapshot shows it           N  read or changed outside of transactions
 *   S  locked against changes                ?  it may touch anything
 *   W  written, or locked for it
 *
 * What was told is not told again for the same statement.  Too much may be told, and never too
 * little: what the module does not understand is "?".
 *
 * Built and tested with PostgreSQL 15.  What differs in 14 and in 16 to 18 is provided for, and
 * not tested.
 */
#include "probe_int.h"

#include <access/parallel.h>
#include <access/xact.h>
#include <catalog/objectaccess.h>
#include <executor/executor.h>
#include <optimizer/planner.h>
#include <storage/proc.h>
#include <tcop/dest.h>
#include <tcop/pquery.h>
#include <tcop/utility.h>
#include <utils/fmgrprotos.h>
#include <utils/guc.h>
#include <utils/timestamp.h>

#include <errno.h>
#include <stdlib.h>

#if PG_VERSION_NUM < 140000
#error "the probe is for PostgreSQL 14 and newer"
#endif

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void); /* which headers of some versions do not say */

/* The settings, the texts also as numbers. */
static bool footprints = false;
static char *now_text = NULL;
static char *gate_text = NULL;
static bool now_set = false, gate_set = false;
static int64 now_us = 0; /* since 2000, as the server counts */
static int64 gate_key = 0;

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_start = NULL;
static ExecutorRun_hook_type next_run = NULL;
static ExecutorFinish_hook_type next_finish = NULL;
static ProcessUtility_hook_type next_utility = NULL;
static object_access_hook_type next_access = NULL;

/* How many plannings and executions there are around what runs now. */
static int depth = 0;

/* The time of the present transaction. */
static LocalTransactionId timed_transaction = InvalidLocalTransactionId;
static int64 transaction_us = 0;

/* --- virtual time */

static LocalTransactionId local_transaction(void)
{
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

/* A transaction has the time at which its first statement began, as ever.  A parallel worker has
 * its leader's.  With assertions the server allows this to workers only. */
static void tell_time(void)
{
#ifndef USE_ASSERT_CHECKING
    if (!now_set || IsParallelWorker())
        return;
    if (timed_transaction != local_transaction()) {
        timed_transaction = local_transaction();
        transaction_us = now_us;
    }
    SetParallelStartTimestamps(transaction_us, now_us);
#endif
}

/* --- the gate */

/* Whoever holds the lock decides when the statement goes on. */
static void pass_gate(void)
{
    if (!gate_set || depth > 0 || ActivePortal == NULL || IsParallelWorker())
        return;
    DirectFunctionCall1(pg_advisory_lock_int8, Int64GetDatum(gate_key));
    DirectFunctionCall1(pg_advisory_unlock_int8, Int64GetDatum(gate_key));
}

/* --- hooks */

static bool reports(void)
{
    return footprints && whereToSendOutput == DestRemote && !IsParallelWorker();
}

/* What ran before was of another statement, unless it runs inside of one. */
static void begin_statement(void)
{
    if (depth == 0)
        ob_tell_begin();
}

static void access_object(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
    if (next_access != NULL)
        next_access(access, class, object, sub, arg);
    if (access == OAT_FUNCTION_EXECUTE && reports())
        ob_touch_function(object);
}

static bool counts(void)
{
    return footprints || gate_set;
}

/* The planner may call functions. */
static PlannedStmt *plan(Query *query, const char *text, int options, ParamListInfo params)
{
    planner_hook_type next = next_planner != NULL ? next_planner : standard_planner;
    PlannedStmt *result = NULL;

    tell_time();
    if (!counts())
        return next(query, text, options, params);
    begin_statement();
    depth++;
    PG_TRY();
    {
        result = next(query, text, options, params);
    }
    PG_FINALLY();
    {
        depth--;
    }
    PG_END_TRY();
    return result;
}

/* Triggers that were deferred run with no portal, for the statement before. */
static void start(QueryDesc *query, int flags)
{
    ExecutorStart_hook_type next = next_start != NULL ? next_start : standard_ExecutorStart;

    tell_time();
    if (!reports() || (flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) {
        next(query, flags);
        return;
    }
    if (ActivePortal != NULL)
        begin_statement();
    PG_TRY();
    {
        ob_touch_plan(query->plannedstmt);
        next(query, flags);
    }
    PG_FINALLY();
    {
        ob_touch_plan_ready();
    }
    PG_END_TRY();
    ob_tell_send(true);
}

#if PG_VERSION_NUM >= 180000
#define RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define RUN_ARGUMENTS query, direction, count
#else
#define RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define RUN_ARGUMENTS query, direction, count, once
#endif

static void run(RUN_PARAMETERS)
{
    ExecutorRun_hook_type next = next_run != NULL ? next_run : standard_ExecutorRun;

    if (!counts()) {
        next(RUN_ARGUMENTS);
        return;
    }
    pass_gate();
    depth++;
    PG_TRY();
    {
        next(RUN_ARGUMENTS);
    }
    PG_FINALLY();
    {
        depth--;
    }
    PG_END_TRY();
}

static void finish(QueryDesc *query)
{
    ExecutorFinish_hook_type next = next_finish != NULL ? next_finish : standard_ExecutorFinish;

    if (!counts()) {
        next(query);
        return;
    }
    depth++;
    PG_TRY();
    {
        next(query);
    }
    PG_FINALLY();
    {
        depth--;
    }
    PG_END_TRY();
}

static void utility(PlannedStmt *plan, const char *text, bool read_only_tree,
                    ProcessUtilityContext context, ParamListInfo params,
                    QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *done)
{
    ProcessUtility_hook_type next = next_utility != NULL ? next_utility : standard_ProcessUtility;
    /* What is executed is the statement itself. */
    int deeper = IsA(plan->utilityStmt, ExecuteStmt) ? 0 : 1;

    tell_time();
    if (!counts()) {
        next(plan, text, read_only_tree, context, params, environment, receiver, done);
        return;
    }
    if (ActivePortal != NULL)
        begin_statement();
    if (reports() && !ob_touch_is_quiet(plan->utilityStmt))
        ob_tell_add_anything();
    if (reports())
        ob_tell_send(false);
    depth += deeper;
    PG_TRY();
    {
        next(plan, text, read_only_tree, context, params, environment, receiver, done);
    }
    PG_FINALLY();
    {
        depth -= deeper;
    }
    PG_END_TRY();
}

static void end_transaction(XactEvent event, void *arg)
{
    (void)arg;
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
        ob_tell_end_transaction();
}

/* --- settings */

/* True for a whole number and for "", which is 0. */
static bool read_number(const char *text, int64 *out)
{
    char *end = NULL;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    *out = number;
    return *end == '\0' && errno == 0;
}

static bool check_number(char **text, void **extra, GucSource source)
{
    int64 number;

    (void)extra;
    (void)source;
    if (read_number(*text, &number))
        return true;
    GUC_check_errdetail("It is not a whole number.");
    return false;
}

/* Both ends are well within what timestamps can hold. */
static bool check_now(char **text, void **extra, GucSource source)
{
    const int64 max_us = INT64CONST(9000) * 365 * USECS_PER_DAY; /* about the year 10970 */
    int64 number;

    if (!check_number(text, extra, source))
        return false;
    if (read_number(*text, &number) && number >= 0 && number <= max_us)
        return true;
    GUC_check_errdetail("It is not within what can be told.");
    return false;
}

static void assign_now(const char *text, void *extra)
{
    (void)extra;
    now_set = text[0] != '\0' && read_number(text, &now_us);
    now_us -= (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static void assign_gate(const char *text, void *extra)
{
    (void)extra;
    gate_set = text[0] != '\0' && read_number(text, &gate_key);
}

static void define_settings(void)
{
    DefineCustomBoolVariable("overbook.footprints", "Tells the client what its statements touch.",
                             NULL, &footprints, false, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomStringVariable(
        "overbook.now", "The time that now() tells, in microseconds since 1970.",
        "Empty: the machine's.", &now_text, "", PGC_USERSET, 0, check_now, assign_now, NULL);
    DefineCustomStringVariable(
        "overbook.gate", "Key of an advisory lock that each statement passes before it runs.",
        "Empty: none.", &gate_text, "", PGC_USERSET, 0, check_number, assign_gate, NULL);
}

void _PG_init(void)
{
    ob_tell_init();
    define_settings();
    next_planner = planner_hook;
    planner_hook = plan;
    next_start = ExecutorStart_hook;
    ExecutorStart_hook = start;
    next_run = ExecutorRun_hook;
    ExecutorRun_hook = run;
    next_finish = ExecutorFinish_hook;
    ExecutorFinish_hook = finish;
    next_utility = ProcessUtility_hook;
    ProcessUtility_hook = utility;
    next_access = object_access_hook;
    object_access_hook = access_object;
    RegisterXactCallback(end_transaction, NULL);
}
