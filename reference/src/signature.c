/*
 * signature.c - signing and verifying webhooks.
 */
#include "booking/signature.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define MAC_HEX_SIZE 65 /* SHA-256 in hexadecimal and a NUL */

/* The parts of a header, pointing into it. */
struct field {
    const char *name, *value;
    size_t name_size, value_size;
};

static void mac_hex(const char *secret, const char *t, size_t t_size, const void *body,
                    size_t body_size, char out[MAC_HEX_SIZE])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t mac_size = sizeof mac;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, (const unsigned char *)secret,
                                                 strlen(secret));
    bool ok;

    ok = context && key && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
         EVP_DigestSignUpdate(context, t, t_size) == 1 &&
         EVP_DigestSignUpdate(context, ".", 1) == 1 &&
         EVP_DigestSignUpdate(context, body, body_size) == 1 &&
         EVP_DigestSignFinal(context, mac, &mac_size) == 1;
    EVP_PKEY_free(key);
    EVP_MD_CTX_free(context);
    if (!ok) /* Only without memory: an empty text matches nothing. */
        mac_size = 0;
    for (size_t i = 0; i < mac_size; i++)
        snprintf(out + 2 * i, 3, "%02x", mac[i]);
    out[2 * mac_size] = '\0';
}

void booking_signature_make(const char *secret, int64_t t_s, const void *body, size_t body_size,
                            char header[BOOKING_SIGNATURE_SIZE])
{
    char t[24], hex[MAC_HEX_SIZE];

    snprintf(t, sizeof t, "%" PRId64, t_s);
    mac_hex(secret, t, strlen(t), body, body_size, hex);
    snprintf(header, BOOKING_SIGNATURE_SIZE, "t=%s,v1=%s", t, hex);
}

/* Cuts the next name=value off; false at the end.  A part without "=" has an empty name. */
static bool next_field(const char **rest, struct field *field)
{
    size_t size = strcspn(*rest, ",");
    const char *equals = memchr(*rest, '=', size);

    if (**rest == '\0')
        return false;
    field->name = *rest;
    field->name_size = equals ? (size_t)(equals - *rest) : 0;
    field->value = equals ? equals + 1 : *rest;
    field->value_size = equals ? size - field->name_size - 1 : size;
    *rest += size + ((*rest)[size] == ',');
    return true;
}

static bool is_named(const struct field *field, const char *name)
{
    return field->name_size == strlen(name) && memcmp(field->name, name, field->name_size) == 0;
}

/* Seconds as decimal digits, at most 18 of them. */
static bool read_seconds(const struct field *field, int64_t *out)
{
    int64_t value = 0;

    if (field->value_size == 0 || field->value_size > 18)
        return false;
    for (size_t i = 0; i < field->value_size; i++) {
        if (field->value[i] < '0' || field->value[i] > '9')
            return false;
        value = value * 10 + (field->value[i] - '0');
    }
    *out = value;
    return true;
}

/* Does any v1 of the header match?  All are compared, so the time does not tell which. */
static bool any_match(const char *header, const char hex[MAC_HEX_SIZE], bool *seen)
{
    struct field field;
    bool match = false;

    *seen = false;
    while (next_field(&header, &field)) {
        if (!is_named(&field, "v1"))
            continue;
        *seen = true;
        if (field.value_size == MAC_HEX_SIZE - 1 &&
            CRYPTO_memcmp(field.value, hex, MAC_HEX_SIZE - 1) == 0)
            match = true;
    }
    return match;
}

enum booking_signature_verdict booking_signature_verify(const char *secret, const char *header,
                                                        const void *body, size_t body_size,
                                                        int64_t now_s)
{
    struct field field = {0}, t = {0};
    const char *rest = header;
    char hex[MAC_HEX_SIZE];
    int64_t t_s = 0;
    bool seen, match;

    if (!header)
        return BOOKING_SIGNATURE_MALFORMED;
    while (next_field(&rest, &field))
        if (is_named(&field, "t"))
            t = field;
    if (!t.value || !read_seconds(&t, &t_s))
        return BOOKING_SIGNATURE_MALFORMED;
    mac_hex(secret, t.value, t.value_size, body, body_size, hex);
    match = any_match(header, hex, &seen);
    if (!seen)
        return BOOKING_SIGNATURE_MALFORMED;
    if (!match)
        return BOOKING_SIGNATURE_FORGED;
    return now_s - t_s > BOOKING_SIGNATURE_TOLERANCE_S ? BOOKING_SIGNATURE_OLD
                                                       : BOOKING_SIGNATURE_VALID;
}
