/* Opens and drops claims, and puts those that were read whole into the columns. */

#ifndef WEAKCODE_X12_WHOLE_H
#define WEAKCODE_X12_WHOLE_H

#include "_details.h"

static void x12_open_claim(x12_reader *r, const x12_state *before) {
    x12_claim *c = &r->claim;
    x12_text rest = x12_element(&r->segment, 5);
    uint8_t sign = r->segment.signs.component;
    r->open = 1;
    c->before = *before;
    c->segments = 1;
    c->id = x12_element(&r->segment, 1);
    c->facility = c->facility_form = c->frequency = (x12_text){r->segment.text, rest.size < 0 ? -1 : 0};
    if (x12_component(&rest, sign, &c->facility) && x12_component(&rest, sign, &c->facility_form)) {
        x12_component(&rest, sign, &c->frequency);
    }
    c->facility = x12_plain(c->facility.at, c->facility.size);
    c->frequency = x12_plain(c->frequency.at, c->frequency.size);
    c->in_lines = c->other_payers = c->apart = c->services = c->count = c->at_facility = c->line_is_open = 0;
    c->at_rendering = c->procedures_size = 0;
    c->rendering = c->rendering_taxonomy = c->discharge = c->state = -1;
    c->original = (x12_text){r->segment.text, 0};
    c->statement[0] = c->statement[1] = c->service = c->line_date = X12_NO_DAY;
    c->line_number = -1;
    c->first_line = x12_count32(&r->columns[X12_POINTER_ENDS]) - 1;
    c->first_pointer = x12_count32(&r->columns[X12_POINTERS]);
    for (int i = 0; i < X12_KEPT; i++) c->kept[i] = r->columns[i].size;
}

static void x12_drop_claim(x12_reader *r) {
    for (int i = 0; i < X12_KEPT; i++) r->columns[i].size = r->claim.kept[i];
    r->open = 0;
}

/* Go back to where the claim began, as if nothing of it had been read. */
static void x12_undo(x12_reader *r) {
    x12_drop_claim(r);
    r->now = r->claim.before;
}

/* Where the transaction does not name its kind, its claims may: by the form of their places and services. */
static int x12_kind_of_claim(const x12_claim *c, int kind) {
    if (kind != X12_UNKNOWN) return kind;
    if (c->services == 1 << 3) return X12_DENTAL;
    if (c->services == 1 << 2 && x12_is(c->facility_form, "A")) return X12_INSTITUTIONAL;
    if (c->services == 1 << 1 && x12_is(c->facility_form, "B")) return X12_PROFESSIONAL;
    return X12_UNKNOWN;
}

/* The setting, -1 where it is not known. An institution's follows from the first two digits of its type of bill. */
static int x12_setting(int kind, x12_text facility) {
    static const uint8_t inpatient[] = {11, 12, 18, 21, 22, 28, 41, 65, 66, 86};
    if (kind == X12_PROFESSIONAL || kind == X12_DENTAL) return X12_IS_PROFESSIONAL;
    int32_t bill = facility.size == 2 ? x12_number(facility) : -1;
    if (kind != X12_INSTITUTIONAL || bill < 0) return -1;
    return memchr(inpatient, bill, sizeof inpatient) ? X12_IS_INPATIENT : X12_IS_OUTPATIENT;
}

static int32_t x12_service_day(const x12_claim *c, int kind, int setting) {
    /* The day of discharge decides which codes a stay is coded by. */
    if (kind == X12_INSTITUTIONAL && c->statement[0] != X12_NO_DAY) return c->statement[setting == X12_IS_INPATIENT];
    if (c->service != X12_NO_DAY) return c->service;
    return c->line_date != X12_NO_DAY ? c->line_date : c->statement[0];
}

/* Number the pointers of the claim by its diagnoses in order of their roles, and no longer by those of the file. */
static void x12_point(x12_reader *r, const int *order) {
    const x12_claim *c = &r->claim;
    int32_t position[X12_MOST_DIAGNOSES], pointable = 0, in_file = 0;
    int moved = 0;
    for (int i = 0; i < c->count; i++) {
        moved |= order[i] != i;
        if (c->found[i].role != X12_EXTERNAL) pointable++;
    }
    if (!moved && pointable == c->count) return;
    for (int i = 0; i < c->count; i++) {
        if (c->found[i].role == X12_EXTERNAL) continue;
        int place = 0;
        while (order[place] != i) place++;
        position[in_file++] = place + 1;
    }
    int32_t *pointers = x12_at32(&r->columns[X12_POINTERS], 0);
    for (int64_t i = c->first_pointer; i < x12_count32(&r->columns[X12_POINTERS]); i++) {
        int32_t to = pointers[i];
        pointers[i] = to <= in_file ? position[to - 1] : to + (c->count - pointable);
    }
}

static int x12_put_diagnoses(x12_reader *r) {
    x12_claim *c = &r->claim;
    x12_column *columns = r->columns;
    int order[X12_MOST_DIAGNOSES], at = 0, fits = 1;
    for (int role = 0; role < X12_ROLES; role++) {
        for (int i = 0; i < c->count; i++) {
            if (c->found[i].role == role) order[at++] = i;
        }
    }
    for (int i = 0; i < c->count; i++) {
        const x12_diagnosis *d = &c->found[order[i]];
        fits &= x12_put_text(&columns[X12_CODE_TEXT], &columns[X12_CODE_ENDS], d->code.at, d->code.size) &&
                x12_put_text(&columns[X12_POA_TEXT], &columns[X12_POA_ENDS], &d->poa, d->poa != 0) &&
                x12_put32(&columns[X12_DX_SEGMENT], d->segment) && x12_put32(&columns[X12_DX_ELEMENT], d->element) &&
                x12_put64(&columns[X12_DX_LINE], d->line) && x12_put64(&columns[X12_DX_COLUMN], d->column);
    }
    if (fits) x12_point(r, order);
    return fits && x12_put32(&columns[X12_DX_ENDS], (int32_t)x12_count32(&columns[X12_CODE_ENDS]) - 1);
}

/* The words of a claim: those of the parties, and its own. 1, or 0 when one is not plain, or -1 without memory. */
static int x12_put_words(x12_reader *r, int kind) {
    const x12_claim *c = &r->claim;
    int32_t words[X12_ROW_WORDS];
    x12_text facility = c->facility;
    uint8_t bill[3];
    memcpy(words, c->before.parties, sizeof c->before.parties);
    words[X12_RENDERING] = c->rendering;
    words[X12_RENDERING_TAXONOMY] = c->rendering_taxonomy;
    words[X12_DISCHARGE] = c->discharge;
    words[X12_PCS] = c->procedures_size ? x12_name_in(r, X12_PCS, c->procedures, c->procedures_size) : -1;
    if (c->procedures_size && words[X12_PCS] < 0) return -1;
    words[X12_BILL_TYPE] = words[X12_PLACE_OF_SERVICE] = -1;
    if (c->state >= 0) words[X12_STATE] = c->state;
    int done = x12_word(r, X12_FREQUENCY, c->frequency, 0, &words[X12_FREQUENCY]);
    if (done > 0 && kind != X12_INSTITUTIONAL) {
        done = x12_word(r, X12_PLACE_OF_SERVICE, facility, 2, &words[X12_PLACE_OF_SERVICE]);
    } else if (done > 0 && facility.size) {
        if (facility.size != 2 || c->frequency.size > 1) return 0;
        memcpy(bill, facility.at, 2);
        if (c->frequency.size) bill[2] = c->frequency.at[0];
        done = x12_word(r, X12_BILL_TYPE, (x12_text){bill, 2 + c->frequency.size}, 0, &words[X12_BILL_TYPE]);
    }
    if (done > 0) {
        x12_text original = c->original;
        if (!original.size && c->frequency.size == 1 && memchr("678", c->frequency.at[0], 3)) {
            original = (x12_text){(const uint8_t *)"MISSING", 7};
        }
        done = x12_word(r, X12_ORIGINAL, original, 0, &words[X12_ORIGINAL]);
    }
    if (done > 0) {
        int principals = 0;
        for (int i = 0; i < c->count; i++) principals += c->found[i].role == X12_PRINCIPAL;
        uint8_t digit = (uint8_t)('0' + principals);
        if (principals > 9) return 0;
        done = x12_word(r, X12_PRINCIPALS, (x12_text){&digit, 1}, 0, &words[X12_PRINCIPALS]);
    }
    for (int i = 0; done > 0 && i < X12_ROW_WORDS; i++) {
        if (!x12_put32(&r->columns[X12_WORDS + i], words[i])) done = -1;
    }
    return done;
}

/* End of a claim: 1, or 0 when it is not plain after all, or -1 when there is no memory. */
static int x12_close_claim(x12_reader *r, int64_t stop) {
    x12_claim *c = &r->claim;
    x12_column *columns = r->columns;
    const x12_state *s = &c->before;
    int kind = x12_kind_of_claim(c, s->kind);
    int setting = x12_setting(kind, c->facility);
    int32_t service = x12_service_day(c, kind, setting);
    if (c->id.size < 0 || c->facility.size < 0 || kind == X12_UNKNOWN) return 0;
    if (!c->count) {
        if (kind != X12_DENTAL || c->apart || x12_count32(&columns[X12_POINTERS]) != c->first_pointer) return 0;
        x12_drop_claim(r);
        r->now.undiagnosed++;
        return 1;
    }
    if (s->birth != X12_NO_DAY && service != X12_NO_DAY && s->birth > service) return 0;
    int worded = x12_put_words(r, kind);
    if (worded <= 0) return worded;
    r->open = 0;
    return x12_put_text(&columns[X12_ID_TEXT], &columns[X12_ID_ENDS], c->id.at, c->id.size) &&
                   x12_put32(&columns[X12_SERVICE], service) && x12_put32(&columns[X12_BIRTH], s->birth) &&
                   x12_put32(&columns[X12_SEX], s->sex) && x12_put32(&columns[X12_SETTING], setting) &&
                   x12_put32(&columns[X12_ENVELOPE], s->envelope) &&
                   x12_put32(&columns[X12_SEGMENT], (int32_t)s->number + 1) &&
                   x12_put64(&columns[X12_AT_LINE], s->line) && x12_put64(&columns[X12_AT_COLUMN], s->column) &&
                   x12_put64(&columns[X12_START], s->offset) && x12_put64(&columns[X12_STOP], stop) &&
                   x12_put32(&columns[X12_LINE_ENDS], (int32_t)x12_count32(&columns[X12_POINTER_ENDS]) - 1) &&
                   x12_put_diagnoses(r)
               ? 1
               : -1;
}

#endif
