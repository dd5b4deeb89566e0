/* bind.c - see bind.h. */
#include "scenario/bind.h"

#include "base/buf.h"
#include "scenario/scenario.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS "0123456789"
#define SPACE " \t\r\n\f\v"

struct binder {
    struct ob_arena *arena;
    struct ob_buf out;
    const char *next;       /* what has not been read */
    const char *first_word; /* the statement's keyword, where one has come */
    const char **variables;
    size_t count, capacity;
    struct ob_bind_problem problem;
};

static bool fail(struct binder *b, const char *text, const char *hint)
{
    b->problem = (struct ob_bind_problem){.text = text, .hint = hint};
    return false;
}

static void copy(struct binder *b, size_t size)
{
    ob_buf_add(&b->out, b->next, size);
    b->next += size;
}

size_t ob_bind_identifier(const char *text)
{
    return strspn(text, LETTERS) > 0 ? strspn(text, LETTERS DIGITS) : 0;
}

/* The size of a word: identifier, keyword or number, with the bytes of other alphabets. */
static size_t word_size(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0' &&
           (strchr(LETTERS DIGITS "$", text[size]) || (unsigned char)text[size] >= 0x80))
        size++;
    return size;
}

/* Copies what is in quotes; a doubled quote is one inside, and after a backslash comes anything if
 * escapes. */
static bool copy_quoted(struct binder *b, char quote, bool escapes)
{
    const char *end = b->next + 1;
    while (*end != quote || end[1] == quote) {
        if (*end == quote || (escapes && *end == '\\' && end[1] != '\0'))
            end++;
        if (*end == '\0')
            return fail(b, "a quote is not closed", "close the quoted text");
        end++;
    }
    copy(b, (size_t)(end - b->next) + 1);
    return true;
}

/* The size of "$tag$", or 0. */
static size_t dollar_tag(const char *text)
{
    size_t tag = ob_bind_identifier(text + 1);
    return text[1 + tag] == '$' ? tag + 2 : 0;
}

static bool copy_dollar(struct binder *b)
{
    size_t tag = dollar_tag(b->next);
    if (tag == 0 && strchr(DIGITS, b->next[1]) && b->next[1] != '\0')
        return fail(b, "$1 and the like are not for scenarios", "write :name for a variable");
    if (tag == 0) {
        copy(b, 1);
        return true;
    }
    const char *end = b->next + tag;
    while (*end != '\0' && strncmp(end, b->next, tag) != 0)
        end++;
    if (*end == '\0')
        return fail(b, "a dollar quote is not closed", "close it with the same $tag$");
    copy(b, (size_t)(end - b->next) + tag);
    return true;
}

/* Comments nest in PostgreSQL. */
static bool copy_comment(struct binder *b)
{
    const char *end = b->next + 2;
    for (size_t depth = 1; depth > 0;) {
        if (*end == '\0')
            return fail(b, "a comment is not closed", "close it with */");
        if (strncmp(end, "/*", 2) == 0 || strncmp(end, "*/", 2) == 0) {
            depth = *end == '/' ? depth + 1 : depth - 1;
            end++;
        }
        end++;
    }
    copy(b, (size_t)(end - b->next));
    return true;
}

static bool copy_variable(struct binder *b)
{
    size_t size = ob_bind_identifier(b->next + 1);
    size_t index = 0;
    while (index < b->count && (strncmp(b->variables[index], b->next + 1, size) != 0 ||
                                b->variables[index][size] != '\0'))
        index++;
    if (index == OB_SCENARIO_VARIABLES_MAX)
        return fail(b, "more than 64 variables", "split the statement");
    if (index == b->count) {
        b->variables = ob_grow(b->variables, &b->capacity, b->count + 1, sizeof *b->variables);
        b->variables[b->count++] = ob_arena_strndup(b->arena, b->next + 1, size);
    }
    ob_buf_printf(&b->out, "$%zu", index + 1);
    b->next += size + 1;
    /* A letter or digit that follows at once would belong to the parameter's number. */
    if (word_size(b->next) > 0)
        ob_buf_putc(&b->out, ' ');
    return true;
}

static bool copy_colon(struct binder *b)
{
    if (ob_bind_identifier(b->next + 1) > 0)
        return copy_variable(b);
    copy(b, b->next[1] == ':' || b->next[1] == '=' ? 2 : 1);
    return true;
}

/* Only white space and comments may come after the statement's semicolon. */
static bool skip_end(struct binder *b)
{
    b->next++;
    for (;;) {
        b->next += strspn(b->next, SPACE);
        if (strncmp(b->next, "--", 2) == 0)
            b->next += strcspn(b->next, "\n");
        else if (*b->next == '\0')
            return true;
        else
            return fail(b, "more than one statement", "split it");
    }
}

/* Copies a word; E'…' is the only one that changes what follows. */
static bool copy_word(struct binder *b)
{
    size_t size = word_size(b->next);
    if (!b->first_word)
        b->first_word = b->next;
    bool escapes = size == 1 && (*b->next == 'e' || *b->next == 'E') && b->next[1] == '\'';
    copy(b, size);
    return !escapes || copy_quoted(b, '\'', true);
}

static bool copy_token(struct binder *b)
{
    const char *text = b->next;
    if (*text == '\'' || *text == '"')
        return copy_quoted(b, *text, false);
    if (*text == '$')
        return copy_dollar(b);
    if (*text == ':')
        return copy_colon(b);
    if (*text == ';')
        return skip_end(b);
    if (strncmp(text, "/*", 2) == 0)
        return copy_comment(b);
    if (word_size(text) > 0)
        return copy_word(b);
    copy(b, strncmp(text, "--", 2) == 0 ? strcspn(text, "\n") : 1);
    return true;
}

/* Whether the statement begins with that word; *rest is what follows it. */
static bool begins_with(const char *sql, const char *word, const char **rest)
{
    size_t size = strlen(word);
    if (strncasecmp(sql, word, size) != 0 || word_size(sql) != size)
        return false;
    *rest = sql + size + strspn(sql + size, SPACE);
    return true;
}

/* Transactions begin and end by steps that the engine knows; savepoints are statements like others.
 */
static bool check_kind(struct binder *b)
{
    static const char *const words[] = {"begin", "start", "commit", "end", "rollback", "abort"};
    const char *rest;
    if (!b->first_word)
        return fail(b, "the statement is empty", "write a statement");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (begins_with(b->first_word, words[i], &rest) && !begins_with(rest, "to", &rest) &&
            !begins_with(rest, "prepared", &rest))
            return fail(b, "a transaction begins and ends by a step of its own",
                        "write the step begin, commit or rollback");
    }
    return true;
}

bool ob_bind_parse(const char *sql, struct ob_arena *arena, struct ob_bound *out,
                   struct ob_bind_problem *problem)
{
    struct binder b = {.arena = arena, .next = sql};
    /* A variable of two bytes grows to four at the most: ":a" to "$64 ". */
    ob_buf_init(&b.out, strlen(sql) * 2 + 1);
    bool ok = true;
    while (ok && *b.next != '\0')
        ok = copy_token(&b);
    ok = ok && check_kind(&b);
    if (ok) {
        assert(!ob_buf_failed(&b.out));
        size_t size = b.count * sizeof *b.variables;
        const char **variables = ob_arena_alloc(arena, size);
        for (size_t i = 0; i < b.count; i++)
            variables[i] = b.variables[i];
        *out = (struct ob_bound){.sql = ob_arena_strdup(arena, b.out.data),
                                 .variables = variables,
                                 .variable_count = b.count};
    } else {
        *problem = b.problem;
    }
    ob_buf_clear(&b.out);
    free(b.variables);
    return ok;
}
