#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include <string.h>

/* Vectors of the FNV page of Landon Curt Noll. */
static void bytes_are_hashed_by_fnv_1a(void **state)
{
    (void)state;
    assert_int_equal(ob_hash_bytes(OB_HASH_START, "", 0), OB_HASH_START);
    assert_int_equal(ob_hash_bytes(OB_HASH_START, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_equal(ob_hash_bytes(OB_HASH_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
}

static void a_hash_of_pieces_is_the_hash_of_the_whole(void **state)
{
    (void)state;
    uint64_t hash = ob_hash_bytes(OB_HASH_START, "foo", 3);
    assert_int_equal(ob_hash_bytes(hash, "bar", 3), ob_hash_bytes(OB_HASH_START, "foobar", 6));
}

static void texts_cut_at_another_place_hash_differently(void **state)
{
    (void)state;
    uint64_t one = ob_hash_text(ob_hash_text(OB_HASH_START, "ab"), "c");
    uint64_t other = ob_hash_text(ob_hash_text(OB_HASH_START, "a"), "bc");
    assert_int_not_equal(one, other);
    assert_int_equal(one, ob_hash_bytes(OB_HASH_START, "ab\0c", 5));
}

static void numbers_are_hashed_lowest_byte_first(void **state)
{
    (void)state;
    assert_int_equal(ob_hash_u64(OB_HASH_START, UINT64_C(0x0807060504030201)),
                     ob_hash_bytes(OB_HASH_START, "\1\2\3\4\5\6\7\10", 8));
}

static void the_final_mix_spreads_a_single_bit_over_the_whole_word(void **state)
{
    (void)state;
    assert_int_equal(ob_hash_end(0), 0);
    /* MurmurHash3's 64-bit finaliser. */
    assert_int_equal(ob_hash_end(1), UINT64_C(0xb456bcfc34c2cb2c));
    for (int bit = 0; bit < 64; bit++) {
        uint64_t changed = ob_hash_end(12345) ^ ob_hash_end(12345 ^ (UINT64_C(1) << bit));
        assert_in_range(__builtin_popcountll(changed), 14, 50);
    }
}

/* Examples of FIPS 180-2, appendix B. */
static void sha256_agrees_with_its_standard(void **state)
{
    (void)state;
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint8_t empty[] = {0xe3, 0xb0, 0xc4, 0x42};
    uint8_t out[32];
    ob_sha256("abc", 3, out);
    assert_memory_equal(out, abc, sizeof abc);
    ob_sha256("", 0, out);
    assert_memory_equal(out, empty, sizeof empty);
}

static void digests_come_back_from_their_text(void **state)
{
    (void)state;
    static const uint64_t digests[] = {0, 1, UINT64_MAX, UINT64_C(0x0123456789abcdef)};
    for (size_t count = 0; count <= 4; count++) {
        size_t found = 99;
        char *text = ob_digests_encode(digests, count);
        uint64_t *again = ob_digests_decode(text, &found);
        assert_int_equal(found, count);
        assert_memory_equal(again, digests, count * sizeof *digests);
        free(again);
        free(text);
    }
}

static void what_is_no_text_of_digests_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "A", "====", "AAAA", "AAAAAAAAAA==", "*AAAAAAAAAA=", "AAAAAAAAAAA=A", "AAAAAAAAAAAAAAA="};
    size_t count = 99;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_null(ob_digests_decode(wrong[i], &count));
    assert_int_equal(count, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_hashed_by_fnv_1a),
        cmocka_unit_test(a_hash_of_pieces_is_the_hash_of_the_whole),
        cmocka_unit_test(texts_cut_at_another_place_hash_differently),
        cmocka_unit_test(numbers_are_hashed_lowest_byte_first),
        cmocka_unit_test(the_final_mix_spreads_a_single_bit_over_the_whole_word),
        cmocka_unit_test(sha256_agrees_with_its_standard),
        cmocka_unit_test(digests_come_back_from_their_text),
        cmocka_unit_test(what_is_no_text_of_digests_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
