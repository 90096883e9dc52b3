/* What could not be judged on the claims of a batch: the bits of what is asked, put to each claim. */

#ifndef WEAKCODE_UNJUDGED_H
#define WEAKCODE_UNJUDGED_H

#include <stdint.h>
#include <string.h>

#define WK_NEEDS 8

/* A part of claims: `index` has the number of each row's value, below zero for the last. The words of a value say what
   it does not fail; a claim that lacks what `need` has a bit for is as everything wants it. */
typedef struct {
    const int32_t *index;
    const uint64_t *words;
    int64_t last;
    uint8_t need;
} wk_part;

/* `size` words for each code that is billable, then for each other one; for each thing missing; and for each payer. */
typedef struct {
    int64_t size;
    const uint64_t *codes, *leading;
    const int32_t *unlisted;
    int64_t billable;
    const uint64_t *anywhere, *allowed, *wanting;
    const uint64_t *on;
    const int32_t *whose;
    int64_t last_payer;
    const wk_part *parts;
    int64_t part_count;
} wk_questions;

static inline const uint64_t *wk_of_code(const wk_questions *a, const uint64_t *words, int32_t token) {
    return words + a->size * (token < a->billable ? token : a->unlisted[token - a->billable]);
}

static inline const uint64_t *wk_of_value(const uint64_t *words, int64_t size, int32_t number, int64_t last) {
    return words + size * (number < 0 ? last : number);
}

/* Keep the bits that these words have too; tell whether any is left. */
static inline uint64_t wk_keep(uint64_t *found, const uint64_t *words, int64_t size) {
    uint64_t any = 0;
    for (int64_t w = 0; w < size; w++) any |= found[w] &= words[w];
    return any;
}

/* Leave in `found` what could not be judged on a row that lacks something; tell whether there is any. */
static inline uint64_t wk_ask(const wk_questions *a, const int32_t *tokens, int64_t count, int64_t row, uint8_t lacks,
                              uint64_t *found) {
    const int64_t size = a->size;
    const uint64_t *first = wk_of_code(a, a->leading, tokens[0]);
    for (int64_t w = 0; w < size; w++) found[w] = a->anywhere[w] | first[w];
    for (int64_t i = 0; i < count; i++) {
        const uint64_t *speak = wk_of_code(a, a->codes, tokens[i]);
        for (int64_t w = 0; w < size; w++) found[w] |= speak[w];
    }
    if (!wk_keep(found, a->allowed + size * lacks, size)) return 0;
    if (!wk_keep(found, wk_of_value(a->on, size, a->whose[row], a->last_payer), size)) return 0;
    for (const wk_part *part = a->parts; part < a->parts + a->part_count; part++) {
        if (lacks & part->need) continue;
        if (!wk_keep(found, wk_of_value(part->words, size, part->index[row], part->last), size)) return 0;
    }
    return 1;
}

/* Leave in `told`, for each row, the bits of the needs for want of which something could not be judged, and collect what.
   Rows that lack nothing are passed over; the others have a code. `found` has room for `size` words. */
static void wk_not_judged(const wk_questions *a, const int32_t *tokens, const int64_t *bounds, const uint8_t *lacks,
                          int64_t rows, uint64_t *found, uint8_t *told, uint64_t *seen) {
    const int64_t size = a->size;
    for (int64_t row = 0; row < rows; row++) {
        const uint8_t lack = lacks[row];
        if (!lack || !wk_ask(a, tokens + bounds[row], bounds[row + 1] - bounds[row], row, lack, found)) continue;
        for (int need = 0; need < WK_NEEDS; need++) {
            if (!(lack >> need & 1)) continue;
            const uint64_t *asking = a->wanting + size * ((int64_t)1 << need);
            uint64_t any = 0;
            for (int64_t w = 0; w < size; w++) {
                const uint64_t bits = found[w] & asking[w];
                any |= bits;
                seen[size * need + w] |= bits;
            }
            told[row] |= (uint8_t)((any != 0) << need);
        }
    }
}

#endif
