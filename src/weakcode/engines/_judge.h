/* Codes to violations, without Python, so that it runs without the GIL.

   Meaning of the verbs: weakcode.engines.semantics. Diagnoses are numbered by their place among the distinct codes of
   the claim, in claim order, so that "before" and "after" are lower and higher bits of a 32-bit word.

   Time goes into waiting for memory, not into arithmetic: what is looked at for every code is kept small, lists that many
   codes have in common stand once, and what codes further on need is fetched while claims before them are judged. */

#ifndef WEAKCODE_JUDGE_H
#define WEAKCODE_JUDGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_grow.h"

/* weakcode.compile.edits.Verb and Where */
enum { PRESENT, FORBID, REQUIRE, FIRST, SECONDARY, ORDER, AT_MOST_ONE, ONCE, CLAIM_REQUIRE };
enum { ANYWHERE, BEFORE, AFTER };

enum { SHORT_CLAIM = 32 };

typedef struct {
    int32_t row, edit, subject, object, stray, term;
} wk_hit;

typedef struct {
    wk_hit *at;
    int64_t size, room;
} wk_hits;

/* What is asked of a claim beside its codes is a bit for each condition; bit 0 is always set. */
typedef struct {
    uint8_t verb, where, spoken, spare;
    int32_t about_claim;         /* the bit of its claim condition; 0 without one */
    int32_t about_codes;         /* its place in `code_conditions`, or -1 */
    int32_t bit;                 /* of an edit that is asked: its bit in the patterns; -1 for others */
} wk_edit;

/* Edits of two codes are *paired* where their objects are few: each code has a list of those that it is an object of.
   Where nearly every code may be an object, and for requirements, whose subjects are few, the edit is *asked* instead:
   each code has a bit for it. */

/* The edits that a code is subject of and that need no list of objects, by what makes them worth looking at. */
enum { ASKING, ALWAYS, NOT_FIRST, ONLY_FIRST, COUNTED, REPEATED, LISTS };

/* Objects of paired edits fall into groups, in the order of their codes. Whether anything on a claim is in the group of
   an object of a code tells nearly always that no list of edits need be walked. */
enum { GROUP_BITS = 10, NO_GROUP = (1 << GROUP_BITS) - 1, NUMBER_BITS = 18 };

/* What is looked at for every code. */
typedef struct {
    uint64_t kind : NUMBER_BITS;
    uint64_t pairs : NUMBER_BITS;    /* its list of paired edits as a subject; 0 is empty */
    uint64_t objects : NUMBER_BITS;  /* its list of paired edits as an object; 0 is empty */
    uint64_t group : GROUP_BITS;     /* that of its list as an object; NO_GROUP for the empty one */
} wk_code;

/* The groups of the objects of a list of pairs. */
typedef struct {
    uint64_t sixteens;           /* a bit for each 16 groups, of which some are reached */
    uint32_t at;                 /* where its intervals begin in `intervals` */
} wk_reach;

/* What many codes have in common. A mask of conditions has the first 64 claim conditions of some edits; bit 0 stands for
   those without one, and for all that follow. */
typedef struct {
    uint64_t asking;             /* conditions of what is asked */
    uint64_t first, later;       /* conditions of what needs no other code, where it is first-listed, and where not */
    uint32_t pattern;            /* where it begins in `patterns` */
    uint32_t at[LISTS + 1];      /* where its lists begin in `kind_edits`, and where the last one ends */
} wk_kind;

/* A pattern begins with words about the first 64 edits without a subject: those that the code satisfies, those to whose
   `present` it gives occasion or that have none, and the same of `first_listed`. Then come a bit for each code set of a
   condition that the code is in, and, from word `asked_at` on, one for each asked edit that it is an object of. */
enum { SATISFIES, OCCASION, FIRST_OCCASION, SETS };

typedef struct {
    const wk_code *codes;        /* by code id */
    const wk_kind *kinds;
    const uint32_t *kind_edits;
    const uint64_t *patterns;
    int32_t pattern_words, asked_at;
    const wk_reach *reaches;     /* by list of pairs */
    const uint16_t *intervals;   /* of groups: how many, then first and length - 1 of each */
    const uint32_t *pairs_at, *pair_edits;     /* list p has the edits pair_edits[pairs_at[p]] to pairs_at[p + 1] */
    const uint32_t *objects_at, *object_edits;
    const wk_edit *of;           /* per edit */
    const int32_t *code_conditions; /* three each: the bits of present, absent and first_listed in patterns, -1 for none */
    const uint32_t *whole;       /* the edits without a subject */
    int32_t whole_size;
    int32_t edit_count;
} wk_tables;

typedef struct {
    uint64_t *objects;           /* per edit: claim number in the upper half, its objects' bits in the lower */
    uint64_t *counted;           /* per edit: claim number, and first subject */
    uint64_t *seen;              /* the patterns of the claim's codes as one, as far as `asked_at` */
    uint32_t claim;
    uint64_t *work;              /* for long claims */
    int64_t room;
    int32_t edit_count;
} wk_scratch;

typedef struct {
    const wk_tables *t;
    wk_scratch *s;
    wk_hits *out;
    const uint64_t *about;       /* a bit for each claim condition that holds, and bit 0 */
    const int32_t *tokens;       /* a billable code's id, or from `billable` on the place of an id in `strange` */
    const int32_t *strange;
    int32_t billable;
    int32_t size, row;
    const uint64_t *front;       /* the pattern of the first-listed code */
    uint64_t asking;             /* the masks of all codes as one */
    int counted;                 /* whether some code has a list of that name */
} wk_claim;

static void wk_scratch_close(wk_scratch *s) {
    free(s->objects);
    free(s->counted);
    free(s->seen);
    free(s->work);
    memset(s, 0, sizeof *s);
}

static int wk_scratch_open(wk_scratch *s, const wk_tables *t) {
    memset(s, 0, sizeof *s);
    s->edit_count = t->edit_count;
    s->objects = calloc((size_t)t->edit_count + 1, sizeof(uint64_t));
    s->counted = calloc((size_t)t->edit_count + 1, sizeof(uint64_t));
    s->seen = calloc((size_t)t->asked_at, sizeof(uint64_t));
    return s->objects && s->counted && s->seen;
}

static inline int wk_put(wk_hits *out, int32_t row, uint32_t edit, int32_t subject, int32_t object, int32_t stray) {
    if (!wk_grow((void **)&out->at, &out->room, out->size + 1, sizeof(wk_hit))) return 0;
    wk_hit hit = {row, (int32_t)edit, subject, object, stray, 0};
    out->at[out->size++] = hit;
    return 1;
}

static inline int32_t wk_id(const wk_claim *k, int32_t token) {
    return token < k->billable ? token : k->strange[token - k->billable];
}

static inline int wk_bit(const uint64_t *words, int32_t bit) { return words[(uint32_t)bit >> 6] >> (bit & 63) & 1; }

static inline const uint64_t *wk_pattern(const wk_tables *t, const wk_kind *kind) {
    return t->patterns + kind->pattern;
}

/* Tell whether a code is an object of an asked edit. */
static inline int wk_asked(const wk_tables *t, uint32_t edit, const wk_kind *kind) {
    return wk_bit(wk_pattern(t, kind) + t->asked_at, t->of[edit].bit);
}

static inline int wk_holds(const wk_claim *k, uint32_t edit) {
    const wk_edit *e = k->t->of + edit;
    if (!wk_bit(k->about, e->about_claim)) return 0;
    if (e->about_codes < 0) return 1;
    const int32_t *set = k->t->code_conditions + 3 * (int64_t)e->about_codes;
    if (set[0] >= 0 && !wk_bit(k->s->seen, set[0])) return 0;
    if (set[1] >= 0 && wk_bit(k->s->seen, set[1])) return 0;
    return set[2] < 0 || wk_bit(k->front, set[2]);
}

#define FOR_LIST(edits, from, to) for (const uint32_t *e_ = (edits) + (from), *end_ = (edits) + (to); e_ < end_; e_++)
#define FOR_KIND(list, kind) FOR_LIST(t->kind_edits, (kind)->at[list], (kind)->at[(list) + 1])
#define FOR_PAIRS(code) FOR_LIST(t->pair_edits, t->pairs_at[(code).pairs], t->pairs_at[(code).pairs + 1])
#define FOR_OBJECTS(code) FOR_LIST(t->object_edits, t->objects_at[(code).objects], t->objects_at[(code).objects + 1])

#define PUT(edit_, subject_, object_, stray_)                                                          \
    if (!wk_put(k->out, k->row, (edit_), (subject_), (object_), (stray_))) return 0

/* An edit of subject `i` against the objects in `all`, both as bits. */
static inline int wk_related(wk_claim *k, uint32_t edit, int i, uint32_t all, const int32_t *place) {
    uint32_t me = (uint32_t)1 << i, before = all & (me - 1), after = all & ~(me | (me - 1));
    int verb = k->t->of[edit].verb, where = k->t->of[edit].where;
    uint32_t there = where == BEFORE ? before : where == AFTER ? after : before | after;
    if (verb == FORBID) {
        if (!there || (all & me) || !wk_holds(k, edit)) return 1;
        for (; there; there &= there - 1) PUT(edit, place[i], place[__builtin_ctz(there)], 0);
    } else if (verb == REQUIRE) {
        if (there || !wk_holds(k, edit)) return 1;
        uint32_t strays = where == ANYWHERE ? 0 : before | after;
        PUT(edit, place[i], 0, strays ? place[__builtin_ctz(strays)] : 0);
    } else if (where == AFTER) {
        if (!before || after || !wk_holds(k, edit)) return 1;
        PUT(edit, place[i], place[31 - __builtin_clz(before)], 0);
    } else {
        if (!after || before || !wk_holds(k, edit)) return 1;
        PUT(edit, place[i], place[__builtin_ctz(after)], 0);
    }
    return 1;
}

/* Take note of the distinct codes of the claim. */
static inline void wk_meet(wk_claim *k, const wk_kind **kinds, int32_t distinct) {
    const wk_tables *t = k->t;
    k->front = wk_pattern(t, kinds[0]);
    for (int32_t w = 0; w < t->asked_at; w++) {
        uint64_t word = 0;
        for (int32_t i = 0; i < distinct; i++) word |= t->patterns[kinds[i]->pattern + w];
        k->s->seen[w] = word;
    }
    k->asking = 0;
    for (int32_t i = 0; i < distinct; i++) k->asking |= kinds[i]->asking;
    k->counted = 0;
    for (int32_t i = 0; i < distinct; i++) k->counted |= kinds[i]->at[COUNTED] != kinds[i]->at[COUNTED + 1];
}

/* The edits of a code that need no other code. */
static inline int wk_listed(wk_claim *k, const wk_kind *kind, int32_t place) {
    const wk_tables *t = k->t;
    FOR_KIND(ALWAYS, kind) if (wk_holds(k, *e_)) PUT(*e_, place, 0, 0);
    if (place == 1) {
        FOR_KIND(ONLY_FIRST, kind) if (wk_holds(k, *e_)) PUT(*e_, 1, 0, 0);
    } else {
        FOR_KIND(NOT_FIRST, kind) if (wk_holds(k, *e_)) PUT(*e_, place, 0, 0);
    }
    return 1;
}

/* The edits without a subject. */
static inline int wk_whole(wk_claim *k, const wk_kind **kinds, int32_t distinct) {
    const wk_tables *t = k->t;
    const uint64_t *seen = k->s->seen;
    for (uint64_t left = ~seen[SATISFIES] & seen[OCCASION] & k->front[FIRST_OCCASION]; left; left &= left - 1) {
        int32_t i = __builtin_ctzll(left);
        if (wk_holds(k, t->whole[i])) PUT(t->whole[i], 0, 0, 0);
    }
    for (int32_t i = 64; i < t->whole_size; i++) {
        int32_t missing = 0;
        while (missing < distinct && !wk_asked(t, t->whole[i], kinds[missing])) missing++;
        if (missing == distinct && wk_holds(k, t->whole[i])) PUT(t->whole[i], 0, 0, 0);
    }
    return 1;
}

/* Of the distinct codes in an edit one may be there. */
static inline int wk_counted(wk_claim *k, const wk_kind **kinds, const int32_t *place, int32_t distinct) {
    const wk_tables *t = k->t;
    for (int32_t i = 0; i < distinct; i++) {
        FOR_KIND(COUNTED, kinds[i]) {
            uint64_t seen = k->s->counted[*e_];
            if (t->of[*e_].spoken) {
                /* Whether the text says it decides which subject is the first: left to the caller. */
                if (wk_holds(k, *e_)) PUT(*e_, place[i], 0, 0);
            } else if (seen >> 32 != k->s->claim) {
                k->s->counted[*e_] = (uint64_t)k->s->claim << 32 | (uint32_t)place[i];
            } else if (wk_holds(k, *e_)) {
                PUT(*e_, (int32_t)(uint32_t)seen, place[i], 0);
            }
        }
    }
    return 1;
}

/* What needs no object: the same for short and long claims. `place` holds 1-based first positions. */
static inline int wk_alone(wk_claim *k, const wk_kind **kinds, const int32_t *place, int32_t distinct) {
    for (int32_t i = 0; i < distinct; i++) {
        if (!((place[i] == 1 ? kinds[i]->first : kinds[i]->later) & k->about[0])) continue;
        if (!wk_listed(k, kinds[i], place[i])) return 0;
    }
    if (k->counted && !wk_counted(k, kinds, place, distinct)) return 0;
    return wk_whole(k, kinds, distinct);
}

/* ---- claims of many codes ---- */

static int wk_compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int wk_compare_tokens(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* The same as wk_related without bits. `all` holds the objects' positions in claim order. */
static int wk_related_long(wk_claim *k, uint32_t edit, int32_t at, const int32_t *all, int32_t size) {
    int verb = k->t->of[edit].verb, where = k->t->of[edit].where;
    int32_t before = 0, me = 0;
    while (before < size && all[before] < at) before++;
    me = before < size && all[before] == at;
    int32_t after = size - before - me;
    int32_t there = where == BEFORE ? before : where == AFTER ? after : before + after;
    if (verb == FORBID) {
        if (!there || me || !wk_holds(k, edit)) return 1;
        for (int32_t j = 0; j < size; j++) {
            if (where == BEFORE ? all[j] < at : where == AFTER ? all[j] > at : 1) PUT(edit, at, all[j], 0);
        }
    } else if (verb == REQUIRE) {
        if (there || !wk_holds(k, edit)) return 1;
        int32_t stray = where == ANYWHERE || before + after == 0 ? 0 : before ? all[0] : all[me];
        PUT(edit, at, 0, stray);
    } else if (where == AFTER) {
        if (before && !after && wk_holds(k, edit)) PUT(edit, at, all[before - 1], 0);
    } else if (after && !before && wk_holds(k, edit)) {
        PUT(edit, at, all[me], 0);
    }
    return 1;
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
    for (int32_t i = 0; k->asking & k->about[0] && i < l->distinct; i++) {
        FOR_KIND(ASKING, l->kinds[i]) {
            int32_t count = 0;
            for (int32_t j = 0; j < l->distinct; j++) {
                if (wk_asked(t, *e_, l->kinds[j])) l->objects[count++] = l->place[j];
            }
            if (!wk_related_long(k, *e_, l->place[i], l->objects, count)) return 0;
        }
    }
    if (!wk_alone(k, l->kinds, l->place, l->distinct)) return 0;
    for (int32_t i = 0; l->repeats && i < n; i++) {
        if (l->first[i] == i) continue;
        const wk_kind *kind = t->kinds + t->codes[wk_id(k, k->tokens[i])].kind;
        FOR_KIND(REPEATED, kind) if (wk_holds(k, *e_)) PUT(*e_, l->first[i] + 1, i + 1, 0);
    }
    return 1;
}

/* ---- claims of a few codes ---- */

/* Groups of codes side by side, to be compared at once. */
enum { LANES = 8 };
typedef uint16_t wk_lanes __attribute__((vector_size(LANES * sizeof(uint16_t))));

/* The codes, as bits, whose groups are in these intervals. */
static inline uint32_t wk_reached(const uint16_t *intervals, const wk_lanes *groups, int32_t distinct) {
    uint32_t found = 0;
    for (int32_t start = 0; start < distinct; start += LANES) {
        wk_lanes within = {0};
        uint64_t halves[2];
        for (int32_t i = 0; i < *intervals; i++) {
            wk_lanes above = groups[start / LANES] - intervals[1 + 2 * i];
            within |= (wk_lanes)(above <= intervals[2 + 2 * i]);
        }
        memcpy(halves, &within, sizeof halves);
        if (!(halves[0] | halves[1])) continue;
        for (int32_t j = 0; j < LANES; j++) found |= (uint32_t)(within[j] & 1) << (start + j);
    }
    return found;
}

/* The paired edits of a short claim, given which objects stand in the group of an object of which subject. */
static int wk_paired(wk_claim *k, const wk_code *codes, const int32_t *place, uint32_t subjects, uint32_t others) {
    const wk_tables *t = k->t;
    uint64_t claim = (uint64_t)k->s->claim << 32, *objects = k->s->objects;
    /* An edit whose subject is its own object too is not violated by others: so subjects are marked as well. */
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
        if (!(kinds[i]->asking & k->about[0])) continue;
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
    wk_lanes groups[SHORT_CLAIM / LANES];
    uint64_t once = 0, twice = 0;
    uint32_t subjects = 0, padded = 0;
    for (int32_t i = 0; i < distinct; i++) {
        uint64_t sixteen = (uint64_t)1 << (codes[i].group / 16);
        twice |= once & sixteen;
        once |= sixteen;
    }
    *others = 0;
    for (int32_t i = 0; i < distinct; i++) {
        const wk_reach *reach = t->reaches + codes[i].pairs;
        uint64_t own = (uint64_t)1 << (codes[i].group / 16);
        if (!(reach->sixteens & ((once & ~own) | twice))) continue;
        if (!padded) {
            padded = (uint32_t)(distinct + LANES - 1) / LANES * LANES;
            for (uint32_t j = 0; j < padded; j++) {
                groups[j / LANES][j % LANES] = (uint16_t)((int32_t)j < distinct ? codes[j].group : NO_GROUP);
            }
        }
        uint32_t with = wk_reached(t->intervals + reach->at, groups, distinct) & ~((uint32_t)1 << i);
        subjects |= (uint32_t)(with != 0) << i;
        *others |= with;
    }
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
    if (k->asking & k->about[0] && !wk_asking(k, kinds, place, distinct)) return 0;
    if (!wk_alone(k, kinds, place, distinct)) return 0;
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

/* How far ahead what a code needs is fetched, in codes; each step is found in what the one before it brought. */
enum { CODE_AHEAD = 48, KIND_AHEAD = 32, LISTS_AHEAD = 16 };

#define INLINE static inline __attribute__((always_inline))

INLINE int wk_ahead(const wk_claim *k, const int32_t *tokens, int64_t left, int64_t ahead, wk_code *code) {
    if (ahead >= left || (uint32_t)tokens[ahead] >= (uint32_t)k->billable) return 0;
    *code = k->t->codes[tokens[ahead]];
    return 1;
}

/* Inlined for certain: a compiler takes a function that only fetches for one that does nothing, and leaves it out. */
INLINE void wk_fetch(const wk_claim *k, const int32_t *tokens, int64_t left) {
    const wk_tables *t = k->t;
    wk_code code;
    if (left > CODE_AHEAD && (uint32_t)tokens[CODE_AHEAD] < (uint32_t)k->billable)
        __builtin_prefetch(t->codes + tokens[CODE_AHEAD]);
    if (wk_ahead(k, tokens, left, KIND_AHEAD, &code)) {
        __builtin_prefetch(t->kinds + code.kind);
        __builtin_prefetch(t->reaches + code.pairs);
    }
    if (wk_ahead(k, tokens, left, LISTS_AHEAD, &code)) {
        const wk_kind *kind = t->kinds + code.kind;
        __builtin_prefetch(wk_pattern(t, kind));
        if (kind->first | kind->later) __builtin_prefetch(t->kind_edits + kind->at[ALWAYS]);
    }
}

/* Add the violations of the chosen rows, of whose codes the tokens are all zero or above; 0 when there is no memory
   left. Row r has its codes from bounds[r] to bounds[r + 1], and `words` words about it. */
static int wk_judge_rows(wk_claim *k, const int32_t *tokens, const int64_t *bounds, const uint8_t *chosen, int64_t rows,
                         const uint64_t *about, int64_t words) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t at = bounds[row]; at < bounds[row + 1]; at++) wk_fetch(k, tokens + at, bounds[rows] - at);
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
