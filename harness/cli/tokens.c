#include "cli/tokens.h"

#include "base/alloc.h"
#include "cli/stored.h"
#include "repro/token.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ob_token_text *add(struct ob_tokens *tokens, const struct ob_record *run)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->items[i].run.token, run->token) == 0)
            return &tokens->items[i];
    tokens->items =
        ob_grow(tokens->items, &tokens->capacity, tokens->count + 1, sizeof *tokens->items);
    struct ob_token_text *added = &tokens->items[tokens->count++];
    *added = (struct ob_token_text){.run = *run, .whole = *run};
    return added;
}

static void add_file(struct ob_tokens *tokens, const char *file)
{
    for (size_t i = 0; i < tokens->file_count; i++)
        if (strcmp(tokens->files[i], file) == 0)
            return;
    tokens->files = ob_grow(tokens->files, &tokens->file_capacity, tokens->file_count + 1,
                            sizeof *tokens->files);
    tokens->files[tokens->file_count++] = ob_arena_strdup(&tokens->stored.arena, file);
}

static void add_broken(struct ob_token_text *text, const char *invariant)
{
    text->broken =
        ob_grow(text->broken, &text->broken_capacity, text->broken_count + 1, sizeof *text->broken);
    text->broken[text->broken_count++] = invariant;
}

static void add_violation(struct ob_tokens *tokens, const struct ob_report_result *result,
                          const struct ob_report_violation *violation, bool smallest)
{
    const struct ob_report_shrunk *shrunk = violation->shrunk;
    bool small = shrunk && shrunk->token[0] != '\0';
    struct ob_record whole = {.token = violation->token, .timeline = violation->timeline};
    struct ob_record run = whole;
    if (small && smallest)
        run = (struct ob_record){.token = shrunk->token, .timeline = shrunk->timeline};
    if (violation->token[0] == '\0')
        return;
    /* Its steps are those of the smallest run, where there is one. */
    run.explanation = small == smallest || !small ? violation->explanation : NULL;
    struct ob_token_text *text = add(tokens, &run);
    text->whole = whole;
    text->scenario = result->scenario;
    text->variant = result->variant;
    add_broken(text, violation->invariant);
    add_file(tokens, result->file);
}

static enum ob_result read_file(const char *path, bool smallest, struct ob_tokens *out,
                                struct ob_error *err)
{
    enum ob_result result = ob_stored_read(path, &out->stored, err);
    if (result != OB_OK) {
        ob_error_hint(err, "Name a token, or a result that \"overbook run --json FILE\" wrote.");
        return result;
    }
    for (size_t i = 0; i < out->stored.result_count; i++) {
        const struct ob_report_result *each = &out->stored.results[i];
        for (size_t k = 0; k < each->violation_count; k++)
            add_violation(out, each, &each->violations[k], smallest);
    }
    if (out->count > 0)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "%s holds no token", path);
    ob_error_hint(err, "No violation was found in that result, so there is nothing to replay.");
    return OB_INPUT;
}

enum ob_result ob_tokens_read(const char *what, bool smallest, struct ob_tokens *out,
                              struct ob_error *err)
{
    *out = (struct ob_tokens){0};
    if (access(what, F_OK) == 0)
        return read_file(what, smallest, out, err);
    ob_report_init(&out->stored);
    if (strncmp(what, "ob", 2) != 0) {
        ob_error_set(err, OB_INPUT, "\"%s\" is neither a token nor a file", what);
        ob_error_detail(err, "A token is one word that begins with \"" OB_TOKEN_PREFIX "\".");
        ob_error_hint(err, "A result written by --json holds one for each violation.");
        return OB_INPUT;
    }
    (void)add(out, &(struct ob_record){.token = what});
    return OB_OK;
}

void ob_tokens_clear(struct ob_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        free(tokens->items[i].broken);
    free(tokens->files);
    free(tokens->items);
    ob_report_clear(&tokens->stored);
    *tokens = (struct ob_tokens){0};
}
