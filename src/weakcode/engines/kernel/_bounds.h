/* Checks of the kernel's inputs, made before any loop follows them: offsets within their data, numbers within range.
   The loops have no branch for each item, so that compilers turn them into vector instructions. */

#ifndef WEAKCODE_BOUNDS_H
#define WEAKCODE_BOUNDS_H

#include <stdint.h>

/* Tell whether all values are from 0 to below the limit. */
static int wk_below(const int32_t *values, int64_t size, int64_t limit) {
    uint32_t most = 0;
    for (int64_t i = 0; i < size; i++) most = (uint32_t)values[i] > most ? (uint32_t)values[i] : most;
    return !size || (int64_t)most < limit;
}

/* Tell whether all values are from -1 to below the limit. */
static int wk_below_or_none(const int32_t *values, int64_t size, int64_t limit) {
    int32_t least = 0, most = -1;
    for (int64_t i = 0; i < size; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    return least >= -1 && most < limit;
}

/* Tell whether bounds never fall and lie from 0 to the limit: the same for each width. */
#define WK_CLIMBS(name, type)                                                                    \
    static int name(const type *bounds, int64_t size, int64_t limit) {                           \
        int falls = 0;                                                                           \
        for (int64_t i = 1; i < size; i++) falls |= bounds[i] < bounds[i - 1];                   \
        return size > 0 && !falls && bounds[0] >= 0 && (int64_t)bounds[size - 1] <= limit;       \
    }
WK_CLIMBS(wk_climbs, int64_t)
WK_CLIMBS(wk_climbs_short, int32_t)

static int wk_climbs_unsigned(const uint32_t *bounds, int64_t size, int64_t limit) {
    int falls = 0;
    for (int64_t i = 1; i < size; i++) falls |= bounds[i] < bounds[i - 1];
    return size > 0 && !falls && (int64_t)bounds[size - 1] <= limit;
}

/* Tell whether every list, whose bounds climb within `values`, climbs itself without repeats and stays below the limit. */
static int wk_lists_climb(const uint32_t *bounds, const uint32_t *values, int64_t lists, int64_t limit) {
    for (int64_t n = 0; n < lists; n++) {
        int fine = 1;
        for (uint32_t i = bounds[n]; i < bounds[n + 1]; i++) {
            fine &= (int64_t)values[i] < limit && (i == bounds[n] || values[i] > values[i - 1]);
        }
        if (!fine) return 0;
    }
    return 1;
}

#endif
