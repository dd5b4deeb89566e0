#include "json_int.h"

#include <assert.h>
#include <string.h>

const struct ob_json_limits ob_json_unlimited = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};

void ob_json_put(struct ob_json_builder *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        b->failed = true;
}

json_t *ob_json_text(struct ob_json_builder *b, const char *text)
{
    text = ob_report_utf8(&b->arena, text);
    size_t size = strlen(text), kept = b->limits.text;
    if (size <= kept)
        return json_string(text);
    while (kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80)
        kept--; /* not within a character */
    return json_string(
        ob_arena_printf(&b->arena, "%.*s\xe2\x80\xa6 (cut: %zu bytes)", (int)kept, text, size));
}

void ob_json_put_text(struct ob_json_builder *b, json_t *object, const char *key, const char *text)
{
    ob_json_put(b, object, key, ob_json_text(b, text));
}

void ob_json_put_whole(struct ob_json_builder *b, json_t *object, const char *key, const char *text)
{
    ob_json_put(b, object, key, json_string(ob_report_utf8(&b->arena, text)));
}

void ob_json_put_count(struct ob_json_builder *b, json_t *object, const char *key, uint64_t count)
{
    assert(count <= INT64_MAX);
    ob_json_put(b, object, key, json_integer((json_int_t)count));
}

void ob_json_put_bool(struct ob_json_builder *b, json_t *object, const char *key, bool value)
{
    ob_json_put(b, object, key, json_boolean(value));
}

void ob_json_append(struct ob_json_builder *b, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        b->failed = true;
}
