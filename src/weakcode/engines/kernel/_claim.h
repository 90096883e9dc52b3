/* The data of judging: tables of the edits that each code belongs to, the state of one claim, and the code that short and
   long claims share.

   Judging waits for memory, not for arithmetic: the record read for every code is small, lists that many codes share are
   stored once, and records of later codes are prefetched while earlier claims are judged. */

#ifndef WEAKCODE_CLAIM_H
#define WEAKCODE_CLAIM_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_grow.h"
#include "_verbs.h"

enum { SHORT_CLAIM = 32 };

typedef struct {
    int32_t row, edit, subject, object, stray, term;
} wk_hit;

typedef struct {
    wk_hit *at;
    int64_t size, room;
} wk_hits;

/* A claim's conditions beside its codes are bits, one for each condition; bit 0 is always set. */
typedef struct {
    uint8_t verb, where, by_text, spare;
    int32_t about_claim;         /* the bit of its claim condition; 0 without one */
    int32_t about_codes;         /* its place in `code_conditions`, or -1 */
    int32_t bit;                 /* of an *asked* edit: its bit in `asked`; -1 for others */
} wk_edit;

/* Edits of two codes are *paired* where their objects are few: each code has a list of those that it is an object of.
   Where nearly every code may be an object, and for requirements, whose subjects are few, the edit is *asked* instead:
   each code has a bit for it. */

/* Objects of paired edits fall into groups, in the order of their codes. Where no code
   on a claim is in the group of any object of a code, the code's list of edits is skipped, which is nearly always. */
enum { GROUP_BITS = 10, NO_GROUP = (1 << GROUP_BITS) - 1, GROUP_WORDS = (NO_GROUP + 1) / 64, NUMBER_BITS = 18 };

/* The record that is read for every code. */
typedef struct {
    uint64_t kind : NUMBER_BITS;
    uint64_t pairs : NUMBER_BITS;    /* its list of paired edits as a subject; 0 is empty */
    uint64_t objects : NUMBER_BITS;  /* its list of paired edits as an object; 0 is empty */
    uint64_t group : GROUP_BITS;     /* that of its list as an object; NO_GROUP for the empty one */
} wk_code;

/* What many codes share. A mask of conditions has the first claim conditions of some edits; bit 0 stands for those
   without one, and for all from COUNTS on. */
enum { COUNTS = 63 };

typedef struct {
    uint64_t asking;             /* conditions of its asked edits; bit COUNTS where it has a list COUNTED */
    uint64_t first, later;       /* conditions of edits that need no other code: the code first-listed, or not */
    uint32_t pattern, asked;     /* where its rows begin in `patterns` and in `asked` */
    uint32_t at[LISTS + 1];      /* where its lists begin in `kind_edits`, and where the last one ends */
} wk_kind;

/* A pattern begins with words about the first 64 edits without a subject: those that the code satisfies, those to whose
   `present` it gives occasion or that have none, and the same of `first_listed`. Then comes a bit for each code set of a
   condition that the code is in. */
enum { SATISFIES, OCCASION, FIRST_OCCASION, SETS };

/* Words of patterns that are put together at once; a pattern has so many, or several times as many. */
enum { TOGETHER = 4 };
typedef uint64_t wk_words __attribute__((vector_size(TOGETHER * sizeof(uint64_t)), aligned(sizeof(uint64_t))));

typedef struct {
    const wk_code *codes;        /* by code id */
    const wk_kind *kinds;
    const uint32_t *kind_edits;
    const uint64_t *patterns;
    int32_t pattern_words;
    const uint64_t *asked;       /* a bit for each asked edit that a code is an object of */
    const uint32_t *reach_of;    /* by list of pairs: where the row of its objects' groups begins in `reaches` */
    const uint64_t *reaches;
    const uint32_t *pairs_at, *pair_edits;     /* list p has the edits pair_edits[pairs_at[p]] to pairs_at[p + 1] */
    const uint32_t *objects_at, *object_edits;
    const wk_edit *of;           /* per edit */
    const int32_t *code_conditions; /* three each: the bits of present, absent and first_listed in patterns, -1 for none */
    const uint32_t *whole;       /* the edits without a subject */
    int32_t whole_size;
    /* The edits of which nearly every code is a subject: condition n has broad[broad_at[n]] to broad[broad_at[n + 1]], and
       a bit in `broad_conditions` where it has any. Whether a code is a subject is looked up in its set. */
    const uint32_t *broad, *broad_at;
    const uint64_t *broad_conditions;
    int32_t broad_words;
    const uint32_t *subjects, *set_bounds, *set_spans;
    int32_t edit_count;
} wk_tables;

typedef struct {
    uint64_t *objects;           /* per edit: claim number in the upper half, its objects' bits in the lower */
    uint64_t *counted;           /* per edit: claim number, and first subject */
    uint64_t *seen;              /* the patterns of the claim's codes as one */
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
    const int32_t *tokens;       /* a billable code's id, or from `billable` on the place of an id in `unlisted` */
    const int32_t *unlisted;
    int32_t billable;
    int32_t size, row;
    const uint64_t *front;       /* the pattern of the first-listed code */
    uint64_t asking;             /* the masks of all codes as one */
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
    s->seen = calloc((size_t)t->pattern_words, sizeof(uint64_t));
    return s->objects && s->counted && s->seen;
}

static inline int wk_put(wk_hits *out, int32_t row, uint32_t edit, int32_t subject, int32_t object, int32_t stray) {
    if (!wk_grow((void **)&out->at, &out->room, out->size + 1, sizeof(wk_hit))) return 0;
    wk_hit hit = {row, (int32_t)edit, subject, object, stray, 0};
    out->at[out->size++] = hit;
    return 1;
}

static inline int32_t wk_id(const wk_claim *k, int32_t token) {
    return token < k->billable ? token : k->unlisted[token - k->billable];
}

static inline int wk_bit(const uint64_t *words, int32_t bit) { return words[(uint32_t)bit >> 6] >> (bit & 63) & 1; }

static inline const uint64_t *wk_pattern(const wk_tables *t, const wk_kind *kind) {
    return t->patterns + kind->pattern;
}

/* Tell whether a code is an object of an asked edit. */
static inline int wk_asked(const wk_tables *t, uint32_t edit, const wk_kind *kind) {
    return wk_bit(t->asked + kind->asked, t->of[edit].bit);
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

static inline int wk_may_ask(const wk_claim *k, uint64_t asking) {
    return (asking & k->about[0] & ~((uint64_t)1 << COUNTS)) != 0;
}

/* Record the distinct codes of the claim. */
static inline void wk_meet(wk_claim *k, const wk_kind **kinds, int32_t distinct) {
    const wk_tables *t = k->t;
    k->front = wk_pattern(t, kinds[0]);
    for (int32_t w = 0; w < t->pattern_words; w += TOGETHER) {
        wk_words all = {0};
        for (int32_t i = 0; i < distinct; i++) all |= *(const wk_words *)(t->patterns + kinds[i]->pattern + w);
        memcpy(k->s->seen + w, &all, sizeof all);
    }
    uint64_t asking = 0;
    for (int32_t i = 0; i < distinct; i++) asking |= kinds[i]->asking;
    k->asking = asking;
}

/* The edits of a code that need no other code. */
static inline int wk_listed(wk_claim *k, const wk_kind *kind, int32_t place) {
    const wk_tables *t = k->t;
    int list = place == 1 ? WHERE_FIRST : WHERE_LATER;
    FOR_KIND(list, kind) if (wk_holds(k, *e_)) PUT(*e_, place, 0, 0);
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
        if (!wk_holds(k, t->whole[i])) continue;
        while (missing < distinct && !wk_asked(t, t->whole[i], kinds[missing])) missing++;
        if (missing == distinct) PUT(t->whole[i], 0, 0, 0);
    }
    return 1;
}

/* At most one: of the distinct codes of an edit, only the first may be on the claim. */
static inline int wk_counted(wk_claim *k, const wk_kind **kinds, const int32_t *place, int32_t distinct) {
    const wk_tables *t = k->t;
    for (int32_t i = 0; i < distinct; i++) {
        FOR_KIND(COUNTED, kinds[i]) {
            uint64_t seen = k->s->counted[*e_];
            if (t->of[*e_].by_text) {
                /* Which subject is first depends on the documented text, which the caller reads. */
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
    if (k->asking >> COUNTS && !wk_counted(k, kinds, place, distinct)) return 0;
    return wk_whole(k, kinds, distinct);
}

#endif
