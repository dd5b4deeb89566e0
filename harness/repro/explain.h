/*
 * explain.h - why a run breaks what it breaks: the steps whose order it takes, each proven by a
 * run in which they come the other way round.
 *
 * Where one client's steps are followed by others', those steps are put after them, as many and as
 * far as it takes until the invariant holds.  Then the first of the steps that were put off had to
 * come before the last one that they were put behind: an edge from the one to the other.  Edges in
 * both directions between two clients are a contradiction: no order of the two, one after the
 * other, does what this run did.
 *
 * An edge is what was seen to matter in runs, not what was read out of statements.  What it was
 * about, and what the whole is called, goes by what was recorded of the run (anomaly.h).
 */
#ifndef OB_REPRO_EXPLAIN_H
#define OB_REPRO_EXPLAIN_H

#include "explore/rig.h"
#include "repro/anomaly.h"

#define OB_EDGES_MAX 16

struct ob_explained {
    struct ob_edge edges[OB_EDGES_MAX]; /* in the order of their first steps */
    size_t edge_count;
    /* The steps in conflict, of the edge that the sentence is about; the same twice where there is
     * no edge.  And whether one leads back. */
    size_t first, second;
    bool contradiction;
    const char *anomaly;         /* "phantom", …; "" where it has no name that fits for certain */
    bool words;                  /* the name goes by the statements' words */
    char *sentence;              /* owned */
    struct ob_versions versions; /* owned; has the names of what the edges are about */
    uint64_t runs;               /* made */
};

/* trace: a run of the rig that breaks the check's item, which leaves out what its schedule says.
 * *out is the caller's to clear on OB_OK only. */
OB_MUSTCHECK enum ob_result ob_explain(struct ob_rig *rig, const struct ob_trace *trace,
                                       size_t item, struct ob_explained *out, struct ob_error *err);
void ob_explained_clear(struct ob_explained *explained);

/* What both steps of the edge touch, for reading; "" where that has no name. */
const char *ob_explained_table(const struct ob_explained *explained, const struct ob_edge *edge);

#endif
