/* One segment of an 837, split at its elements, and the values in it that are read as they are. */

#ifndef WEAKCODE_X12_SEGMENTS_H
#define WEAKCODE_X12_SEGMENTS_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define X12_ELEMENTS 64
#define X12_LONGEST (1 << 16) /* of a segment that is read here, in bytes */

typedef struct {
    uint8_t element, component, segment, repetition; /* repetition is 0 where the interchange has none */
} x12_signs;

typedef struct {
    const uint8_t *at;
    int64_t size; /* -1 where the reader in Python is to read it */
} x12_text;

typedef struct {
    const uint8_t *text;
    int64_t size;
    int count;                          /* elements, the tag being element 0 */
    int32_t starts[X12_ELEMENTS + 1];   /* of each element; then where one more would start */
    uint32_t tag;                       /* two or three letters and digits, packed; 0 for all else */
    int stray;                          /* an element begins as a diagnosis does */
    x12_signs signs;
} x12_segment;

#define X12_TAG(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

static inline int x12_is_between(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0 || c == 26; }

static inline int x12_is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static inline int x12_is_letter_or_digit(uint8_t c) {
    return x12_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Whether a qualifier of diagnoses and a component separator begin here: ABK, ABF, ABJ, ABN, APR, BK, BF, BJ or BN. */
static inline int x12_begins_diagnosis(const uint8_t *at, int64_t left, uint8_t component) {
    if (left >= 4 && at[0] == 'A' && at[3] == component) {
        if (at[1] == 'P') return at[2] == 'R';
        at++;
    } else if (left < 3 || at[2] != component) {
        return 0;
    }
    return at[0] == 'B' && (at[1] == 'K' || at[1] == 'F' || at[1] == 'J' || at[1] == 'N');
}

/* Which of the next 16 bytes are this sign, as bits; `breaks` are those that break lines. */
#if defined(__SSE2__)
static inline uint32_t x12_sixteen(const uint8_t *at, uint8_t sign, uint32_t *breaks) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i lines = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    *breaks = (uint32_t)_mm_movemask_epi8(lines);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)sign)));
}
#else
static inline uint32_t x12_sixteen(const uint8_t *at, uint8_t sign, uint32_t *breaks) {
    uint32_t found = 0;
    *breaks = 0;
    for (int i = 0; i < 16; i++) {
        found |= (uint32_t)(at[i] == sign) << i;
        *breaks |= (uint32_t)(at[i] == '\n' || at[i] == '\r') << i;
    }
    return found;
}
#endif

/* Split a segment, behind which the text has `left` more bytes. 0 where it cannot be read here: too long, with breaks in it, or blanks at its end. */
static int x12_split(x12_segment *s, const uint8_t *text, int64_t size, int64_t left) {
    if (size > X12_LONGEST || text[size - 1] <= ' ') return 0;
    s->text = text;
    s->size = size;
    s->count = 1;
    s->starts[0] = 0;
    s->stray = 0;
    for (int64_t i = 0; i < size; i += 16) {
        uint8_t last[16] = {0};
        const uint8_t *at = text + i;
        if (size + left - i < 16) at = memcpy(last, at, (size_t)(size - i)); /* the text ends before 16 bytes do */
        uint32_t breaks, found = x12_sixteen(at, s->signs.element, &breaks);
        uint32_t inside = size - i < 16 ? (1u << (size - i)) - 1 : 0xffffu;
        if (breaks & inside) return 0;
        for (found &= inside; found; found &= found - 1) {
            int64_t start = i + __builtin_ctz(found) + 1;
            if (s->count == X12_ELEMENTS) return 0;
            s->starts[s->count++] = (int32_t)start;
            s->stray |= x12_begins_diagnosis(text + start, size - start, s->signs.component);
        }
    }
    s->starts[s->count] = (int32_t)size + 1;
    int tag = s->starts[1] - 1;
    s->tag = 0;
    if (tag < 2 || tag > 3) return 0;
    for (int i = 0; i < tag; i++) {
        if (!x12_is_digit(text[i]) && (text[i] < 'A' || text[i] > 'Z')) return 0;
    }
    s->tag = X12_TAG(text[0], text[1], tag == 3 ? text[2] : 0);
    return 1;
}

/* Text without blanks at its ends; size -1 where it holds anything but printable ASCII. */
static inline x12_text x12_plain(const uint8_t *at, int64_t size) {
    x12_text value = {at, size};
    while (value.size && value.at[value.size - 1] == ' ') value.size--;
    while (value.size && value.at[0] == ' ') value.at++, value.size--;
    for (int64_t i = 0; i < value.size; i++) {
        if (value.at[i] < 32 || value.at[i] > 126) {
            value.size = -1;
            break;
        }
    }
    return value;
}

/* An element, empty where the segment ends before it. */
static inline x12_text x12_element(const x12_segment *s, int number) {
    if (number >= s->count) return (x12_text){s->text, 0};
    return x12_plain(s->text + s->starts[number], s->starts[number + 1] - 1 - s->starts[number]);
}

/* The next component of a text, which begins behind it afterwards. 0 where there is none left: `rest` is at its end. */
static inline int x12_component(x12_text *rest, uint8_t sign, x12_text *part) {
    if (rest->size < 0) return 0;
    const uint8_t *end = rest->size ? memchr(rest->at, sign, (size_t)rest->size) : NULL;
    part->at = rest->at;
    part->size = end ? end - rest->at : rest->size;
    rest->size = end ? rest->size - part->size - 1 : -1;
    rest->at += part->size + (end != NULL);
    return 1;
}

static inline int x12_is(x12_text value, const char *word) {
    return value.size == (int64_t)strlen(word) && !memcmp(value.at, word, (size_t)value.size);
}

/* A number of up to nine digits and nothing else; -1 for all else. */
static inline int32_t x12_number(x12_text value) {
    int32_t number = 0;
    if (value.size < 1 || value.size > 9) return -1;
    for (int64_t i = 0; i < value.size; i++) {
        if (!x12_is_digit(value.at[i])) return -1;
        number = number * 10 + value.at[i] - '0';
    }
    return number;
}

/* A number of X12, NAN for an empty element. 0 where it is none in its plain form, of at most 15 digits. */
static int x12_amount(x12_text value, double *amount) {
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int64_t number = 0, at = 0;
    int digits = 0, behind = -1; /* the point; -1 as long as there is none */
    *amount = NAN;
    if (value.size <= 0) return value.size == 0;
    int negative = value.at[0] == '-';
    for (at = negative; at < value.size; at++) {
        if (value.at[at] == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (!x12_is_digit(value.at[at]) || ++digits > 15) return 0;
        number = number * 10 + value.at[at] - '0';
        behind += behind >= 0;
    }
    if (!digits) return 0;
    /* Both are exact, so that the quotient is the nearest number there is. */
    *amount = (double)number / tens[behind > 0 ? behind : 0];
    if (negative) *amount = -*amount;
    return 1;
}

#define X12_NO_DAY INT32_MIN

/* Eight digits that begin with an earlier year are no date, as `base/dates.py` reads them. */
#define X12_EARLIEST 1850

/* Days from 1970-01-01 to the day CCYYMMDD; X12_NO_DAY where it is no date. */
static int32_t x12_day(const uint8_t *at) {
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t date = x12_number((x12_text){at, 8});
    if (date < 0) return X12_NO_DAY;
    int32_t year = date / 10000, month = date / 100 % 100, day = date % 100;
    if (year < X12_EARLIEST || month < 1 || month > 12 || day < 1) return X12_NO_DAY;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (leap && month == 2)) return X12_NO_DAY;
    /* Years are counted from March, so that the leap day is a year's last. */
    int32_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int32_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* First and last day of a date (D8) or a range (RD8). 0 where it is neither in its plain form. */
static int x12_days(x12_text form, x12_text value, int32_t days[2]) {
    if (x12_is(form, "D8") && value.size == 8) {
        days[0] = days[1] = x12_day(value.at);
    } else if (x12_is(form, "RD8") && value.size == 17 && value.at[8] == '-') {
        days[0] = x12_day(value.at);
        days[1] = x12_day(value.at + 9);
    } else {
        return 0;
    }
    return days[0] != X12_NO_DAY && days[1] != X12_NO_DAY;
}

#endif
