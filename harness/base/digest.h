/*
 * digest.h - hashes.  FNV-1a with a final mix for what is compared within overbook's own records
 * (traces, rows, statements); SHA-256 (libcrypto) where a name must not collide (scenarios in
 * tokens, cached clusters).  Begin with OB_HASH_START, chain, finish with ob_hash_end.  The same on
 * every machine.
 */
#ifndef OB_BASE_DIGEST_H
#define OB_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define OB_HASH_START UINT64_C(0xcbf29ce484222325)

uint64_t ob_hash_bytes(uint64_t hash, const void *data, size_t size);

/* Its NUL is included, so that "ab","c" differs from "a","bc". */
uint64_t ob_hash_text(uint64_t hash, const char *text);
uint64_t ob_hash_u64(uint64_t hash, uint64_t value);

uint64_t ob_hash_end(uint64_t hash); /* the final mix */

/* Digests as one word, base64 of eight bytes each, lowest first; the caller's to free. */
char *ob_digests_encode(const uint64_t *digests, size_t count);
/* The way back; the caller's to free.  NULL: that is no such word. */
uint64_t *ob_digests_decode(const char *text, size_t *count);

/* The SHA-256 digest of size bytes. */
void ob_sha256(const void *data, size_t size, uint8_t out[32]);

#endif
