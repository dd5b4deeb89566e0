#include "cli/tokens.h"

#include "base/alloc.h"
#include "base/file.h"
#include "repro/token.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ob_token_text *add(struct ob_tokens *tokens, const char *token)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->items[i].token, token) == 0)
            return &tokens->items[i];
    tokens->items =
        ob_grow(tokens->items, &tokens->capacity, tokens->count + 1, sizeof *tokens->items);
    struct ob_token_text *added = &tokens->items[tokens->count++];
    *added = (struct ob_token_text){.token = ob_strdup(token)};
    return added;
}

static void add_file(struct ob_tokens *tokens, const char *file)
{
    for (size_t i = 0; i < tokens->file_count; i++)
        if (strcmp(tokens->files[i], file) == 0)
            return;
    tokens->files = ob_grow(tokens->files, &tokens->file_capacity, tokens->file_count + 1,
                            sizeof *tokens->files);
    tokens->files[tokens->file_count++] = ob_strdup(file);
}

static void add_broken(struct ob_token_text *text, const char *invariant)
{
    text->broken =
        ob_grow(text->broken, &text->broken_capacity, text->broken_count + 1, sizeof *text->broken);
    text->broken[text->broken_count++] = ob_strdup(invariant);
}

static void add_violations(struct ob_tokens *tokens, const json_t *result)
{
    const json_t *violations = json_object_get(result, "violations");
    const char *file = json_string_value(json_object_get(result, "file"));
    for (size_t i = 0; i < json_array_size(violations); i++) {
        const json_t *violation = json_array_get(violations, i);
        const char *token = json_string_value(json_object_get(violation, "token"));
        const char *invariant = json_string_value(json_object_get(violation, "invariant"));
        if (!token || token[0] == '\0')
            continue;
        struct ob_token_text *text = add(tokens, token);
        if (invariant)
            add_broken(text, invariant);
        if (file)
            add_file(tokens, file);
    }
}

static enum ob_result read_file(const char *path, struct ob_tokens *out, struct ob_error *err)
{
    json_error_t where;
    FILE *stream = NULL;
    enum ob_result result = ob_file_open(path, &stream, err);
    if (result != OB_OK) {
        ob_error_hint(err, "Name a token, or a result that \"overbook run --json FILE\" wrote.");
        return result;
    }
    json_t *root = json_loadf(stream, 0, &where);
    fclose(stream);
    if (!root) {
        ob_error_set(err, OB_INPUT, "%s:%d:%d: %s", path, where.line, where.column, where.text);
        ob_error_hint(err, "Name a token, or a result that \"overbook run --json FILE\" wrote.");
        return OB_INPUT;
    }
    const json_t *results = json_object_get(root, "results");
    bool is_result = json_is_array(results);
    for (size_t i = 0; i < json_array_size(results); i++)
        add_violations(out, json_array_get(results, i));
    json_decref(root);
    if (out->count > 0)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "%s holds no token", path);
    ob_error_hint(err, is_result
                           ? "No violation was found in that result, so there is nothing to replay."
                           : "Name a result that \"overbook run --json FILE\" wrote.");
    return OB_INPUT;
}

enum ob_result ob_tokens_read(const char *what, struct ob_tokens *out, struct ob_error *err)
{
    *out = (struct ob_tokens){0};
    if (access(what, F_OK) == 0)
        return read_file(what, out, err);
    if (strncmp(what, "ob", 2) != 0) {
        ob_error_set(err, OB_INPUT, "\"%s\" is neither a token nor a file", what);
        ob_error_detail(err, "A token is one word that begins with \"" OB_TOKEN_PREFIX "\".");
        ob_error_hint(err, "A result written by --json holds one for each violation.");
        return OB_INPUT;
    }
    (void)add(out, what);
    return OB_OK;
}

void ob_tokens_clear(struct ob_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct ob_token_text *text = &tokens->items[i];
        for (size_t k = 0; k < text->broken_count; k++)
            free(text->broken[k]);
        free(text->broken);
        free(text->token);
    }
    for (size_t i = 0; i < tokens->file_count; i++)
        free(tokens->files[i]);
    free(tokens->files);
    free(tokens->items);
    *tokens = (struct ob_tokens){0};
}
