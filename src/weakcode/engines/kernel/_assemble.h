/* Turns violations into findings: merged, superseded and ordered as weakcode.semantics.supersede does, one row at a time.
   The words of a finding depend only on its edits, codes and term: each such variant is numbered once. */

#ifndef WEAKCODE_ASSEMBLE_H
#define WEAKCODE_ASSEMBLE_H

#include "_grow.h"
#include "_claim.h"
#include "_text.h"

typedef struct {
    int32_t row, variant, subject, object, rule, severity;
} wk_finding;

typedef struct {
    int32_t first, count;            /* its edits in `merged` */
    int32_t subject, object, stray;  /* tokens, -1 for none */
    int32_t term;
    int32_t spare[2];
} wk_variant;

typedef struct {
    wk_finding *findings;
    int64_t finding_count, finding_room;
    wk_variant *variants;
    int64_t variant_count, variant_room;
    int32_t *merged;
    int64_t merged_count, merged_room;
    int64_t *slots;                  /* variants by hash, plus one; 0 for none */
    int slot_bits;
    int64_t rows;                    /* rows with a finding */
} wk_report;

typedef struct {
    const int32_t *rule_of;          /* per edit */
    const uint8_t *either_way;       /* per edit: one finding for a pair, whichever of the two is the subject */
    const int32_t *rank;             /* per rule: its place in the order of ids */
    const int32_t *replaces_at, *replaces; /* per rule: the rules that it supersedes */
    int32_t rule_count;
} wk_rules;

typedef struct {
    uint64_t group, within;          /* hits of one finding have the same group and rule; the first within names it */
    const wk_hit *hit;
    int32_t rule;
} wk_sorted;

typedef struct {
    uint64_t order, order_within;
    int32_t from, to;
    const wk_hit *hit;
    int32_t rule, superseded;
} wk_group;

/* The findings of one row: groups that are not superseded, in order, each with its hits in `sorted`. The memory is for the
   next row too. */
typedef struct {
    wk_sorted *sorted;
    wk_group *groups;
    int32_t count;
    void *work;
    int64_t room;
} wk_merged;

static void wk_report_close(wk_report *r) {
    free(r->findings);
    free(r->variants);
    free(r->merged);
    free(r->slots);
    memset(r, 0, sizeof *r);
}

static int wk_compare_sorted(const void *a, const void *b) {
    const wk_sorted *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    if (x->within != y->within) return x->within < y->within ? -1 : 1;
    return (x->hit->edit > y->hit->edit) - (x->hit->edit < y->hit->edit);
}

static int wk_compare_groups(const void *a, const void *b) {
    const wk_group *x = a, *y = b;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return (x->order_within > y->order_within) - (x->order_within < y->order_within);
}

static int64_t wk_variant_of(wk_report *r, const wk_sorted *sorted, const wk_group *g, const int32_t *tokens) {
    const wk_hit *hit = g->hit;
    wk_variant v = {0, g->to - g->from, -1, -1, -1, hit->term, {0, 0}};
    if (hit->subject) v.subject = tokens[hit->subject - 1];
    if (hit->object) v.object = tokens[hit->object - 1];
    if (hit->stray) v.stray = tokens[hit->stray - 1];
    uint64_t hash = ((uint64_t)(uint32_t)v.subject << 32 | (uint32_t)v.object) * 0x9E3779B97F4A7C15ull;
    hash = (hash ^ hash >> 29 ^ ((uint64_t)(uint32_t)v.stray << 32 | (uint32_t)v.term)) * 0xBF58476D1CE4E5B9ull;
    for (int32_t i = g->from; i < g->to; i++) {
        hash = (hash ^ hash >> 31 ^ (uint64_t)(uint32_t)sorted[i].hit->edit) * 0x94D049BB133111EBull;
    }
    if (r->variant_count * 2 >= (int64_t)1 << r->slot_bits || !r->slots) {
        int bits = r->slots ? r->slot_bits + 1 : 10;
        int64_t *slots = calloc((size_t)1 << bits, 2 * sizeof(int64_t));
        if (!slots) return -1;
        uint64_t mask = ((uint64_t)1 << bits) - 1;
        for (int64_t i = 0; r->slots && i < (int64_t)1 << r->slot_bits; i++) {
            if (!r->slots[2 * i]) continue;
            uint64_t slot = (uint64_t)r->slots[2 * i + 1] >> (64 - bits);
            while (slots[2 * slot]) slot = (slot + 1) & mask;
            slots[2 * slot] = r->slots[2 * i];
            slots[2 * slot + 1] = r->slots[2 * i + 1];
        }
        free(r->slots);
        r->slots = slots;
        r->slot_bits = bits;
    }
    uint64_t mask = ((uint64_t)1 << r->slot_bits) - 1, slot = hash >> (64 - r->slot_bits);
    for (; r->slots[2 * slot]; slot = (slot + 1) & mask) {
        if ((uint64_t)r->slots[2 * slot + 1] != hash) continue;
        const wk_variant *o = &r->variants[r->slots[2 * slot] - 1];
        if (o->count != v.count || o->subject != v.subject || o->object != v.object || o->stray != v.stray
            || o->term != v.term)
            continue;
        int32_t i = 0;
        while (i < v.count && r->merged[o->first + i] == sorted[g->from + i].hit->edit) i++;
        if (i == v.count) return r->slots[2 * slot] - 1;
    }
    if (!wk_grow((void **)&r->variants, &r->variant_room, r->variant_count + 1, sizeof(wk_variant))) return -1;
    if (!wk_grow((void **)&r->merged, &r->merged_room, r->merged_count + v.count, sizeof(int32_t))) return -1;
    v.first = (int32_t)r->merged_count;
    for (int32_t i = g->from; i < g->to; i++) r->merged[r->merged_count++] = sorted[i].hit->edit;
    r->variants[r->variant_count++] = v;
    r->slots[2 * slot] = r->variant_count;
    r->slots[2 * slot + 1] = (int64_t)hash;
    return r->variant_count - 1;
}

/* Two pairs are one problem when they are the same two diagnoses, otherwise when the subject is the same. */
static inline int wk_same_problem(const wk_hit *a, const wk_hit *b) {
    if (a->object && b->object) {
        return (a->subject == b->subject && a->object == b->object)
            || (a->subject == b->object && a->object == b->subject);
    }
    return a->subject == b->subject;
}

static void wk_supersede(const wk_rules *rules, wk_group *groups, int32_t count) {
    for (int32_t s = 0; s < count; s++) {
        const int32_t *from = rules->replaces + rules->replaces_at[groups[s].rule];
        const int32_t *to = rules->replaces + rules->replaces_at[groups[s].rule + 1];
        if (from == to) continue;
        for (int32_t g = 0; g < count; g++) {
            if (groups[g].superseded || !wk_same_problem(groups[s].hit, groups[g].hit)) continue;
            for (const int32_t *r = from; r < to; r++) groups[g].superseded |= *r == groups[g].rule;
        }
    }
}

/* Merge the hits of one row into findings; 0 when there is no memory left. `severity` is 0 where a rule is off. */
static int wk_merge(wk_merged *m, const wk_rules *rules, const uint8_t *severity, const wk_hit *hits, int64_t size) {
    m->count = 0;
    if (!wk_grow(&m->work, &m->room, size, sizeof(wk_sorted) + sizeof(wk_group))) return 0;
    wk_sorted *sorted = m->sorted = m->work;
    wk_group *groups = m->groups = (wk_group *)(sorted + size);
    int32_t active = 0, count = 0;
    for (int64_t i = 0; i < size; i++) {
        const wk_hit *hit = hits + i;
        int32_t rule = rules->rule_of[hit->edit];
        if (!severity[rule]) continue;
        uint64_t a = (uint32_t)hit->subject, b = (uint32_t)hit->object;
        wk_sorted *s = &sorted[active++];
        s->hit = hit;
        s->rule = rule;
        s->within = a << 32 | b;
        /* Pairs have the group (lower, higher); all else is a finding of its own, after every pair. */
        s->group = !rules->either_way[hit->edit] ? ~(uint64_t)0 : a < b ? a << 32 | b : b << 32 | a;
    }
    if (active > 16) {
        qsort(sorted, (size_t)active, sizeof(wk_sorted), wk_compare_sorted);
    } else {
        for (int32_t i = 1; i < active; i++) {
            wk_sorted moved = sorted[i];
            int32_t j = i;
            for (; j > 0 && wk_compare_sorted(&moved, &sorted[j - 1]) < 0; j--) sorted[j] = sorted[j - 1];
            sorted[j] = moved;
        }
    }
    int supersedes = 0;
    for (int32_t i = 0; i < active;) {
        wk_group *g = &groups[count++];
        g->hit = sorted[i].hit;
        g->rule = sorted[i].rule;
        g->superseded = 0;
        g->from = i++;
        while (i < active && sorted[i].group == sorted[g->from].group && sorted[i].rule == g->rule && ~sorted[i].group) i++;
        g->to = i;
        g->order = (uint64_t)(uint32_t)g->hit->subject << 32 | (uint32_t)rules->rank[g->rule];
        g->order_within = (uint64_t)(uint32_t)g->hit->object << 32 | (uint32_t)g->hit->edit;
        supersedes |= rules->replaces_at[g->rule] < rules->replaces_at[g->rule + 1];
    }
    m->count = count;
    if (count < 2) return 1;
    if (supersedes) wk_supersede(rules, groups, count);
    if (count > 16) {
        qsort(groups, (size_t)count, sizeof(wk_group), wk_compare_groups);
    } else {
        for (int32_t i = 1; i < count; i++) {
            wk_group moved = groups[i];
            int32_t j = i;
            for (; j > 0 && wk_compare_groups(&moved, &groups[j - 1]) < 0; j--) groups[j] = groups[j - 1];
            groups[j] = moved;
        }
    }
    return 1;
}

/* Tell whether hits name edits, rows and positions that there are; the bounds climb. */
static int wk_hits_fit(const wk_hit *hits, int64_t size, int32_t edits, const int64_t *bounds, int64_t rows) {
    for (int64_t i = 0; i < size; i++) {
        const wk_hit *h = hits + i;
        if (h->edit < 0 || h->edit >= edits || h->row < 0 || h->row >= rows) return 0;
        int64_t codes = bounds[h->row + 1] - bounds[h->row];
        if (h->subject < 0 || h->subject > codes || h->object < 0 || h->object > codes) return 0;
        if (h->stray < 0 || h->stray > codes) return 0;
    }
    return 1;
}

/* Add the findings of one row, whose hits are `size` from `hits`; 0 when there is no memory left. */
static int wk_report_row(wk_report *r, const wk_rules *rules, const uint8_t *severity, const wk_hit *hits, int64_t size,
                         const int32_t *tokens, wk_merged *m) {
    if (!wk_merge(m, rules, severity, hits, size)) return 0;
    if (!m->count) return 1;
    if (!wk_grow((void **)&r->findings, &r->finding_room, r->finding_count + m->count, sizeof(wk_finding))) return 0;
    for (int32_t i = 0; i < m->count; i++) {
        const wk_group *g = &m->groups[i];
        if (g->superseded) continue;
        int64_t variant = wk_variant_of(r, m->sorted, g, tokens);
        if (variant < 0) return 0;
        wk_finding f = {g->hit->row, (int32_t)variant, g->hit->subject, g->hit->object, g->rule, severity[g->rule]};
        r->findings[r->finding_count++] = f;
    }
    r->rows++;
    return 1;
}

#endif
