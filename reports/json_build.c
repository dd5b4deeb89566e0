#include "json_int.h"

#include <assert.h>

void ob_json_put(struct ob_json_builder *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        b->failed = true;
}

void ob_json_put_text(struct ob_json_builder *b, json_t *object, const char *key, const char *text)
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
