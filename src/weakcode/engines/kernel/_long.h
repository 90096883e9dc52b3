/* Claims of more codes than fit into the bits of a word. */

#ifndef WEAKCODE_LONG_H
#define WEAKCODE_LONG_H

#include "_broad.h"
#include "_claim.h"

static int wk_compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int wk_compare_tokens(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* What a long claim needs for each of its codes. */
typedef struct {
    int32_t (*sorted)[2];        /* token and place, by token */
    int32_t *first;              /* by place: the place of the code's first mention */
    wk_code *codes;              /* of the distinct codes */
    const wk_kind **kinds;
    int32_t *place, *objects;
    int32_t distinct, repeats;
} wk_long;

static void wk_long_close(wk_long *l) {
    free(l->sorted);
    free(l->first);
    free(l->codes);
    free(l->kinds);
    free(l->place);
    free(l->objects);
}

static int wk_long_open(wk_long *l, size_t size) {
    memset(l, 0, sizeof *l);
    l->sorted = malloc(size * sizeof *l->sorted);
    l->first = malloc(size * sizeof *l->first);
    l->codes = malloc(size * sizeof *l->codes);
    l->kinds = malloc(size * sizeof *l->kinds);
    l->place = malloc(size * sizeof *l->place);
    l->objects = malloc(size * sizeof *l->objects);
    return l->sorted && l->first && l->codes && l->kinds && l->place && l->objects;
}

/* The paired edits of a long claim: an edit's objects, then its subjects, each in claim order. */
static int wk_paired_long(wk_claim *k, const wk_long *l) {
    const wk_tables *t = k->t;
    int64_t pairs = 0, size = 0;
    for (int32_t i = 0; i < l->distinct; i++) {
        FOR_OBJECTS(l->codes[i]) pairs++;
        FOR_PAIRS(l->codes[i]) pairs++;
    }
    if (!wk_grow((void **)&k->s->work, &k->s->room, pairs, sizeof(uint64_t))) return 0;
    uint64_t *keys = k->s->work;
    for (int32_t i = 0; i < l->distinct; i++) {
        FOR_OBJECTS(l->codes[i]) keys[size++] = (uint64_t)*e_ << 32 | (uint32_t)l->place[i];
        FOR_PAIRS(l->codes[i]) keys[size++] = (uint64_t)*e_ << 32 | 1u << 31 | (uint32_t)l->place[i];
    }
    if (size) qsort(keys, (size_t)size, sizeof(uint64_t), wk_compare_keys);
    for (int64_t i = 0; i < size;) {
        uint32_t edit = (uint32_t)(keys[i] >> 32);
        int32_t count = 0;
        for (; i < size && keys[i] >> 32 == edit && !(keys[i] >> 31 & 1); i++) l->objects[count++] = (int32_t)keys[i];
        for (; i < size && keys[i] >> 32 == edit; i++) {
            if (!wk_related_long(k, edit, (int32_t)(keys[i] & 0x7fffffff), l->objects, count)) return 0;
        }
    }
    return 1;
}

static int wk_judge_long(wk_claim *k, wk_long *l) {
    const wk_tables *t = k->t;
    int32_t n = k->size;
    for (int32_t i = 0; i < n; i++) {
        l->sorted[i][0] = k->tokens[i];
        l->sorted[i][1] = i;
    }
    qsort(l->sorted, (size_t)n, sizeof *l->sorted, wk_compare_tokens);
    for (int32_t i = 0, start = 0; i < n; i++) {
        if (l->sorted[i][0] != l->sorted[start][0]) start = i;
        l->first[l->sorted[i][1]] = l->sorted[start][1];
    }
    for (int32_t i = 0; i < n; i++) {
        if (l->first[i] != i) {
            l->repeats++;
            continue;
        }
        l->codes[l->distinct] = t->codes[wk_id(k, k->tokens[i])];
        l->kinds[l->distinct] = t->kinds + l->codes[l->distinct].kind;
        l->place[l->distinct++] = i + 1;
    }
    wk_meet(k, l->kinds, l->distinct);
    if (!wk_paired_long(k, l)) return 0;
    for (int32_t i = 0; wk_may_ask(k, k->asking) && i < l->distinct; i++) {
        FOR_KIND(ASKING, l->kinds[i]) {
            int32_t count = 0;
            for (int32_t j = 0; j < l->distinct; j++) {
                if (wk_asked(t, *e_, l->kinds[j])) l->objects[count++] = l->place[j];
            }
            if (!wk_related_long(k, *e_, l->place[i], l->objects, count)) return 0;
        }
    }
    if (!wk_alone(k, l->kinds, l->place, l->distinct) || !wk_broad(k, l->kinds, l->place, l->distinct, l->objects)) return 0;
    for (int32_t i = 0; l->repeats && i < n; i++) {
        if (l->first[i] == i) continue;
        const wk_kind *kind = t->kinds + t->codes[wk_id(k, k->tokens[i])].kind;
        FOR_KIND(REPEATED, kind) if (wk_holds(k, *e_)) PUT(*e_, l->first[i] + 1, i + 1, 0);
    }
    return 1;
}

#endif
