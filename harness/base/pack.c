#include "base/pack.h"

#include <string.h>

void ob_pack_u64(struct ob_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        ob_buf_putc(out, (char)(value | 0x80));
    ob_buf_putc(out, (char)value);
}

void ob_pack_bytes(struct ob_buf *out, const void *data, size_t size)
{
    ob_pack_u64(out, size);
    ob_buf_add(out, data, size);
}

void ob_pack_text(struct ob_buf *out, const char *text)
{
    ob_pack_bytes(out, text, strlen(text));
}

uint64_t ob_unpack_u64(struct ob_unpack *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && in->at < in->size; shift += 7) {
        uint8_t byte = in->data[in->at++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return in->failed ? 0 : value;
    }
    in->failed = true;
    return 0;
}

size_t ob_unpack_below(struct ob_unpack *in, size_t limit)
{
    uint64_t value = ob_unpack_u64(in);
    in->failed |= value >= limit;
    return in->failed ? 0 : (size_t)value;
}

const uint8_t *ob_unpack_bytes(struct ob_unpack *in, size_t *size)
{
    *size = ob_unpack_below(in, in->size - in->at + 1);
    in->failed |= *size > in->size - in->at;
    if (in->failed)
        *size = 0;
    const uint8_t *bytes = in->data + in->at;
    in->at += *size;
    return bytes;
}

char *ob_unpack_text(struct ob_unpack *in, struct ob_arena *arena)
{
    size_t size;
    const uint8_t *bytes = ob_unpack_bytes(in, &size);
    return ob_arena_strndup(arena, (const char *)bytes, size);
}
