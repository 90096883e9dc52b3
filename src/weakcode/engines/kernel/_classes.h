/* The rows and lists of each class of codes, numbered so that classes with the same share them. Part of _tables.h. */

#ifndef WEAKCODE_CLASSES_H
#define WEAKCODE_CLASSES_H

static int32_t wk_pool_words(wk_pool *p, const uint64_t *row, int32_t words, uint32_t *list) {
    for (int32_t w = 0; w < words; w++) {
        list[2 * w] = (uint32_t)row[w];
        list[2 * w + 1] = (uint32_t)(row[w] >> 32);
    }
    return wk_pool_add(p, list, 2 * (uint32_t)words);
}

/* The numbers of the rows and lists of a class. */
typedef struct {
    int32_t pattern, asked, pairs, kind, objects;
} wk_class;

/* The number of a row of a class, by way of `list`; `before` is that of the class before, whose row ends where it begins. */
static int32_t wk_row_number(wk_pool *p, int32_t before, const uint64_t *row, int32_t words, int32_t stride, uint32_t *list) {
    if (before >= 0 && !memcmp(row, row - stride, (size_t)words * sizeof *row)) return before;
    return wk_pool_words(p, row, words, list);
}

/* The numbers of a class's kind and lists. A kind is written as its rows, the ends of its lists and the lists. Classes
   are in the order of their codes, and most share nearly everything with the one before. */
static int wk_build_class(wk_built *b, const wk_source *s, int32_t c, wk_class *before) {
    uint32_t *list = b->list, size = HEAD;
    int32_t words = b->t.pattern_words, stride = words + b->asked_words;
    const uint64_t *row = b->class_bits + (int64_t)c * stride;
    wk_class own;
    own.pattern = wk_row_number(&b->distinct_patterns, before->pattern, row, words, stride, list);
    own.asked = wk_row_number(&b->distinct_asked, before->asked, row + words, b->asked_words, stride, list);
    if (own.pattern < 0 || own.asked < 0) return 0;
    list[0] = (uint32_t)own.pattern;
    list[1] = (uint32_t)own.asked;
    /* Nearly all edits are paired; the others are tried for each list. */
    uint32_t *paired = b->list + HEAD, *rest = b->rest, paired_size = 0, rest_size = 0;
    for (uint32_t j = s->subject_pointers[c]; j < s->subject_pointers[c + 1]; j++) {
        uint32_t edit = s->subject_edits[j];
        if (b->stands[edit] & PAIRED) paired[paired_size++] = edit;
        else if (b->stands[edit] & (PAIRED - 1)) rest[rest_size++] = edit;
    }
    if ((own.pairs = wk_pool_add_after(&b->pairs, before->pairs, paired, paired_size)) < 0) return 0;
    for (int wanted = 0; wanted < LISTS; wanted++) {
        for (uint32_t i = 0; i < rest_size; i++) {
            if (b->stands[rest[i]] >> wanted & 1) list[size++] = rest[i];
        }
        list[2 + wanted] = size - HEAD;
    }
    if ((own.kind = wk_pool_add_after(&b->distinct_kinds, before->kind, list, size)) < 0) return 0;
    size = 0;
    for (uint32_t j = s->object_pointers[c]; j < s->object_pointers[c + 1]; j++) {
        if (b->stands[s->object_edits[j]] & LISTED) list[size++] = s->object_edits[j];
    }
    if ((own.objects = wk_pool_add_after(&b->objects, before->objects, list, size)) < 0) return 0;
    b->class_codes[c].pairs = (uint64_t)own.pairs;
    b->class_codes[c].kind = (uint64_t)own.kind;
    b->class_codes[c].objects = (uint64_t)own.objects;
    *before = own;
    return 1;
}

static int wk_build_classes(wk_built *b, const wk_source *s) {
    size_t longest = 2 * (size_t)(b->t.pattern_words + b->asked_words);
    for (int32_t c = 0; c < s->classes; c++) {
        size_t size = 2 * (s->subject_pointers[c + 1] - s->subject_pointers[c]) + s->object_pointers[c + 1] - s->object_pointers[c];
        if (size > longest) longest = size;
    }
    b->list = malloc((longest + HEAD + 1) * sizeof *b->list);
    b->rest = malloc((longest + 1) * sizeof *b->rest);
    b->class_codes = calloc((size_t)s->classes + 1, sizeof *b->class_codes);
    if (!b->list || !b->rest || !b->class_codes) return 0;
    /* The empty lists are the first. */
    if (wk_pool_add(&b->pairs, b->list, 0) || wk_pool_add(&b->objects, b->list, 0)) return 0;
    wk_class before = {-1, -1, -1, -1, -1};
    for (int32_t c = 0; c < s->classes; c++) {
        if (!wk_build_class(b, s, c, &before)) return 0;
    }
    return 1;
}

#endif
