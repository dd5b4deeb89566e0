/*
 * parse.c - see parse.h.  Nothing here depends on the locale, and nothing is skipped: what is not
 * consumed makes the whole text wrong.
 */
#include "base/parse.h"

#include <string.h>

#define OB_WORD_SIZE_MAX ((size_t)64)

/* Reads the digits at *text, at least one, and moves *text past them; false when over max. */
static bool digits(const char **text, uint64_t max, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (p == *text)
        return false;
    *text = p;
    *out = value;
    return true;
}

bool ob_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value;
    if (!digits(&text, max, &value) || *text != '\0' || value < min)
        return false;
    *out = value;
    return true;
}

bool ob_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
    bool negative = *text == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t size;
    text += negative;
    if (!digits(&text, limit, &size) || *text != '\0')
        return false;
    /* INT64_MIN has no positive twin, hence the detour by one. */
    int64_t value = negative && size > 0 ? -(int64_t)(size - 1) - 1 : (int64_t)size;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

/* A decimal number in its text, without the zeros that mean nothing. */
struct decimal {
    bool negative;
    const char *whole, *part;
    size_t whole_size, part_size;
};

static size_t digit_count(const char *text)
{
    return strspn(text, "0123456789");
}

static bool decimal(const char *text, struct decimal *out)
{
    struct decimal number = {.negative = *text == '-'};
    number.whole = text + number.negative;
    number.whole_size = digit_count(number.whole);
    const char *end = number.whole + number.whole_size;
    number.part = end + (*end == '.');
    number.part_size = *end == '.' ? digit_count(number.part) : 0;
    if (number.whole_size == 0 || (*end == '.' && number.part_size == 0) ||
        number.part[number.part_size] != '\0')
        return false;
    for (; number.whole_size > 0 && *number.whole == '0'; number.whole_size--)
        number.whole++;
    while (number.part_size > 0 && number.part[number.part_size - 1] == '0')
        number.part_size--;
    if (number.whole_size == 0 && number.part_size == 0)
        number.negative = false;
    *out = number;
    return true;
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* Without the signs.  Of two parts of which one begins the other, the longer is greater. */
static int compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
    int order = compare_sizes(a->whole_size, b->whole_size);
    if (order == 0)
        order = memcmp(a->whole, b->whole, a->whole_size);
    if (order == 0)
        order = memcmp(a->part, b->part, a->part_size < b->part_size ? a->part_size : b->part_size);
    if (order == 0)
        order = compare_sizes(a->part_size, b->part_size);
    return (order > 0) - (order < 0);
}

bool ob_parse_compare_decimals(const char *a, const char *b, int *out)
{
    struct decimal x, y;
    if (!decimal(a, &x) || !decimal(b, &y))
        return false;
    if (x.negative != y.negative)
        *out = x.negative ? -1 : 1;
    else
        *out = x.negative ? compare_magnitudes(&y, &x) : compare_magnitudes(&x, &y);
    return true;
}

bool ob_parse_duration_us(const char *text, int64_t *out)
{
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {
        {"ms", 1000},
        {"s", 1000000},
        {"min", UINT64_C(60) * 1000000},
        {"h", UINT64_C(3600) * 1000000},
    };
    uint64_t count;
    if (!digits(&text, INT64_MAX, &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        if (count > INT64_MAX / units[i].us)
            return false;
        *out = (int64_t)(count * units[i].us);
        return true;
    }
    return false;
}

/* Reads exactly count digits and moves *text past them. */
static bool field(const char **text, int count, int min, int max, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += count;
    *out = value;
    return value >= min && value <= max;
}

static bool literal(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The days in the years 1 to year - 1. */
static int64_t days_before_year(int year)
{
    int64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

bool ob_parse_time_us(const char *text, int64_t *out)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, hour, minute, second = 0;
    if (!field(&text, 4, 1, 9999, &year) || !literal(&text, '-'))
        return false;
    if (!field(&text, 2, 1, 12, &month) || !literal(&text, '-'))
        return false;
    int length = lengths[month - 1] + (month == 2 && is_leap(year));
    if (!field(&text, 2, 1, length, &day) || !literal(&text, 'T'))
        return false;
    if (!field(&text, 2, 0, 23, &hour) || !literal(&text, ':') || !field(&text, 2, 0, 59, &minute))
        return false;
    if (literal(&text, ':') && !field(&text, 2, 0, 59, &second))
        return false;
    (void)literal(&text, 'Z');
    if (*text != '\0')
        return false;
    int64_t days = days_before_year(year) - days_before_year(1970) + day - 1;
    for (int i = 1; i < month; i++)
        days += lengths[i - 1] + (i == 2 && is_leap(year));
    *out = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000000;
    return true;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* How many insertions, deletions, replacements and swaps of neighbours turn a into b. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][OB_WORD_SIZE_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, replaced);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return row[b_size];
}

const char *ob_parse_nearest(const char *text, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t text_size = strlen(text);
    if (text_size == 0 || text_size > OB_WORD_SIZE_MAX)
        return NULL;
    /* One slip in a short word, one for every three letters of a longer one: else it is another. */
    size_t limit = text_size < 6 ? 1 : text_size / 3;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(words[i]);
        if (size > OB_WORD_SIZE_MAX || (size == 1 && text_size == 1))
            continue;
        size_t steps = distance(text, text_size, words[i], size);
        if (steps > limit || (nearest && steps == limit))
            continue;
        nearest = words[i];
        limit = steps;
    }
    return nearest;
}

/* The size of the UTF-8 sequence that its first byte announces, or 0, with the range of its second
 * byte, which is what rules out overlong forms, surrogates and what is past U+10FFFF (Unicode 15,
 * table 3-7). */
static size_t sequence(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

static bool sequence_valid(const unsigned char *bytes, size_t size, size_t *length)
{
    unsigned char low, high;
    *length = sequence(bytes[0], &low, &high);
    if (*length == 0 || *length > size)
        return false;
    for (size_t i = 1; i < *length; i++) {
        if (bytes[i] < (i == 1 ? low : 0x80) || bytes[i] > (i == 1 ? high : 0xbf))
            return false;
    }
    return true;
}

bool ob_parse_utf8(const char *data, size_t size, size_t *bad_offset)
{
    size_t length;
    for (size_t i = 0; i < size; i += length) {
        if (!sequence_valid((const unsigned char *)data + i, size - i, &length)) {
            *bad_offset = i;
            return false;
        }
    }
    return true;
}
