#include "repro/token.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OB_OMISSION_MAX (2 * (uint64_t)OB_STEPS_MAX + 1)
#define PREFIX_SIZE (sizeof OB_TOKEN_PREFIX - 1)

void ob_token_clear(struct ob_token *token)
{
    ob_schedule_clear(&token->schedule);
    free(token->checks);
    *token = (struct ob_token){0};
}

void ob_token_record(struct ob_token *token, const struct ob_schedule *schedule,
                     const uint64_t *step_digests)
{
    ob_schedule_copy(&token->schedule, schedule);
    free(token->checks);
    token->checks = ob_alloc(schedule->step_count * sizeof *token->checks);
    for (size_t i = 0; i < schedule->step_count; i++)
        token->checks[i] = ob_token_check(step_digests[i]);
}

void ob_token_server(const struct ob_token *token, char out[OB_TOKEN_SERVER_SIZE])
{
    /* The major version and four digits of the minor one: so since version 10. */
    snprintf(out, OB_TOKEN_SERVER_SIZE, "%" PRIu32 ".%" PRIu32, token->server_version / 10000,
             token->server_version % 10000);
}

static void put_fixed(struct ob_buf *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ob_buf_putc(out, (char)(value >> (8 * i) & 0xff));
}

static void put_varying(struct ob_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        ob_buf_putc(out, (char)(0x80 | (value & 0x7f)));
    ob_buf_putc(out, (char)value);
}

static uint32_t checksum(const void *data, size_t size)
{
    return (uint32_t)ob_hash_end(ob_hash_bytes(OB_HASH_START, data, size));
}

static void swap_alphabet(char *text, const char *from, const char *to)
{
    for (; *text != '\0'; text++)
        for (size_t i = 0; from[i] != '\0'; i++)
            if (*text == from[i]) {
                *text = to[i];
                break;
            }
}

static char *encode_base64url(const struct ob_buf *data)
{
    char *text = ob_alloc(PREFIX_SIZE + (data->size + 2) / 3 * 4 + 1);
    memcpy(text, OB_TOKEN_PREFIX, PREFIX_SIZE);
    EVP_EncodeBlock((unsigned char *)text + PREFIX_SIZE, (const unsigned char *)data->data,
                    (int)data->size);
    swap_alphabet(text + PREFIX_SIZE, "+/", "-_");
    text[strcspn(text, "=")] = '\0';
    return text;
}

char *ob_token_seal(const void *content, size_t size)
{
    struct ob_buf data;
    ob_buf_init(&data, OB_TOKEN_SIZE_MAX);
    ob_buf_add(&data, content, size);
    put_fixed(&data, checksum(content, size), 4);
    assert(!ob_buf_failed(&data));
    char *text = encode_base64url(&data);
    ob_buf_clear(&data);
    return text;
}

/* The last ones of these three are left out when they are 0. */
static void put_rest(struct ob_buf *data, const struct ob_schedule *schedule)
{
    bool omissions = schedule->omission_count > 0, wakes = omissions || schedule->wake_count > 0;
    if (wakes || schedule->program > 0)
        put_varying(data, schedule->program);
    if (wakes)
        put_varying(data, schedule->wake_count);
    ob_buf_add(data, schedule->wakes, schedule->wake_count);
    if (omissions)
        put_varying(data, schedule->omission_count);
    for (size_t i = 0; i < schedule->omission_count; i++) {
        put_fixed(data, schedule->omissions[i].client, 1);
        put_varying(data, 2 * (uint64_t)schedule->omissions[i].at + schedule->omissions[i].rest);
    }
}

char *ob_token_encode(const struct ob_token *token)
{
    const struct ob_schedule *schedule = &token->schedule;
    struct ob_buf data;
    ob_buf_init(&data, OB_TOKEN_SIZE_MAX);
    ob_buf_add(&data, token->scenario, OB_TOKEN_SCENARIO);
    put_fixed(&data, token->variant, 1);
    put_fixed(&data, token->server_version, 4);
    put_varying(&data, schedule->step_count);
    for (size_t i = 0; i < schedule->step_count; i++) {
        put_fixed(&data, schedule->clients[i], 1);
        put_fixed(&data, token->checks[i], 2);
    }
    put_varying(&data, schedule->fault_count);
    for (size_t i = 0; i < schedule->fault_count; i++) {
        const struct ob_fault *fault = &schedule->faults[i];
        put_fixed(&data, fault->point, 1);
        put_fixed(&data, fault->client, 1);
        put_fixed(&data, fault->way, 1);
        put_varying(&data, fault->hit);
    }
    put_rest(&data, schedule);
    assert(!ob_buf_failed(&data));
    char *text = ob_token_seal(data.data, data.size);
    ob_buf_clear(&data);
    return text;
}

/* A reader over bytes; past the end it is broken and yields 0. */
struct reader {
    const uint8_t *at, *end;
    bool failed;
};

static uint64_t get_fixed(struct reader *reader, size_t size)
{
    uint64_t value = 0;
    if (reader->failed || (size_t)(reader->end - reader->at) < size) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)*reader->at++ << (8 * i);
    return value;
}

static uint64_t get_varying(struct reader *reader, uint64_t max)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint64_t byte = get_fixed(reader, 1);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            reader->failed |= value > max;
            return reader->failed ? 0 : value;
        }
    }
    reader->failed = true;
    return 0;
}

static enum ob_result damaged(struct ob_error *err, const char *how)
{
    ob_error_set(err, OB_INPUT, "the token is damaged");
    ob_error_detail(err, "%s", how);
    ob_error_hint(err, "Copy the whole word again, from \"" OB_TOKEN_PREFIX "\" to its end.");
    return OB_INPUT;
}

static size_t get_client(struct reader *reader)
{
    uint64_t client = get_fixed(reader, 1);
    reader->failed |= client >= OB_CLIENTS_MAX;
    return reader->failed ? 0 : client;
}

static void read_omission(struct reader *reader, struct ob_schedule *schedule)
{
    struct ob_omission omission = {.client = get_client(reader)};
    uint64_t value = get_varying(reader, OB_OMISSION_MAX);
    omission.at = (uint32_t)(value / 2);
    omission.rest = value % 2;
    ob_schedule_add_omission(schedule, omission);
}

/* Of the last three, nobody writes one that is 0 and has none after it. */
static void read_rest(struct reader *reader, struct ob_schedule *schedule)
{
    uint64_t last = 1;
    if (!reader->failed && reader->at != reader->end)
        last = schedule->program = get_varying(reader, UINT32_MAX);
    if (!reader->failed && reader->at != reader->end) {
        last = get_varying(reader, OB_STEPS_MAX);
        for (size_t i = 0; i < last && !reader->failed; i++)
            ob_schedule_add_wake(schedule, get_client(reader));
    }
    if (!reader->failed && reader->at != reader->end) {
        last = get_varying(reader, OB_STEPS_MAX);
        for (size_t i = 0; i < last && !reader->failed; i++)
            read_omission(reader, schedule);
    }
    reader->failed |= last == 0;
}

static enum ob_result read_token(struct reader *reader, struct ob_token *out, struct ob_error *err)
{
    struct ob_token token = {0};
    for (size_t i = 0; i < OB_TOKEN_SCENARIO; i++)
        token.scenario[i] = (uint8_t)get_fixed(reader, 1);
    token.variant = (uint8_t)get_fixed(reader, 1);
    token.server_version = (uint32_t)get_fixed(reader, 4);
    size_t step_count = get_varying(reader, OB_STEPS_MAX);
    token.checks = ob_alloc(step_count * sizeof *token.checks);
    for (size_t i = 0; i < step_count && !reader->failed; i++) {
        ob_schedule_add_step(&token.schedule, get_client(reader));
        token.checks[i] = (uint16_t)get_fixed(reader, 2);
    }
    size_t fault_count = get_varying(reader, OB_STEPS_MAX);
    for (size_t i = 0; i < fault_count && !reader->failed; i++) {
        struct ob_fault fault = {.point = get_fixed(reader, 1)};
        fault.client = get_client(reader);
        fault.way = (unsigned)get_fixed(reader, 1);
        fault.hit = (uint32_t)get_varying(reader, UINT32_MAX);
        ob_schedule_add_fault(&token.schedule, fault);
    }
    read_rest(reader, &token.schedule);
    if (reader->failed || reader->at != reader->end) {
        ob_token_clear(&token);
        return damaged(err, "Its content does not make sense.");
    }
    *out = token;
    return OB_OK;
}

/* Decodes the characters after the prefix; *size bytes, the caller's to free, NULL when they are
 * none. */
static uint8_t *decode_base64url(const char *text, size_t *size)
{
    size_t length = strlen(text), padded = (length + 3) / 4 * 4;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_";
    if (strspn(text, alphabet) != length || length % 4 == 1)
        return NULL;
    char *plain = ob_asprintf("%s%.*s", text, (int)(padded - length), "==");
    swap_alphabet(plain, "-_", "+/");
    uint8_t *data = ob_alloc(padded / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock(data, (unsigned char *)plain, (int)padded);
    free(plain);
    if (decoded < 0 || (size_t)decoded < padded - length) {
        free(data);
        return NULL;
    }
    *size = (size_t)decoded - (padded - length);
    return data;
}

enum ob_result ob_token_decode(const char *text, struct ob_token *out, struct ob_error *err)
{
    if (strncmp(text, "ob", 2) != 0 || strlen(text) <= PREFIX_SIZE) {
        ob_error_set(err, OB_INPUT, "this is not a token");
        ob_error_detail(err, "A token is one word that begins with \"" OB_TOKEN_PREFIX "\".");
        ob_error_hint(err, "A result written by --json holds one for each violation.");
        return OB_INPUT;
    }
    if (strncmp(text, OB_TOKEN_PREFIX, PREFIX_SIZE) != 0) {
        ob_error_set(err, OB_INPUT, "the token is of another version of the format");
        ob_error_detail(err, "This overbook reads tokens that begin with \"" OB_TOKEN_PREFIX "\".");
        ob_error_hint(err, "Use the overbook that wrote it.");
        return OB_INPUT;
    }
    if (strlen(text) > OB_TOKEN_SIZE_MAX)
        return damaged(err, "It is too long.");
    size_t size = 0;
    uint8_t *data = decode_base64url(text + PREFIX_SIZE, &size);
    if (!data)
        return damaged(err, "It has characters that no token has, or was cut off.");
    struct reader sum = {.at = size < 4 ? data + size : data + size - 4, .end = data + size};
    enum ob_result result;
    uint32_t expected = (uint32_t)get_fixed(&sum, 4);
    if (sum.failed || expected != checksum(data, size - 4)) {
        result = damaged(err, "Its checksum is wrong.");
    } else {
        struct reader reader = {.at = data, .end = data + size - 4};
        result = read_token(&reader, out, err);
    }
    free(data);
    return result;
}
