/*
 * signature.h - the signature of a webhook: t=<unix seconds>,v1=<hex>[,v1=<hex>…]
 *
 * v1 is the HMAC-SHA256 of "<t>.<raw body>" under the endpoint's secret, so the body is checked
 * byte for byte as it came.  Any v1 that matches will do (secrets are rotated), other schemes are
 * ignored, comparison takes constant time.  Source:
 * https://docs.stripe.com/webhooks#verify-manually
 */
#ifndef BOOKING_SIGNATURE_H
#define BOOKING_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#define BOOKING_SIGNATURE_SIZE 128        /* a header with one v1, NUL included */
#define BOOKING_SIGNATURE_TOLERANCE_S 300 /* an older t is refused; a future one is not */

enum booking_signature_verdict {
    BOOKING_SIGNATURE_VALID,
    BOOKING_SIGNATURE_MALFORMED, /* no t, no v1, or not the form above */
    BOOKING_SIGNATURE_FORGED,    /* no v1 matches */
    BOOKING_SIGNATURE_OLD        /* it matches, but t is too long ago */
};

/* Writes the header for a body sent at t_s, in seconds since 1970. */
void booking_signature_make(const char *secret, int64_t t_s, const void *body, size_t body_size,
                            char header[BOOKING_SIGNATURE_SIZE]);

/* Verifies a header that came with a body at now_s.  header may be NULL: malformed. */
enum booking_signature_verdict booking_signature_verify(const char *secret, const char *header,
                                                        const void *body, size_t body_size,
                                                        int64_t now_s);

#endif
