/* Turns the edits of a program into the tables that the loops of _judge.h and _long.h walk. Runs once for a program. */

#ifndef WEAKCODE_TABLES_H
#define WEAKCODE_TABLES_H

#include "_grow.h"
#include "_claim.h"
#include "_pool.h"
#include "_text.h"

/* Classes that tables can tell apart; an edition has fewer codes. */
enum { MOST_CLASSES = (1 << NUMBER_BITS) - 2 };

/* A kind is written with the numbers of its rows and the ends of its lists before it. Rows begin with lines of memory. */
enum { HEAD = 2 + LISTS, LINE = 64 };

/* Kinds of edits, beside a bit for each list: paired with their objects, listed with them, looked up by a bit of them. */
enum { PAIRED = 1 << LISTS, LISTED = 1 << 6, TOLD = 1 << 7 };

typedef struct {
    const wk_edit *of;           /* per edit; `bit` is filled in here */
    const uint8_t *active;       /* per edit */
    const uint32_t *objects;     /* per edit: the number of its set of objects */
    int32_t edit_count, classes;
    const uint32_t *wide;        /* the edits that are not listed with their objects */
    int32_t wide_size;
    const uint32_t *broad;       /* the edits that are not listed with their subjects */
    int32_t broad_size;
    const uint32_t *subjects;    /* per edit: the number of its set of subjects */
    int32_t words;               /* of a claim, about conditions */
    const uint32_t *subject_pointers, *subject_edits, *object_pointers, *object_edits; /* by class */
    const uint32_t *segment_starts, *segment_classes; /* the classes of code ids: each from its start to the next */
    int32_t segments, universe;
    const uint32_t *set_bounds, *set_spans; /* by number of a set: where its spans begin, each of two numbers */
    const uint32_t *condition_sets;         /* the sets that conditions on codes look at */
    int32_t condition_set_count;
    const int32_t *code_conditions;         /* three each: the places of present, absent and first_listed in those; -1 */
    int32_t code_condition_count;
    const uint32_t *whole;
    int32_t whole_size;
} wk_source;

typedef struct {
    wk_tables t;
    wk_edit *of;
    wk_code *codes, *class_codes;
    wk_kind *kinds;
    uint64_t *patterns, *asked, *class_bits;
    int32_t asked_words;
    uint32_t *reach_of;
    uint64_t *reaches;
    uint32_t *list, *rest;
    uint8_t *stands; /* per edit: a bit for each list of subjects that it stands in, PAIRED, LISTED */
    int32_t *code_conditions;
    uint32_t *broad, *broad_at;
    uint64_t *broad_conditions;
    wk_pool distinct_patterns, distinct_asked, distinct_kinds, pairs, objects;
} wk_built;

static void wk_built_close(wk_built *b) {
    free(b->of);
    free(b->codes);
    free(b->class_codes);
    free(b->kinds);
    free(b->patterns);
    free(b->asked);
    free(b->class_bits);
    free(b->reach_of);
    free(b->reaches);
    free(b->list);
    free(b->rest);
    free(b->stands);
    free(b->code_conditions);
    free(b->broad), free(b->broad_at), free(b->broad_conditions);
    wk_pool_close(&b->distinct_patterns);
    wk_pool_close(&b->distinct_asked);
    wk_pool_close(&b->distinct_kinds);
    wk_pool_close(&b->pairs);
    wk_pool_close(&b->objects);
    memset(b, 0, sizeof *b);
}

static inline void wk_set_bit(uint64_t *words, int32_t bit) { words[bit / 64] |= (uint64_t)1 << (bit % 64); }

/* Set or clear a bit of the classes of the code ids from `low` to `high`; `from` is a segment not after `low`. Return the
   segment that holds the id after them. */
static int32_t wk_mark(const wk_source *s, uint64_t *bits, int32_t words, int32_t bit, int set, int32_t from, uint32_t low,
                       uint32_t high) {
    uint64_t mask = (uint64_t)1 << (bit % 64);
    /* Galloping search, then binary search. */
    int32_t step = 1;
    for (; from + step < s->segments && s->segment_starts[from + step] <= low; step *= 2) from += step;
    for (; step; step /= 2) {
        if (from + step < s->segments && s->segment_starts[from + step] <= low) from += step;
    }
    for (int32_t i = from; low < high && i < s->segments && s->segment_starts[i] < high; i++) {
        uint64_t *word = bits + (int64_t)s->segment_classes[i] * words + bit / 64;
        if (set) *word |= mask; else *word &= ~mask;
        from = i;
    }
    return from;
}

/* The patterns by class, followed by the asked edits of each. */
static int wk_build_bits(wk_built *b, const wk_source *s, int32_t asked) {
    static const int32_t none[3] = {-1, -1, -1};
    int32_t at = b->t.pattern_words, words = at + b->asked_words, from;
    uint64_t *whole_row = calloc((size_t)words, sizeof *whole_row);
    b->class_bits = calloc((size_t)s->classes * (size_t)words + 1, sizeof *b->class_bits);
    if (!whole_row || !b->class_bits) {
        free(whole_row);
        return 0;
    }
    /* Most codes are objects of a wide edit: set all bits, then clear those of the others. */
    for (int32_t i = 0; i < s->wide_size; i++) {
        int32_t bit = b->of[s->wide[i]].bit;
        if (bit >= 0) wk_set_bit(whole_row + at, bit);
    }
    for (int32_t c = 0; asked && c < s->classes; c++) {
        memcpy(b->class_bits + (int64_t)c * words, whole_row, (size_t)words * sizeof *whole_row);
    }
    free(whole_row);
    for (int32_t i = 0; i < s->wide_size; i++) {
        uint32_t set = s->objects[s->wide[i]], low = 0;
        int32_t bit = b->of[s->wide[i]].bit;
        if (bit < 0) continue;
        from = 0;
        for (uint32_t j = s->set_bounds[set]; j < s->set_bounds[set + 1]; j += 2) {
            from = wk_mark(s, b->class_bits, words, at * 64 + bit, 0, from, low, s->set_spans[j]);
            low = s->set_spans[j + 1];
        }
        wk_mark(s, b->class_bits, words, at * 64 + bit, 0, from, low, UINT32_MAX);
    }
    for (int32_t i = 0; i < s->condition_set_count; i++) {
        uint32_t set = s->condition_sets[i];
        from = 0;
        for (uint32_t j = s->set_bounds[set]; j < s->set_bounds[set + 1]; j += 2) {
            from = wk_mark(s, b->class_bits, words, SETS * 64 + i, 1, from, s->set_spans[j],
                           s->set_spans[j + 1]);
        }
    }
    for (int32_t c = 0; c < s->classes; c++) {
        uint64_t *row = b->class_bits + (int64_t)c * words;
        for (uint32_t j = s->object_pointers[c]; j < s->object_pointers[c + 1]; j++) {
            uint32_t edit = s->object_edits[j];
            if (b->stands[edit] & TOLD) wk_set_bit(row + at, b->of[edit].bit);
        }
        for (int32_t i = 0; i < s->whole_size && i < 64; i++) {
            const wk_edit *e = b->of + s->whole[i];
            const int32_t *asks = e->about_codes < 0 ? none : s->code_conditions + 3 * (int64_t)e->about_codes;
            if (wk_bit(row + at, e->bit)) wk_set_bit(row + SATISFIES, i);
            if (asks[0] < 0 || wk_bit(row + SETS, asks[0])) wk_set_bit(row + OCCASION, i);
            if (asks[2] < 0 || wk_bit(row + SETS, asks[2])) wk_set_bit(row + FIRST_OCCASION, i);
        }
    }
    return 1;
}

#include "_classes.h"

static uint64_t wk_condition_mask(const wk_edit *e) {
    return e->about_claim < COUNTS ? (uint64_t)1 << e->about_claim : 1;
}

static uint64_t *wk_rows(const wk_pool *p) {
    size_t words = p->at[p->count] / 2, bytes = (words * sizeof(uint64_t) + LINE) / LINE * LINE;
    uint64_t *rows = aligned_alloc(LINE, bytes);
    for (size_t w = 0; rows && w < words; w++) rows[w] = p->items[2 * w] | (uint64_t)p->items[2 * w + 1] << 32;
    return rows;
}

static int wk_build_kinds(wk_built *b) {
    wk_pool *kinds = &b->distinct_kinds;
    b->kinds = calloc((size_t)kinds->count + 1, sizeof *b->kinds);
    b->patterns = kinds->count ? wk_rows(&b->distinct_patterns) : NULL;
    b->asked = kinds->count ? wk_rows(&b->distinct_asked) : NULL;
    if (!b->kinds || (kinds->count && (!b->patterns || !b->asked))) return 0;
    for (int32_t n = 0; n < kinds->count; n++) {
        const uint32_t *written = kinds->items + kinds->at[n];
        wk_kind *kind = b->kinds + n;
        uint64_t masks[LISTS] = {0};
        kind->pattern = written[0] * (uint32_t)b->t.pattern_words;
        kind->asked = written[1] * (uint32_t)b->asked_words;
        kind->at[0] = kinds->at[n] + HEAD;
        for (int list = 0; list < LISTS; list++) {
            kind->at[list + 1] = kind->at[0] + written[2 + list];
            for (uint32_t j = kind->at[list]; j < kind->at[list + 1]; j++) {
                masks[list] |= wk_condition_mask(b->of + kinds->items[j]);
            }
        }
        kind->asking = masks[ASKING] | (uint64_t)(masks[COUNTED] != 0) << COUNTS;
        kind->first = masks[WHERE_FIRST];
        kind->later = masks[WHERE_LATER];
    }
    return 1;
}

/* Groups of objects, and for each list of pairs the groups of its objects. */
static int wk_build_reach(wk_built *b, const wk_source *s) {
    uint64_t *reached = calloc(((size_t)s->edit_count + 1) * GROUP_WORDS, sizeof *reached);
    int fine = 0;
    wk_pool rows;
    memset(&rows, 0, sizeof rows);
    b->reach_of = malloc(((size_t)b->pairs.count + 1) * sizeof *b->reach_of);
    if (!reached || !b->reach_of) goto done;
    uint64_t last = b->objects.count > 1 ? (uint64_t)b->objects.count - 1 : 1;
    for (int32_t c = 0; c < s->classes; c++) {
        wk_code *code = b->class_codes + c;
        code->group = code->objects ? (code->objects - 1) * NO_GROUP / last : NO_GROUP;
        for (uint32_t j = b->objects.at[code->objects]; j < b->objects.at[code->objects + 1]; j++) {
            wk_set_bit(reached + (int64_t)b->objects.items[j] * GROUP_WORDS, (int32_t)code->group);
        }
    }
    for (int32_t n = 0; n < b->pairs.count; n++) {
        uint64_t bits[GROUP_WORDS] = {0};
        for (uint32_t j = b->pairs.at[n]; j < b->pairs.at[n + 1]; j++) {
            const uint64_t *from = reached + (int64_t)b->pairs.items[j] * GROUP_WORDS;
            for (int32_t w = 0; w < GROUP_WORDS; w++) bits[w] |= from[w];
        }
        uint32_t list[2 * GROUP_WORDS];
        int32_t row = wk_pool_words(&rows, bits, GROUP_WORDS, list);
        if (row < 0) goto done;
        b->reach_of[n] = (uint32_t)row * GROUP_WORDS;
    }
    b->reaches = wk_rows(&rows);
    fine = b->reaches != NULL;
done:
    wk_pool_close(&rows);
    free(reached);
    return fine;
}

static int wk_build_codes(wk_built *b, const wk_source *s) {
    b->codes = calloc((size_t)s->universe + 1, sizeof *b->codes);
    b->code_conditions = malloc(((size_t)s->code_condition_count * 3 + 1) * sizeof *b->code_conditions);
    if (!b->codes || !b->code_conditions) return 0;
    for (int32_t i = 0; i < s->segments; i++) {
        int64_t end = i + 1 < s->segments ? s->segment_starts[i + 1] : (uint32_t)s->universe;
        for (int64_t id = s->segment_starts[i]; id < end && id < s->universe; id++) {
            b->codes[id] = b->class_codes[s->segment_classes[i]];
        }
    }
    for (int32_t i = 0; i < s->code_condition_count * 3; i++) {
        b->code_conditions[i] = s->code_conditions[i] < 0 ? -1 : SETS * 64 + s->code_conditions[i];
    }
    return 1;
}

/* Put the active broad edits in order of their conditions. */
static int wk_build_broad(wk_built *b, const wk_source *s) {
    size_t conditions = (size_t)s->words * 64;
    b->broad = malloc(((size_t)s->broad_size + 1) * sizeof *b->broad);
    b->broad_at = calloc(conditions + 2, sizeof *b->broad_at);
    b->broad_conditions = calloc((size_t)s->words + 1, sizeof *b->broad_conditions);
    if (!b->broad || !b->broad_at || !b->broad_conditions) return 0;
    /* Each list's size, then its end, then, counted down as it is filled, its beginning. */
    for (int32_t i = 0; i < s->broad_size; i++) {
        if (s->active[s->broad[i]]) b->broad_at[b->of[s->broad[i]].about_claim]++;
    }
    for (size_t n = 1; n <= conditions; n++) b->broad_at[n] += b->broad_at[n - 1];
    for (int32_t i = s->broad_size; i-- > 0;) {
        int32_t condition = b->of[s->broad[i]].about_claim;
        if (!s->active[s->broad[i]]) continue;
        b->broad[--b->broad_at[condition]] = s->broad[i];
        wk_set_bit(b->broad_conditions, condition);
        if (b->t.broad_words <= condition / 64) b->t.broad_words = condition / 64 + 1;
    }
    b->t.broad = b->broad;
    b->t.broad_at = b->broad_at;
    b->t.broad_conditions = b->broad_conditions;
    b->t.subjects = s->subjects;
    b->t.set_bounds = s->set_bounds;
    b->t.set_spans = s->set_spans;
    return 1;
}

/* Fill the tables; 0 when there is no memory left. `whole`, `subjects` and sets must stay as long as the tables; MOST_CLASSES is the most. */
static int wk_build(wk_built *b, const wk_source *s) {
    memset(b, 0, sizeof *b);
    b->of = malloc(((size_t)s->edit_count + 1) * sizeof *b->of);
    if (!b->of) return 0;
    if (s->edit_count) memcpy(b->of, s->of, (size_t)s->edit_count * sizeof *b->of);
    int32_t bits = 0;
    for (int32_t e = 0; e < s->edit_count; e++) b->of[e].bit = -1;
    for (int32_t e = 0; e < s->edit_count; e++) {
        if (s->active[e] && wk_asks(b->of[e].verb)) b->of[e].bit = bits++;
    }
    for (int32_t i = 0; i < s->wide_size; i++) {
        if (s->active[s->wide[i]] && b->of[s->wide[i]].bit < 0) b->of[s->wide[i]].bit = bits++;
    }
    for (int32_t i = 0; i < s->broad_size; i++) {
        wk_edit *e = b->of + s->broad[i];
        if (s->active[s->broad[i]] && wk_stands_in(e->verb, 0, LISTS) && e->bit < 0) e->bit = bits++;
    }
    b->stands = calloc((size_t)s->edit_count + 1, sizeof *b->stands);
    if (!b->stands) return 0;
    for (int32_t e = 0; e < s->edit_count; e++) {
        if (b->of[e].bit >= 0) b->stands[e] |= TOLD;
        if (!s->active[e]) continue;
        if (b->of[e].bit < 0) b->stands[e] |= LISTED;
        for (int list = 0; list <= LISTS; list++) {
            b->stands[e] |= (uint8_t)(wk_stands_in(b->of[e].verb, b->of[e].bit >= 0, list) << list);
        }
    }
    b->t.pattern_words = (SETS + (s->condition_set_count + 63) / 64 + TOGETHER - 1) / TOGETHER * TOGETHER;
    b->asked_words = (bits + 63) / 64;
    if (!wk_build_bits(b, s, bits) || !wk_build_classes(b, s) || !wk_build_kinds(b) || !wk_build_reach(b, s) ||
        !wk_build_codes(b, s) || !wk_build_broad(b, s))
        return 0;
    free(b->class_bits);
    free(b->list);
    free(b->rest);
    free(b->stands);
    b->class_bits = NULL;
    b->list = b->rest = NULL;
    b->stands = NULL;
    wk_pool_close(&b->distinct_patterns);
    wk_pool_close(&b->distinct_asked);
    b->t.codes = b->codes;
    b->t.kinds = b->kinds;
    b->t.kind_edits = b->distinct_kinds.items;
    b->t.patterns = b->patterns;
    b->t.asked = b->asked;
    b->t.reach_of = b->reach_of;
    b->t.reaches = b->reaches;
    b->t.pairs_at = b->pairs.at;
    b->t.pair_edits = b->pairs.items;
    b->t.objects_at = b->objects.at;
    b->t.object_edits = b->objects.items;
    b->t.of = b->of;
    b->t.code_conditions = b->code_conditions;
    b->t.whole = s->whole;
    b->t.whole_size = s->whole_size;
    b->t.edit_count = s->edit_count;
    return 1;
}

#endif
