/* tokens.h - what a replay is asked for: one token, or those of a result's file. */
#ifndef OB_CLI_TOKENS_H
#define OB_CLI_TOKENS_H

#include "base/error.h"

#include <stddef.h>

struct ob_token_text {
    char *token;
    char **broken; /* names of the invariants that the run is recorded to break; a token does not
                      have them, a result has */
    size_t broken_count, broken_capacity;
};

struct ob_tokens {
    struct ob_token_text *items; /* owned, each of another token */
    size_t count, capacity;
    char **files; /* owned; of a result: the scenarios' files that these are of, each once */
    size_t file_count, file_capacity;
};

/* Reads a token, or a file that "overbook run --json" wrote.  OB_INPUT when it is neither or holds
 * none.  *out is the caller's to clear in any case. */
OB_MUSTCHECK enum ob_result ob_tokens_read(const char *what, struct ob_tokens *out,
                                           struct ob_error *err);
void ob_tokens_clear(struct ob_tokens *tokens);

#endif
