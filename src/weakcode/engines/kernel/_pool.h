/* Interned integer lists: equal lists are kept once, with ids in insertion order. */

#ifndef WEAKCODE_POOL_H
#define WEAKCODE_POOL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_grow.h"
#include "_text.h"

typedef struct {
    uint32_t *items, *at;        /* list n is items[at[n]] to items[at[n + 1]] */
    int64_t item_room, at_room;
    int32_t count;
    wk_map known;
} wk_pool;

static void wk_pool_close(wk_pool *p) {
    free(p->items);
    free(p->at);
    wk_map_close(&p->known);
    memset(p, 0, sizeof *p);
}

static inline uint64_t wk_digest(const uint32_t *list, uint32_t size) {
    uint64_t hash = size + 1;
    for (uint32_t i = 0; i < size; i++) {
        hash = (hash ^ list[i]) * 0x9E3779B97F4A7C15ull;
        hash ^= hash >> 29;
    }
    return hash | 1 << 8; /* no key is 0 */
}

/* The number of a list; -1 when there is no memory left. */
static int32_t wk_pool_add(wk_pool *p, const uint32_t *list, uint32_t size) {
    if (!p->at) {
        if (!wk_map_open(&p->known, 1024) || !wk_grow((void **)&p->at, &p->at_room, 1024, sizeof *p->at)) return -1;
        p->at[0] = 0;
    }
    for (uint64_t key = wk_digest(list, size);; key += 256) {
        int32_t number = wk_map_add(&p->known, key, p->count);
        if (number < 0) return -1;
        if (number < p->count) {
            uint32_t from = p->at[number];
            if (p->at[number + 1] - from != size) continue;
            if (size && memcmp(p->items + from, list, size * sizeof *list)) continue;
            return number;
        }
        uint32_t end = p->at[p->count];
        if (!wk_grow((void **)&p->items, &p->item_room, (int64_t)end + size + 1, sizeof *p->items)) return -1;
        if (!wk_grow((void **)&p->at, &p->at_room, (int64_t)p->count + 2, sizeof *p->at)) return -1;
        if (size) memcpy(p->items + end, list, size * sizeof *list);
        p->at[++p->count] = end + size;
        return number;
    }
}

/* The same, where a list is often that of this number, or -1. */
static int32_t wk_pool_add_after(wk_pool *p, int32_t before, const uint32_t *list, uint32_t size) {
    if (before >= 0 && p->at[before + 1] - p->at[before] == size) {
        if (!size || !memcmp(p->items + p->at[before], list, size * sizeof *list)) return before;
    }
    return wk_pool_add(p, list, size);
}

#endif
