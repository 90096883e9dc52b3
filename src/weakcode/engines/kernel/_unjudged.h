/* Rules that could not be judged on the claims of a batch, as bits tested against each claim. */

#ifndef WEAKCODE_UNJUDGED_H
#define WEAKCODE_UNJUDGED_H

#include <stdint.h>
#include <string.h>

#define WK_NEEDS 8

/* A part of claims: `index` has the number of each row's value, below zero for the last. The words of a value have a
   bit for each rule whose condition it meets; a claim that lacks what `need` stands for meets all. */
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
    const int32_t *payer_of;
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
static inline uint64_t wk_keep(uint64_t *unjudged, const uint64_t *words, int64_t size) {
    uint64_t any = 0;
    for (int64_t w = 0; w < size; w++) any |= unjudged[w] &= words[w];
    return any;
}

/* Leave in `unjudged` what could not be judged on a row that lacks something; tell whether there is any. */
static inline uint64_t wk_ask(const wk_questions *a, const int32_t *tokens, int64_t count, int64_t row, uint8_t lacks,
                              uint64_t *unjudged) {
    const int64_t size = a->size;
    const uint64_t *first = wk_of_code(a, a->leading, tokens[0]);
    for (int64_t w = 0; w < size; w++) unjudged[w] = a->anywhere[w] | first[w];
    for (int64_t i = 0; i < count; i++) {
        const uint64_t *words_of_code = wk_of_code(a, a->codes, tokens[i]);
        for (int64_t w = 0; w < size; w++) unjudged[w] |= words_of_code[w];
    }
    if (!wk_keep(unjudged, a->allowed + size * lacks, size)) return 0;
    if (!wk_keep(unjudged, wk_of_value(a->on, size, a->payer_of[row], a->last_payer), size)) return 0;
    for (const wk_part *part = a->parts; part < a->parts + a->part_count; part++) {
        if (lacks & part->need) continue;
        if (!wk_keep(unjudged, wk_of_value(part->words, size, part->index[row], part->last), size)) return 0;
    }
    return 1;
}

/* Write to `needs`, for each row, the bits of the missing data without which a rule could not be judged; `seen` collects the
   rules. Rows that lack nothing are skipped; the others have a code. `unjudged` has room for `size` words. */
static void wk_not_judged(const wk_questions *a, const int32_t *tokens, const int64_t *bounds, const uint8_t *lacks,
                          int64_t rows, uint64_t *unjudged, uint8_t *needs, uint64_t *seen) {
    const int64_t size = a->size;
    for (int64_t row = 0; row < rows; row++) {
        const uint8_t lack = lacks[row];
        if (!lack || !wk_ask(a, tokens + bounds[row], bounds[row + 1] - bounds[row], row, lack, unjudged)) continue;
        for (int need = 0; need < WK_NEEDS; need++) {
            if (!(lack >> need & 1)) continue;
            const uint64_t *asking = a->wanting + size * ((int64_t)1 << need);
            uint64_t any = 0;
            for (int64_t w = 0; w < size; w++) {
                const uint64_t bits = unjudged[w] & asking[w];
                any |= bits;
                seen[size * need + w] |= bits;
            }
            needs[row] |= (uint8_t)((any != 0) << need);
        }
    }
}

#endif
