/* Ids of findings: SipHash-2-4 with 128 bits of output, of which 96 are used, as hexadecimal digits.

   J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF" (2012). Nothing here is secret: SipHash
   is used for its few collisions and its speed on short texts. */

#ifndef WEAKCODE_IDS_H
#define WEAKCODE_IDS_H

#include <stdint.h>
#include <string.h>

#define WK_ID_DIGITS 24

enum { WK_OF_CLAIM = 1, WK_OF_RUN = 2 };

static inline uint64_t wk_rotl(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline uint64_t wk_word(const uint8_t *at) {
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 | (uint64_t)at[4] << 32
         | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

static inline void wk_round(uint64_t v[4]) {
    v[0] += v[1]; v[1] = wk_rotl(v[1], 13); v[1] ^= v[0]; v[0] = wk_rotl(v[0], 32);
    v[2] += v[3]; v[3] = wk_rotl(v[3], 16); v[3] ^= v[2];
    v[0] += v[3]; v[3] = wk_rotl(v[3], 21); v[3] ^= v[0];
    v[2] += v[1]; v[1] = wk_rotl(v[1], 17); v[1] ^= v[2]; v[2] = wk_rotl(v[2], 32);
}

static inline void wk_mix(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    wk_round(v);
    wk_round(v);
    v[0] ^= word;
}

/* The hash under `key` of the word `before`, where `prefixed`, followed by the bytes of `data`. */
static inline void wk_siphash(const uint64_t key[2], int prefixed, uint64_t before, const uint8_t *data, int64_t size,
                           uint64_t out[2]) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull ^ 0xee,
                     key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull};
    int64_t all = size + (prefixed ? 8 : 0), i;
    uint64_t last = (uint64_t)all << 56;
    if (prefixed) wk_mix(v, before);
    for (i = 0; i + 8 <= size; i += 8) wk_mix(v, wk_word(data + i));
    for (int shift = 0; i < size; i++, shift += 8) last |= (uint64_t)data[i] << shift;
    wk_mix(v, last);
    v[2] ^= 0xee;
    for (int n = 0; n < 4; n++) wk_round(v);
    out[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    for (int n = 0; n < 4; n++) wk_round(v);
    out[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline void wk_hex(const uint64_t hash[2], uint8_t *out) {
    static const char digits[] = "0123456789abcdef";
    for (int n = 0; n < WK_ID_DIGITS / 2; n++) {
        uint8_t byte = (uint8_t)(hash[n / 8] >> 8 * (n % 8));
        out[2 * n] = (uint8_t)digits[byte >> 4];
        out[2 * n + 1] = (uint8_t)digits[byte & 15];
    }
}

/* The id of a finding. `key` stands for rule and codes; `data` is the claim's id. */
static inline void wk_finding_id(const uint8_t *key, int32_t subject, int32_t object, const uint8_t *data, int64_t size,
                                 uint8_t *out) {
    uint64_t under[2] = {wk_word(key), wk_word(key + 8)}, hash[2];
    wk_siphash(under, 1, (uint64_t)(uint32_t)subject | (uint64_t)(uint32_t)object << 32, data, size, hash);
    wk_hex(hash, out);
}

/* The id of the nth, from 2, of what would otherwise have one id. `kind` tells those of a claim from those of a run. */
static inline void wk_nth_id(const uint8_t *id, uint32_t kind, uint32_t nth, uint8_t *out) {
    static const uint64_t none[2] = {0, 0};
    uint64_t hash[2];
    wk_siphash(none, 1, (uint64_t)kind << 32 | nth, id, WK_ID_DIGITS, hash);
    wk_hex(hash, out);
}

/* The hashes of texts one after the other, 16 bytes each. */
static inline void wk_siphashes(const uint64_t key[2], const int32_t *bounds, const uint8_t *data, int64_t size,
                                uint8_t *out) {
    uint64_t hash[2];
    for (int64_t i = 0; i < size; i++) {
        wk_siphash(key, 0, 0, data + bounds[i], bounds[i + 1] - bounds[i], hash);
        for (int n = 0; n < 16; n++) *out++ = (uint8_t)(hash[n / 8] >> 8 * (n % 8));
    }
}

/* Hashes of 64 bits of the texts that are not empty; return how many there are. */
static inline int64_t wk_text_hashes(const uint64_t key[2], const int32_t *bounds, const uint8_t *data, int64_t size,
                                     uint64_t *out) {
    uint64_t hash[2];
    int64_t count = 0;
    for (int64_t i = 0; i < size; i++) {
        if (bounds[i] == bounds[i + 1]) continue;
        wk_siphash(key, 0, 0, data + bounds[i], bounds[i + 1] - bounds[i], hash);
        out[count++] = hash[0];
    }
    return count;
}

/* Findings that would have one id stand beside each other. */
static inline void wk_finding_ids(const uint8_t *keys, const int32_t *rows, const int32_t *variant,
                                  const int32_t *subject, const int32_t *object, const int32_t *bounds,
                                  const uint8_t *data, int64_t size, uint8_t *out) {
    uint32_t nth = 1;
    for (int64_t i = 0; i < size; i++) {
        const int32_t from = bounds ? bounds[i] : 0, to = bounds ? bounds[i + 1] : 0;
        const uint8_t *key = keys + 16 * (int64_t)variant[i];
        uint8_t *id = out + WK_ID_DIGITS * i;
        wk_finding_id(key, subject[i], object[i], data + from, to - from, id);
        if (i && rows[i] == rows[i - 1] && subject[i] == subject[i - 1] && object[i] == object[i - 1]
            && !memcmp(key, keys + 16 * (int64_t)variant[i - 1], 16)) {
            wk_nth_id(id, WK_OF_CLAIM, ++nth, id);
        } else {
            nth = 1;
        }
    }
}

#endif
