/* Edits about service lines of which nearly every code is a subject, for claims of few codes and of many. No code's
   list has them, so that thousands of them take no memory: a claim is tested against those whose condition it meets. */

#ifndef WEAKCODE_BROAD_H
#define WEAKCODE_BROAD_H

#include "_claim.h"

/* An edit of the subject at a position against its objects. `all` holds the objects' positions in claim order. */
static int wk_related_long(wk_claim *k, uint32_t edit, int32_t at, const int32_t *all, int32_t size) {
    int verb = k->t->of[edit].verb, where = k->t->of[edit].where;
    int32_t before = 0, own = 0;
    while (before < size && all[before] < at) before++;
    own = before < size && all[before] == at;
    int32_t after = size - before - own;
    int outcome = wk_says(verb, where, own, before > 2 ? 2 : before, after > 2 ? 2 : after);
    if (outcome == KEPT || !wk_holds(k, edit)) return 1;
    if (outcome == WITH_EACH) {
        for (int32_t j = 0; j < size; j++) {
            if (where == BEFORE ? all[j] < at : where == AFTER ? all[j] > at : all[j] != at) PUT(edit, at, all[j], 0);
        }
    } else if (outcome == ALONE) {
        int32_t stray = where == ANYWHERE || before + after == 0 ? 0 : before ? all[0] : all[own];
        PUT(edit, at, 0, stray);
    } else {
        PUT(edit, at, outcome == WITH_NEXT ? all[before + own] : all[before - 1], 0);
    }
    return 1;
}

/* Tell whether a code id is in a set: whether the last span that begins not after it ends after it. */
static inline int wk_in_set(const wk_tables *t, uint32_t set, uint32_t id) {
    const uint32_t *spans = t->set_spans + t->set_bounds[set];
    uint32_t low = 0, high = (t->set_bounds[set + 1] - t->set_bounds[set]) / 2;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (spans[2 * middle] <= id) low = middle + 1; else high = middle;
    }
    return low && id < spans[2 * low - 1];
}

/* One such edit on a claim; `objects` has room for a place of each distinct code. */
static int wk_broadly(wk_claim *k, uint32_t edit, const wk_kind **kinds, const int32_t *place, int32_t distinct,
                      int32_t *objects) {
    const wk_tables *t = k->t;
    int verb = t->of[edit].verb, alone = wk_stands_in(verb, 1, WHERE_FIRST) || wk_stands_in(verb, 1, WHERE_LATER);
    int32_t size = 0;
    for (int32_t i = 0; !alone && i < distinct; i++) {
        if (wk_asked(t, edit, kinds[i])) objects[size++] = place[i];
    }
    for (int32_t i = 0; i < distinct; i++) {
        if (alone && !wk_stands_in(verb, 1, place[i] == 1 ? WHERE_FIRST : WHERE_LATER)) continue;
        if (!wk_in_set(t, t->subjects[edit], (uint32_t)wk_id(k, k->tokens[place[i] - 1]))) continue;
        if (alone) {
            PUT(edit, place[i], 0, 0);
        } else if (!wk_related_long(k, edit, place[i], objects, size)) {
            return 0;
        }
    }
    return 1;
}

/* All such edits on a claim. `place` holds 1-based first positions. */
static inline int wk_broad(wk_claim *k, const wk_kind **kinds, const int32_t *place, int32_t distinct, int32_t *objects) {
    const wk_tables *t = k->t;
    for (int32_t w = 0; w < t->broad_words; w++) {
        for (uint64_t left = k->about[w] & t->broad_conditions[w]; left; left &= left - 1) {
            int32_t condition = w * 64 + __builtin_ctzll(left);
            FOR_LIST(t->broad, t->broad_at[condition], t->broad_at[condition + 1]) {
                if (wk_holds(k, *e_) && !wk_broadly(k, *e_, kinds, place, distinct, objects)) return 0;
            }
        }
    }
    return 1;
}

#endif
