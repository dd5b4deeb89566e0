/* digest.c - see digest.h. */
#include "base/digest.h"

#include "base/alloc.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OB_FNV_PRIME UINT64_C(0x100000001b3)

uint64_t ob_hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * OB_FNV_PRIME;
    return hash;
}

uint64_t ob_hash_text(uint64_t hash, const char *text)
{
    return ob_hash_bytes(hash, text, strlen(text) + 1);
}

uint64_t ob_hash_u64(uint64_t hash, uint64_t value)
{
    /* Lowest byte first on every machine: digests are stored and compared elsewhere. */
    for (int i = 0; i < 8; i++, value >>= 8)
        hash = (hash ^ (value & 0xff)) * OB_FNV_PRIME;
    return hash;
}

uint64_t ob_hash_end(uint64_t hash)
{
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

char *ob_digests_encode(const uint64_t *digests, size_t count)
{
    size_t size = count * 8;
    assert(size < INT_MAX / 2);
    uint8_t *bytes = ob_alloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(digests[i / 8] >> (i % 8 * 8));
    char *text = ob_alloc((size + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((uint8_t *)text, bytes, (int)size);
    free(bytes);
    return text;
}

static size_t count_padding(const char *text, size_t size)
{
    size_t padding = 0;
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    return padding;
}

uint64_t *ob_digests_decode(const char *text, size_t *count)
{
    size_t size = strlen(text);
    if (size % 4 != 0 || size >= INT_MAX)
        return NULL;
    uint8_t *bytes = ob_alloc(size / 4 * 3 + 1);
    size_t whole = size / 4 * 3 - count_padding(text, size);
    bool valid = size == 0 || EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)size) >= 0;
    uint64_t *digests = ob_alloc(whole + 8);
    for (size_t i = 0; valid && i < whole; i++)
        digests[i / 8] |= (uint64_t)bytes[i] << (i % 8 * 8);
    free(bytes);
    if (valid && whole % 8 == 0) {
        *count = whole / 8;
        return digests;
    }
    free(digests);
    return NULL;
}

void ob_sha256(const void *data, size_t size, uint8_t out[32])
{
    int done = EVP_Digest(data, size, out, NULL, EVP_sha256(), NULL);
    assert(done == 1);
}
