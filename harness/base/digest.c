/* digest.c - see digest.h. */
#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
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

void ob_sha256(const void *data, size_t size, uint8_t out[32])
{
    int done = EVP_Digest(data, size, out, NULL, EVP_sha256(), NULL);
    assert(done == 1);
}
