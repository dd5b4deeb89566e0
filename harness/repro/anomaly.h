/*
 * anomaly.h - what the order of two steps was about, and what the field calls a run that takes it.
 *
 * That one step had to come before another one is proven elsewhere (explain.h).  Here it is said
 * why: the two touch the same table, one read it by a snapshot that has, or has not, what the other
 * one wrote.  That comes from what was recorded: footprints, snapshots, waits and commits
 * (access.h), and the row versions that each commit made and replaced (versions.h).  Where the
 * server told no footprints the names go by the statements' words, and say so.
 */
#ifndef OB_REPRO_ANOMALY_H
#define OB_REPRO_ANOMALY_H

#include "repro/access.h"
#include "repro/versions.h"

enum ob_edge_kind {
    OB_EDGE_RW, /* read by a snapshot that does not have what the other one wrote */
    OB_EDGE_WR, /* wrote before the other one took its snapshot: that was seen */
    OB_EDGE_WW, /* wrote, or locked, before the other one did */
    OB_EDGE_OTHER
};

const char *ob_edge_word(enum ob_edge_kind kind); /* "rw", … */

/* What a kind rests on. */
enum ob_basis {
    OB_BASIS_NONE,   /* nothing that both touch */
    OB_BASIS_WORDS,  /* the statements' words: what they touch is not known */
    OB_BASIS_TABLES, /* footprints: the same table, or what was declared as the same row */
    OB_BASIS_ROWS    /* and row versions that were seen to come or go in it */
};

struct ob_edge {
    size_t from, to; /* steps of the trace */
    enum ob_edge_kind kind;
    enum ob_basis basis;
    uint64_t resource; /* that both touch; OB_BASIS_TABLES and better */
};

/* Borrowed, and of one run. */
struct ob_facts {
    const struct ob_trace *trace;
    const struct ob_accesses *accesses;
    const struct ob_versions *versions;
};

/* Fills in the rest of an edge whose steps are known. */
void ob_edge_explain(const struct ob_facts *facts, struct ob_edge *edge);

/* What let a read behind a lock be stale: a lock that its transaction got later than its
 * snapshot. */
struct ob_stale {
    size_t snapshot, published, locked; /* steps, in this order but for equal ones */
    bool waited;
};

/* Whether the edge, a read that missed something, is one behind a lock. */
bool ob_edge_is_stale(const struct ob_facts *facts, const struct ob_edge *edge,
                      struct ob_stale *out);

/* "lost update", "phantom", …; "" where none fits for certain.  back: an edge that leads back to
 * the first one's client; NULL: there is none.  *words: the name goes by the statements' words, as
 * footprints or row versions are not known. */
const char *ob_anomaly_of(const struct ob_facts *facts, const struct ob_edge *edge,
                          const struct ob_edge *back, bool *words);

#endif
