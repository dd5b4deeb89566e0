#include "base/sql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPACE " \t\r\n\f\v"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The size of what begins with a quote, up to its end, a doubled one being part of it. */
static size_t quoted(const char *text, bool escapes)
{
    size_t at = 1;
    for (; text[at] != '\0'; at++) {
        if (escapes && text[at] == '\\' && text[at + 1] != '\0')
            at++;
        else if (text[at] == text[0] && text[at + 1] == text[0])
            at++;
        else if (text[at] == text[0])
            return at + 1;
    }
    return at;
}

/* The same, with the strings on the next lines that belong to it. */
static size_t string(const char *text, bool escapes)
{
    size_t size = quoted(text, escapes);
    for (;;) {
        size_t blank = strspn(text + size, SPACE);
        if (text[size + blank] != '\'' || !memchr(text + size, '\n', blank))
            return size;
        size += blank + quoted(text + size + blank, escapes);
    }
}

/* The size of "$tag$", or 0. */
static size_t dollar_tag(const char *text)
{
    size_t size = 1;
    if (is_digit(text[1]))
        return 0;
    while (is_word(text[size]) && text[size] != '$')
        size++;
    return text[size] == '$' ? size + 1 : 0;
}

static size_t dollar(const char *text, enum ob_lexeme *kind)
{
    size_t tag = dollar_tag(text), size = 1;
    *kind = OB_LEX_OTHER;
    if (tag > 0) {
        *kind = OB_LEX_DOLLAR;
        for (size = tag; text[size] != '\0'; size++)
            if (strncmp(text + size, text, tag) == 0)
                return size + tag;
    } else if (is_digit(text[1])) {
        *kind = OB_LEX_PARAM;
        while (is_digit(text[size]))
            size++;
    }
    return size;
}

static size_t comment(const char *text)
{
    if (text[0] == '-')
        return strcspn(text, "\n");
    size_t size = 0, depth = 0;
    do {
        bool opens = strncmp(text + size, "/*", 2) == 0,
             closes = strncmp(text + size, "*/", 2) == 0;
        depth = depth + opens - closes;
        size += opens || closes ? 2 : 1;
    } while (depth > 0 && text[size] != '\0');
    return size;
}

/* A word, or the string that a word of one letter is the beginning of. */
static size_t word(const char *text, enum ob_lexeme *kind)
{
    size_t size = 0;
    if (strncasecmp(text, "e'", 2) == 0) {
        *kind = OB_LEX_ESCAPED;
        return 1 + string(text + 1, true);
    }
    if (strncasecmp(text, "b'", 2) == 0 || strncasecmp(text, "x'", 2) == 0) {
        *kind = OB_LEX_BITS;
        return 1 + string(text + 1, false);
    }
    if (strncasecmp(text, "u&'", 3) == 0 || strncasecmp(text, "u&\"", 3) == 0) {
        *kind = OB_LEX_UNICODE;
        return 2 + string(text + 2, false);
    }
    *kind = OB_LEX_WORD;
    while (is_word(text[size]))
        size++;
    return size;
}

size_t ob_sql_lexeme(const char *text, enum ob_lexeme *kind)
{
    size_t space = strspn(text, SPACE);
    *kind = OB_LEX_SPACE;
    if (text[0] == '\0' || space > 0)
        return space;
    *kind = OB_LEX_COMMENT;
    if (strncmp(text, "--", 2) == 0 || strncmp(text, "/*", 2) == 0)
        return comment(text);
    if (text[0] == '$')
        return dollar(text, kind);
    if (is_word(text[0]))
        return word(text, kind);
    *kind = OB_LEX_NAME;
    if (text[0] == '"')
        return quoted(text, false);
    *kind = OB_LEX_STRING;
    if (text[0] == '\'')
        return string(text, false);
    *kind = OB_LEX_OTHER;
    return 1;
}

/* Appends the bytes, those in doubled twice. */
static void put_doubled(struct ob_buf *out, const char *text, size_t size, const char *doubled)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(doubled, text[i]))
            ob_buf_putc(out, text[i]);
        ob_buf_putc(out, text[i]);
    }
}

void ob_sql_put_literal(struct ob_buf *out, const char *text)
{
    if (!text) {
        ob_buf_puts(out, "NULL");
        return;
    }
    bool escapes = strchr(text, '\\');
    ob_buf_puts(out, escapes ? "E'" : "'");
    put_doubled(out, text, strlen(text), escapes ? "'\\" : "'");
    ob_buf_putc(out, '\'');
}

void ob_sql_put_name(struct ob_buf *out, const char *name)
{
    ob_buf_putc(out, '"');
    put_doubled(out, name, strlen(name), "\"");
    ob_buf_putc(out, '"');
}

void ob_sql_put_statement(struct ob_buf *out, const char *sql, int count, const char *const *params)
{
    enum ob_lexeme kind;
    for (size_t size; (size = ob_sql_lexeme(sql, &kind)) > 0; sql += size) {
        unsigned long number = kind == OB_LEX_PARAM ? strtoul(sql + 1, NULL, 10) : 0;
        if (number >= 1 && number <= (unsigned long)count)
            ob_sql_put_literal(out, params[number - 1]);
        else
            ob_buf_add(out, sql, size);
    }
}

/* --- without a brace */

/* Appends the bytes with escapes in the places of braces, and those in doubled twice. */
static void put_escaped(struct ob_buf *out, const char *text, size_t size, const char *doubled,
                        const char *brace)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '}')
            ob_buf_puts(out, brace);
        else
            put_doubled(out, text + i, 1, doubled);
    }
}

/* A string that has escapes already: a brace may have a backslash before it. */
static void put_in_escaped(struct ob_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        size_t escape = text[i] == '\\' && i + 1 < size;
        if (text[i + escape] == '}')
            ob_buf_puts(out, "\\x7D");
        else
            ob_buf_add(out, text + i, 1 + escape);
        i += escape;
    }
}

/* A word that ends where the string begins would become part of its prefix. */
static void put_prefix(struct ob_buf *out, const char *prefix)
{
    if (out->size > 0 && is_word(out->data[out->size - 1]))
        ob_buf_putc(out, ' ');
    ob_buf_puts(out, prefix);
}

static bool put_token(struct ob_buf *out, enum ob_lexeme kind, const char *text, size_t size)
{
    size_t tag;
    switch (kind) {
    case OB_LEX_STRING:
        put_prefix(out, "E");
        put_escaped(out, text, size, "\\", "\\x7D");
        return true;
    case OB_LEX_ESCAPED:
        put_in_escaped(out, text, size);
        return true;
    case OB_LEX_NAME:
        put_prefix(out, "U&");
        put_escaped(out, text, size, "\\", "\\007D");
        return true;
    case OB_LEX_DOLLAR:
        tag = dollar_tag(text);
        if (size < 2 * tag || strncmp(text + size - tag, text, tag) != 0)
            return false;
        put_prefix(out, "E'");
        put_escaped(out, text + tag, size - 2 * tag, "'\\", "\\x7D");
        ob_buf_putc(out, '\'');
        return true;
    case OB_LEX_COMMENT:
        put_escaped(out, text, size, "", ")");
        return true;
    case OB_LEX_UNICODE: /* whatever escapes it, UESCAPE comes after it */
    case OB_LEX_BITS:
    case OB_LEX_SPACE:
    case OB_LEX_WORD:
    case OB_LEX_PARAM:
    case OB_LEX_OTHER:
    default:
        return false;
    }
}

bool ob_sql_put_without_brace(struct ob_buf *out, const char *sql)
{
    enum ob_lexeme kind;
    for (size_t size; (size = ob_sql_lexeme(sql, &kind)) > 0; sql += size) {
        if (!memchr(sql, '}', size))
            ob_buf_add(out, sql, size);
        else if (!put_token(out, kind, sql, size))
            return false;
    }
    return true;
}
