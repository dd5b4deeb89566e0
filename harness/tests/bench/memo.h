/*
 * memo.h - runs that need not be made again: the tree of choices of all runs that were made of one
 * variant, and what each came to.
 *
 * A run is its choices, so a strategy that is asked at each point of the tree what it was asked
 * there before, and answers as somebody has answered, ends where that run ended.  Only where it
 * answers otherwise must the run be made: a strategy that is begun again chooses the same again
 * (choice.h), so it is made from the start.  Unlike the record of a journal (record.h), which asks
 * one strategy again what it chose, any strategy can walk here.
 *
 * Not for runs that the choices do not determine (threads that race, steps that nobody controlled),
 * nor for those whose strategy learns from what the steps touched: that is not kept, nor is the
 * trace.
 */
#ifndef OB_BENCH_MEMO_H
#define OB_BENCH_MEMO_H

#include "base/alloc.h"
#include "engine/choice.h"

#include <stdbool.h>
#include <stdint.h>

/* What a run came to. */
struct ob_memo_end {
    uint64_t digest; /* of its trace */
    bool breaks;     /* what it is looked for */
};

struct ob_memo {
    struct ob_arena arena; /* the tree's */
    struct ob_memo_node *root;
    uint64_t run_count; /* different ones */

    /* The run that is being made, and who chooses. */
    struct ob_chooser inner;
    struct ob_memo_choice *choices; /* owned */
    size_t count, capacity;
};

void ob_memo_init(struct ob_memo *memo);
void ob_memo_clear(struct ob_memo *memo);

/* Asks the chooser for a run.  True: it is known, and *out is what it came to. */
bool ob_memo_find(const struct ob_memo *memo, const struct ob_chooser *chooser,
                  struct ob_memo_end *out);

/* The chooser, with what it is asked kept; for one run. */
struct ob_chooser ob_memo_chooser(struct ob_memo *memo, const struct ob_chooser *chooser);

/* After that run: adds it.  False when something else is known of the same choices: another point
 * that they lead to, or another end. */
bool ob_memo_add(struct ob_memo *memo, const struct ob_memo_end *end);

#endif
