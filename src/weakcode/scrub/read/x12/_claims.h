/* The claims of a well-formed stretch of an 837. Anything that is not plain stops this reader before its claim, or before
 * the segment where it belongs to no claim, and the reader in Python decides (loops.py, draft.py). This one gives no
 * reasons and rejects nothing; what it does read, it reads as that reader would.
 */

#ifndef WEAKCODE_X12_CLAIMS_H
#define WEAKCODE_X12_CLAIMS_H

#include "_whole.h"

/* Levels that are left out, in a transaction that has counted them one by one so far. */
static int x12_levels_are_missing(const x12_reader *r) {
    int64_t number = x12_number(x12_element(&r->segment, 1)), last = r->now.last_level;
    return last && r->now.levels_counted && number > last + 1;
}

static int x12_take_level(x12_reader *r) {
    x12_state *s = &r->now;
    x12_text level = x12_element(&r->segment, 3), given = x12_element(&r->segment, 1);
    int64_t number = x12_number(given);
    if (level.size < 0 || given.size < 0) return 0;
    if (number < 0) number = 0;
    if (s->last_level && number != s->last_level + 1) s->levels_counted = 0;
    s->last_level = number;
    s->billing = 0;
    if (!x12_is(level, "23")) x12_forget_parties(s, 0, x12_is(level, "22") ? X12_PLAN : X12_PARTIES - 1);
    x12_forget_patient(s);
    return 1;
}

/* Claims from here on stand in the transaction with this control number. */
static int x12_put_envelope(x12_reader *r, x12_text number) {
    x12_column *columns = r->columns;
    r->now.envelope = (int32_t)x12_count32(&columns[X12_ENVELOPE_KIND]);
    return x12_put_text(&columns[X12_ENVELOPE_TEXT], &columns[X12_ENVELOPE_ENDS], number.at, number.size) &&
           x12_put32(&columns[X12_ENVELOPE_KIND], r->now.kind);
}

/* A transaction begins: 1, or 0 when it is not plain, or -1 when there is no memory. */
static int x12_take_start(x12_reader *r) {
    x12_state *s = &r->now;
    x12_text set = x12_element(&r->segment, 1), number = x12_element(&r->segment, 2), guide = x12_element(&r->segment, 3);
    if (s->in_837 || s->in_other || !x12_is(set, "837") || guide.size < 0 || number.size < 1 || number.size > 20) return 0;
    for (int64_t i = 0; i < number.size; i++) {
        if (!x12_is_letter_or_digit(number.at[i])) return 0;
    }
    s->in_837 = 1;
    s->number = 1;
    s->claims = s->last_level = 0;
    s->levels_counted = 1;
    s->sets++;
    s->kind = x12_kind(guide);
    if (s->kind == X12_UNKNOWN) s->kind = s->guide;
    if (s->kind == X12_UNKNOWN) return 0; /* the name of such a guide is kept for a note */
    s->billing = 0;
    x12_forget_parties(s, 0, X12_PARTIES - 1);
    x12_forget_patient(s);
    return x12_put_envelope(r, number) ? 1 : -1;
}

/* A transaction ends as it should, with its count and its control number. */
static int x12_take_end(x12_reader *r) {
    x12_state *s = &r->now;
    x12_text count = x12_element(&r->segment, 1), number = x12_element(&r->segment, 2);
    if (!s->in_837 || !s->claims || s->envelope < 0 || x12_number(count) != s->number) return 0;
    const int32_t *bounds = x12_at32(&r->columns[X12_ENVELOPE_ENDS], s->envelope);
    if (number.size != bounds[1] - bounds[0]) return 0;
    if (memcmp(number.at, r->columns[X12_ENVELOPE_TEXT].at + bounds[0], (size_t)number.size)) return 0;
    s->in_837 = 0;
    s->envelope = -1;
    s->billing = 0;
    x12_forget_parties(s, 0, X12_PARTIES - 1);
    s->kind = X12_UNKNOWN;
    x12_forget_patient(s);
    return 1;
}

/* The payer of an NM1 segment: its name, else its number, and its ids. 1, or 0 when it is not plain, or -1 without memory. */
static int x12_take_payer(x12_reader *r) {
    const x12_segment *s = &r->segment;
    int32_t *parties = r->now.parties;
    x12_text name = x12_element(s, 3), number = x12_element(s, 9);
    if (parties[X12_PAYER] >= 0) return 1;
    if (name.size < 0 || number.size < 0) return 0;
    for (int64_t i = 0; i < number.size; i++) {
        if (memchr(" ,;:|", number.at[i], 5)) return 0; /* several ids */
    }
    if (!name.size) name = number;
    if (name.size) {
        parties[X12_PAYER] = x12_name_in(r, X12_PAYER, name.at, name.size);
        if (parties[X12_PAYER] < 0) return -1;
    }
    return x12_word(r, X12_PAYER_ID, number, 0, &parties[X12_PAYER_ID]);
}

/* A segment before the claims of a patient: 1, or 0 when it is not plain, or -1 when there is no memory. */
static int x12_take_about_patient(x12_reader *r) {
    const x12_segment *s = &r->segment;
    x12_state *now = &r->now;
    if (s->stray || (!now->in_other && x12_is_known(s->tag) == 2)) return 0;
    if (s->tag == X12_TAG('N', 'M', '1')) {
        x12_text entity = x12_element(s, 1), kind = x12_element(s, 8);
        if (entity.size < 0 || kind.size < 0) return 0;
        if (x12_is(entity, "IL") || x12_is(entity, "QC")) x12_forget_patient(now);
        now->billing = x12_is(entity, "85");
        if (x12_is(entity, "PR")) return x12_take_payer(r);
        if (!now->billing) return 1;
        x12_text npi = x12_is(kind, "XX") ? x12_element(s, 9) : (x12_text){s->text, 0};
        return x12_word(r, X12_PROVIDER, npi, 0, &now->parties[X12_PROVIDER]);
    }
    if (s->tag == X12_TAG('N', '4', 0) && now->billing) {
        return x12_word(r, X12_STATE, x12_element(s, 2), 0, &now->parties[X12_STATE]);
    }
    if (s->tag == X12_TAG('S', 'B', 'R')) return x12_word(r, X12_PLAN, x12_element(s, 9), 0, &now->parties[X12_PLAN]);
    if (s->tag == X12_TAG('P', 'R', 'V')) {
        x12_text what = x12_element(s, 1);
        if (what.size < 0) return 0;
        return x12_is(what, "BI") ? x12_word(r, X12_TAXONOMY, x12_element(s, 3), 0, &now->parties[X12_TAXONOMY]) : 1;
    }
    if (s->tag == X12_TAG('D', 'M', 'G')) {
        x12_text form = x12_element(s, 1), date = x12_element(s, 2), sex = x12_element(s, 3);
        int32_t days[2] = {now->birth, 0};
        if (!now->patient_is_plain || form.size < 0 || date.size < 0) return 0;
        if (date.size && (!x12_is(form, "D8") || !x12_days(form, date, days))) return 0;
        if (sex.size > 1 || sex.size < 0 || (sex.size && !memchr("FMU", sex.at[0], 3))) return 0;
        now->birth = days[0];
        now->sex = sex.size == 0 || sex.at[0] == 'U' ? -1 : sex.at[0] == 'M';
    } else if (s->tag == X12_TAG('R', 'E', 'F')) {
        /* 4010 names the implementation guide here. */
        x12_text what = x12_element(s, 1);
        return what.size >= 0 && !(x12_is(what, "87") && now->kind == X12_UNKNOWN);
    }
    return 1;
}

static int x12_is_end(uint32_t tag) {
    switch (tag) {
    case X12_TAG('C', 'L', 'M'): case X12_TAG('H', 'L', 0): case X12_TAG('S', 'T', 0): case X12_TAG('S', 'E', 0):
    case X12_TAG('G', 'S', 0): case X12_TAG('G', 'E', 0): case X12_TAG('I', 'S', 'A'): case X12_TAG('I', 'E', 'A'):
        return 1;
    default: return 0;
    }
}

/* Take a segment that ends a claim or stands in none: 1, or 0 when it is not plain, or -1 when there is no memory. */
static int x12_take_outside(x12_reader *r, const x12_state *before) {
    x12_state *s = &r->now;
    switch (r->segment.tag) {
    case X12_TAG('C', 'L', 'M'):
        if (!s->in_837 || s->envelope < 0 || !s->patient_is_plain || r->segment.stray) return 0;
        x12_open_claim(r, before);
        s->claims++;
        return 1;
    case X12_TAG('H', 'L', 0): return x12_take_level(r);
    case X12_TAG('S', 'T', 0): return x12_take_start(r);
    case X12_TAG('S', 'E', 0): return x12_take_end(r);
    case X12_TAG('G', 'S', 0): case X12_TAG('G', 'E', 0): case X12_TAG('I', 'S', 'A'): case X12_TAG('I', 'E', 'A'): return 0;
    default: return x12_take_about_patient(r);
    }
}

/* Skip a segment and the blanks before it; `before` is then where its text begins. 0 where it does not end here. */
static int x12_next(x12_reader *r, const uint8_t *text, int64_t size, x12_state *before, int *is_plain) {
    x12_state *s = &r->now;
    uint8_t sign = r->segment.signs.segment;
    for (;;) {
        while (s->offset < size && x12_is_between(text[s->offset])) {
            s->column = text[s->offset] == '\n' ? 1 : s->column + 1;
            s->line += text[s->offset++] == '\n';
        }
        if (s->offset == size) return 0;
        if (text[s->offset] != sign) break;
        s->offset++;
        s->column++;
    }
    const uint8_t *at = text + s->offset, *end = memchr(at, sign, (size_t)(size - s->offset));
    if (!end) return 0;
    *before = *s;
    s->last_line = s->line;
    *is_plain = x12_split(&r->segment, at, end - at, size - s->offset - (end - at));
    s->offset += end - at + 1;
    s->column = sign == '\n' ? 1 : s->column + (end - at) + 1;
    s->line += sign == '\n';
    s->number++;
    return 1;
}

/* Read claims from `now` on; afterwards `now` is behind the last one that was read, or before what was not. */
static int x12_read(x12_reader *r, const uint8_t *text, int64_t size) {
    x12_state before;
    int is_plain;
    r->open = 0;
    while (x12_next(r, text, size, &before, &is_plain)) {
        int done = is_plain;
        /* A place is that of a segment's text, and not of what follows it. */
        int64_t line = r->now.line, column = r->now.column;
        r->now.line = before.line;
        r->now.column = before.column;
        if (done > 0 && r->open) {
            uint32_t tag = r->segment.tag;
            if (!x12_is_end(tag)) {
                done = x12_take(r);
            } else if (tag == X12_TAG('C', 'L', 'M') || tag == X12_TAG('S', 'E', 0) ||
                       (tag == X12_TAG('H', 'L', 0) && !x12_levels_are_missing(r))) {
                done = x12_close_claim(r, before.offset);
                before.claims = r->now.claims;
                before.undiagnosed = r->now.undiagnosed;
            } else {
                done = 0;
            }
        }
        if (done > 0 && !r->open) {
            done = x12_take_outside(r, &before);
            if (!done) {
                r->now = before;
                return X12_CLOSER;
            }
        }
        if (done < 0) return X12_NO_MEMORY;
        if (!done) {
            if (r->open) x12_undo(r);
            else r->now = before;
            return X12_CLOSER;
        }
        r->now.line = line;
        r->now.column = column;
    }
    if (r->open) x12_undo(r);
    return X12_MORE;
}

/* The places that findings give, by the row and the first position (0 for none) of each. */
typedef struct {
    const int32_t *prefix_ends; /* for each envelope: the words before the number of the segment */
    const uint8_t *prefixes;
    const int32_t *envelope, *segment, *dx_ends, *dx_segment, *dx_element;
    const int64_t *line, *column, *dx_line, *dx_column;
} x12_spots;

static uint8_t *x12_words(uint8_t *to, const char *words) {
    while (*words) *to++ = (uint8_t)*words++;
    return to;
}

/* Write a number with at least so many digits; printf takes ten times as long. */
static uint8_t *x12_digits(uint8_t *to, int64_t number, int least) {
    uint8_t digits[20];
    int size = 0;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    if (number < 0) *to++ = '-';
    do digits[size++] = (uint8_t)('0' + left % 10); while ((left /= 10) || size < least);
    while (size) *to++ = digits[--size];
    return to;
}

static int x12_place(const x12_spots *p, int32_t row, int32_t position, x12_column *text, x12_column *ends, int64_t *line) {
    const int32_t *prefix = p->prefix_ends + p->envelope[row];
    int32_t dx = p->dx_ends[row] + position - 1;
    int64_t column = position ? p->dx_column[dx] : p->column[row];
    uint8_t *at = x12_room(text, prefix[1] - prefix[0]); /* a prefix is never empty */
    uint8_t words[80], *to = words;
    *line = position ? p->dx_line[dx] : p->line[row];
    if (!at) return 0;
    memcpy(at, p->prefixes + prefix[0], (size_t)(prefix[1] - prefix[0]));
    to = x12_digits(to, position ? p->dx_segment[dx] : p->segment[row], 1);
    if (position) to = x12_digits(x12_words(to, ", HI"), p->dx_element[dx], 2);
    if (column > 1) to = x12_digits(x12_words(to, ", column "), column, 1);
    return x12_put_text(text, ends, words, to - words);
}

#endif
