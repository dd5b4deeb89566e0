/*
 * token.h - a run as one word, to paste into a ticket.
 *
 * "ob1" (the format's version) and base64url of
 *     8  SHA-256 of the scenario's file, its first bytes
 *     1  variant
 *     4  server version number, such as 150018
 *     v  steps, then for each the client (1 byte) and a check of what happened in it (2 bytes)
 *     v  faults, then for each the point, the client and the way (1 byte each) and the hit (v)
 *     v  the program; 0: the clients' own
 *     v  wakes, then for each the client
 *     v  omissions, then for each the client (1 byte) and 2 * at + rest (v)
 *     4  a checksum of all the above
 * with numbers in little endian and v a variable-length number, 7 bits a byte.  Of program, wakes
 * and omissions, the last ones are not written when they are 0.  Clients, faults and these three
 * are the schedule; the checks are what a replay is compared with, step by step.
 */
#ifndef OB_REPRO_TOKEN_H
#define OB_REPRO_TOKEN_H

#include "base/error.h"
#include "engine/trace.h"

#include <stdint.h>

#define OB_TOKEN_PREFIX "ob1"
#define OB_TOKEN_SIZE_MAX ((size_t)1 << 20) /* characters */
#define OB_TOKEN_SCENARIO 8

struct ob_token {
    uint8_t scenario[OB_TOKEN_SCENARIO];
    uint8_t variant; /* index */
    uint32_t server_version;
    struct ob_schedule schedule; /* owned */
    uint16_t *checks;            /* one for each step; owned */
};

void ob_token_clear(struct ob_token *token);

/* Fills schedule and checks from a run: the digest of each step is ob_trace_step_digest's.  The
 * other fields are the caller's. */
void ob_token_record(struct ob_token *token, const struct ob_schedule *schedule,
                     const uint64_t *step_digests);

/* The word; the caller's to free. */
char *ob_token_encode(const struct ob_token *token);

/* The word of the bytes before the checksum, whatever they are; the caller's to free.  For whoever
 * tries out what a reader makes of them. */
char *ob_token_seal(const void *content, size_t size);

/* OB_INPUT with the reason when the word is no token, damaged, or of another version. *out is
 * untouched then. Whether clients, points and variant exist is for the caller to check against the
 * scenario. */
OB_MUSTCHECK enum ob_result ob_token_decode(const char *text, struct ob_token *out,
                                            struct ob_error *err);

#define OB_TOKEN_SERVER_SIZE 24

/* The version of the server that it was recorded on as people write it, "15.18", into out. */
void ob_token_server(const struct ob_token *token, char out[OB_TOKEN_SERVER_SIZE]);

/* What of a step's digest goes into a token. */
static inline uint16_t ob_token_check(uint64_t step_digest)
{
    return (uint16_t)step_digest;
}

#endif
