/*
 * spec_lex.c - the tokens of a spec.  See spec_int.h.
 *
 * A NUL is no token, and ends the value of the name or the SQL that it stands in: libpq could not
 * send what comes after it.
 */
#include "scenario/spec_int.h"

#include <string.h>

struct cursor {
    const char *at, *end;
    struct ob_place place; /* of the character at */
};

struct lexer {
    struct cursor cursor;
    struct ob_arena *arena;
    struct ob_spec_token *token; /* being filled */
};

static const struct {
    const char *word;
    enum ob_spec_token_kind kind;
} keywords[] = {
    {"notices", OB_SPEC_KEY_NOTICES}, {"permutation", OB_SPEC_KEY_PERMUTATION},
    {"session", OB_SPEC_KEY_SESSION}, {"setup", OB_SPEC_KEY_SETUP},
    {"step", OB_SPEC_KEY_STEP},       {"teardown", OB_SPEC_KEY_TEARDOWN},
};
#define KEYWORD_COUNT (sizeof keywords / sizeof *keywords)

/* Not the locale's idea of these: a spec means the same everywhere. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || is_digit(c) || c == '$';
}

/* Goes on by one byte.  Columns count characters, so bytes that continue one do not count. */
static void advance(struct cursor *cursor)
{
    if (*cursor->at == '\n') {
        cursor->place.line++;
        cursor->place.column = 1;
    }
    cursor->at++;
    bool continues = cursor->at < cursor->end && (*cursor->at & 0xC0) == 0x80;
    if (cursor->at[-1] != '\n' && !continues)
        cursor->place.column++;
}

static void skip_blanks_and_comments(struct cursor *cursor)
{
    bool comment = false;
    for (; cursor->at < cursor->end; advance(cursor)) {
        char c = *cursor->at;
        if (c == '#')
            comment = true;
        else if (c == '\n' || c == '\r')
            comment = false;
        else if (!comment && !is_blank(c))
            return;
    }
}

static void read_bad(struct lexer *l, const char *message, const char *hint)
{
    l->token->kind = OB_SPEC_BAD;
    l->token->text = message;
    l->token->hint = hint;
}

static void read_word(struct lexer *l)
{
    struct cursor *cursor = &l->cursor;
    const char *start = cursor->at;
    while (cursor->at < cursor->end && is_name_part(*cursor->at))
        advance(cursor);
    size_t size = (size_t)(cursor->at - start);
    l->token->kind = OB_SPEC_NAME;
    for (size_t i = 0; i < KEYWORD_COUNT; i++) {
        if (strlen(keywords[i].word) == size && memcmp(keywords[i].word, start, size) == 0)
            l->token->kind = keywords[i].kind;
    }
    if (l->token->kind == OB_SPEC_NAME)
        l->token->text = ob_arena_strndup(l->arena, start, size);
}

/* The value of a quoted name that is size bytes within its quotes: two quotes stand for one. */
static const char *unquoted(struct ob_arena *arena, const char *start, size_t size)
{
    char *value = ob_arena_alloc(arena, size + 1);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        value[used++] = start[i];
        if (start[i] == '"')
            i++;
    }
    return value;
}

static void read_quoted(struct lexer *l)
{
    static const char hint[] = "end the name with a \" on the line on which it begins";
    struct cursor *cursor = &l->cursor;
    advance(cursor);
    const char *start = cursor->at;
    for (; cursor->at < cursor->end && *cursor->at != '\n'; advance(cursor)) {
        if (*cursor->at != '"')
            continue;
        const char *quote = cursor->at;
        advance(cursor);
        if (cursor->at == cursor->end || *cursor->at != '"') {
            l->token->kind = OB_SPEC_NAME;
            l->token->text = unquoted(l->arena, start, (size_t)(quote - start));
            return;
        }
    }
    const char *what = cursor->at == cursor->end ? "unterminated quoted identifier"
                                                 : "unexpected newline in quoted identifier";
    read_bad(l, ob_arena_printf(l->arena, "%s at line %d", what, cursor->place.line), hint);
}

/* Up to the first "}", which SQL therefore cannot have. */
static void read_sql(struct lexer *l)
{
    struct cursor *cursor = &l->cursor;
    advance(cursor);
    const char *start = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '}')
        advance(cursor);
    if (cursor->at == cursor->end) {
        const char *message =
            ob_arena_printf(l->arena, "unterminated sql block at line %d", cursor->place.line);
        read_bad(l, message, "end the SQL with a }");
        return;
    }
    const char *last = cursor->at;
    advance(cursor);
    while (start < last && is_blank(*start))
        start++;
    while (start < last && is_blank(last[-1]))
        last--;
    l->token->kind = OB_SPEC_SQL;
    l->token->text = ob_arena_strndup(l->arena, start, (size_t)(last - start));
}

/* A number that does not fit counts as the peer's 64-bit build takes it: the largest long, then
 * its lower half as an int; what is negative then is reached before anything was sent. */
static void read_number(struct lexer *l)
{
    struct cursor *cursor = &l->cursor;
    uint64_t value = 0;
    for (; cursor->at < cursor->end && is_digit(*cursor->at); advance(cursor)) {
        uint64_t digit = (uint64_t)(*cursor->at - '0');
        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    uint32_t low = (uint32_t)(value & UINT32_MAX);
    l->token->kind = OB_SPEC_NUMBER;
    l->token->number = low > INT32_MAX ? 0 : low;
}

static void read_sign(struct lexer *l)
{
    static const char signs[] = "(),*";
    static const enum ob_spec_token_kind kinds[] = {OB_SPEC_OPEN, OB_SPEC_CLOSE, OB_SPEC_COMMA,
                                                    OB_SPEC_STAR};
    char c = *l->cursor.at;
    const char *sign = c == '\0' ? NULL : strchr(signs, c);
    if (sign) {
        l->token->kind = kinds[sign - signs];
    } else {
        const char found[] = {c, '\0'};
        const char *message =
            ob_arena_printf(l->arena, "syntax error at line %d: unexpected character \"%s\"",
                            l->token->place.line, found);
        read_bad(l, message, "put names with other than letters, digits, _ and $ in double quotes");
    }
    advance(&l->cursor);
}

static void read_token(struct lexer *l)
{
    skip_blanks_and_comments(&l->cursor);
    l->token->place = l->cursor.place;
    if (l->cursor.at == l->cursor.end)
        l->token->kind = OB_SPEC_END;
    else if (is_name_start(*l->cursor.at))
        read_word(l);
    else if (is_digit(*l->cursor.at))
        read_number(l);
    else if (*l->cursor.at == '"')
        read_quoted(l);
    else if (*l->cursor.at == '{')
        read_sql(l);
    else
        read_sign(l);
    l->token->end_line = l->cursor.place.line;
}

void ob_spec_lex(const char *text, size_t size, struct ob_arena *arena, struct ob_spec_tokens *out)
{
    struct lexer l = {.arena = arena};
    l.cursor = (struct cursor){.at = text, .end = text + size, .place = {.line = 1, .column = 1}};
    *out = (struct ob_spec_tokens){0};
    do {
        out->items = ob_grow(out->items, &out->capacity, out->count + 1, sizeof *out->items);
        l.token = &out->items[out->count++];
        read_token(&l);
        out->of_kind[l.token->kind]++;
    } while (l.token->kind != OB_SPEC_END && l.token->kind != OB_SPEC_BAD);
}
