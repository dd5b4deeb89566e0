/*
 * value.c - scalar values: from a key's type and a text to a setting, or to what was expected
 * instead. A number or a truth value in quotes is a text, here as in the JSON Schema.
 */
#include "scenario/load_int.h"

#include "base/parse.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE_MAX 64
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* One or more words of these characters with single hyphens between them; returns its size, 0 for
 * none. */
static size_t kebab(const char *text, const char *characters)
{
    size_t size = 0;
    for (;;) {
        size_t word = strspn(text + size, characters);
        if (word == 0)
            return 0;
        size += word;
        if (text[size] != '-')
            return size;
        size++;
    }
}

static bool is_name(const char *text)
{
    size_t size = kebab(text, SMALL DIGITS);
    return size > 0 && size <= NAME_SIZE_MAX && text[size] == '\0';
}

static bool is_currency(const char *text)
{
    return strlen(text) == 3 && strspn(text, CAPITALS) == 3;
}

/* "DAYThh:mm/DAYThh:mm", where the second day may be left out. */
static bool parse_range(const char *text, int64_t *start, int64_t *end)
{
    char from[32], until[32];
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : sizeof from;
    if (size >= sizeof from || strlen(slash + 1) >= sizeof until - sizeof "2026-06-01")
        return false;
    snprintf(from, sizeof from, "%.*s", (int)size, text);
    size_t day = strcspn(from, "T") + 1;
    if (strchr(slash + 1, 'T'))
        snprintf(until, sizeof until, "%s", slash + 1);
    else
        snprintf(until, sizeof until, "%.*s%s", (int)day, from, slash + 1);
    return ob_parse_time_us(from, start) && ob_parse_time_us(until, end) && *start < *end;
}

static bool parse_number(const struct ob_key *key, const struct ob_node *node, int64_t *out)
{
    return node->plain && ob_parse_i64(node->text, key->min, key->max, out);
}

static bool parse_boolean(const struct ob_node *node, int64_t *out)
{
    *out = strcmp(node->text, "true") == 0;
    return node->plain && (*out || strcmp(node->text, "false") == 0);
}

static bool parse_duration(const struct ob_node *node, int64_t unit_us, int64_t *out)
{
    return ob_parse_duration_us(node->text, out) && *out > 0 && *out <= OB_DURATION_MAX_US &&
           *out % unit_us == 0;
}

/* Fills number and end; false when the text is not of the type.  Words, strategies and parties have
 * a list to be looked up in, and are not for here. */
static bool parse(const struct ob_key *key, const struct ob_node *node, struct ob_setting *out)
{
    switch (key->type) {
    case OB_KEY_NAME:
        return is_name(node->text);
    case OB_KEY_CURRENCY:
        return is_currency(node->text);
    case OB_KEY_NUMBER:
        return parse_number(key, node, &out->number);
    case OB_KEY_BOOLEAN:
        return parse_boolean(node, &out->number);
    case OB_KEY_TIME:
        return ob_parse_time_us(node->text, &out->number);
    case OB_KEY_DURATION:
        return parse_duration(node, 1, &out->number);
    case OB_KEY_SECONDS:
        return parse_duration(node, 1000000, &out->number);
    case OB_KEY_RANGE:
        return parse_range(node->text, &out->number, &out->end);
    default:
        return true;
    }
}

static bool find_word(struct ob_load *load, const struct ob_key *key, struct ob_setting *out)
{
    for (int64_t i = 0; key->words[i]; i++) {
        if (strcmp(key->words[i], out->text) == 0) {
            out->text = key->words[i];
            out->number = i;
            return true;
        }
    }
    const struct ob_choice choice = {key->name, key->words, "write one of these words"};
    return ob_load_refuse_unknown(load, out->place, out->text, &choice);
}

/* What stands behind a strategy's colon. */
static bool check_strategy_number(struct ob_load *load, const struct ob_setting *value, size_t size)
{
    const struct ob_numbered_word *word = ob_numbered_strategies;
    const char *text = value->text + size + 1;
    int64_t number;
    while (word->name &&
           (strlen(word->name) != size || strncmp(word->name, value->text, size) != 0))
        word++;
    if (!word->name)
        return ob_load_refuse(load, value->place, "leave out what begins with the colon",
                              "the strategy %.*s takes no number", (int)size, value->text);
    if (!ob_parse_i64(text, word->min, word->max, &number))
        return ob_load_refuse(
            load, value->place,
            ob_arena_printf(&load->scenario->arena, "for example %s:2", word->name),
            "the strategy %s takes a whole number from %lld to %lld, not %s", word->name,
            (long long)word->min, (long long)word->max, ob_load_quote(load, text));
    return true;
}

static bool find_strategy(struct ob_load *load, const struct ob_key *key,
                          const struct ob_setting *value)
{
    size_t size = strcspn(value->text, ":");
    for (size_t i = 0; key->words[i]; i++)
        if (strlen(key->words[i]) == size && strncmp(key->words[i], value->text, size) == 0)
            return value->text[size] == '\0' || check_strategy_number(load, value, size);
    const struct ob_choice choice = {key->name, key->words, "write one of these words"};
    return ob_load_refuse_unknown(load, value->place, value->text, &choice);
}

static bool find_party(struct ob_load *load, struct ob_setting *out)
{
    for (size_t i = 0; i < load->party_count; i++) {
        if (strcmp(load->parties[i], out->text) == 0) {
            out->number = (int64_t)i;
            return true;
        }
    }
    const char *names[OB_LOAD_PARTIES_MAX + 1] = {NULL};
    memcpy(names, load->parties, load->party_count * sizeof *names);
    const struct ob_choice choice = {"client", names, "name it under \"clients\" or \"given\""};
    return ob_load_refuse_unknown(load, out->place, out->text, &choice);
}

static bool refuse_value(struct ob_load *load, const struct ob_key *key, const struct ob_node *node)
{
    const struct ob_key_type_info *type = &ob_key_types[key->type];
    const char *bounds = "";
    if (key->type == OB_KEY_NUMBER)
        bounds = ob_arena_printf(&load->scenario->arena, " from %lld to %lld", (long long)key->min,
                                 (long long)key->max);
    ob_load_refuse(load, node->place, "", "\"%s\" must be %s%s, not %s", key->name, type->expected,
                   bounds, ob_load_quote(load, node->text));
    ob_error_hint(load->err, "for example %s: %s", key->name, type->example);
    ob_error_detail(load->err, "%s", key->about);
    return false;
}

bool ob_load_value(struct ob_load *load, const struct ob_key *key, const struct ob_node *node,
                   struct ob_setting *out)
{
    const char *what = ob_arena_printf(&load->scenario->arena, "\"%s\"", key->name);
    struct ob_setting value = {
        .key = key->name, .kind = ob_key_types[key->type].kind, .place = node->place};
    if (!ob_load_text(load, node, what, &value.text))
        return false;
    if (key->type == OB_KEY_WORD && !find_word(load, key, &value))
        return false;
    if (key->type == OB_KEY_STRATEGY && !find_strategy(load, key, &value))
        return false;
    if (key->type == OB_KEY_PARTY && !find_party(load, &value))
        return false;
    if (!parse(key, node, &value))
        return refuse_value(load, key, node);
    *out = value;
    return true;
}

bool ob_load_name(struct ob_load *load, const struct ob_node *node, const char *what,
                  const char **out)
{
    struct ob_setting setting;
    const struct ob_key key = {.name = what, .type = OB_KEY_NAME, .about = "Names go into tokens."};
    if (!ob_load_value(load, &key, node, &setting))
        return false;
    *out = setting.text;
    return true;
}
