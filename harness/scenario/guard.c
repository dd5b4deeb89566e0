/* guard.c - see guard.h. */
#include "scenario/guard.h"

#include "scenario/bind.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t\r\n"
#define DIGITS "0123456789"

static void skip(const char **text, size_t size)
{
    *text += size;
    *text += strspn(*text, SPACE);
}

static bool take(const char **text, const char *word)
{
    size_t size = strlen(word);
    if (strncasecmp(*text, word, size) != 0)
        return false;
    skip(text, size);
    return true;
}

/* A word, so that "isnull" is not "is" and "null". */
static bool take_word(const char **text, const char *word)
{
    return ob_bind_identifier(*text) == strlen(word) && take(text, word);
}

static bool take_name(const char **text, struct ob_arena *arena, const char **out)
{
    size_t size = ob_bind_identifier(*text);
    if (size == 0)
        return false;
    *out = ob_arena_strndup(arena, *text, size);
    skip(text, size);
    return true;
}

/* Longer operators before those that they begin with. */
static bool take_operator(const char **text, enum ob_compare *out)
{
    static const struct {
        const char *text;
        enum ob_compare compare;
    } operators[] = {
        {"<>", OB_NE}, {"!=", OB_NE}, {"<=", OB_LE}, {">=", OB_GE},
        {"<", OB_LT},  {">", OB_GT},  {"=", OB_EQ},
    };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (take(text, operators[i].text)) {
            *out = operators[i].compare;
            return true;
        }
    }
    return false;
}

static bool take_number(const char **text, struct ob_arena *arena, const char **out)
{
    const char *start = *text;
    size_t size = start[0] == '-' ? 1 : 0;
    size_t whole = strspn(start + size, DIGITS);
    size += whole;
    if (whole > 0 && start[size] == '.') {
        size_t part = strspn(start + size + 1, DIGITS);
        size = part > 0 ? size + 1 + part : 0;
    }
    if (whole == 0 || size == 0)
        return false;
    *out = ob_arena_strndup(arena, start, size);
    skip(text, size);
    return true;
}

/* 'text', with '' for a quote in it. */
static bool take_text(const char **text, struct ob_arena *arena, const char **out)
{
    if (**text != '\'')
        return false;
    const char *from = *text + 1;
    char *copy = ob_arena_strdup(arena, from);
    size_t size = 0;
    for (; *from != '\'' || from[1] == '\''; from++) {
        if (*from == '\0')
            return false;
        copy[size++] = *from;
        from += *from == '\'';
    }
    copy[size] = '\0';
    *out = copy;
    *text = from;
    skip(text, 1);
    return true;
}

bool ob_guard_parse(const char *text, struct ob_arena *arena, struct ob_guard *out)
{
    struct ob_guard guard = {0};
    skip(&text, 0);
    if (!take_name(&text, arena, &guard.variable))
        return false;
    if (take_word(&text, "is")) {
        guard.compare = take_word(&text, "not") ? OB_IS_NOT_NULL : OB_IS_NULL;
        if (!take_word(&text, "null"))
            return false;
    } else {
        if (!take_operator(&text, &guard.compare))
            return false;
        guard.value_is_variable = take(&text, ":");
        bool taken = guard.value_is_variable ? take_name(&text, arena, &guard.value)
                                             : take_number(&text, arena, &guard.value) ||
                                                   take_text(&text, arena, &guard.value);
        if (!taken)
            return false;
    }
    if (*text != '\0')
        return false;
    *out = guard;
    return true;
}
