/* Text to codes: the packed spelling of a code, and maps from it to numbers. */

#ifndef WEAKCODE_TEXT_H
#define WEAKCODE_TEXT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint8_t wk_letters[256]; /* the upper-case letter or digit; 1 for a blank, 2 for a dot, 0 for all else */

static void wk_init(void) {
    const char *blanks = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
    for (int c = '0'; c <= '9'; c++) wk_letters[c] = (uint8_t)c;
    for (int c = 'A'; c <= 'Z'; c++) wk_letters[c] = wk_letters[c + 32] = (uint8_t)c;
    for (; *blanks; blanks++) wk_letters[(uint8_t)*blanks] = 1;
    wk_letters['.'] = 2;
}

/* The letters and digits of a code, packed as weakcode.codes.compiled.pack_key does; 0 where Python is to read the text. */
static inline uint64_t wk_key(const uint8_t *text, int64_t size) {
    uint64_t key = 0;
    int shift = 56, dotted = 0;
    if (size > 24) return 0;
    for (int64_t i = 0; i < size; i++) {
        uint8_t c = wk_letters[text[i]];
        if (c > 2) {
            if (!shift) return 0;
            key |= (uint64_t)c << shift;
            shift -= 8;
        } else if (c == 2) {
            if (shift != 32 || dotted) return 0;
            dotted = 1;
        } else if (c == 0) {
            return 0;
        }
    }
    return key;
}

static inline uint64_t wk_hash(uint64_t key) { return (key >> 8) * 0x9E3779B97F4A7C15ull; }

typedef struct {
    uint64_t *keys;
    int32_t *values;
    int bits;
    int64_t size;
} wk_map;

static int wk_map_open(wk_map *m, int64_t expected) {
    m->bits = 6;
    while (((int64_t)1 << m->bits) < expected * 2) m->bits++;
    m->size = 0;
    m->keys = calloc((size_t)1 << m->bits, sizeof(uint64_t));
    m->values = malloc(((size_t)1 << m->bits) * sizeof(int32_t));
    if (m->keys && m->values) return 1;
    free(m->keys);
    free(m->values);
    m->keys = NULL;
    m->values = NULL;
    return 0;
}

static void wk_map_close(wk_map *m) {
    free(m->keys);
    free(m->values);
    m->keys = NULL;
    m->values = NULL;
}

static inline int64_t wk_map_slot(const wk_map *m, uint64_t key) {
    uint64_t mask = ((uint64_t)1 << m->bits) - 1, slot = wk_hash(key) >> (64 - m->bits);
    while (m->keys[slot] && m->keys[slot] != key) slot = (slot + 1) & mask;
    return (int64_t)slot;
}

/* The value under a key; -1 when there is none. */
static inline int32_t wk_map_get(const wk_map *m, uint64_t key) {
    int64_t slot = wk_map_slot(m, key);
    return m->keys[slot] ? m->values[slot] : -1;
}

/* The value under a key, which becomes `fresh` when there was none; -1 when there is no memory left. */
static int32_t wk_map_add(wk_map *m, uint64_t key, int32_t fresh) {
    if (m->size * 2 >= (int64_t)1 << m->bits) {
        wk_map wider;
        if (!wk_map_open(&wider, m->size * 2 + 1)) return -1;
        for (int64_t i = 0; i < (int64_t)1 << m->bits; i++) {
            if (!m->keys[i]) continue;
            int64_t slot = wk_map_slot(&wider, m->keys[i]);
            wider.keys[slot] = m->keys[i];
            wider.values[slot] = m->values[i];
        }
        wider.size = m->size;
        wk_map_close(m);
        *m = wider;
    }
    int64_t slot = wk_map_slot(m, key);
    if (!m->keys[slot]) {
        m->keys[slot] = key;
        m->values[slot] = fresh;
        m->size++;
    }
    return m->values[slot];
}

#endif
