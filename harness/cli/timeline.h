/* timeline.h - an engine's trace as the run that reports draw. */
#ifndef OB_CLI_TIMELINE_H
#define OB_CLI_TIMELINE_H

#include "engine/trace.h"
#include "report.h"

/* Copied into the arena; client_names has client_count of them. */
const struct ob_report_timeline *ob_timeline_of(struct ob_arena *arena,
                                                const struct ob_trace *trace,
                                                const char *const *client_names,
                                                size_t client_count);

/* The same of a trace that was packed (engine/trace_pack.h); NULL when it is none. */
const struct ob_report_timeline *ob_timeline_unpack(struct ob_arena *arena,
                                                    const struct ob_buf *packed,
                                                    const char *const *client_names,
                                                    size_t client_count);

#endif
