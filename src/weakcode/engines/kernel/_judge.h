/* Codes to violations, without Python, so that it runs without the GIL.

   Diagnoses are numbered by their place among the distinct codes of the claim, in claim order, so that "before" and
   "after" are lower and higher bits of a 32-bit word. */

#ifndef WEAKCODE_JUDGE_H
#define WEAKCODE_JUDGE_H

#include "_bounds.h"
#include "_claim.h"
#include "_long.h"

/* None, one or several bits. */
static inline int wk_several(uint32_t bits) { return (bits != 0) + ((bits & (bits - 1)) != 0); }

/* An edit of subject `i` against the objects in `all`, both as bits. */
static inline int wk_related(wk_claim *k, uint32_t edit, int i, uint32_t all, const int32_t *place) {
    uint32_t own = (uint32_t)1 << i, before = all & (own - 1), after = all & ~(own | (own - 1));
    int verb = k->t->of[edit].verb, where = k->t->of[edit].where;
    int outcome = wk_says(verb, where, (all & own) != 0, wk_several(before), wk_several(after));
    if (outcome == KEPT || !wk_holds(k, edit)) return 1;
    if (outcome == WITH_EACH) {
        uint32_t there = where == BEFORE ? before : where == AFTER ? after : before | after;
        for (; there; there &= there - 1) PUT(edit, place[i], place[__builtin_ctz(there)], 0);
    } else if (outcome == ALONE) {
        uint32_t strays = where == ANYWHERE ? 0 : before | after;
        PUT(edit, place[i], 0, strays ? place[__builtin_ctz(strays)] : 0);
    } else {
        PUT(edit, place[i], place[outcome == WITH_NEXT ? __builtin_ctz(after) : 31 - __builtin_clz(before)], 0);
    }
    return 1;
}

/* The paired edits of a short claim, given which objects stand in the group of an object of which subject. */
static int wk_paired(wk_claim *k, const wk_code *codes, const int32_t *place, uint32_t subjects, uint32_t others) {
    const wk_tables *t = k->t;
    uint64_t claim = (uint64_t)k->s->claim << 32, *objects = k->s->objects;
    /* A subject that is also an object of its edit does not violate it, so subjects are marked as well. */
    for (uint32_t left = subjects | others; left; left &= left - 1) {
        int32_t i = __builtin_ctz(left);
        FOR_OBJECTS(codes[i]) {
            uint64_t seen = objects[*e_];
            objects[*e_] = ((seen ^ claim) >> 32 ? claim : seen) | (uint64_t)1 << i;
        }
    }
    for (; subjects; subjects &= subjects - 1) {
        int32_t i = __builtin_ctz(subjects);
        FOR_PAIRS(codes[i]) {
            uint64_t seen = objects[*e_];
            if ((seen ^ claim) >> 32) continue;
            if (!wk_related(k, *e_, i, (uint32_t)seen, place)) return 0;
        }
    }
    return 1;
}

static inline int wk_asking(wk_claim *k, const wk_kind **kinds, const int32_t *place, int32_t distinct) {
    const wk_tables *t = k->t;
    for (int32_t i = 0; i < distinct; i++) {
        if (!(wk_may_ask(k, kinds[i]->asking))) continue;
        FOR_KIND(ASKING, kinds[i]) {
            uint32_t all = 0;
            if (!wk_holds(k, *e_)) continue;
            for (int32_t j = 0; j < distinct; j++) all |= (uint32_t)wk_asked(t, *e_, kinds[j]) << j;
            if (!wk_related(k, *e_, i, all, place)) return 0;
        }
    }
    return 1;
}

/* Which codes may have a pair with which: subjects and others, as bits. */
static inline uint32_t wk_candidates(const wk_tables *t, const wk_code *codes, int32_t distinct, uint32_t *others) {
    uint32_t subjects = 0, all = 0, groups[SHORT_CLAIM];
    for (int32_t i = 0; i < distinct; i++) groups[i] = codes[i].group;
    for (int32_t i = 0; i < distinct; i++) {
        const uint64_t *reach = t->reaches + t->reach_of[codes[i].pairs];
        uint32_t with = 0;
        for (int32_t j = 0; j < distinct; j++) with |= (uint32_t)(reach[groups[j] / 64] >> (groups[j] % 64) & 1) << j;
        with &= ~((uint32_t)1 << i);
        subjects |= (uint32_t)(with != 0) << i;
        all |= with;
    }
    *others = all;
    return subjects;
}

static int wk_judge_short(wk_claim *k) {
    const wk_tables *t = k->t;
    int32_t place[SHORT_CLAIM], again[SHORT_CLAIM][2];
    wk_code codes[SHORT_CLAIM];
    const wk_kind *kinds[SHORT_CLAIM];
    int32_t distinct = 0, repeats = 0;
    uint64_t met = 0;
    for (int32_t p = 0; p < k->size; p++) {
        uint64_t mark = (uint64_t)1 << (k->tokens[p] & 63);
        if (met & mark) {
            int32_t found = 0;
            while (found < distinct && k->tokens[place[found] - 1] != k->tokens[p]) found++;
            if (found < distinct) {
                again[repeats][0] = found;
                again[repeats++][1] = p + 1;
                continue;
            }
        }
        met |= mark;
        codes[distinct] = t->codes[wk_id(k, k->tokens[p])];
        kinds[distinct] = t->kinds + codes[distinct].kind;
        place[distinct++] = p + 1;
    }
    if (!distinct) return 1;
    wk_meet(k, kinds, distinct);
    uint32_t others, subjects = wk_candidates(t, codes, distinct, &others);
    if (subjects && !wk_paired(k, codes, place, subjects, others)) return 0;
    if (wk_may_ask(k, k->asking) && !wk_asking(k, kinds, place, distinct)) return 0;
    int32_t objects[SHORT_CLAIM];
    if (!wk_alone(k, kinds, place, distinct) || !wk_broad(k, kinds, place, distinct, objects)) return 0;
    for (int32_t i = 0; i < repeats; i++) {
        const wk_kind *kind = kinds[again[i][0]];
        FOR_KIND(REPEATED, kind) if (wk_holds(k, *e_)) PUT(*e_, place[again[i][0]], again[i][1], 0);
    }
    return 1;
}

/* Add the violations of one claim of one code or more; 0 when there is no memory left. */
static int wk_judge(wk_claim *k) {
    if (++k->s->claim == 0) {
        memset(k->s->objects, 0, (size_t)k->s->edit_count * sizeof(uint64_t));
        memset(k->s->counted, 0, (size_t)k->s->edit_count * sizeof(uint64_t));
        k->s->claim = 1;
    }
    if (k->size <= SHORT_CLAIM) return wk_judge_short(k);
    wk_long l;
    int fine = wk_long_open(&l, (size_t)k->size) && wk_judge_long(k, &l);
    wk_long_close(&l);
    return fine;
}

/* How many codes ahead records are prefetched; each step needs what the step before it fetched. */
enum { CODE_AHEAD = 32, KIND_AHEAD = 20, LISTS_AHEAD = 10 };

/* Always inlined: a compiler may drop a function that only prefetches, as one without effect. */
static inline __attribute__((always_inline)) void wk_fetch(const wk_claim *k, const int32_t *tokens) {
    const wk_tables *t = k->t;
    uint32_t billable = (uint32_t)k->billable, token = (uint32_t)tokens[CODE_AHEAD];
    if (token < billable) __builtin_prefetch(t->codes + token);
    token = (uint32_t)tokens[KIND_AHEAD];
    if (token < billable) {
        __builtin_prefetch(t->kinds + t->codes[token].kind);
        __builtin_prefetch(t->reach_of + t->codes[token].pairs);
    }
    token = (uint32_t)tokens[LISTS_AHEAD];
    if (token < billable) {
        const wk_kind *kind = t->kinds + t->codes[token].kind;
        const uint64_t *reach = t->reaches + t->reach_of[t->codes[token].pairs];
        __builtin_prefetch(reach);
        __builtin_prefetch(reach + GROUP_WORDS / 2);
        __builtin_prefetch(wk_pattern(t, kind));
        __builtin_prefetch(t->kind_edits + kind->at[WHERE_LATER]);
    }
}

/* Tell whether the tokens of all chosen rows are from 0 to below the limit. */
static int wk_rows_fit(const int32_t *tokens, int64_t size, const int64_t *bounds, const uint8_t *chosen, int64_t rows,
                       int64_t limit) {
    for (int64_t row = 0; row < rows; row++) {
        if (bounds[row + 1] - bounds[row] > INT32_MAX / 2) return 0;
    }
    if (wk_below(tokens, size, limit)) return 1;
    /* Rejected rows may have tokens below zero. */
    for (int64_t row = 0; row < rows; row++) {
        if (chosen[row] && !wk_below(tokens + bounds[row], bounds[row + 1] - bounds[row], limit)) return 0;
    }
    return 1;
}

/* Add the violations of the chosen rows, whose tokens are all zero or above; 0 when there is no memory
   left. Row r has its codes from bounds[r] to bounds[r + 1], and `words` words about it. */
static int wk_judge_rows(wk_claim *k, const int32_t *tokens, const int64_t *bounds, const uint8_t *chosen, int64_t rows,
                         const uint64_t *about, int64_t words) {
    int64_t last = bounds[rows] - CODE_AHEAD;
    for (int64_t row = 0; row < rows; row++) {
        int64_t end = bounds[row + 1] < last ? bounds[row + 1] : last;
        for (int64_t at = bounds[row]; at < end; at++) wk_fetch(k, tokens + at);
        if (!chosen[row] || bounds[row] == bounds[row + 1]) continue;
        k->tokens = tokens + bounds[row];
        k->size = (int32_t)(bounds[row + 1] - bounds[row]);
        k->row = (int32_t)row;
        k->about = about + row * words;
        if (!wk_judge(k)) return 0;
    }
    return 1;
}

#endif
