/* tokens.h - what a replay is asked for: one token, or those of a result's file. */
#ifndef OB_CLI_TOKENS_H
#define OB_CLI_TOKENS_H

#include "base/error.h"
#include "report.h"

#include <stdbool.h>
#include <stddef.h>

/* A recorded run.  Of a token alone no more is known than the token. */
struct ob_record {
    const char *token;
    const struct ob_report_timeline *timeline;       /* NULL: not known */
    const struct ob_report_explanation *explanation; /* of that timeline; NULL: none */
};

struct ob_token_text {
    struct ob_record run;
    struct ob_record whole; /* the run as it was found, which the other was made of; or the same */
    const char *scenario, *variant; /* names; NULL: not known */
    const char **broken; /* names of the invariants that the run is recorded to break; a token does
                            not have them, a result has */
    size_t broken_count, broken_capacity;
};

struct ob_tokens {
    struct ob_report stored;     /* the result; what is borrowed here lives in it */
    struct ob_token_text *items; /* owned, each of another token */
    size_t count, capacity;
    char **files; /* of a result: the scenarios' files that these are of, each once */
    size_t file_count, file_capacity;
};

/* Reads a token, or a file that "overbook run --json" wrote; of that the runs as they were found,
 * or the smallest ones.  OB_INPUT when it is neither or holds none.  *out is the caller's to clear
 * in any case. */
OB_MUSTCHECK enum ob_result ob_tokens_read(const char *what, bool smallest, struct ob_tokens *out,
                                           struct ob_error *err);
void ob_tokens_clear(struct ob_tokens *tokens);

#endif
