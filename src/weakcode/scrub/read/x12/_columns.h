/* Columns that grow while claims are read, in the layout that Arrow gives them. */

#ifndef WEAKCODE_X12_COLUMNS_H
#define WEAKCODE_X12_COLUMNS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Distinct texts, each table numbered by itself. Those of PARTIES hold for all claims until a new level replaces them. */
enum {
    X12_PAYER, X12_PAYER_ID, X12_PLAN, X12_PROVIDER, X12_TAXONOMY, X12_STATE, X12_PARTIES,
    X12_RENDERING = X12_PARTIES, X12_RENDERING_TAXONOMY, X12_PCS, X12_DISCHARGE, X12_BILL_TYPE, X12_PLACE_OF_SERVICE, X12_FREQUENCY,
    X12_ORIGINAL, X12_PRINCIPALS, X12_ROW_WORDS,
    X12_PROCEDURE = X12_ROW_WORDS, X12_MODIFIER, X12_LINE_PLACE, X12_REVENUE, X12_LINE_RENDERING, X12_LINE_TAXONOMY,
    X12_TABLES
};

/* By row, by diagnosis (DX), by service line (LINE), by pointer. ENDS are offsets: a zero, then the end of each list.
 * Where a claim is given up, columns before KEPT lose what it had; later ones hold what more claims may have. */
enum {
    X12_ID_TEXT, X12_ID_ENDS, X12_SERVICE, X12_BIRTH, X12_SEX, X12_SETTING,
    X12_ENVELOPE, X12_SEGMENT, X12_AT_LINE, X12_AT_COLUMN, X12_START, X12_STOP,
    X12_DX_ENDS, X12_CODE_TEXT, X12_CODE_ENDS, X12_POA_TEXT, X12_POA_ENDS,
    X12_DX_SEGMENT, X12_DX_ELEMENT, X12_DX_LINE, X12_DX_COLUMN,
    X12_LINE_ENDS, X12_LINE_NUMBER, X12_POINTER_ENDS, X12_POINTERS, X12_MODIFIER_ENDS, X12_MODIFIERS,
    X12_UNITS, X12_CHARGES, X12_LINE_START, X12_LINE_END,
    X12_LINE_WORDS, /* one column for each table from PROCEDURE on; that of MODIFIER stays empty */
    X12_WORDS = X12_LINE_WORDS + X12_TABLES - X12_ROW_WORDS, /* one column for each table before */
    X12_KEPT = X12_WORDS + X12_ROW_WORDS,
    X12_ENVELOPE_TEXT = X12_KEPT, X12_ENVELOPE_ENDS, X12_ENVELOPE_KIND,
    X12_TABLE_TEXT, /* text and ends for each table */
    X12_COLUMNS = X12_TABLE_TEXT + 2 * X12_TABLES
};

typedef struct {
    uint8_t *at;
    int64_t size, room; /* bytes */
} x12_column;

/* Room for more bytes at the end; NULL when there is no memory, or when offsets of 32 bits could not reach it. */
static inline uint8_t *x12_room(x12_column *c, int64_t more) {
    if (c->size + more > c->room) {
        int64_t room = c->room ? c->room : 4096;
        while (room < c->size + more) room *= 2;
        uint8_t *at = room <= INT32_MAX ? realloc(c->at, (size_t)room) : NULL;
        if (!at) return NULL;
        c->at = at;
        c->room = room;
    }
    uint8_t *end = c->at + c->size;
    c->size += more;
    return end;
}

static inline int x12_put(x12_column *c, const void *from, int64_t size) {
    uint8_t *at = x12_room(c, size);
    if (at) memcpy(at, from, (size_t)size);
    return at != NULL;
}

static inline int x12_put32(x12_column *c, int32_t value) { return x12_put(c, &value, sizeof value); }

static inline int x12_put64(x12_column *c, int64_t value) { return x12_put(c, &value, sizeof value); }

static inline int x12_put_double(x12_column *c, double value) { return x12_put(c, &value, sizeof value); }

/* Text and the offset behind it. */
static inline int x12_put_text(x12_column *text, x12_column *ends, const uint8_t *from, int64_t size) {
    return (!size || x12_put(text, from, size)) && x12_put32(ends, (int32_t)text->size);
}

static inline int64_t x12_count32(const x12_column *c) { return c->size / (int64_t)sizeof(int32_t); }

static inline int32_t *x12_at32(const x12_column *c, int64_t place) { return (int32_t *)(void *)c->at + place; }

/* Distinct texts by number: open addressing over the texts of a pair of columns. */
typedef struct {
    int32_t *slots; /* 1 + the number of a text, 0 where there is none */
    int bits;
} x12_names;

static inline uint64_t x12_hash(const uint8_t *text, int64_t size) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (int64_t i = 0; i < size; i++) hash = (hash ^ text[i]) * 0x100000001b3ull;
    return hash * 0x9E3779B97F4A7C15ull;
}

/* The slot of a text: its own, or the empty one where it belongs. */
static int64_t x12_slot(const x12_names *n, const x12_column *text, const x12_column *ends, const uint8_t *name,
                        int64_t size) {
    uint64_t mask = ((uint64_t)1 << n->bits) - 1, slot = x12_hash(name, size) >> (64 - n->bits);
    for (; n->slots[slot]; slot = (slot + 1) & mask) {
        const int32_t *bounds = x12_at32(ends, n->slots[slot] - 1);
        if (bounds[1] - bounds[0] == size && !memcmp(text->at + bounds[0], name, (size_t)size)) break;
    }
    return (int64_t)slot;
}

/* The number of a text, which is added where it is new; -1 when there is no memory. */
static int32_t x12_name(x12_names *n, x12_column *text, x12_column *ends, const uint8_t *name, int64_t size) {
    int64_t known = x12_count32(ends) - 1;
    if (!n->slots || known * 2 >= (int64_t)1 << n->bits) {
        x12_names wider = {NULL, n->slots ? n->bits + 1 : 6};
        wider.slots = calloc((size_t)1 << wider.bits, sizeof(int32_t));
        if (!wider.slots) return -1;
        for (int64_t i = 0; i < known; i++) {
            const int32_t *bounds = x12_at32(ends, i);
            wider.slots[x12_slot(&wider, text, ends, text->at + bounds[0], bounds[1] - bounds[0])] = (int32_t)i + 1;
        }
        free(n->slots);
        *n = wider;
    }
    int64_t slot = x12_slot(n, text, ends, name, size);
    if (!n->slots[slot]) {
        if (!x12_put_text(text, ends, name, size)) return -1;
        n->slots[slot] = (int32_t)known + 1;
    }
    return n->slots[slot] - 1;
}

#endif
