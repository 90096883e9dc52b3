/* The claims of a well-formed stretch of an 837. Anything that is not plain stops the reading before its claim, or before
 * the segment where it belongs to none: what becomes of it, the reader in Python says (loops.py, draft.py). This one
 * knows no reason and rejects nothing; where it reads on, it reads what that reader would.
 */

#ifndef WEAKCODE_X12_CLAIMS_H
#define WEAKCODE_X12_CLAIMS_H

#include <stdio.h>

#include "_columns.h"
#include "_segments.h"

#define X12_MOST_DIAGNOSES 256
#define X12_MOST_SEGMENTS 10000 /* of one claim */
#define X12_LONGEST_CODE 8

enum { X12_MORE, X12_CLOSER, X12_NO_MEMORY }; /* why the reading stopped: no more text; a closer look is due */
enum { X12_UNKNOWN, X12_PROFESSIONAL, X12_INSTITUTIONAL, X12_DENTAL };
enum { X12_IS_PROFESSIONAL, X12_IS_OUTPATIENT, X12_IS_INPATIENT };
enum { X12_PRINCIPAL, X12_OTHER, X12_EXTERNAL, X12_ROLES };

/* Where the reading is, and what the segments before say of a claim that begins here. */
typedef struct {
    int64_t offset, line, column; /* the offset counts from the start of the text, the others from 1 */
    int64_t number, claims;       /* segments from ST, claims of the transaction */
    int64_t sets;                 /* transactions of the group */
    int64_t undiagnosed;          /* dental claims without any diagnosis */
    int64_t last_level;
    int64_t last_line;            /* on which the segment before begins */
    int levels_counted, in_837, in_other;
    int kind, guide;              /* of the transaction; of the group, where the transaction does not say */
    int32_t envelope;             /* -1 for none */
    int32_t parties[X12_PARTIES]; /* numbers of words, -1 for none */
    int billing;                  /* whether the last NM1 was that of the billing provider */
    int32_t birth;
    int sex, patient_is_plain;
} x12_state;

typedef struct {
    x12_text code;
    int64_t line, column;
    int32_t segment, element;
    uint8_t role, poa;
} x12_diagnosis;

typedef struct {
    x12_state before; /* where the claim begins */
    int64_t segments;
    x12_text id, facility, facility_form, frequency;
    int32_t rendering, state;
    int at_facility, line_is_open;
    int in_lines, other_payers, apart, services; /* services: bit 1 for SV1, 2 for SV2, 3 for SV3 */
    int32_t statement[2], service, line_date, line_number;
    int64_t first_line, first_pointer; /* of the claim, in the columns */
    int64_t kept[X12_KEPT];
    int count;
    x12_diagnosis found[X12_MOST_DIAGNOSES];
} x12_claim;

typedef struct {
    x12_column columns[X12_COLUMNS];
    x12_names names[X12_TABLES];
    x12_state now;
    int open; /* whether `claim` is being read */
    x12_claim claim;
    x12_segment segment;
} x12_reader;

static void x12_forget_parties(x12_state *s, int first, int last) {
    for (int i = first; i <= last; i++) s->parties[i] = -1;
}

/* Texts that are listed in order, or texts beside lists: a column of offsets begins with a zero. */
static int x12_begin(x12_reader *r) {
    static const uint8_t ends[] = {X12_ID_ENDS, X12_DX_ENDS, X12_CODE_ENDS, X12_POA_ENDS, X12_LINE_ENDS,
                                   X12_POINTER_ENDS, X12_MODIFIER_ENDS, X12_ENVELOPE_ENDS};
    for (size_t i = 0; i < sizeof ends; i++) {
        if (!x12_put32(&r->columns[ends[i]], 0)) return 0;
    }
    for (int i = 0; i < X12_TABLES; i++) {
        if (!x12_put32(&r->columns[X12_TABLE_TEXT + 2 * i + 1], 0)) return 0;
        free(r->names[i].slots);
        r->names[i].slots = NULL;
    }
    r->now.envelope = -1;
    x12_forget_parties(&r->now, 0, X12_PARTIES - 1);
    return 1;
}

/* The number of a text in a table; -1 when there is no memory. */
static int32_t x12_name_in(x12_reader *r, int table, const uint8_t *at, int64_t size) {
    x12_column *text = &r->columns[X12_TABLE_TEXT + 2 * table];
    return x12_name(&r->names[table], text, text + 1, at, size);
}

/* The number of a word in upper case, filled up with zeros to `width` where it is digits; -1 for an empty one. 1, or 0
 * when it is not plain, or -1 when there is no memory. */
static int x12_word(x12_reader *r, int table, x12_text value, int width, int32_t *number) {
    uint8_t word[80];
    int size = 0, digits = 1;
    *number = -1;
    if (value.size < 0 || value.size > (int64_t)sizeof word) return 0;
    if (!value.size) return 1;
    for (int64_t i = 0; i < value.size; i++) digits &= x12_is_digit(value.at[i]);
    for (; digits && size + value.size < width; size++) word[size] = '0';
    for (int64_t i = 0; i < value.size; i++) {
        uint8_t c = value.at[i];
        word[size++] = c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
    }
    *number = x12_name_in(r, table, word, size);
    return *number < 0 ? -1 : 1;
}

static int64_t x12_rows(const x12_reader *r) { return x12_count32(&r->columns[X12_SERVICE]); }

static void x12_forget_patient(x12_state *s) {
    s->birth = X12_NO_DAY;
    s->sex = -1;
    s->patient_is_plain = 1;
}

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

/* Segments that a claim of an 837 may have, those apart that this reader takes something from. */
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
        return 2; /* and nowhere but in a claim */
    default:
        return 0;
    }
}

enum { X12_ICD10, X12_ICD9, X12_APART, X12_NO_DIAGNOSIS };

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
    case X12_TAG('B', 'B', 'R'): case X12_TAG('B', 'B', 'Q'): case X12_TAG('B', 'R', 0): case X12_TAG('B', 'Q', 0):
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
                   x12_put32(&columns[X12_LINE_START], X12_NO_DAY) && x12_put32(&columns[X12_LINE_END], X12_NO_DAY)
               ? 1
               : -1;
}

/* Of the parties that a claim names: who renders, and the state of the facility. 1, 0 or -1 as ever. */
static int x12_take_party(x12_reader *r) {
    const x12_segment *s = &r->segment;
    x12_claim *c = &r->claim;
    if (c->in_lines || c->other_payers) return 1;
    if (s->tag == X12_TAG('N', '4', 0)) {
        return c->at_facility ? x12_word(r, X12_STATE, x12_element(s, 2), 0, &c->state) : 1;
    }
    x12_text who = x12_element(s, 1), kind = x12_element(s, 8);
    if (who.size < 0 || kind.size < 0) return 0;
    c->at_facility = x12_is(who, "77") || x12_is(who, "FA");
    if (!x12_is(who, "82")) return 1;
    return x12_word(r, X12_RENDERING, x12_is(kind, "XX") ? x12_element(s, 9) : (x12_text){s->text, 0}, 0, &c->rendering);
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
        c->line_is_open = 0;
        c->line_number = x12_number(x12_element(s, 1));
        return 1;
    case X12_TAG('S', 'V', '1'): return x12_take_service(r, 1);
    case X12_TAG('S', 'V', '2'): return x12_take_service(r, 2);
    case X12_TAG('S', 'V', '3'): return x12_take_service(r, 3);
    case X12_TAG('S', 'B', 'R'): c->other_payers = 1; return !c->in_lines;
    case X12_TAG('D', 'M', 'G'): case X12_TAG('P', 'A', 'T'): return !c->in_lines;
    case X12_TAG('N', 'M', '1'): {
        x12_text who = x12_element(s, 1);
        if (c->in_lines) return !x12_is(who, "IL") && !x12_is(who, "QC");
        return x12_take_party(r);
    }
    case X12_TAG('N', '4', 0): return x12_take_party(r);
    default: return x12_is_known(s->tag) != 0;
    }
}

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
    c->rendering = c->state = -1;
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

/* Where the transaction does not say what it is, its claims may: by the form of their places and of their services. */
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
    for (int i = 0; done > 0 && i < X12_ROW_WORDS; i++) {
        if (!x12_put32(&r->columns[X12_WORDS + i], words[i])) done = -1;
    }
    return done;
}

/* The claim is read whole: 1, or 0 when it is not plain after all, or -1 when there is no memory. */
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

/* The payer of an NM1 segment: its name, else its number, and its ids. 1, 0 or -1 as ever. */
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
        x12_text who = x12_element(s, 1), kind = x12_element(s, 8);
        if (who.size < 0 || kind.size < 0) return 0;
        if (x12_is(who, "IL") || x12_is(who, "QC")) x12_forget_patient(now);
        now->billing = x12_is(who, "85");
        if (x12_is(who, "PR")) return x12_take_payer(r);
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

/* Step over a segment and the blanks before it; `before` is then where its text begins. 0 where it does not end here. */
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

/* What findings say of where they are, by the row and the first position (0 for none) of each. */
typedef struct {
    const int32_t *prefix_ends; /* for each envelope: the words before the number of the segment */
    const uint8_t *prefixes;
    const int32_t *envelope, *segment, *dx_ends, *dx_segment, *dx_element;
    const int64_t *line, *column, *dx_line, *dx_column;
} x12_spots;

static int x12_place(const x12_spots *p, int32_t row, int32_t position, x12_column *text, x12_column *ends, int64_t *line) {
    const int32_t *prefix = p->prefix_ends + p->envelope[row];
    int32_t dx = p->dx_ends[row] + position - 1;
    int64_t column = position ? p->dx_column[dx] : p->column[row];
    uint8_t *at = x12_room(text, prefix[1] - prefix[0]); /* there is always some prefix */
    char words[80];
    *line = position ? p->dx_line[dx] : p->line[row];
    if (!at) return 0;
    memcpy(at, p->prefixes + prefix[0], (size_t)(prefix[1] - prefix[0]));
    int size = snprintf(words, sizeof words, "%d", position ? p->dx_segment[dx] : p->segment[row]);
    if (position) size += snprintf(words + size, sizeof words - (size_t)size, ", HI%02d", p->dx_element[dx]);
    if (column > 1) size += snprintf(words + size, sizeof words - (size_t)size, ", column %lld", (long long)column);
    return x12_put_text(text, ends, (const uint8_t *)words, size);
}

#endif
