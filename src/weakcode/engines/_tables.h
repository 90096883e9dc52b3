/* Edits as a program holds them become the tables that the loops of _kernel.h walk. Runs once for a program. */

#ifndef WEAKCODE_TABLES_H
#define WEAKCODE_TABLES_H

#include "_kernel.h"

typedef struct {
    const wk_edit *of;           /* per edit; `bit` is filled in here */
    const uint8_t *active;       /* per edit */
    int32_t edit_count, classes;
    const uint32_t *subject_pointers, *subject_edits, *object_pointers, *object_edits;
    const uint32_t *segment_starts, *segment_classes; /* the classes of code ids: each from its start to the next */
    int32_t segments;
    const int32_t *spans;        /* the sets of conditions: three for each span, its set, first id and the id after it */
    int32_t span_count, set_count, universe;
    const int32_t *code_conditions;
    const uint32_t *whole;
    int32_t whole_size;
} wk_source;

typedef struct {
    wk_tables t;
    wk_edit *of;
    wk_class_row *rows;
    wk_kind *kinds;
    uint32_t *starts, *edits;
    uint64_t *relations, *patterns, *in_sets;
} wk_built;

static void wk_built_close(wk_built *b) {
    free(b->of);
    free(b->rows);
    free(b->kinds);
    free(b->starts);
    free(b->edits);
    free(b->relations);
    free(b->patterns);
    free(b->in_sets);
    memset(b, 0, sizeof *b);
}

/* weakcode.compile.edits.Verb to the list of its subjects */
static const uint8_t wk_list_of[] = {ALWAYS, PAIRED, NEEDING, NOT_FIRST, ONLY_FIRST, PAIRED, COUNTED, REPEATED, OBJECTS};

static inline uint64_t wk_digest(const void *data, size_t bytes) {
    const uint8_t *at = data;
    uint64_t hash = bytes + 1;
    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t word;
        memcpy(&word, at + i, 4);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
        hash ^= hash >> 29;
    }
    return hash | 1 << 8; /* no key is 0 */
}

/* Number the distinct lists: `numbers` gets that of each list, list i being edits[from[i * step]] to edits[to[i * step]].
   Return how many there are, -1 when there is no memory left. The number of the empty list is 0. */
static int32_t wk_number_lists(const uint32_t *edits, const uint32_t *from, const uint32_t *to, int32_t step,
                               int32_t size, uint32_t *numbers, uint32_t *sample) {
    wk_map known;
    int32_t count = 1;
    sample[0] = 0;
    if (!wk_map_open(&known, 1024)) return -1;
    for (int32_t i = 0; i < size; i++) {
        const uint32_t *list = edits + from[(int64_t)i * step];
        size_t bytes = (size_t)(to[(int64_t)i * step] - from[(int64_t)i * step]) * sizeof *list;
        numbers[i] = 0;
        if (!bytes) continue;
        for (uint64_t key = wk_digest(list, bytes);; key += 256) {
            int32_t number = wk_map_add(&known, key, count);
            if (number < 0) {
                wk_map_close(&known);
                return -1;
            }
            int64_t other = number < count ? (int64_t)sample[number] : i;
            if (number == count) sample[count++] = (uint32_t)i;
            if (to[other * step] - from[other * step] != bytes / sizeof *list) continue;
            if (memcmp(edits + from[other * step], list, bytes)) continue;
            numbers[i] = (uint32_t)number;
            break;
        }
    }
    wk_map_close(&known);
    return count;
}

static int wk_build_lists(wk_built *b, const wk_source *s) {
    int64_t total = (int64_t)s->subject_pointers[s->classes] + s->object_pointers[s->classes];
    b->starts = malloc(((size_t)s->classes * LISTS + 1) * sizeof *b->starts);
    b->edits = malloc(((size_t)total + 1) * sizeof *b->edits);
    if (!b->starts || !b->edits) return 0;
    uint32_t size = 0, counts[LISTS], at[LISTS];
    for (int32_t c = 0; c < s->classes; c++) {
        uint32_t *starts = b->starts + (int64_t)c * LISTS;
        memset(counts, 0, sizeof counts);
        for (uint32_t j = s->subject_pointers[c]; j < s->subject_pointers[c + 1]; j++) {
            uint32_t edit = s->subject_edits[j];
            if (s->active[edit]) counts[wk_list_of[b->of[edit].verb]]++;
        }
        starts[OBJECTS] = size;
        for (uint32_t j = s->object_pointers[c]; j < s->object_pointers[c + 1]; j++) {
            uint32_t edit = s->object_edits[j];
            if (s->active[edit] && b->of[edit].bit < 0) b->edits[size++] = edit;
        }
        for (int32_t list = OBJECTS + 1; list < LISTS; list++) {
            starts[list] = at[list] = size;
            size += counts[list];
        }
        for (uint32_t j = s->subject_pointers[c]; j < s->subject_pointers[c + 1]; j++) {
            uint32_t edit = s->subject_edits[j];
            if (s->active[edit]) b->edits[at[wk_list_of[b->of[edit].verb]]++] = edit;
        }
    }
    b->starts[(int64_t)s->classes * LISTS] = size;
    return 1;
}

/* Groups of objects, and for each list of paired edits the groups of their objects. */
static int wk_build_relations(wk_built *b, const wk_source *s) {
    uint32_t *number = malloc(((size_t)s->classes + 1) * sizeof *number);
    uint32_t *sample = malloc(((size_t)s->classes + 1) * sizeof *sample);
    uint64_t *reached = calloc(((size_t)s->edit_count + 1) * GROUP_WORDS, sizeof *reached);
    int fine = 0;
    if (!number || !sample || !reached) goto done;
    int32_t lists = wk_number_lists(b->edits, b->starts + OBJECTS, b->starts + PAIRED, LISTS, s->classes, number, sample);
    if (lists < 0) goto done;
    for (int32_t c = 0; c < s->classes; c++) {
        uint32_t group = number[c] ? (uint32_t)((uint64_t)(number[c] - 1) * NO_GROUP / (uint64_t)(lists - 1)) : NO_GROUP;
        b->rows[c].group = (uint16_t)group;
        for (uint32_t j = b->starts[(int64_t)c * LISTS + OBJECTS]; j < b->starts[(int64_t)c * LISTS + PAIRED]; j++) {
            reached[(int64_t)b->edits[j] * GROUP_WORDS + group / 64] |= (uint64_t)1 << (group % 64);
        }
    }
    lists = wk_number_lists(b->edits, b->starts + PAIRED, b->starts + PAIRED + 1, LISTS, s->classes, number, sample);
    if (lists < 0) goto done;
    b->relations = calloc((size_t)lists * GROUP_WORDS, sizeof *b->relations);
    if (!b->relations) goto done;
    for (int32_t n = 1; n < lists; n++) {
        const uint32_t *bounds = b->starts + (int64_t)sample[n] * LISTS + PAIRED;
        for (uint32_t j = bounds[0]; j < bounds[1]; j++) {
            const uint64_t *from = reached + (int64_t)b->edits[j] * GROUP_WORDS;
            for (int32_t w = 0; w < GROUP_WORDS; w++) b->relations[(int64_t)n * GROUP_WORDS + w] |= from[w];
        }
    }
    for (int32_t c = 0; c < s->classes; c++) b->rows[c].relation = number[c];
    fine = 1;
done:
    free(number);
    free(sample);
    free(reached);
    return fine;
}

static int wk_build_sets(wk_built *b, const wk_source *s) {
    b->t.set_words = (s->set_count + 63) / 64;
    b->in_sets = calloc((size_t)s->universe * (size_t)b->t.set_words + 1, sizeof *b->in_sets);
    if (!b->in_sets) return 0;
    for (int32_t i = 0; i < s->span_count; i++) {
        int32_t set = s->spans[3 * i], end = s->spans[3 * i + 2] < s->universe ? s->spans[3 * i + 2] : s->universe;
        for (int32_t id = s->spans[3 * i + 1]; id < end; id++) {
            b->in_sets[(int64_t)id * b->t.set_words + set / 64] |= (uint64_t)1 << (set % 64);
        }
    }
    return 1;
}

static int wk_build_patterns(wk_built *b, const wk_source *s, int32_t bits, uint32_t *patterns) {
    int32_t words = b->t.pattern_words = ASKED + (bits + 63) / 64;
    size_t bytes = (size_t)words * sizeof(uint64_t);
    uint64_t *maybe = calloc((size_t)s->classes + 1, sizeof *maybe);
    wk_map known;
    int fine = 0;
    memset(&known, 0, sizeof known);
    b->patterns = calloc(((size_t)s->classes + 1) * (size_t)words, sizeof *b->patterns);
    if (!maybe || !b->patterns || !wk_map_open(&known, 1024)) goto done;
    for (int32_t i = 0; b->t.set_words && i < s->segments; i++) {
        int64_t end = i + 1 < s->segments ? s->segment_starts[i + 1] : (uint32_t)s->universe;
        for (int64_t id = s->segment_starts[i]; id < end && id < s->universe; id++) {
            maybe[s->segment_classes[i]] |= b->in_sets[id * b->t.set_words];
        }
    }
    int32_t count = 0;
    for (int32_t c = 0; c < s->classes; c++) {
        uint64_t *pattern = b->patterns + (int64_t)count * words;
        memset(pattern, 0, bytes);
        pattern[MAYBE] = maybe[c];
        for (uint32_t j = s->object_pointers[c]; j < s->object_pointers[c + 1]; j++) {
            uint32_t edit = s->object_edits[j];
            int32_t bit = b->of[edit].bit;
            if (bit < 0) continue;
            pattern[ASKED + bit / 64] |= (uint64_t)1 << (bit % 64);
            for (int32_t i = 0; b->of[edit].verb == CLAIM_REQUIRE && i < s->whole_size && i < 64; i++) {
                if (s->whole[i] == edit) pattern[WHOLE] |= (uint64_t)1 << i;
            }
        }
        for (uint64_t key = wk_digest(pattern, bytes);; key += 256) {
            int32_t number = wk_map_add(&known, key, count);
            if (number < 0) goto done;
            if (number < count && memcmp(b->patterns + (int64_t)number * words, pattern, bytes)) continue;
            patterns[c] = (uint32_t)number;
            count += number == count;
            break;
        }
    }
    uint64_t *trimmed = realloc(b->patterns, ((size_t)count + 1) * bytes);
    if (trimmed) b->patterns = trimmed;
    fine = 1;
done:
    free(maybe);
    wk_map_close(&known);
    return fine;
}

static uint64_t wk_about_bit(const wk_edit *e) { return e->about_claim < 64 ? (uint64_t)1 << e->about_claim : 1; }

static wk_kind wk_kind_of(const wk_built *b, int32_t class_, uint32_t pattern) {
    const uint32_t *starts = b->starts + (int64_t)class_ * LISTS;
    wk_kind kind;
    memset(&kind, 0, sizeof kind);
    kind.pattern = pattern;
    for (int32_t list = 0; list < LISTS; list++) {
        if (starts[list] == starts[list + 1]) continue;
        kind.lists |= 1u << list;
        for (uint32_t j = starts[list]; j < starts[list + 1]; j++) {
            uint64_t about = wk_about_bit(b->of + b->edits[j]);
            if (list == ALWAYS || list == ONLY_FIRST) kind.first |= about;
            if (list == ALWAYS || list == NOT_FIRST) kind.later |= about;
        }
    }
    return kind;
}

static int wk_build_kinds(wk_built *b, const wk_source *s, int32_t bits) {
    uint32_t *patterns = calloc((size_t)s->classes + 1, sizeof *patterns);
    wk_map known;
    int32_t count = 0;
    int fine = 0;
    memset(&known, 0, sizeof known);
    b->kinds = malloc(((size_t)s->classes + 1) * sizeof *b->kinds);
    if (!patterns || !b->kinds || !wk_map_open(&known, 1024) || !wk_build_patterns(b, s, bits, patterns)) goto done;
    for (int32_t c = 0; c < s->classes; c++) {
        wk_kind kind = wk_kind_of(b, c, patterns[c]);
        for (uint64_t key = wk_digest(&kind, sizeof kind);; key += 256) {
            int32_t number = wk_map_add(&known, key, count);
            if (number < 0) goto done;
            if (number < count && memcmp(b->kinds + number, &kind, sizeof kind)) continue;
            b->kinds[number] = kind;
            b->rows[c].kind = (uint32_t)number;
            count += number == count;
            break;
        }
    }
    fine = 1;
done:
    free(patterns);
    wk_map_close(&known);
    return fine;
}

/* Fill the tables; 0 when there is no memory left. What the source points to must stay as long as the tables. */
static int wk_build(wk_built *b, const wk_source *s) {
    memset(b, 0, sizeof *b);
    b->of = malloc(((size_t)s->edit_count + 1) * sizeof *b->of);
    b->rows = calloc((size_t)s->classes + 1, sizeof *b->rows);
    if (!b->of || !b->rows) return 0;
    memcpy(b->of, s->of, (size_t)s->edit_count * sizeof *b->of);
    int32_t bits = 0;
    for (int32_t e = 0; e < s->edit_count; e++) {
        int asks = s->active[e] && (b->of[e].verb == REQUIRE || b->of[e].verb == CLAIM_REQUIRE);
        b->of[e].bit = asks ? bits++ : -1;
    }
    if (!wk_build_lists(b, s) || !wk_build_relations(b, s) || !wk_build_sets(b, s) || !wk_build_kinds(b, s, bits))
        return 0;
    for (int32_t i = 0; i < s->whole_size; i++) b->t.whole_about |= wk_about_bit(b->of + s->whole[i]);
    b->t.rows = b->rows;
    b->t.kinds = b->kinds;
    b->t.starts = b->starts;
    b->t.edits = b->edits;
    b->t.of = b->of;
    b->t.relations = b->relations;
    b->t.patterns = b->patterns;
    b->t.code_conditions = s->code_conditions;
    b->t.in_sets = b->in_sets;
    b->t.whole = s->whole;
    b->t.whole_size = s->whole_size;
    b->t.edit_count = s->edit_count;
    return 1;
}

#endif
