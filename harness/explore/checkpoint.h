/*
 * checkpoint.h - an exploration's runs in a journal, so that it can go on after a kill.
 *
 * Each run is a record: what it came to, what it broke for the first time, how its statements
 * ended, and, for strategies that go on from it, what they were asked (record.h).  A run that was
 * not written down is made again, as if it had never been; so none is lost and none counts twice.
 * One owner thread.
 */
#ifndef OB_EXPLORE_CHECKPOINT_H
#define OB_EXPLORE_CHECKPOINT_H

#include "base/journal.h"
#include "explore/explore.h"
#include "explore/record.h"

/* How a run counts. */
enum ob_counts {
    OB_COUNTS_NOT,     /* it is another shard's */
    OB_COUNTS_CUT,     /* ended early: it would have shown what others have */
    OB_COUNTS_PASSED,  /* its order could not be followed */
    OB_COUNTS_NOTHING, /* it proved nothing, and ends the exploration */
    OB_COUNTS_SEEN,    /* it shows an outcome */
};

/* What a run came to. */
struct ob_note {
    uint64_t next; /* runs that the strategy has prepared */
    int64_t spent_us;
    enum ob_counts counts;
    enum ob_run_end end;
    uint64_t steps;
    bool uncontrolled;
    uint64_t outcome; /* digest, of one that shows an outcome */
    uint64_t reached; /* the wanted situations, as the run's outcome has them */
    uint64_t trace;   /* its digest */
    const char *why;  /* of one that was passed over or proved nothing; else "" */
};

struct ob_checkpoint {
    struct ob_journal *journal; /* borrowed */
    struct ob_strategy *strategy;
    struct ob_record record;

    /* What has been written of the statements. */
    struct ob_statement_count {
        uint64_t done, wrong;
    } * written; /* owned */
    size_t written_count, written_capacity;

    struct ob_buf bytes;   /* of a record */
    struct ob_trace trace; /* of one that is read */
};

void ob_checkpoint_init(struct ob_checkpoint *checkpoint, struct ob_journal *journal,
                        struct ob_strategy *strategy);
void ob_checkpoint_clear(struct ob_checkpoint *checkpoint);

struct ob_chooser ob_checkpoint_chooser(struct ob_checkpoint *checkpoint);

/* Writes a run down, with the findings from first on. */
OB_MUSTCHECK enum ob_result ob_checkpoint_add(struct ob_checkpoint *checkpoint,
                                              const struct ob_note *note,
                                              const struct ob_trace *trace,
                                              const struct ob_exploration *exploration,
                                              size_t first, struct ob_error *err);

/* Reads the next run, until *end: brings the strategy to where it was after it, and adds to the
 * exploration's findings and statements.  next: runs that the strategy has prepared.  The note's
 * text lives until the next call. */
OB_MUSTCHECK enum ob_result ob_checkpoint_read(struct ob_checkpoint *checkpoint, uint64_t next,
                                               struct ob_exploration *exploration,
                                               struct ob_note *out, bool *end,
                                               struct ob_error *err);

#endif
