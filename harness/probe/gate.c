/*
 * gate.c - the gate that a statement passes between taking its snapshot and running.
 *
 * A gate is two advisory locks, of the class OB_GATE_CLASS and with the keys 2 * number and
 * 2 * number + 1.  Who controls it holds one of them: a statement that comes to the gate tells so
 * (SQLSTATE OBF02) and waits for that one.  To let it pass, the other one is taken and that one
 * freed, so that the next statement waits again.  Where both are free, all pass.
 *
 * Triggers do the same where this module is not (pg/gate.c).
 */
#include "probe_int.h"

#include <utils/fmgrprotos.h>

#define OB_GATE_CLASS 1868722532 /* "obgd" */
#define GATE_SQLSTATE "OBF02"

static bool lock(PGFunction function, int key)
{
    return DirectFunctionCall2(function, Int32GetDatum(OB_GATE_CLASS), Int32GetDatum(key)) != 0;
}

static void unlock(PGFunction function, int key)
{
    (void)DirectFunctionCall2(function, Int32GetDatum(OB_GATE_CLASS), Int32GetDatum(key));
}

void ob_gate_pass(int number)
{
    int key = 2 * number;

    if (lock(pg_try_advisory_lock_shared_int4, key)) {
        unlock(pg_advisory_unlock_shared_int4, key);
        key++;
    }
    ob_tell(GATE_SQLSTATE, "gate");
    (void)lock(pg_advisory_lock_int4, key);
    unlock(pg_advisory_unlock_int4, key);
}
