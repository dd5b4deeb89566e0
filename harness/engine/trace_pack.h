/*
 * trace_pack.h - a trace as bytes, for whoever draws it when the engine has long gone on; and the
 * way back, which trusts nothing.
 *
 * Not in it: footprints, and the schedule's program and faults, which whoever keeps a trace has
 * beside it.
 */
#ifndef OB_ENGINE_TRACE_PACK_H
#define OB_ENGINE_TRACE_PACK_H

#include "base/pack.h"
#include "engine/trace.h"

void ob_trace_pack(const struct ob_trace *trace, struct ob_buf *out);

/* Into an empty trace, of so many clients; in->failed when it is none, and then the trace
 * is only to be reset or cleared. */
void ob_trace_unpack(struct ob_unpack *in, size_t client_count, struct ob_trace *trace);

#endif
