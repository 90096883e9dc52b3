/* The state of reading an 837: the place in it, and the open claim. */

#ifndef WEAKCODE_X12_STATE_H
#define WEAKCODE_X12_STATE_H


#include "_columns.h"
#include "_segments.h"

#define X12_MOST_DIAGNOSES 256
#define X12_MOST_SEGMENTS 10000 /* of one claim */
#define X12_LONGEST_CODE 8
#define X12_MOST_PROCEDURES 512 /* bytes of all ICD-10-PCS codes of a claim, each with a blank */

enum { X12_MORE, X12_CLOSER, X12_NO_MEMORY }; /* why reading stopped: the text ends; Python is to read on; no memory */
enum { X12_UNKNOWN, X12_PROFESSIONAL, X12_INSTITUTIONAL, X12_DENTAL };
enum { X12_IS_PROFESSIONAL, X12_IS_OUTPATIENT, X12_IS_INPATIENT };
enum { X12_PRINCIPAL, X12_OTHER, X12_EXTERNAL, X12_ROLES };

/* The place in the file, and what earlier segments say of a claim that begins here. */
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
    x12_text id, facility, facility_form, frequency, original;
    int32_t rendering, rendering_taxonomy, discharge, state;
    int at_facility, at_rendering, line_is_open;
    uint8_t procedures[X12_MOST_PROCEDURES];
    int procedures_size;
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

#endif
