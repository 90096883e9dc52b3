/* The inner loops: text to codes, and codes to violations. No Python in here, so that they run without the GIL.

   Meaning of the verbs: weakcode.engines.semantics. Diagnoses are numbered by their place among the distinct codes of
   the claim, in claim order, so that "before" and "after" are lower and higher bits of a 32-bit word. */

#ifndef WEAKCODE_KERNEL_H
#define WEAKCODE_KERNEL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* weakcode.compile.edits.Verb and Where */
enum { PRESENT, FORBID, REQUIRE, FIRST, SECONDARY, ORDER, AT_MOST_ONE, ONCE, CLAIM_REQUIRE };
enum { ANYWHERE, BEFORE, AFTER };

/* The edits of a class stand in lists by what makes them worth looking at. */
enum { OBJECTS, PAIRED, NEEDING, ALWAYS, NOT_FIRST, ONLY_FIRST, COUNTED, REPEATED, LISTS };

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
    int32_t bit;                 /* of a requirement: its bit in the patterns; -1 for other verbs */
} wk_edit;

/* Objects of paired edits fall into groups, in the order of their codes. Whether anything on a claim is in the group of
   an object of a code tells nearly always that no list of edits need be walked. */
enum { GROUPS = 1024, GROUP_WORDS = GROUPS / 64, NO_GROUP = GROUPS - 1 };

/* What is looked at for every code: classes are many, and a row of each must stay near at hand. */
typedef struct {
    uint32_t relation;           /* its row in `relations`; row 0 is empty */
    uint32_t kind;               /* its row in `kinds` */
    uint16_t group, spare;       /* as an object of paired edits */
} wk_class_row;

/* What many classes have in common. */
typedef struct {
    uint64_t first, later;       /* the first 64 claim conditions of the edits that need no other code, when it is
                                    first-listed, and when it is not; bit 0 stands for the conditions that follow */
    uint32_t pattern;            /* its row in `patterns` */
    uint32_t lists;              /* a bit for each list that is not empty */
} wk_kind;

/* A pattern begins with the first 64 edits without a subject that it is an object of, and the first 64 sets that some
   code of the class is in; then come bits of all requirements that it is an object of. */
enum { WHOLE, MAYBE, ASKED };

typedef struct {
    const wk_class_row *rows;    /* per class */
    const wk_kind *kinds;
    const uint32_t *starts;      /* LISTS a class, and one more at the end: where its lists begin in `edits` */
    const uint32_t *edits;
    const wk_edit *of;           /* per edit */
    const uint64_t *relations;   /* rows of GROUP_WORDS */
    const uint64_t *patterns;    /* rows of pattern_words */
    int32_t pattern_words;
    const int32_t *code_conditions; /* three each: the sets of present, absent and first_listed, -1 for none */
    const uint64_t *in_sets;     /* a row of bits for each code id: the sets it is in */
    int32_t set_words;
    const uint32_t *whole;       /* the edits without a subject */
    int32_t whole_size;
    uint64_t whole_about;        /* their claim conditions, as in the class rows */
    int32_t edit_count;
} wk_tables;

typedef struct {
    const int32_t *class_of;     /* by token: the billable codes, then the strange codes of the batch */
    const int32_t *strange_class, *strange_id;
    int32_t billable;
} wk_codes;

typedef struct {
    uint64_t *objects;           /* per edit: claim number in the upper half, its objects' bits in the lower */
    uint64_t *counted;           /* per edit: claim number, and first subject */
    uint32_t claim;
    int32_t *work;               /* for long claims */
    int64_t room;
    int32_t edit_count;
} wk_scratch;

static int wk_scratch_open(wk_scratch *s, int32_t edit_count) {
    memset(s, 0, sizeof *s);
    s->edit_count = edit_count;
    s->objects = calloc((size_t)edit_count + 1, sizeof(uint64_t));
    s->counted = calloc((size_t)edit_count + 1, sizeof(uint64_t));
    return s->objects && s->counted;
}

static void wk_scratch_close(wk_scratch *s) {
    free(s->objects);
    free(s->counted);
    free(s->work);
    memset(s, 0, sizeof *s);
}

static inline int wk_room(wk_hits *out, int64_t more) {
    if (out->size + more <= out->room) return 1;
    int64_t room = (out->room ? out->room * 2 : 256) + more;
    wk_hit *at = realloc(out->at, (size_t)room * sizeof(wk_hit));
    if (!at) return 0;
    out->at = at;
    out->room = room;
    return 1;
}

static inline int wk_put(wk_hits *out, int32_t row, uint32_t edit, int32_t subject, int32_t object, int32_t stray) {
    if (!wk_room(out, 1)) return 0;
    wk_hit hit = {row, (int32_t)edit, subject, object, stray, 0};
    out->at[out->size++] = hit;
    return 1;
}

/* ---- text to codes ---- */

static uint8_t wk_letters[256]; /* the upper-case letter or digit; 1 for a blank, 2 for a dot, 0 for all else */

static void wk_init(void) {
    const char *blanks = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
    for (int c = '0'; c <= '9'; c++) wk_letters[c] = (uint8_t)c;
    for (int c = 'A'; c <= 'Z'; c++) wk_letters[c] = wk_letters[c + 32] = (uint8_t)c;
    for (; *blanks; blanks++) wk_letters[(uint8_t)*blanks] = 1;
    wk_letters['.'] = 2;
}

/* The letters and digits of a code, packed as weakcode.codes.compiled.pack_key does; 0 for what needs a closer look. */
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

/* ---- codes to violations ---- */

static inline int32_t wk_class(const wk_codes *c, int32_t token) {
    return token < c->billable ? c->class_of[token] : c->strange_class[token - c->billable];
}

/* Objects of most edits are few and stand in lists. What satisfies a requirement may be nearly every code, while codes
   that require something are few: there, one bit for each class and edit is looked at instead. */
static inline const uint64_t *wk_pattern(const wk_tables *t, int32_t class_) {
    return t->patterns + (int64_t)t->kinds[t->rows[class_].kind].pattern * t->pattern_words;
}

static inline int wk_asked(const wk_tables *t, uint32_t edit, int32_t class_) {
    int32_t bit = t->of[edit].bit;
    return wk_pattern(t, class_)[ASKED + bit / 64] >> (bit % 64) & 1;
}

typedef struct {
    const wk_tables *t;
    const wk_codes *c;
    wk_scratch *s;
    wk_hits *out;
    const uint64_t *about;       /* a bit for each claim condition that holds, and bit 0 */
    const int32_t *tokens;
    int32_t size, row;
    int32_t known;               /* whether `sets` is worked out for this claim */
    uint64_t sets, maybe;        /* the first 64 sets that some code of the claim is in, or may be in */
    uint64_t there;              /* the first 64 edits without a subject that have an object on the claim */
    uint32_t lists;              /* a bit for each list that some code has */
} wk_claim;

static inline int wk_in_set(const wk_claim *k, int32_t place, int32_t set) {
    int32_t token = k->tokens[place];
    int32_t id = token < k->c->billable ? token : k->c->strange_id[token - k->c->billable];
    return k->t->in_sets[(int64_t)id * k->t->set_words + set / 64] >> (set % 64) & 1;
}

static inline int wk_any_code(wk_claim *k, int32_t set) {
    if (set >= 64) {
        for (int32_t i = 0; i < k->size; i++) {
            if (wk_in_set(k, i, set)) return 1;
        }
        return 0;
    }
    if (!(k->maybe >> set & 1)) return 0;
    if (!k->known) {
        k->sets = 0;
        for (int32_t i = 0; i < k->size; i++) {
            int32_t token = k->tokens[i];
            int32_t id = token < k->c->billable ? token : k->c->strange_id[token - k->c->billable];
            k->sets |= k->t->in_sets[(int64_t)id * k->t->set_words];
        }
        k->known = 1;
    }
    return k->sets >> set & 1;
}

static inline int wk_holds(wk_claim *k, uint32_t edit) {
    const wk_edit *e = k->t->of + edit;
    if (!(k->about[e->about_claim >> 6] >> (e->about_claim & 63) & 1)) return 0;
    if (e->about_codes < 0) return 1;
    const int32_t *set = k->t->code_conditions + 3 * (int64_t)e->about_codes;
    if (set[0] >= 0 && !wk_any_code(k, set[0])) return 0;
    if (set[1] >= 0 && wk_any_code(k, set[1])) return 0;
    return set[2] < 0 || wk_in_set(k, 0, set[2]);
}

#define FOR_EDITS(list, class_)                                                                       \
    for (const uint32_t *e_ = t->edits + t->starts[(class_) * LISTS + (list)],                         \
                        *end_ = t->edits + t->starts[(class_) * LISTS + (list) + 1]; e_ < end_; e_++)

#define PUT(edit_, subject_, object_, stray_)                                                          \
    if (!wk_put(k->out, k->row, (edit_), (subject_), (object_), (stray_))) return 0

/* An edit of subject `i` against the objects in `all`, both as bits. */
static inline int wk_related(wk_claim *k, uint32_t edit, int i, uint32_t all, const int32_t *place) {
    const wk_tables *t = k->t;
    uint32_t me = (uint32_t)1 << i, before = all & (me - 1), after = all & ~(me | (me - 1));
    int verb = t->of[edit].verb, where = t->of[edit].where;
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

/* Take note of a code when it first turns up on the claim. */
static inline const wk_kind *wk_meet(wk_claim *k, int32_t class_) {
    const wk_kind *kind = k->t->kinds + k->t->rows[class_].kind;
    const uint64_t *pattern = k->t->patterns + (int64_t)kind->pattern * k->t->pattern_words;
    k->there |= pattern[WHOLE];
    k->maybe |= pattern[MAYBE];
    k->lists |= kind->lists;
    return kind;
}

/* The edits of a code that need no other code. */
static inline int wk_listed(wk_claim *k, int32_t class_, int32_t place) {
    const wk_tables *t = k->t;
    FOR_EDITS(ALWAYS, class_) if (wk_holds(k, *e_)) PUT(*e_, place, 0, 0);
    if (place == 1) {
        FOR_EDITS(ONLY_FIRST, class_) if (wk_holds(k, *e_)) PUT(*e_, 1, 0, 0);
    } else {
        FOR_EDITS(NOT_FIRST, class_) if (wk_holds(k, *e_)) PUT(*e_, place, 0, 0);
    }
    return 1;
}

/* What needs no object: the same for short and long claims. `place` holds 1-based first positions. */
static inline int wk_alone(wk_claim *k, const int32_t *classes, const int32_t *place, int32_t distinct) {
    const wk_tables *t = k->t;
    for (int32_t i = 0; i < distinct; i++) {
        const wk_kind *kind = t->kinds + t->rows[classes[i]].kind;
        if (!((place[i] == 1 ? kind->first : kind->later) & k->about[0])) continue;
        if (!wk_listed(k, classes[i], place[i])) return 0;
    }
    for (int32_t i = 0; k->lists >> COUNTED & 1 && i < distinct; i++) {
        FOR_EDITS(COUNTED, classes[i]) {
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
    if (!(t->whole_about & k->about[0])) return 1;
    for (int32_t i = 0; i < t->whole_size; i++) {
        if (i < 64) {
            if (k->there >> i & 1) continue;
        } else {
            int32_t missing = 0;
            while (missing < distinct && !wk_asked(t, t->whole[i], classes[missing])) missing++;
            if (missing < distinct) continue;
        }
        if (wk_holds(k, t->whole[i])) PUT(t->whole[i], 0, 0, 0);
    }
    return 1;
}

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

static void *wk_work(wk_scratch *s, int64_t bytes) {
    if (bytes > s->room) {
        free(s->work);
        s->work = malloc((size_t)bytes);
        s->room = s->work ? bytes : 0;
    }
    return s->work;
}

static int wk_long_claim(wk_claim *k) {
    const wk_tables *t = k->t;
    int32_t n = k->size, distinct = 0, repeats = 0;
    int32_t *base = malloc((size_t)n * 6 * sizeof(int32_t)), *sorted = base, *first = base + 2 * n;
    int32_t *classes = base + 3 * n, *place = base + 4 * n, *objects = base + 5 * n;
    if (!base) return 0;
    for (int32_t i = 0; i < n; i++) {
        sorted[2 * i] = k->tokens[i];
        sorted[2 * i + 1] = i;
    }
    qsort(sorted, (size_t)n, 2 * sizeof(int32_t), wk_compare_tokens);
    for (int32_t i = 0, start = 0; i < n; i++) {
        if (sorted[2 * i] != sorted[2 * start]) start = i;
        first[sorted[2 * i + 1]] = sorted[2 * start + 1];
    }
    int64_t pairs = 0;
    for (int32_t i = 0; i < n; i++) {
        if (first[i] != i) {
            repeats++;
            continue;
        }
        int32_t class_ = wk_class(k->c, k->tokens[i]);
        const uint32_t *s = t->starts + (int64_t)class_ * LISTS;
        wk_meet(k, class_);
        pairs += s[PAIRED + 1] - s[OBJECTS];
        classes[distinct] = class_;
        place[distinct++] = i + 1;
    }
    /* An edit's objects, then its subjects, each in claim order. */
    uint64_t *keys = wk_work(k->s, (pairs + 1) * (int64_t)sizeof(uint64_t));
    if (!keys) goto failed;
    int64_t size = 0;
    for (int32_t i = 0; i < distinct; i++) {
        FOR_EDITS(OBJECTS, classes[i]) keys[size++] = (uint64_t)*e_ << 32 | (uint32_t)place[i];
        FOR_EDITS(PAIRED, classes[i]) keys[size++] = (uint64_t)*e_ << 32 | 1u << 31 | (uint32_t)place[i];
    }
    qsort(keys, (size_t)size, sizeof(uint64_t), wk_compare_keys);
    for (int64_t i = 0; i < size;) {
        uint32_t edit = (uint32_t)(keys[i] >> 32);
        int32_t count = 0;
        for (; i < size && keys[i] >> 32 == edit && !(keys[i] >> 31 & 1); i++) objects[count++] = (int32_t)keys[i];
        for (; i < size && keys[i] >> 32 == edit; i++) {
            if (!wk_related_long(k, edit, (int32_t)(keys[i] & 0x7fffffff), objects, count)) goto failed;
        }
    }
    for (int32_t i = 0; i < distinct; i++) {
        FOR_EDITS(NEEDING, classes[i]) {
            int32_t count = 0;
            for (int32_t j = 0; j < distinct; j++) {
                if (wk_asked(t, *e_, classes[j])) objects[count++] = place[j];
            }
            if (!wk_related_long(k, *e_, place[i], objects, count)) goto failed;
        }
    }
    if (!wk_alone(k, classes, place, distinct)) goto failed;
    for (int32_t i = 0; repeats && i < n; i++) {
        if (first[i] == i) continue;
        FOR_EDITS(REPEATED, wk_class(k->c, k->tokens[i])) {
            if (wk_holds(k, *e_) && !wk_put(k->out, k->row, *e_, first[i] + 1, i + 1, 0)) goto failed;
        }
    }
    free(base);
    return 1;
failed:
    free(base);
    return 0;
}

/* The paired edits of a short claim, given which objects stand in the group of an object of which subject. */
static int wk_paired(wk_claim *k, const int32_t *classes, const int32_t *place, uint32_t subjects, uint32_t others) {
    const wk_tables *t = k->t;
    uint64_t claim = (uint64_t)k->s->claim << 32, *objects = k->s->objects;
    /* An edit whose subject is its own object too is not violated by others: so subjects are marked as well. */
    for (uint32_t left = subjects | others; left; left &= left - 1) {
        int32_t i = __builtin_ctz(left);
        FOR_EDITS(OBJECTS, classes[i]) {
            uint64_t seen = objects[*e_];
            objects[*e_] = ((seen ^ claim) >> 32 ? claim : seen) | (uint64_t)1 << i;
        }
    }
    for (; subjects; subjects &= subjects - 1) {
        int32_t i = __builtin_ctz(subjects);
        FOR_EDITS(PAIRED, classes[i]) {
            uint64_t seen = objects[*e_];
            if ((seen ^ claim) >> 32) continue;
            if (!wk_related(k, *e_, i, (uint32_t)seen, place)) return 0;
        }
    }
    return 1;
}

/* Add the violations of one claim; 0 when there is no memory left. */
static int wk_judge(wk_claim *k) {
    const wk_tables *t = k->t;
    int32_t token[SHORT_CLAIM], place[SHORT_CLAIM], classes[SHORT_CLAIM], again[SHORT_CLAIM][2];
    const wk_kind *kinds[SHORT_CLAIM];
    uint32_t relation[SHORT_CLAIM], group[SHORT_CLAIM];
    int32_t distinct = 0, repeats = 0;
    k->known = 0;
    k->maybe = k->there = 0;
    k->lists = 0;
    if (++k->s->claim == 0) {
        memset(k->s->objects, 0, (size_t)k->s->edit_count * sizeof(uint64_t));
        memset(k->s->counted, 0, (size_t)k->s->edit_count * sizeof(uint64_t));
        k->s->claim = 1;
    }
    if (k->size > SHORT_CLAIM) return wk_long_claim(k);
    for (int32_t p = 0; p < k->size; p++) {
        int32_t found = 0;
        while (found < distinct && token[found] != k->tokens[p]) found++;
        if (found < distinct) {
            again[repeats][0] = found;
            again[repeats++][1] = p + 1;
        } else {
            token[distinct] = k->tokens[p];
            classes[distinct] = wk_class(k->c, k->tokens[p]);
            kinds[distinct] = wk_meet(k, classes[distinct]);
            relation[distinct] = t->rows[classes[distinct]].relation;
            group[distinct] = t->rows[classes[distinct]].group;
            place[distinct++] = p + 1;
        }
    }
    uint32_t subjects = 0, others = 0;
    for (int32_t i = 0; i < distinct; i++) {
        const uint64_t *related = t->relations + (int64_t)relation[i] * GROUP_WORDS;
        uint32_t with = 0;
        for (int32_t j = 0; j < distinct; j++) with |= (uint32_t)(related[group[j] / 64] >> (group[j] % 64) & 1) << j;
        with &= ~((uint32_t)1 << i);
        subjects |= (uint32_t)(with != 0) << i;
        others |= with;
    }
    if (subjects && !wk_paired(k, classes, place, subjects, others)) return 0;
    for (int32_t i = 0; k->lists >> NEEDING & 1 && i < distinct; i++) {
        if (!(kinds[i]->lists >> NEEDING & 1)) continue;
        FOR_EDITS(NEEDING, classes[i]) {
            uint32_t all = 0;
            if (!wk_holds(k, *e_)) continue;
            for (int32_t j = 0; j < distinct; j++) all |= (uint32_t)wk_asked(t, *e_, classes[j]) << j;
            if (!wk_related(k, *e_, i, all, place)) return 0;
        }
    }
    if (!wk_alone(k, classes, place, distinct)) return 0;
    for (int32_t i = 0; i < repeats; i++) {
        FOR_EDITS(REPEATED, classes[again[i][0]]) {
            if (wk_holds(k, *e_)) PUT(*e_, place[again[i][0]], again[i][1], 0);
        }
    }
    return 1;
}

/* Rows of tables that codes further on will need are fetched while claims before them are judged: what these loops wait
   for is memory. How far ahead is in codes. */
enum { CLASS_AHEAD = 48, ROW_AHEAD = 32, PATTERN_AHEAD = 16 };

static inline void wk_fetch(const wk_tables *t, const wk_codes *c, const int32_t *tokens, int64_t at, int64_t end) {
    if (at + CLASS_AHEAD >= end) return;
    int32_t token = tokens[at + CLASS_AHEAD];
    if (token >= 0 && token < c->billable) __builtin_prefetch(c->class_of + token);
    token = tokens[at + ROW_AHEAD];
    if (token >= 0) {
        int32_t class_ = wk_class(c, token);
        __builtin_prefetch(t->rows + class_);
    }
    token = tokens[at + PATTERN_AHEAD];
    if (token >= 0) {
        const wk_class_row *row = t->rows + wk_class(c, token);
        const uint64_t *related = t->relations + (int64_t)row->relation * GROUP_WORDS;
        __builtin_prefetch(related);
        __builtin_prefetch(related + GROUP_WORDS / 2);
        __builtin_prefetch(t->kinds + row->kind);
        if (t->kinds[row->kind].first | t->kinds[row->kind].later) __builtin_prefetch(t->starts + (row - t->rows) * LISTS);
    }
}

/* Add the violations of the chosen rows, of whose codes the tokens are all zero or above; 0 when there is no memory
   left. Row r has its codes from bounds[r] to bounds[r + 1], and `words` words about it. */
static int wk_judge_rows(wk_claim *k, const int32_t *tokens, const int64_t *bounds, const uint8_t *chosen, int64_t rows,
                         const uint64_t *about, int64_t words) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t at = bounds[row]; at < bounds[row + 1]; at++) wk_fetch(k->t, k->c, tokens, at, bounds[rows]);
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
