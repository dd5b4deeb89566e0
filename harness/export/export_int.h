/*
 * export_int.h - what the files behind export.h share.
 *
 *   make.c    the steps of a run, and what cannot be taken elsewhere
 *   prove.c   an export played and compared with its run
 *   spec.c    as an isolation spec
 *   psql.c    as parts to paste into psql
 *   yaml.c    as a scenario file that is this one run
 *   cmocka.c  as a test in C: tables, and race_head.inc and race_test.inc around them
 */
#ifndef OB_EXPORT_EXPORT_INT_H
#define OB_EXPORT_EXPORT_INT_H

#include "export/export.h"

#define OB_EXPORT_TEXT_MAX 400 /* bytes of a text in a comment */

/* race_head.inc and race_test.inc, as the build has put them into C. */
extern const char ob_export_text_head[], ob_export_text_test[];

/* --- spec.c */

/* What the export shows, in lines that begin with the mark of a comment. */
void ob_export_put_head(const struct ob_export *export, const char *mark, struct ob_buf *out);

#endif
