/*
 * timeline.h - a run as it is drawn: who made which step, who waited for whom, what came of it.
 *
 * The harness's own traces are not known here: cli/ fills this from them, or the reader (read.c)
 * from a result that was stored.  Everything lives in the report's arena.
 */
#ifndef OB_REPORTS_TIMELINE_H
#define OB_REPORTS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_REPORT_CLIENTS_MAX 64 /* of one run, as in the engine */
#define OB_REPORT_NOBODY SIZE_MAX
#define OB_REPORT_STEPS_MAX 100000

typedef uint64_t ob_report_clients; /* bit i: client i */

/* What a client saw or did, in its own words, or what the harness did: an answer, a fault, a
 * capture, the clock. */
struct ob_report_note {
    size_t client;    /* or OB_REPORT_NOBODY: the harness itself */
    const char *kind; /* "answer", "fault", "clock", … */
    const char *data; /* one JSON object */
};

/* An operation that ended in a step: the step's own, or one that the step woke. */
struct ob_report_ended {
    size_t client;
    const char *status;   /* "done", "session lost", "never", "stopped" */
    const char *sqlstate; /* "00000", an error's, or "" where no statement was involved */
    const char *message;  /* an error's; "" otherwise */
    uint64_t rows;        /* returned or affected */
    uint64_t digest;      /* of the rows that were returned, in any order; 0: none, or not known */
};

struct ob_report_step {
    size_t client;
    const char *kind;   /* "begin", "sql", "commit", … */
    const char *text;   /* SQL, or what is done */
    const char *params; /* "" or "$1 = 'x', $2 = null" */
    ob_report_clients
        blocked; /* who waits for a lock after the step, also from before, or is in flight */
    ob_report_clients holders; /* when the client itself waits: for whom */
    ob_report_clients woken;   /* who waited and because of the step does not any more, or for
                                  others */
    ob_report_clients gated;   /* who came to the gate of a statement, and has its snapshot */
    bool uncontrolled;         /* the server itself chose something */
    const struct ob_report_ended *ended;
    size_t ended_count;
    const struct ob_report_note *notes; /* after the step, before the next one */
    size_t note_count;
};

struct ob_report_timeline {
    const char *const *clients;          /* their names */
    size_t client_count;                 /* 1 … OB_REPORT_CLIENTS_MAX */
    const struct ob_report_note *before; /* the first step */
    size_t before_count;
    const struct ob_report_step *steps;
    size_t step_count;  /* at most OB_REPORT_STEPS_MAX */
    const char *end;    /* "finished", or how else the run ended, in words */
    const char *reason; /* more about an end other than "finished"; "" otherwise */
};

#endif
