/* Columns of findings, put together from stored lists and texts by their numbers. */

#ifndef WEAKCODE_GATHER_H
#define WEAKCODE_GATHER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The bounds of the picked lists, one after the other; -1 when they do not fit into 32 bits. */
static int64_t wk_bounds(const int32_t *bounds, const int32_t *picked, int64_t size, int32_t *out) {
    int64_t total = 0;
    out[0] = 0;
    for (int64_t i = 0; i < size; i++) {
        total += bounds[picked[i] + 1] - bounds[picked[i]];
        if (total > INT32_MAX) return -1;
        out[i + 1] = (int32_t)total;
    }
    return total;
}

static void wk_pick_numbers(const int32_t *bounds, const int32_t *values, const int32_t *picked, int64_t size,
                            int32_t *out) {
    for (int64_t i = 0; i < size; i++) {
        for (int32_t j = bounds[picked[i]]; j < bounds[picked[i] + 1]; j++) *out++ = values[j];
    }
}

static void wk_pick_bytes(const int32_t *bounds, const uint8_t *data, const int32_t *picked, int64_t size,
                          uint8_t *out) {
    for (int64_t i = 0; i < size; i++) {
        size_t length = (size_t)(bounds[picked[i] + 1] - bounds[picked[i]]);
        memcpy(out, data + bounds[picked[i]], length);
        out += length;
    }
}

/* Number anew, in the order in which they are first met: `met` has -1 for each number; return how many there are. */
static int32_t wk_first_met(const int32_t *numbers, int64_t size, int32_t *met, int32_t *first, int32_t *out) {
    int32_t distinct = 0;
    for (int64_t i = 0; i < size; i++) {
        int32_t *known = met + numbers[i];
        if (*known < 0) {
            first[distinct] = numbers[i];
            *known = distinct++;
        }
        out[i] = *known;
    }
    return distinct;
}

/* The numbers of each row that are above zero, and their bounds; return how many there are. */
static int64_t wk_pick_above(const int32_t *one, const int32_t *other, int64_t size, int32_t *bounds, int32_t *out) {
    int64_t total = 0;
    bounds[0] = 0;
    for (int64_t i = 0; i < size; i++) {
        out[total] = one[i];
        total += one[i] > 0;
        out[total] = other[i];
        total += other[i] > 0;
        bounds[i + 1] = (int32_t)total;
    }
    return total;
}

#endif
