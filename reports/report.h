/*
 * report.h - what a whole call of overbook found, and the renderers that write it down.
 *
 * Filled by cli/ from explorations; rendered as a table for a terminal, as JSON (the format scripts
 * rely on) and as JUnit XML.  All texts are owned by the report's arena.
 */
#ifndef OB_REPORTS_REPORT_H
#define OB_REPORTS_REPORT_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "matrix.h"
#include "rollout.h"
#include "timeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum ob_verdict { OB_HOLDS, OB_VIOLATED, OB_INCONCLUSIVE, OB_FAILED /* "error" */ };

const char *
ob_verdict_word(enum ob_verdict verdict); /* "holds", "violated", "inconclusive", "error" */

/* The same violation made as small as it gets. */
struct ob_report_shrunk {
    const char *token, *replay; /* as of a violation */
    size_t clients, faults, steps, preemptions;
    unsigned replays_same, replays;
    uint64_t runs;        /* that making it small took */
    bool complete;        /* false: it may get smaller, since not all was tried */
    const char *left_out; /* of what the clients do: "alice's COMMIT; all of bob"; "": nothing */
    const struct ob_report_timeline *timeline; /* NULL: not kept */
};

/* That one step had to come before another one. */
struct ob_report_edge {
    size_t from, to;
    const char *kind;    /* "ww", "wr", "rw", … */
    const char *because; /* one sentence */
};

/* Steps are indices into the shrunk timeline where there is one, else into the violation's. */
struct ob_report_explanation {
    const char *anomaly;  /* "lost update", … */
    const char *sentence; /* what happened */
    size_t first, second; /* the two steps in conflict; the same twice: none are */
    const struct ob_report_edge *edges;
    size_t edge_count;
};

/* What might prevent the violation, and whether it did. */
struct ob_report_cure {
    const char *name;
    const char *what;                           /* is done, in one sentence */
    const char *change;                         /* the SQL, or the change as text */
    const char *on_schedule;                    /* what the same schedule then came to, a word */
    const char *in_exploration;                 /* what an exploration then came to, a word */
    const char *verdict;                        /* "cured", "not cured", "cured but deadlocks" */
    const char *why;                            /* more about the verdict; "" */
    uint64_t runs;                              /* of the exploration */
    const struct ob_report_timeline *neighbour; /* the same schedule, cure in place; NULL: none */
};

/* What the cure came to, in a line. */
const char *ob_report_cure_line(struct ob_arena *arena, const struct ob_report_cure *cure);

struct ob_report_violation {
    const char *invariant;
    uint64_t run;       /* from 1 */
    const char *token;  /* "" when the run cannot be made again */
    const char *replay; /* the command that makes it again; "" then */
    size_t clients, faults, steps, preemptions;
    unsigned replays_same, replays; /* "10/10" */
    const char *why;                /* the offending rows */
    const char *trace;              /* the run's trace as text */
    /* The run, for drawing; violations of the same run may share it.  NULL: not kept. */
    const struct ob_report_timeline *timeline;
    const struct ob_report_shrunk *shrunk;           /* NULL: was not made smaller */
    const struct ob_report_explanation *explanation; /* NULL: none */
    const struct ob_report_cure *cures;
    size_t cure_count;
};

/* What a shard's result needs so that it can be put together with the others. */
struct ob_report_part {
    /* Digests (base/digest.h) of what was seen; and of what the samples showed, once or more often.
     */
    const char *outcomes, *classes;
    const char *outcomes_once, *outcomes_more, *classes_once, *classes_more;
    bool within_bound; /* bounded: all that are this shard's */
};

#define OB_EXPECTED_ANY "any" /* nothing: the verdict is only told */

/* What some run was to reach, and in how many it was. */
struct ob_report_reached {
    const char *name;
    uint64_t runs;
};

enum ob_report_when { OB_REPORT_BEFORE, OB_REPORT_WHILE, OB_REPORT_AFTER };
const char *ob_report_when_word(enum ob_report_when when); /* "before", "while", "after" */

/* What became of a request beside a migration, and how often. */
struct ob_report_request {
    const char *client, *request; /* "nick", "hold" */
    enum ob_report_when when;     /* as the migration went on */
    const char *outcome;          /* "ok", "waited, then conflict, with 23P01" */
    uint64_t count;
};

struct ob_report_result {
    const char *scenario, *file, *variant, *about;
    const char *hash;                  /* of the scenario, as text; "" or NULL: not known */
    const struct ob_report_part *part; /* NULL: no shard's */
    const char *target;
    const char *expected; /* "holds", "violates no-overlap" or OB_EXPECTED_ANY */
    enum ob_verdict verdict;
    bool as_expected;
    const char
        *reason; /* for inconclusive, error and what was not expected: one sentence; else "" */
    const char *const *warnings; /* what throws doubt on the result: a sentence each */
    size_t warning_count;
    const struct ob_report_reached *reached;
    size_t reached_count;
    const struct ob_report_request *requests; /* of a rollout's move that migrates; else none */
    size_t request_count;
    const char *strategy;
    uint64_t runs, steps, uncontrolled_runs;
    bool exhausted;
    bool reduced; /* of schedules that only differ in what cannot matter, one was run */
    uint64_t classes, outcomes;
    double estimate;     /* runs in all, about, of an enumeration that was not over; 0: not known */
    bool sampled;        /* runs were drawn by lot: the two estimates mean something */
    const char *sampler; /* what drew them, and how many; */
    uint64_t samples;
    double unseen_classes, unseen_outcomes; /* the share of its further runs with a new one */
    const char *claim; /* what follows from finding nothing, beyond these runs; "" or NULL */
    struct ob_report_violation *violations;
    size_t violation_count;
    const struct ob_report_matrix
        *matrix; /* of the first violation that was expected; NULL: none */
    double seconds_total, seconds_reset, seconds_settle, seconds_check;
};

struct ob_report {
    struct ob_arena arena;
    const char *version;  /* overbook's that found it; ob_report_init: this one's */
    const char *postgres; /* "15.18" */
    uint64_t seed; /* at most INT64_MAX, like every number here: JSON's readers have no more */
    bool controlled_steps; /* their order */
    bool controlled_deadlock, controlled_wake, controlled_clock, controlled_gates;
    bool controlled_now; /* what now() and its kin say, not the virtual clock's own function only */
    bool controlled_footprints;        /* the server tells what statements touch */
    double seconds;                    /* of the whole call, from its start */
    unsigned shard_index, shard_count; /* from 1; 0: of all the work */
    const char *asked;                 /* a shard's: what all shards must have been asked for */
    const struct ob_report_rollout *rollout; /* NULL: the results are not a rollout's */
    struct ob_report_result *results;
    size_t result_count, result_capacity;
};

void ob_report_init(struct ob_report *report);
void ob_report_clear(struct ob_report *report);
/* A new, zeroed result at the end; valid until the next one is added. */
struct ob_report_result *ob_report_add(struct ob_report *report);

struct ob_report_summary {
    size_t scenarios, as_expected, unexpected, inconclusive,
        errors; /* scenarios: results; they sum up */
};
struct ob_report_summary ob_report_summarise(const struct ob_report *report);

/* The exit status that the report calls for: 0, 1, 3 or 4; the worst wins in the order 3, 1, 4, 0.
 */
int ob_report_exit_status(const struct ob_report *report);

/* Renderers write to out and report a failed write (OB_IO). */
enum ob_result ob_report_json(const struct ob_report *report, FILE *out, struct ob_error *err);
enum ob_result ob_report_junit(const struct ob_report *report, FILE *out, struct ob_error *err);

/* One page for a browser, of at most OB_REPORT_HTML_SIZE_MAX bytes: what would not fit is cut, and
 * the page says so. */
#define OB_REPORT_HTML_SIZE_MAX 5000000
enum ob_result ob_report_html(const struct ob_report *report, FILE *out, struct ob_error *err);

/* The runs of the violations, for ui.perfetto.dev. */
enum ob_result ob_report_perfetto(const struct ob_report *report, FILE *out, struct ob_error *err);

/* What is not as expected, as annotations: GitHub's workflow commands, a line each; and a Code
 * Quality report for GitLab. */
enum ob_result ob_report_github(const struct ob_report *report, FILE *out, struct ob_error *err);
enum ob_result ob_report_gitlab(const struct ob_report *report, FILE *out, struct ob_error *err);

/* Reads what ob_report_json wrote: sets what a report has beside its results, and adds those that
 * are in the text; the seconds of the whole call are not in it.  name is what errors call it.
 * OB_INPUT when it is no such text, also where a number is out of its range; then the report is
 * only to be cleared. */
OB_MUSTCHECK enum ob_result ob_report_read(const char *name, const char *text, size_t size,
                                           struct ob_report *report, struct ob_error *err);

struct ob_table_options {
    bool color;
    bool unicode;
    bool whole;    /* nothing is shortened, and rows are as long as they are: not on a terminal */
    int width;     /* columns, 80 when unknown; fewer than 50 count as 50 */
    int verbosity; /* -1 quiet: only what is unexpected and the summary; 0; 1: traces of violations
                      too */
};

/* The table, piece by piece while the report grows; report and file are borrowed for its life. */
struct ob_table;
struct ob_table *ob_table_new(const struct ob_report *report,
                              const struct ob_table_options *options, FILE *file);
void ob_table_free(struct ob_table *table); /* NULL is legal */
/* A row to come, as far as it is known: variant, expected, and runs at the most.  Before the first
 * print. */
void ob_table_announce(struct ob_table *table, const struct ob_report_result *result);
/* Prints the results that came since the last time, and flushes. */
OB_MUSTCHECK enum ob_result ob_table_print(struct ob_table *table, struct ob_error *err);
/* The same, and the foot: what the signs mean, and the sums, also of what was never begun. */
OB_MUSTCHECK enum ob_result ob_table_end(struct ob_table *table, struct ob_error *err);

/* All of it at once. */
enum ob_result ob_report_table(const struct ob_report *report,
                               const struct ob_table_options *options, FILE *out,
                               struct ob_error *err);

/* Whether a result has a matrix; and these, and what became of results without one. */
bool ob_report_has_matrix(const struct ob_report *report);
enum ob_result ob_report_matrix(const struct ob_report *report,
                                const struct ob_table_options *options, FILE *out,
                                struct ob_error *err);

/* What a rollout came to: phases, moves, orders. */
enum ob_result ob_report_rollout(const struct ob_report *report,
                                 const struct ob_table_options *options, FILE *out,
                                 struct ob_error *err);

/* Appends a trace for reading, each line indented and shortened to the width: of a step, what it
 * came to stays. */
void ob_report_trace(const char *trace, const struct ob_table_options *options, size_t indent,
                     struct ob_buf *out);

/* Appends text as lines that keep within the width, each indented. */
void ob_report_wrapped(const char *text, const struct ob_table_options *options, size_t indent,
                       struct ob_buf *out);

/* Appends text from outside for a terminal: each line indented, with its spaces, and with "?" for
 * what a terminal would obey or, without unicode, could not show.  Without the line ends at its
 * end. */
void ob_report_plain(const char *text, bool unicode, size_t indent, struct ob_buf *out);

/* OB_IO when path (not "-") can surely not be written: to be asked before hours of work, not
 * after. */
OB_MUSTCHECK enum ob_result ob_report_can_write(const char *path, struct ob_error *err);

/* Opens path for writing ("-" is standard output), through a temporary file that replaces path only
 * when the renderer has succeeded. */
typedef enum ob_result ob_report_renderer(const struct ob_report *, FILE *, struct ob_error *);
OB_MUSTCHECK enum ob_result ob_report_write(const struct ob_report *report,
                                            ob_report_renderer *renderer, const char *path,
                                            struct ob_error *err);

#endif
