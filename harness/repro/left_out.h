/* left_out.h - what a run leaves out of what its clients do, in words. */
#ifndef OB_REPRO_LEFT_OUT_H
#define OB_REPRO_LEFT_OUT_H

#include "explore/rig.h"

/* "alice's BEGIN and COMMIT; all of carol", "" where nothing is left out; the caller's to free.
 * The clients in their order, long statements cut. */
char *ob_left_out(const struct ob_rig *rig, const struct ob_schedule *schedule);

#endif
