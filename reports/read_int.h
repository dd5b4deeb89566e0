/*
 * read_int.h - reading a stored result: what its parts share.
 *
 * The first thing that is wrong is the error; what comes after it reads as nothing.
 */
#ifndef OB_REPORTS_READ_INT_H
#define OB_REPORTS_READ_INT_H

#include "report_int.h"

#include <jansson.h>

struct ob_reader {
    const char *name;
    struct ob_report *report;
    struct ob_error *err;
    bool failed;
};

/* "NAME: "key" is not WHAT" */
void ob_read_refuse(struct ob_reader *r, const char *key, const char *what);

const char *ob_read_text(struct ob_reader *r, const json_t *object, const char *key);
uint64_t ob_read_count(struct ob_reader *r, const json_t *object, const char *key);
/* A number below limit. */
size_t ob_read_index(struct ob_reader *r, const json_t *object, const char *key, size_t limit);
bool ob_read_bool(struct ob_reader *r, const json_t *object, const char *key);
const json_t *ob_read_array(struct ob_reader *r, const json_t *object, const char *key);

/* NULL for null, and where the key is not there. */
const struct ob_report_timeline *ob_read_timeline(struct ob_reader *r, const json_t *object,
                                                  const char *key);

/* A result's matrix. */
const struct ob_report_matrix *ob_read_matrix(struct ob_reader *r, const json_t *object);

/* The report's rollout; its results are read. */
void ob_read_rollout(struct ob_reader *r, const json_t *object);

/* The index-th of the result's violations; those before it are read. */
void ob_read_violation(struct ob_reader *r, const json_t *object, struct ob_report_result *result,
                       size_t index);

#endif
