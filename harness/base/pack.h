/*
 * pack.h - numbers and texts as bytes, and the way back, which trusts nothing: what is not there
 * reads as 0 or "", and failed stays set.
 */
#ifndef OB_BASE_PACK_H
#define OB_BASE_PACK_H

#include "base/alloc.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ob_pack_u64(struct ob_buf *out, uint64_t value); /* small ones are short: LEB128 */
void ob_pack_bytes(struct ob_buf *out, const void *data, size_t size); /* with their size */
void ob_pack_text(struct ob_buf *out, const char *text);

struct ob_unpack {
    const uint8_t *data; /* borrowed */
    size_t size, at;
    bool failed;
};

uint64_t ob_unpack_u64(struct ob_unpack *in);
/* A number below limit; anything else fails. */
size_t ob_unpack_below(struct ob_unpack *in, size_t limit);
const uint8_t *ob_unpack_bytes(struct ob_unpack *in, size_t *size); /* within in */
char *ob_unpack_text(struct ob_unpack *in, struct ob_arena *arena);

#endif
