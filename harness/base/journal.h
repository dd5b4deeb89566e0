/*
 * journal.h - a file that records are added to, of which none is lost or half there after a kill.
 *
 * A record is its size, a check and its bytes; the first one says what the journal is of, and is
 * compared.  What a kill left half written at the end is cut off; damage anywhere else is refused.
 * Each record has left the process when it is added, and reaches the disk with others, so that a
 * machine that goes down costs the last few.  A journal has one process at a time, by a lock.
 */
#ifndef OB_BASE_JOURNAL_H
#define OB_BASE_JOURNAL_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

#define OB_JOURNAL_RECORD_MAX ((size_t)1 << 28) /* bytes */

struct ob_journal;

/* Opens it, or begins a new one; head is lines of text.  OB_REFUSED: it is no journal, is damaged
 * or of something else, or another process has it; OB_IO. */
OB_MUSTCHECK enum ob_result ob_journal_open(const char *path, const char *head,
                                            struct ob_journal **out, struct ob_error *err);
void ob_journal_close(struct ob_journal *journal); /* NULL is legal */

/* The next record, until *end.  All are to be read before any is added. */
OB_MUSTCHECK enum ob_result ob_journal_read(struct ob_journal *journal, struct ob_buf *record,
                                            bool *end, struct ob_error *err);

OB_MUSTCHECK enum ob_result ob_journal_add(struct ob_journal *journal, const struct ob_buf *record,
                                           struct ob_error *err);

/* What is in it does not fit what it is read for. */
enum ob_result ob_journal_misfit(const struct ob_journal *journal, struct ob_error *err);

#endif
