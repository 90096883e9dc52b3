/* What the segments of a claim say: diagnoses, dates, service lines, parties (draft.py and services.py). */

#ifndef WEAKCODE_X12_DETAILS_H
#define WEAKCODE_X12_DETAILS_H

#include "_state.h"

/* Professional, institutional or dental by the three digits behind the first X of a guide's name that has them. */
static int x12_kind(x12_text guide) {
    for (int64_t i = 0; i + 3 < guide.size; i++) {
        const uint8_t *at = guide.at + i;
        if (at[0] != 'X' || !x12_is_digit(at[1]) || !x12_is_digit(at[2]) || !x12_is_digit(at[3])) continue;
        switch (x12_number((x12_text){at + 1, 3})) {
        case 222: case 98: case 298: case 323: return X12_PROFESSIONAL;
        case 223: case 96: case 299: case 324: return X12_INSTITUTIONAL;
        case 224: case 97: case 300: case 325: return X12_DENTAL;
        default: return X12_UNKNOWN;
        }
    }
    return X12_UNKNOWN;
}

/* Segments that a claim of an 837 may have beside those whose contents this reader uses. */
static int x12_is_known(uint32_t tag) {
    switch (tag) {
    case X12_TAG('A', 'M', 'T'): case X12_TAG('C', 'U', 'R'): case X12_TAG('D', 'M', 'G'): case X12_TAG('N', '1', 0):
    case X12_TAG('N', '2', 0): case X12_TAG('N', '3', 0): case X12_TAG('N', '4', 0): case X12_TAG('N', 'M', '1'):
    case X12_TAG('P', 'A', 'T'): case X12_TAG('P', 'E', 'R'): case X12_TAG('P', 'R', 'V'): case X12_TAG('R', 'E', 'F'):
    case X12_TAG('S', 'B', 'R'):
        return 1;
    case X12_TAG('C', 'A', 'S'): case X12_TAG('C', 'L', '1'): case X12_TAG('C', 'N', '1'): case X12_TAG('C', 'R', '1'):
    case X12_TAG('C', 'R', '2'): case X12_TAG('C', 'R', '3'): case X12_TAG('C', 'R', '4'): case X12_TAG('C', 'R', '5'):
    case X12_TAG('C', 'R', '6'): case X12_TAG('C', 'R', '7'): case X12_TAG('C', 'R', '8'): case X12_TAG('C', 'R', 'C'):
    case X12_TAG('C', 'T', 'P'): case X12_TAG('D', 'N', '1'): case X12_TAG('D', 'N', '2'): case X12_TAG('D', 'T', 'P'):
    case X12_TAG('F', 'R', 'M'): case X12_TAG('H', 'C', 'P'): case X12_TAG('H', 'I', 0): case X12_TAG('H', 'S', 'D'):
    case X12_TAG('I', 'M', 'M'): case X12_TAG('K', '3', 0): case X12_TAG('L', 'I', 'N'): case X12_TAG('L', 'Q', 0):
    case X12_TAG('L', 'S', 0): case X12_TAG('L', 'E', 0): case X12_TAG('L', 'X', 0): case X12_TAG('M', 'E', 'A'):
    case X12_TAG('M', 'I', 'A'): case X12_TAG('M', 'O', 'A'): case X12_TAG('N', 'T', 'E'): case X12_TAG('O', 'I', 0):
    case X12_TAG('P', 'S', '1'): case X12_TAG('P', 'W', 'K'): case X12_TAG('Q', 'T', 'Y'): case X12_TAG('S', 'V', '1'):
    case X12_TAG('S', 'V', '2'): case X12_TAG('S', 'V', '3'): case X12_TAG('S', 'V', '4'): case X12_TAG('S', 'V', '5'):
    case X12_TAG('S', 'V', '6'): case X12_TAG('S', 'V', '7'): case X12_TAG('S', 'V', 'D'): case X12_TAG('T', 'O', 'O'):
    case X12_TAG('U', 'R', 0):
        return 2; /* only in a claim */
    default:
        return 0;
    }
}

enum { X12_ICD10, X12_ICD9, X12_APART, X12_NO_DIAGNOSIS, X12_ICD10_PCS };

/* What a qualifier of the HI segment says; -1 for one that is not known. `role` is that of a listed diagnosis. */
static int x12_qualifier(x12_text word, uint8_t *role) {
    if (word.size < 2 || word.size > 3) return -1;
    switch (X12_TAG(word.at[0], word.at[1], word.size == 3 ? word.at[2] : 0)) {
    case X12_TAG('A', 'B', 'K'): *role = X12_PRINCIPAL; return X12_ICD10;
    case X12_TAG('A', 'B', 'F'): *role = X12_OTHER; return X12_ICD10;
    case X12_TAG('A', 'B', 'N'): *role = X12_EXTERNAL; return X12_ICD10;
    case X12_TAG('B', 'K', 0): *role = X12_PRINCIPAL; return X12_ICD9;
    case X12_TAG('B', 'F', 0): *role = X12_OTHER; return X12_ICD9;
    case X12_TAG('B', 'N', 0): *role = X12_EXTERNAL; return X12_ICD9;
    case X12_TAG('A', 'B', 'J'): case X12_TAG('A', 'P', 'R'): case X12_TAG('B', 'J', 0): case X12_TAG('P', 'R', 0):
    case X12_TAG('Z', 'Z', 0):
        return X12_APART;
    case X12_TAG('B', 'B', 'R'): case X12_TAG('B', 'B', 'Q'): return X12_ICD10_PCS;
    case X12_TAG('B', 'R', 0): case X12_TAG('B', 'Q', 0):
    case X12_TAG('C', 'A', 'H'): case X12_TAG('B', 'P', 0): case X12_TAG('B', 'O', 0): case X12_TAG('B', 'G', 0):
    case X12_TAG('B', 'H', 0): case X12_TAG('B', 'I', 0): case X12_TAG('B', 'E', 0): case X12_TAG('D', 'R', 0):
    case X12_TAG('T', 'C', 0):
        return X12_NO_DIAGNOSIS;
    default: return -1;
    }
}

/* Letters and digits, with a dot or without: nothing else about a code is judged here. */
static int x12_is_code(x12_text code, int digits_only) {
    int64_t dots = 0;
    if (code.size < 3 || code.size > X12_LONGEST_CODE) return 0;
    for (int64_t i = 0; i < code.size; i++) {
        if (code.at[i] == '.') {
            if (i != 3 || i + 1 == code.size) return 0;
            dots++;
        } else if (digits_only ? !x12_is_digit(code.at[i]) : !x12_is_letter_or_digit(code.at[i])) {
            return 0;
        }
    }
    return code.size - dots <= (digits_only ? 5 : 7);
}

/* A procedure of ICD-10-PCS joins those before it: 1, or 0 when it is not plain. */
static int x12_take_pcs(x12_claim *c, x12_text code) {
    if (code.size > X12_LONGEST_CODE || c->procedures_size + code.size + 1 > X12_MOST_PROCEDURES) return 0;
    for (int64_t i = 0; i < code.size; i++) {
        if (!x12_is_letter_or_digit(code.at[i])) return 0;
    }
    if (code.size && c->procedures_size) c->procedures[c->procedures_size++] = ' ';
    for (int64_t i = 0; i < code.size; i++) {
        uint8_t one = code.at[i];
        c->procedures[c->procedures_size++] = one >= 'a' && one <= 'z' ? (uint8_t)(one - 'a' + 'A') : one;
    }
    return 1;
}

static int x12_take_diagnoses(x12_reader *r) {
    const x12_segment *s = &r->segment;
    x12_claim *c = &r->claim;
    if (c->in_lines || c->other_payers) return 0;
    for (int i = 1; i < s->count; i++) {
        const uint8_t *at = s->text + s->starts[i];
        int64_t size = s->starts[i + 1] - 1 - s->starts[i];
        if (!size) continue;
        if (s->signs.repetition && memchr(at, s->signs.repetition, (size_t)size)) return 0;
        x12_text rest = x12_plain(at, size), qualifier, code, part;
        uint8_t role = 0;
        if (rest.size != size || !x12_component(&rest, s->signs.component, &qualifier)) return 0;
        int what = x12_qualifier(qualifier, &role);
        if (what == X12_NO_DIAGNOSIS) continue;
        if (what == X12_ICD10_PCS) {
            if (x12_component(&rest, s->signs.component, &code) && !x12_take_pcs(c, code)) return 0;
            continue;
        }
        if (what < 0 || !x12_component(&rest, s->signs.component, &code)) return 0;
        if (!x12_is_code(code, what == X12_ICD9)) return 0;
        uint8_t poa = 0;
        for (int place = 3; x12_component(&rest, s->signs.component, &part); place++) {
            if (!part.size) continue;
            if (place != 9 || part.size != 1 || !memchr("YNUW1", part.at[0], 5)) return 0;
            poa = part.at[0];
        }
        if (what == X12_APART) {
            c->apart = 1;
            continue;
        }
        if (c->count == X12_MOST_DIAGNOSES) return 0;
        c->found[c->count++] = (x12_diagnosis){
            code, r->now.line, r->now.column, (int32_t)r->now.number, i, role, poa,
        };
    }
    return 1;
}

/* The number of the claim that this one replaces or voids, from a REF segment: 1, or 0 when it is not plain. */
static int x12_take_original(x12_reader *r) {
    x12_text what = x12_element(&r->segment, 1), number = x12_element(&r->segment, 2);
    if (what.size < 0) return 0;
    if (!x12_is(what, "F8") || r->claim.original.size) return 1;
    if (number.size < 0) return 0;
    r->claim.original = number;
    return 1;
}

static int x12_take_date(x12_reader *r) {
    x12_claim *c = &r->claim;
    x12_text name = x12_element(&r->segment, 1);
    int32_t days[2];
    if (name.size < 0) return 0;
    int statement = x12_is(name, "434");
    if (!statement && !x12_is(name, "472")) return 1;
    if (!x12_days(x12_element(&r->segment, 2), x12_element(&r->segment, 3), days)) return 0;
    if (c->in_lines) {
        if (c->line_date == X12_NO_DAY || days[0] < c->line_date) c->line_date = days[0];
        int64_t last = x12_count32(&r->columns[X12_LINE_START]) - 1;
        if (!statement && c->line_is_open && *x12_at32(&r->columns[X12_LINE_START], last) == X12_NO_DAY) {
            *x12_at32(&r->columns[X12_LINE_START], last) = days[0];
            *x12_at32(&r->columns[X12_LINE_END], last) = days[1];
        }
    } else if (!statement) {
        if (c->service == X12_NO_DAY) c->service = days[0];
    } else if (c->statement[0] == X12_NO_DAY) {
        c->statement[0] = days[0];
        c->statement[1] = days[1];
    }
    return 1;
}

/* Which elements of SV1, SV2 and SV3 have what; 0 where there is none. */
typedef struct {
    uint8_t procedure, charge, basis, units, place, revenue, pointers;
} x12_layout;

static const x12_layout x12_layouts[] = {{0}, {1, 2, 3, 4, 5, 0, 7}, {2, 3, 4, 5, 0, 1, 0}, {1, 2, 0, 6, 3, 0, 11}};

/* Procedure and modifiers: 1, or 0 when they are not plain, or -1 when there is no memory. */
static int x12_take_procedure(x12_reader *r, x12_text rest) {
    x12_column *modifiers = &r->columns[X12_MODIFIERS];
    x12_text part;
    int32_t number, procedure = -1;
    uint8_t sign = r->segment.signs.component;
    if (rest.size < 0) return 0;
    for (int place = 0; place < 6 && x12_component(&rest, sign, &part); place++) {
        if (!place) continue;
        int done = x12_word(r, place == 1 ? X12_PROCEDURE : X12_MODIFIER, x12_plain(part.at, part.size), 0, &number);
        if (done <= 0) return done;
        if (place == 1) procedure = number;
        else if (number >= 0 && !x12_put32(modifiers, number)) return -1;
    }
    return x12_put32(&r->columns[X12_LINE_WORDS], procedure) &&
                   x12_put32(&r->columns[X12_MODIFIER_ENDS], (int32_t)x12_count32(modifiers))
               ? 1
               : -1;
}

/* The pointers of a line: 1, or 0 when they are not plain, or -1 when there is no memory. */
static int x12_take_pointers(x12_reader *r, x12_text rest) {
    x12_column *columns = r->columns;
    x12_text part;
    if (rest.size < 0) return 0;
    while (rest.size && x12_component(&rest, r->segment.signs.component, &part)) {
        if (!part.size) continue;
        int32_t pointer = part.size <= 3 ? x12_number(part) : -1;
        if (pointer < 1) return 0;
        if (!x12_put32(&columns[X12_POINTERS], pointer)) return -1;
    }
    return x12_put32(&columns[X12_POINTER_ENDS], (int32_t)x12_count32(&columns[X12_POINTERS])) ? 1 : -1;
}

static x12_text x12_element_if(const x12_segment *s, int number) {
    return number ? x12_element(s, number) : (x12_text){s->text, 0};
}

/* A service line: 1 when it is taken, 0 when it is not plain, -1 when there is no memory. */
static int x12_take_service(x12_reader *r, int which) {
    const x12_layout *at = &x12_layouts[which];
    const x12_segment *s = &r->segment;
    x12_claim *c = &r->claim;
    x12_column *columns = r->columns;
    double charge, units;
    int32_t place, revenue;
    c->in_lines = c->line_is_open = 1;
    c->at_rendering = 0;
    c->services |= 1 << which;
    x12_text basis = x12_element_if(s, at->basis);
    if (basis.size < 0 || !x12_amount(x12_element(s, at->charge), &charge)) return 0;
    if (!x12_amount(x12_element(s, at->units), &units)) return 0;
    if (x12_is(basis, "MJ")) units = NAN;
    int done = x12_take_pointers(r, x12_element_if(s, at->pointers));
    if (done > 0) done = x12_take_procedure(r, x12_element(s, at->procedure));
    if (done > 0) done = x12_word(r, X12_LINE_PLACE, x12_element_if(s, at->place), 2, &place);
    if (done > 0) done = x12_word(r, X12_REVENUE, x12_element_if(s, at->revenue), 4, &revenue);
    if (done <= 0) return done;
    int64_t number = c->line_number > 0 ? c->line_number : x12_count32(&columns[X12_POINTER_ENDS]) - 1 - c->first_line;
    c->line_number = -1;
    return x12_put64(&columns[X12_LINE_NUMBER], number) && x12_put_double(&columns[X12_CHARGES], charge) &&
                   x12_put_double(&columns[X12_UNITS], units) &&
                   x12_put32(&columns[X12_LINE_WORDS + X12_LINE_PLACE - X12_ROW_WORDS], place) &&
                   x12_put32(&columns[X12_LINE_WORDS + X12_REVENUE - X12_ROW_WORDS], revenue) &&
                   x12_put32(&columns[X12_LINE_WORDS + X12_LINE_RENDERING - X12_ROW_WORDS], -1) &&
                   x12_put32(&columns[X12_LINE_WORDS + X12_LINE_TAXONOMY - X12_ROW_WORDS], -1) &&
                   x12_put32(&columns[X12_LINE_START], X12_NO_DAY) && x12_put32(&columns[X12_LINE_END], X12_NO_DAY)
               ? 1
               : -1;
}

/* The rendering provider of the open line, or of the claim: 1, or 0 when it is not plain, or -1 without memory. */
static int x12_take_rendering(x12_reader *r, int line_table, int table, x12_text value, int32_t *of_claim) {
    x12_column *of_lines = &r->columns[X12_LINE_WORDS + line_table - X12_ROW_WORDS];
    if (!r->claim.in_lines) return x12_word(r, table, value, 0, of_claim);
    if (!r->claim.line_is_open) return 1;
    return x12_word(r, line_table, value, 0, x12_at32(of_lines, x12_count32(of_lines) - 1));
}

/* The rendering provider and the state of the facility, among the parties that a claim or a line names. */
static int x12_take_party(x12_reader *r) {
    const x12_segment *s = &r->segment;
    x12_claim *c = &r->claim;
    if (c->other_payers && !c->in_lines) return 1;
    if (s->tag == X12_TAG('P', 'R', 'V')) {
        if (!c->at_rendering) return 1;
        return x12_take_rendering(r, X12_LINE_TAXONOMY, X12_RENDERING_TAXONOMY, x12_element(s, 3), &c->rendering_taxonomy);
    }
    if (c->in_lines && s->tag == X12_TAG('N', '4', 0)) return 1;
    if (s->tag == X12_TAG('N', '4', 0)) {
        return c->at_facility ? x12_word(r, X12_STATE, x12_element(s, 2), 0, &c->state) : 1;
    }
    x12_text entity = x12_element(s, 1), kind = x12_element(s, 8);
    if (entity.size < 0 || kind.size < 0) return 0;
    c->at_facility = x12_is(entity, "77") || x12_is(entity, "FA");
    c->at_rendering = x12_is(entity, "82");
    if (!c->at_rendering) return 1;
    x12_text npi = x12_is(kind, "XX") ? x12_element(s, 9) : (x12_text){s->text, 0};
    return x12_take_rendering(r, X12_LINE_RENDERING, X12_RENDERING, npi, &c->rendering);
}

/* Take a segment of the claim: 1, or 0 when the claim is not plain, or -1 when there is no memory. */
static int x12_take(x12_reader *r) {
    const x12_segment *s = &r->segment;
    x12_claim *c = &r->claim;
    if (++c->segments > X12_MOST_SEGMENTS) return 0;
    if (s->tag == X12_TAG('H', 'I', 0)) return x12_take_diagnoses(r);
    if (s->stray) return 0;
    switch (s->tag) {
    case X12_TAG('D', 'T', 'P'): return x12_take_date(r);
    case X12_TAG('L', 'X', 0):
        c->in_lines = 1;
        c->line_is_open = c->at_rendering = 0;
        c->line_number = x12_number(x12_element(s, 1));
        return 1;
    case X12_TAG('S', 'V', '1'): return x12_take_service(r, 1);
    case X12_TAG('S', 'V', '2'): return x12_take_service(r, 2);
    case X12_TAG('S', 'V', '3'): return x12_take_service(r, 3);
    case X12_TAG('S', 'B', 'R'): c->other_payers = 1; return !c->in_lines;
    case X12_TAG('C', 'L', '1'):
        return c->in_lines || c->other_payers || x12_word(r, X12_DISCHARGE, x12_element(s, 3), 2, &c->discharge);
    case X12_TAG('D', 'M', 'G'): case X12_TAG('P', 'A', 'T'): return !c->in_lines;
    case X12_TAG('N', 'M', '1'): {
        x12_text entity = x12_element(s, 1);
        if (c->in_lines && (x12_is(entity, "IL") || x12_is(entity, "QC"))) return 0;
        return x12_take_party(r);
    }
    case X12_TAG('N', '4', 0): case X12_TAG('P', 'R', 'V'): return x12_take_party(r);
    case X12_TAG('R', 'E', 'F'): return c->in_lines || c->other_payers || x12_take_original(r);
    default: return x12_is_known(s->tag) != 0;
    }
}

#endif
