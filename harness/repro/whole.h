/*
 * whole.h - a chooser that makes a run of the whole program out of one that was made with less of
 * it: the steps of that run come in their order again, and those that it was made without come in
 * between.
 *
 * Who is due makes its steps until the one has come that is due, found by the part of the program
 * it is in.  Who is due and cannot move (what was put back may hold it up) is passed over until it
 * can.  The faults strike at the same places, again by the part.
 */
#ifndef OB_REPRO_WHOLE_H
#define OB_REPRO_WHOLE_H

#include "engine/choice.h"

/* Where the steps of what was put back go: right before a step of their client that was there, or
 * as soon as the one before it has been made, or as soon as they can. */
enum ob_put_back { OB_PUT_BACK_LATE, OB_PUT_BACK_NEXT, OB_PUT_BACK_FIRST, OB_PUT_BACK_COUNT };

struct ob_whole {
    const struct ob_trace *less; /* borrowed */
    enum ob_put_back put_back;
    bool *made; /* of each of its steps; owned */
    size_t made_count;
    bool passed_over; /* one was made before another that was due */
};

void ob_whole_init(struct ob_whole *whole, const struct ob_trace *less, enum ob_put_back put_back);
void ob_whole_clear(struct ob_whole *whole);
struct ob_chooser ob_whole_chooser(struct ob_whole *whole);

/* After the run: whether it had all steps of the other, in their order. */
bool ob_whole_kept_order(const struct ob_whole *whole);

#endif
