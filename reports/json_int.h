/*
 * json_int.h - building the JSON result: what its parts share.
 *
 * What could not be added leaves failed set; it is looked at once, at the end.
 */
#ifndef OB_REPORTS_JSON_INT_H
#define OB_REPORTS_JSON_INT_H

#include "report_int.h"

#include <jansson.h>

/* How much of what is at the most written; SIZE_MAX: all. */
struct ob_json_limits {
    size_t text;                /* bytes of one */
    size_t steps;               /* of one run */
    size_t violations, results; /* in all */
};

extern const struct ob_json_limits ob_json_unlimited;

struct ob_json_builder {
    struct ob_arena arena; /* texts made valid */
    struct ob_json_limits limits;
    bool for_page;     /* what was cut is told, and what the page does not show is left out */
    size_t violations; /* written until now */
    bool failed;
};

/* All of them take value over. */
void ob_json_put(struct ob_json_builder *b, json_t *object, const char *key, json_t *value);
void ob_json_put_text(struct ob_json_builder *b, json_t *object, const char *key, const char *text);
/* One that is of no use when it is cut, such as a token. */
void ob_json_put_whole(struct ob_json_builder *b, json_t *object, const char *key,
                       const char *text);
void ob_json_put_count(struct ob_json_builder *b, json_t *object, const char *key, uint64_t count);
void ob_json_put_bool(struct ob_json_builder *b, json_t *object, const char *key, bool value);
void ob_json_append(struct ob_json_builder *b, json_t *array, json_t *value);

/* The whole report. */
json_t *ob_json_report(struct ob_json_builder *b, const struct ob_report *report);

/* A text, valid, and cut to the limit with a word on how long it was. */
json_t *ob_json_text(struct ob_json_builder *b, const char *text);

/* Of the result's violations the one with that index. */
json_t *ob_json_violation(struct ob_json_builder *b, const struct ob_report_result *result,
                          size_t index);

json_t *ob_json_step(struct ob_json_builder *b, const struct ob_report_step *step);
json_t *ob_json_matrix(struct ob_json_builder *b, const struct ob_report_matrix *matrix);
json_t *ob_json_rollout(struct ob_json_builder *b, const struct ob_report_rollout *rollout);

/* Null without one. */
json_t *ob_json_timeline(struct ob_json_builder *b, const struct ob_report_timeline *timeline);

#endif
