/*
 * overbook_probe.c - a module of PostgreSQL's server that overbook asks for what only the server
 * knows, and for control that clients do not have.  Loaded with session_preload_libraries.  With
 * its settings as they are by default, it does nothing.
 *
 *   overbook.footprints  tells the client what each of its statements touches, together with what
 *                        triggers, functions and checks of foreign keys run inside of it
 *   overbook.clock       name of a sequence: its last value is the time, in microseconds since
 *                        1970, that now() and its kin tell
 *   overbook.gate        a number: each statement that writes, also within functions, passes a gate
 *                        between taking its snapshot and running (gate.c)
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
#include <tcop/dest.h>
#include <tcop/pquery.h>
#include <tcop/utility.h>
#include <utils/guc.h>

#include <limits.h>

#if PG_VERSION_NUM < 140000
#error "the probe is for PostgreSQL 14 and newer"
#endif

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void); /* which headers of some versions do not say */

/* The settings. */
static bool footprints = false;
static char *clock_name = NULL;
static int gate = OB_NO_GATE;

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_start = NULL;
static ExecutorRun_hook_type next_run = NULL;
static ExecutorFinish_hook_type next_finish = NULL;
static ProcessUtility_hook_type next_utility = NULL;
static object_access_hook_type next_access = NULL;

/* How many plannings and executions there are around what runs now. */
static int depth = 0;

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

/* The planner may call functions. */
static PlannedStmt *plan(Query *query, const char *text, int options, ParamListInfo params)
{
    planner_hook_type next = next_planner != NULL ? next_planner : standard_planner;
    PlannedStmt *result = NULL;

    ob_clock_tell(clock_name);
    if (!footprints)
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

    ob_clock_tell(clock_name);
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

static bool writes(const QueryDesc *query)
{
    return (query->operation != CMD_SELECT && query->operation != CMD_UTILITY) ||
           query->plannedstmt->hasModifyingCTE;
}

static void run(RUN_PARAMETERS)
{
    ExecutorRun_hook_type next = next_run != NULL ? next_run : standard_ExecutorRun;

    ob_clock_tell(clock_name); /* a message that executes has begun a statement's time anew */
    if (gate != OB_NO_GATE && writes(query) && !IsParallelWorker())
        ob_gate_pass(gate);
    if (!footprints) {
        next(RUN_ARGUMENTS);
        return;
    }
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

    if (!footprints) {
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

    ob_clock_tell(clock_name);
    if (!footprints) {
        next(plan, text, read_only_tree, context, params, environment, receiver, done);
        return;
    }
    if (ActivePortal != NULL)
        begin_statement();
    if (reports() && !ob_touch_is_quiet(plan->utilityStmt))
        ob_tell_add_anything();
    if (reports())
        ob_tell_send(PlannedStmtRequiresSnapshot(plan));
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

static bool check_clock(char **name, void **extra, GucSource source)
{
    (void)extra;
    (void)source;
    if (ob_clock_is_name(*name))
        return true;
    GUC_check_errdetail("It is not the name of a sequence, with or without its schema.");
    return false;
}

static void define_settings(void)
{
    DefineCustomBoolVariable("overbook.footprints", "Tells the client what its statements touch.",
                             NULL, &footprints, false, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomStringVariable("overbook.clock", "Name of the sequence whose value is the time.",
                               "In microseconds since 1970.  Empty: the machine's time.",
                               &clock_name, "", PGC_USERSET, 0, check_clock, NULL, NULL);
    DefineCustomIntVariable("overbook.gate", "Number of the gate that statements pass.",
                            "-1: none.", &gate, OB_NO_GATE, OB_NO_GATE, INT_MAX / 2, PGC_USERSET, 0,
                            NULL, NULL, NULL);
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
