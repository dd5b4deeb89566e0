/*
 * record.h - what a strategy was asked in a run, written down, and asked again.
 *
 * A strategy that goes on from its earlier runs is brought to where it was by being asked the same
 * again: so nothing needs to know what it keeps.  What a run has in common with the one before it,
 * from the beginning on, is not written twice: depth first that is nearly all of it.
 */
#ifndef OB_EXPLORE_RECORD_H
#define OB_EXPLORE_RECORD_H

#include "base/pack.h"
#include "engine/choice.h"

#include <stdbool.h>

/* Items of bytes, one after the other. */
struct ob_record_list {
    struct ob_buf bytes;
    size_t *ends; /* of each item within bytes; owned */
    size_t count, capacity;
};

struct ob_record {
    struct ob_chooser inner; /* the strategy */
    struct ob_record_list choices, steps;
    struct ob_record_list choices_before, steps_before; /* of the run before */
};

void ob_record_init(struct ob_record *record, struct ob_chooser strategy);
void ob_record_clear(struct ob_record *record);

/* The strategy, with what it is asked written down. */
struct ob_chooser ob_record_chooser(struct ob_record *record);

/* After a run: writes down what it was asked and, with steps, what the steps touched. */
void ob_record_pack(struct ob_record *record, const struct ob_trace *trace, bool steps,
                    struct ob_buf *out);

/* Reads that, and asks the strategy again; the trace, empty before, is filled with the steps.
 * False: it is nothing that was written down, or the strategy now chooses otherwise. */
bool ob_record_replay(struct ob_record *record, struct ob_unpack *in, struct ob_trace *trace);

#endif
