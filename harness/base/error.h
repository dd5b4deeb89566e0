/*
 * error.h - results and errors.
 *
 * Every function that can fail returns an ob_result and fills the caller's struct ob_error, passed
 * last.  An error is said once, by the lowest layer that knows the cause; layers above only add
 * context.  The three texts follow PostgreSQL's message style: a short factual message ("could not
 * …"), a detail with the mechanics, a hint with the cure.  Only cli/ prints them.  A verdict is
 * never an error.
 */
#ifndef OB_BASE_ERROR_H
#define OB_BASE_ERROR_H

#include <stdarg.h>

#define OB_MUSTCHECK __attribute__((warn_unused_result))
#define OB_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* name, text */
#define OB_RESULTS(X)                                                                           \
    X(OK, "ok")                                                                                 \
    X(USAGE, "wrong usage")                 /* the command line; exit status 2 */               \
    X(INPUT, "input that does not load")    /* a scenario, a token, a file; exit status 2 */    \
    X(LIMIT, "limit exceeded")              /* too many, too long, too large */                 \
    X(REFUSED, "refused")                   /* a database that is not marked as disposable */   \
    X(IO, "input or output failed")         /* files, sockets, processes */                     \
    X(SERVER, "the database server failed") /* it does not start, or went away */               \
    X(SQL, "a statement failed")            /* sqlstate is filled */                            \
    X(STUCK,                                                                                    \
      "a client did not come back") /* the run cannot be finished, its threads are abandoned */ \
    X(INTERRUPTED, "interrupted")   /* the user's signal; exit status 4 */                      \
    X(INTERNAL, "internal error")

enum ob_result {
#define OB_RESULT_ENUM(name, text) OB_##name,
    OB_RESULTS(OB_RESULT_ENUM)
#undef OB_RESULT_ENUM
};

struct ob_error {
    enum ob_result code;
    char sqlstate[6]; /* "" when no statement was involved */
    char message[320];
    char detail[640]; /* may be "" */
    char hint[320];   /* may be "" */
};

/* The constant text of a result. */
const char *ob_result_text(enum ob_result code);

/* Sets code and message, empties the rest, and returns code, so that "return ob_error_set(…)" reads
 * well.  A text that does not fit ends in "…".  Arguments may point into err itself. */
enum ob_result ob_error_set(struct ob_error *err, enum ob_result code, const char *fmt, ...)
    OB_PRINTF(3, 4);
void ob_error_detail(struct ob_error *err, const char *fmt, ...) OB_PRINTF(2, 3);
void ob_error_hint(struct ob_error *err, const char *fmt, ...) OB_PRINTF(2, 3);

/* Puts "context: " before the message of an error that is already set. */
void ob_error_context(struct ob_error *err, const char *fmt, ...) OB_PRINTF(2, 3);

#endif
