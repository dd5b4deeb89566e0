/*
 * redact.c - see redact.h.  Not a parser of connection strings: what libpq makes of a text does not
 * matter, only that no secret written in it is seen.
 */
#include "pg/redact.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "***"
#define REASON_MAX 400
#define KEYS_MAX 100 /* libpq has some 50 */

static const char *const secret_keys[] = {
    "password",         "sslpassword",      "passwd", "pwd", "oauth_client_secret",
    "scram_client_key", "scram_server_key",
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether the key, percent-encoded perhaps, names a secret. */
static bool is_secret(const char *key, size_t size)
{
    char plain[32];
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        char c = key[i];
        if (length == sizeof plain - 1)
            return false; /* longer than any of them */
        if (c == '%' && i + 2 < size && hex_digit(key[i + 1]) >= 0 && hex_digit(key[i + 2]) >= 0) {
            c = (char)(hex_digit(key[i + 1]) * 16 + hex_digit(key[i + 2]));
            i += 2;
        }
        plain[length++] = c;
    }
    plain[length] = '\0';
    for (size_t i = 0; i < sizeof secret_keys / sizeof *secret_keys; i++)
        if (strcasecmp(plain, secret_keys[i]) == 0)
            return true;
    return false;
}

/* Copies key=value&… with its secrets masked. */
static void redact_query(struct ob_buf *out, const char *query)
{
    while (*query != '\0') {
        size_t size = strcspn(query, "&");
        size_t key = strcspn(query, "=&");
        if (key < size && is_secret(query, key)) {
            ob_buf_add(out, query, key + 1);
            ob_buf_puts(out, MASK);
        } else {
            ob_buf_add(out, query, size);
        }
        query += size;
        if (*query == '&')
            ob_buf_putc(out, *query++);
    }
}

/* A password may hold '@', '/' or '?' that should have been encoded: everything from the first
 * colon to the last '@' is taken for it, even where that hides more than the password. */
static void redact_url(struct ob_buf *out, const char *text)
{
    const char *rest = strstr(text, "://") + 3;
    const char *colon = strchr(rest, ':');
    const char *at = strrchr(rest, '@');

    ob_buf_add(out, text, (size_t)(rest - text));
    if (colon != NULL && at != NULL && colon < at) {
        ob_buf_add(out, rest, (size_t)(colon + 1 - rest));
        ob_buf_puts(out, MASK);
        rest = at;
    }
    size_t path = strcspn(rest, "?");
    ob_buf_add(out, rest, path);
    rest += path;
    if (*rest == '?') {
        ob_buf_putc(out, *rest++);
        redact_query(out, rest);
    }
}

/* The end of a value in keyword form: quoted up to its quote, otherwise up to white space; a
 * backslash takes the next character with it in both. */
static const char *value_end(const char *value)
{
    bool quoted = *value == '\'';

    if (quoted)
        value++;
    for (; *value != '\0'; value++) {
        if (*value == '\\' && value[1] != '\0')
            value++;
        else if (quoted ? *value == '\'' : isspace((unsigned char)*value))
            return quoted ? value + 1 : value;
    }
    return value;
}

static const char *skip_space(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static void redact_keywords(struct ob_buf *out, const char *text)
{
    while (*text != '\0') {
        const char *key = skip_space(text);
        const char *key_end = key;
        while (*key_end != '\0' && *key_end != '=' && !isspace((unsigned char)*key_end))
            key_end++;
        const char *equals = skip_space(key_end);
        if (*equals != '=') {
            /* No value follows; libpq would refuse this.  The words are passed on one by one. */
            ob_buf_add(out, text, (size_t)(key_end - text));
            text = key_end;
            continue;
        }
        const char *value = skip_space(equals + 1);
        const char *end = value_end(value);
        bool secret = is_secret(key, (size_t)(key_end - key));
        ob_buf_add(out, text, (size_t)((secret ? value : end) - text));
        if (secret)
            ob_buf_puts(out, MASK);
        text = end;
    }
}

char *ob_pg_redact_url(const char *text)
{
    struct ob_buf out;

    /* Each secret takes at least its key, so that the masks lengthen nothing beyond this. */
    ob_buf_init(&out, strlen(text) * 2 + sizeof MASK);
    if (strstr(text, "://") != NULL)
        redact_url(&out, text);
    else
        redact_keywords(&out, text);
    char *redacted = ob_buf_failed(&out) ? ob_strdup(MASK) : ob_buf_take(&out);
    ob_buf_clear(&out);
    return redacted;
}

/* libpq's message with … for whatever it has in double quotes. */
static void blank_quoted(struct ob_buf *out, const char *message)
{
    while (*message != '\0') {
        size_t size = strcspn(message, "\"\n");
        ob_buf_add(out, message, size);
        message += size;
        if (*message == '\0')
            break;
        if (*message++ == '\n')
            continue;
        ob_buf_puts(out, "\"\u2026\"");
        /* Up to the last quote: the text in quotes may have quotes itself. */
        const char *end = strrchr(message, '"');
        message = end != NULL ? end + 1 : message + strlen(message);
    }
}

/* Whether a part of the URL looks like a piece of a password that was not percent-encoded: libpq's
 * errors would show it.  A host that begins with '@' is an abstract socket. */
static bool has_stray_secret(const PQconninfoOption *options)
{
    for (; options->keyword != NULL; options++) {
        const char *value = options->val != NULL ? options->val : "";
        if (strcmp(options->keyword, "host") == 0 && *value != '\0' &&
            strchr(value + 1, '@') != NULL)
            return true;
        if (strcmp(options->keyword, "port") == 0 && value[strspn(value, "0123456789,")] != '\0')
            return true;
        if (strcmp(options->keyword, "dbname") == 0 && strchr(value, '@') != NULL)
            return true;
    }
    return false;
}

static enum ob_result stray_secret_error(struct ob_error *err)
{
    ob_error_set(err, OB_USAGE, "the database's URL has a special character where none belongs");
    ob_error_detail(err, "Perhaps the password has one: then it must be percent-encoded there.");
    ob_error_hint(err, "Write %%40 for @, %%3A for :, %%2F for /, %%3F for ? and %%23 for #.");
    return OB_USAGE;
}

/* The key that libpq's message is about, when it cannot be a piece of a password: the caller's to
 * free, NULL otherwise. */
static char *unknown_key(const char *text, const char *message)
{
    static const char *const about[] = {"invalid URI query parameter: \"",
                                        "invalid connection option \""};
    const char *query = strchr(text, '?');

    if (strcasestr(text, "pass") != NULL || (query != NULL && strchr(query, '@') != NULL))
        return NULL;
    for (size_t i = 0; i < sizeof about / sizeof *about; i++) {
        const char *key = message + strlen(about[i]);
        if (strncmp(message, about[i], strlen(about[i])) != 0)
            continue;
        size_t size = strspn(key, "abcdefghijklmnopqrstuvwxyz_");
        return key[size] == '"' ? ob_asprintf("%.*s", (int)size, key) : NULL;
    }
    return NULL;
}

static enum ob_result key_error(const char *key, struct ob_error *err)
{
    const char *names[KEYS_MAX];
    size_t count = 0;
    PQconninfoOption *options = PQconndefaults();

    for (const PQconninfoOption *o = options; o && o->keyword && count < KEYS_MAX; o++)
        names[count++] = o->keyword;
    const char *nearest = ob_parse_nearest(key, names, count);
    ob_error_set(err, OB_USAGE, "the database's URL has no parameter \"%s\"", key);
    if (nearest != NULL)
        ob_error_hint(err, "Did you mean \"%s\"?", nearest);
    else
        ob_error_hint(err, "PostgreSQL's manual lists them: libpq, connection strings.");
    PQconninfoFree(options);
    return OB_USAGE;
}

enum ob_result ob_pg_url_check(const char *text, struct ob_error *err)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(text, &reason);
    struct ob_buf detail;

    if (options != NULL) {
        bool stray = strstr(text, "://") != NULL && has_stray_secret(options);
        PQconninfoFree(options);
        return stray ? stray_secret_error(err) : OB_OK;
    }
    char *key = unknown_key(text, reason != NULL ? reason : "");
    if (key != NULL) {
        key_error(key, err);
        free(key);
        PQfreemem(reason);
        return OB_USAGE;
    }
    ob_buf_init(&detail, REASON_MAX);
    blank_quoted(&detail, reason != NULL ? reason : "out of memory");
    ob_error_set(err, OB_USAGE, "the database's URL does not parse");
    ob_error_detail(err, "%s.", detail.data);
    ob_error_hint(err, "Write postgresql://USER@HOST:PORT/DATABASE, with special characters "
                       "percent-encoded, or keywords such as host=HOST dbname=DATABASE.");
    ob_buf_clear(&detail);
    PQfreemem(reason);
    return OB_USAGE;
}
