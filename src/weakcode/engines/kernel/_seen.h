/* How often each claim id was met in a run: a hash table of the ids' SipHash-2-4 (64 bits, under a random key), in
   segments that grow one at a time, so that growing never takes twice the memory of the whole.

   Two ids with one hash would be taken for one: of twenty million ids, once in about 90,000 runs. */

#ifndef WEAKCODE_SEEN_H
#define WEAKCODE_SEEN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_ids.h"

#define WK_SEGMENTS 1024
#define WK_AHEAD 16

typedef struct {
    uint64_t *keys;   /* 0 where there is none */
    uint32_t *counts; /* how often each key was met; NULL while each was met once */
    uint32_t size, used;
} wk_segment;

typedef struct {
    uint64_t key[2];
    wk_segment segments[WK_SEGMENTS];
} wk_seen;

static inline uint64_t wk_seen_hash(const wk_seen *seen, const uint8_t *data, int64_t size) {
    uint64_t hash[2];
    wk_siphash(seen->key, 0, 0, data, size, hash);
    return hash[0] ? hash[0] : 1;
}

static inline wk_segment *wk_segment_of(wk_seen *seen, uint64_t hash) { return &seen->segments[hash >> 54]; }

static inline uint32_t wk_slot(const wk_segment *segment, uint64_t hash) {
    /* The low bits as a fraction of the size, which is no power of two. */
    return (uint32_t)((uint64_t)(uint32_t)hash * segment->size >> 32);
}

static inline int wk_grow_segment(wk_segment *segment) {
    wk_segment more = {NULL, NULL, segment->size ? segment->size + segment->size / 2 : 16, segment->used};
    more.keys = (uint64_t *)calloc(more.size, sizeof(uint64_t));
    if (segment->counts) more.counts = (uint32_t *)malloc(more.size * sizeof(uint32_t));
    if (!more.keys || (segment->counts && !more.counts)) {
        free(more.keys);
        free(more.counts);
        return -1;
    }
    for (uint32_t i = 0; i < segment->size; i++) {
        if (!segment->keys[i]) continue;
        uint32_t at = wk_slot(&more, segment->keys[i]);
        while (more.keys[at]) at = at + 1 == more.size ? 0 : at + 1;
        more.keys[at] = segment->keys[i];
        if (more.counts) more.counts[at] = segment->counts[i];
    }
    free(segment->keys);
    free(segment->counts);
    *segment = more;
    return 0;
}

/* Count a hash; return how often it was met with this time, 0 where there is no memory. */
static inline uint32_t wk_seen_add(wk_seen *seen, uint64_t hash) {
    wk_segment *segment = wk_segment_of(seen, hash);
    if (segment->used * (uint64_t)10 >= segment->size * (uint64_t)9 && wk_grow_segment(segment)) return 0;
    uint32_t at = wk_slot(segment, hash);
    while (segment->keys[at] && segment->keys[at] != hash) at = at + 1 == segment->size ? 0 : at + 1;
    if (!segment->keys[at]) {
        segment->keys[at] = hash;
        segment->used++;
        if (segment->counts) segment->counts[at] = 1;
        return 1;
    }
    if (!segment->counts) {
        segment->counts = (uint32_t *)malloc(segment->size * sizeof(uint32_t));
        if (!segment->counts) return 0;
        for (uint32_t i = 0; i < segment->size; i++) segment->counts[i] = 1;
    }
    if (segment->counts[at] < UINT32_MAX) segment->counts[at]++;
    return segment->counts[at];
}

/* Count the texts between the bounds, and put down how often each was met. Return how many had been met before, -1
   where there is no memory. */
static inline int64_t wk_seen_all(wk_seen *seen, const int32_t *bounds, const uint8_t *data, int64_t size, uint32_t *nth) {
    uint64_t hashes[WK_AHEAD];
    int64_t again = 0;
    for (int64_t from = 0; from < size; from += WK_AHEAD) {
        int64_t count = size - from < WK_AHEAD ? size - from : WK_AHEAD;
        for (int64_t i = 0; i < count; i++) {
            const int32_t *at = bounds + from + i;
            hashes[i] = wk_seen_hash(seen, data + at[0], at[1] - at[0]);
#if defined(__GNUC__)
            wk_segment *segment = wk_segment_of(seen, hashes[i]);
            if (segment->size) __builtin_prefetch(segment->keys + wk_slot(segment, hashes[i]));
#endif
        }
        for (int64_t i = 0; i < count; i++) {
            uint32_t met = nth[from + i] = wk_seen_add(seen, hashes[i]);
            if (!met) return -1;
            again += met > 1;
        }
    }
    return again;
}

static inline void wk_seen_free(wk_seen *seen) {
    for (int i = 0; i < WK_SEGMENTS; i++) {
        free(seen->segments[i].keys);
        free(seen->segments[i].counts);
    }
}

/* Give findings of the nth claim of an id, from 2, ids of their own. */
static inline void wk_ids_of_nth(uint8_t *ids, const int32_t *claim, const uint32_t *nth, int64_t size) {
    for (int64_t i = 0; i < size; i++) {
        uint8_t *id = ids + WK_ID_DIGITS * i;
        if (nth[claim[i]] > 1) wk_nth_id(id, WK_OF_RUN, nth[claim[i]], id);
    }
}

#endif
