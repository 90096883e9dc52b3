/* How often each claim id was met in a run: a hash table of the ids' SipHash-2-4 (64 bits, under a random key), in
   segments that grow one at a time, so that growing never takes twice the memory of the whole.

   Hashes that the caller moved to a file are looked up in filters: split block Bloom filters (F. Putze, P. Sanders
   and J. Singler, "Cache-, hash- and space-efficient Bloom filters", 2007), eight bits of a cache line for each hash. Of 10 million
   hashes, one in 20,000 others looks as if it were there; of 20 million, one in 500.

   Two ids with one hash would be taken for one: of twenty million ids, once in about 90,000 runs. */

#ifndef WEAKCODE_SEEN_H
#define WEAKCODE_SEEN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_ids.h"

#define WK_SEGMENTS 1024
#define WK_AHEAD 16
#define WK_FILTERS 64
#define WK_FILTER_BITS 19 /* of the number of a block of 64 bytes: 32 MB a filter */
#define WK_FILTER_KEYS ((uint64_t)40 << WK_FILTER_BITS)

typedef struct {
    uint64_t *keys;   /* 0 where there is none */
    uint32_t *counts; /* how often each key was met; NULL while each was met once */
    uint32_t size, used;
} wk_segment;

typedef struct {
    uint64_t key[2], used;
    wk_segment segments[WK_SEGMENTS];
    uint64_t *filters[WK_FILTERS], in_last; /* the hashes in the last filter */
    int count;
} wk_seen;

/* The block of a hash in a filter; the bit of each of its words is six bits of `bits`. */
static inline uint64_t *wk_filter_block(uint64_t *filter, uint64_t hash, uint64_t *bits) {
    *bits = hash * 0x9e3779b97f4a7c15ull;
    return filter + ((hash * 0xc2b2ae3d27d4eb4full) >> (64 - WK_FILTER_BITS)) * 8;
}

static inline int wk_filtered(const wk_seen *seen, uint64_t hash) {
    for (int i = 0; i < seen->count; i++) {
        uint64_t bits, missing = 0;
        const uint64_t *block = wk_filter_block(seen->filters[i], hash, &bits);
        for (int word = 0; word < 8; word++) missing |= ~block[word] & (uint64_t)1 << (bits >> (16 + 6 * word) & 63);
        if (!missing) return 1;
    }
    return 0;
}

/* Add a hash to the last filter; -1 where there is no memory. */
static inline int wk_filter(wk_seen *seen, uint64_t hash) {
    if (!seen->count || (seen->in_last >= WK_FILTER_KEYS && seen->count < WK_FILTERS)) {
        uint64_t *more = (uint64_t *)calloc((size_t)8 << WK_FILTER_BITS, sizeof(uint64_t));
        if (!more) return -1;
        seen->filters[seen->count++] = more;
        seen->in_last = 0;
    }
    uint64_t bits, *block = wk_filter_block(seen->filters[seen->count - 1], hash, &bits);
    for (int word = 0; word < 8; word++) block[word] |= (uint64_t)1 << (bits >> (16 + 6 * word) & 63);
    seen->in_last++;
    return 0;
}

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

/* Allocate counts, 1 for each hash, where there were none; -1 where there is no memory. */
static inline int wk_count_segment(wk_segment *segment) {
    if (segment->counts) return 0;
    segment->counts = (uint32_t *)malloc(segment->size * sizeof(uint32_t));
    if (!segment->counts) return -1;
    for (uint32_t i = 0; i < segment->size; i++) segment->counts[i] = 1;
    return 0;
}

/* Count a hash; return how often it has been seen, this time included; 0 where there is no memory. */
static inline uint32_t wk_seen_add(wk_seen *seen, uint64_t hash) {
    wk_segment *segment = wk_segment_of(seen, hash);
    if (segment->used * (uint64_t)10 >= segment->size * (uint64_t)9 && wk_grow_segment(segment)) return 0;
    uint32_t at = wk_slot(segment, hash);
    while (segment->keys[at] && segment->keys[at] != hash) at = at + 1 == segment->size ? 0 : at + 1;
    if (!segment->keys[at]) {
        segment->keys[at] = hash;
        segment->used++;
        seen->used++;
        if (segment->counts) segment->counts[at] = 1;
        return 1;
    }
    if (wk_count_segment(segment)) return 0;
    if (segment->counts[at] < UINT32_MAX) segment->counts[at]++;
    return segment->counts[at];
}

/* Add to how often a hash was met, where it is there; -1 where there is no memory. */
static inline int wk_seen_raise(wk_seen *seen, uint64_t hash, uint32_t by) {
    wk_segment *segment = wk_segment_of(seen, hash);
    if (!segment->size) return 0;
    uint32_t at = wk_slot(segment, hash);
    while (segment->keys[at] && segment->keys[at] != hash) at = at + 1 == segment->size ? 0 : at + 1;
    if (!segment->keys[at]) return 0;
    if (wk_count_segment(segment)) return -1;
    segment->counts[at] = by > UINT32_MAX - segment->counts[at] ? UINT32_MAX : segment->counts[at] + by;
    return 0;
}

/* Count the texts between the bounds; write how often each has been seen, and the hashes. Return how many were seen before,
   -1 where there is no memory. `uncertain` gets the `*uncertain_count` texts that are new here but may be in the file. */
static inline int64_t wk_seen_all(wk_seen *seen, const int32_t *bounds, const uint8_t *data, int64_t size, uint32_t *nth,
                                  uint64_t *hashes, int32_t *uncertain, int64_t *uncertain_count) {
    int64_t repeats = 0;
    for (int64_t from = 0; from < size; from += WK_AHEAD) {
        int64_t count = size - from < WK_AHEAD ? size - from : WK_AHEAD;
        for (int64_t i = from; i < from + count; i++) {
            const int32_t *at = bounds + i;
            hashes[i] = wk_seen_hash(seen, data + at[0], at[1] - at[0]);
#if defined(__GNUC__)
            wk_segment *segment = wk_segment_of(seen, hashes[i]);
            uint64_t bits;
            if (segment->size) __builtin_prefetch(segment->keys + wk_slot(segment, hashes[i]));
            for (int f = 0; f < seen->count; f++) __builtin_prefetch(wk_filter_block(seen->filters[f], hashes[i], &bits));
#endif
        }
        for (int64_t i = from; i < from + count; i++) {
            uint32_t met = nth[i] = wk_seen_add(seen, hashes[i]);
            if (!met) return -1;
            repeats += met > 1;
            if (met == 1 && wk_filtered(seen, hashes[i])) uncertain[(*uncertain_count)++] = (int32_t)i;
        }
    }
    return repeats;
}

/* Write the hashes and how often each was seen; tell whether any was seen more than once. */
static inline int wk_seen_list(const wk_seen *seen, uint64_t *hashes, uint32_t *counts) {
    int more = 0;
    for (int i = 0; i < WK_SEGMENTS; i++) {
        const wk_segment *segment = &seen->segments[i];
        for (uint32_t at = 0; at < segment->size; at++) {
            if (!segment->keys[at]) continue;
            *hashes++ = segment->keys[at];
            *counts = segment->counts ? segment->counts[at] : 1;
            more |= *counts++ > 1;
        }
    }
    return more;
}

/* Move the hashes into the filters and forget them; -1 where there is no memory, and then nothing is forgotten. */
static inline int wk_seen_forget(wk_seen *seen) {
    for (int i = 0; i < WK_SEGMENTS; i++) {
        const wk_segment *segment = &seen->segments[i];
        for (uint32_t at = 0; at < segment->size; at++) {
            if (segment->keys[at] && wk_filter(seen, segment->keys[at])) return -1;
        }
    }
    for (int i = 0; i < WK_SEGMENTS; i++) {
        wk_segment *segment = &seen->segments[i];
        free(segment->counts);
        segment->counts = NULL;
        segment->used = 0;
        if (segment->size) memset(segment->keys, 0, segment->size * sizeof(uint64_t));
    }
    seen->used = 0;
    return 0;
}

static inline void wk_seen_free(wk_seen *seen) {
    for (int i = 0; i < WK_SEGMENTS; i++) {
        free(seen->segments[i].keys);
        free(seen->segments[i].counts);
    }
    for (int i = 0; i < seen->count; i++) free(seen->filters[i]);
}

/* Give findings of the nth claim of an id, from 2, ids of their own. */
static inline void wk_ids_of_nth(uint8_t *ids, const int32_t *claim, const uint32_t *nth, int64_t size) {
    for (int64_t i = 0; i < size; i++) {
        uint8_t *id = ids + WK_ID_DIGITS * i;
        if (nth[claim[i]] > 1) wk_nth_id(id, WK_OF_RUN, nth[claim[i]], id);
    }
}

#endif
