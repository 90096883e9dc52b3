/* A JSON value as a row of nodes, each value before its contents. Only JSON on whose value all readers agree is read. The
 * value is a line, or stands somewhere in a text and may span lines.
 *
 * Anything else is refused and left to Python: a key that appears twice or is escaped, half of a surrogate pair, NaN,
 * whole numbers of more than 18 digits, exponents of more than two, objects of more than 256 keys, deep nesting. Whether text is UTF-8 is
 * the caller's to check where `high` is set. */

#ifndef WEAKCODE_FHIR_JSON_H
#define WEAKCODE_FHIR_JSON_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_OBJECT, JSON_LIST, JSON_TEXT, JSON_ESCAPED, JSON_WHOLE, JSON_REAL, JSON_TRUE, JSON_FALSE, JSON_NULL };
enum { JSON_PLAIN = 1, JSON_REFUSED = 0, JSON_NO_MEMORY = -1, JSON_MORE = 2 };
enum { JSON_DEPTH = 64, JSON_KEYS = 256 };

/* `at` and `size` are those of the text of a value, without the quotes of text. `next` is the node behind all that is in
 * it. An object has a key and a value in turn, a list its items, of which all but the last have `more` behind them. */
typedef struct {
    int32_t at, size, next;
    int16_t kind, more;
} json_node;

typedef struct {
    const uint8_t *text;
    int64_t size;
    json_node *nodes;
    int32_t count, room;
    int high;
    /* Whether line breaks are blanks; the node of the resource that is asked about; and where the value ended. */
    int breaks;
    int32_t root;
    int64_t end;
} json_text;

static inline int32_t json_add(json_text *j, int kind, int64_t at, int64_t size) {
    if (j->count == j->room) {
        int32_t room = j->room ? 2 * j->room : 1024;
        json_node *nodes = realloc(j->nodes, (size_t)room * sizeof *nodes);
        if (!nodes) return -1;
        j->nodes = nodes;
        j->room = room;
    }
    json_node *n = &j->nodes[j->count];
    n->kind = (int16_t)kind;
    n->more = 0;
    n->at = (int32_t)at;
    n->size = (int32_t)size;
    n->next = ++j->count;
    return j->count - 1;
}

static inline int json_hex(uint8_t sign) {
    if (sign >= '0' && sign <= '9') return sign - '0';
    sign |= 32;
    return sign >= 'a' && sign <= 'f' ? sign - 'a' + 10 : -1;
}

/* The place of the quote that ends a text, -1 where it is refused; `kind` tells whether anything in it is escaped. */
static inline int64_t json_quoted(json_text *j, int64_t at, int *kind) {
    const uint8_t *text = j->text;
    *kind = JSON_TEXT;
    for (;;) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
        while (at + 8 <= j->size) {
            uint64_t eight, quote, slash, found;
            memcpy(&eight, text + at, 8);
            quote = eight ^ ones * '"';
            slash = eight ^ ones * '\\';
            /* The lowest bit that is set stands for the first byte of a kind; those above it may be wrong. */
            found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((eight - ones * 32) & ~eight) | eight) & tops;
            if (found) {
                at += __builtin_ctzll(found) / 8;
                break;
            }
            at += 8;
        }
#endif
        if (at >= j->size) return -1;
        uint8_t sign = text[at];
        if (sign == '"') return at;
        if (sign == '\\') {
            *kind = JSON_ESCAPED;
            if (++at >= j->size) return -1;
            if (text[at] == 'u') {
                int code = 0;
                for (int i = 1; i <= 4; i++) {
                    int digit = at + i < j->size ? json_hex(text[at + i]) : -1;
                    if (digit < 0) return -1;
                    code = code * 16 + digit;
                }
                if (code >= 0xD800 && code <= 0xDFFF) return -1;
                at += 4;
            } else if (!text[at] || !strchr("\"\\/bfnrt", text[at])) {
                return -1;
            }
        } else if (sign < 32) {
            return -1;
        } else if (sign >= 128) {
            j->high = 1;
        }
        at++;
    }
}

/* The place behind a number, -1 where it is refused. */
static inline int64_t json_number(const json_text *j, int64_t at, int *kind) {
    const uint8_t *text = j->text;
    int64_t size = j->size, first;
#define JSON_DIGIT(at) ((at) < size && text[at] >= '0' && text[at] <= '9')
    *kind = JSON_WHOLE;
    if (text[at] == '-') at++;
    first = at;
    while (JSON_DIGIT(at)) at++;
    if (at == first || (text[first] == '0' && at > first + 1) || at - first > 18) return -1;
    if (at < size && text[at] == '.') {
        *kind = JSON_REAL;
        first = ++at;
        while (JSON_DIGIT(at)) at++;
        if (at == first) return -1;
    }
    if (at < size && (text[at] | 32) == 'e') {
        *kind = JSON_REAL;
        at++;
        if (at < size && (text[at] == '+' || text[at] == '-')) at++;
        first = at;
        while (JSON_DIGIT(at)) at++;
        /* Some readers read a number too large for a double as infinite, others refuse it. */
        if (at == first || at - first > 2) return -1;
    }
#undef JSON_DIGIT
    return at;
}

static inline int json_same(const json_text *j, int32_t one, int32_t other) {
    const json_node *a = &j->nodes[one], *b = &j->nodes[other];
    return a->size == b->size && !memcmp(j->text + a->at, j->text + b->at, (size_t)a->size);
}

/* Tells whether an object had this key, its last one, before. `seen` has a bit for each key, or several. */
static inline int json_again(const json_text *j, int32_t object, int32_t key, uint64_t *seen) {
    const json_node *n = &j->nodes[key];
    const uint8_t *name = j->text + n->at;
    uint32_t hash = (uint32_t)n->size * 31;
    if (n->size) hash += name[0] * 7u + name[n->size / 2] * 13u + name[n->size - 1] * 3u;
    uint64_t bit = (uint64_t)1 << (hash & 63);
    if (!(*seen & bit)) {
        *seen |= bit;
        return 0;
    }
    for (int32_t other = object + 1; other < key; other = j->nodes[other + 1].next)
        if (json_same(j, other, key)) return 1;
    return 0;
}

static inline int64_t json_blanks(const json_text *j, int64_t at) {
    const uint8_t *text = j->text;
    if (at >= j->size || text[at] > ' ') return at;
    for (;;) {
        const uint64_t blanks = 0x2020202020202020ull;
        uint64_t eight;
        /* Lines are indented by blanks. */
        while (at + 8 <= j->size && (memcpy(&eight, text + at, 8), eight == blanks)) at += 8;
        if (at >= j->size) return at;
        if (text[at] != ' ' && text[at] != '\t' && text[at] != '\r' && !(text[at] == '\n' && j->breaks)) return at;
        at++;
    }
}

/* Tells whether a text ends before the end of everything. */
static int json_closes(const uint8_t *text, int64_t at, int64_t size) {
    for (; at < size && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at < size;
}

static inline int64_t json_word(const json_text *j, int64_t at, const char *word, int64_t size) {
    return at + size <= j->size && !memcmp(j->text + at, word, (size_t)size) ? at + size : -1;
}

/* Reads the object or list that begins here, or any value where `any` is set; `end` is where it ended, or was refused. */
static int json_value(json_text *j, const uint8_t *text, int64_t size, int any) {
    struct { int32_t node, keys; uint64_t seen; } open[JSON_DEPTH];
    int depth = 0, kind;
    int64_t at, end;
    int32_t node = -1;
    j->text = text;
    j->size = size;
    j->count = 0;
    j->high = 0;
    j->root = 0;
    at = j->end = json_blanks(j, 0);
    if (at >= size || (text[at] != '{' && !any)) return JSON_REFUSED;
    for (;;) {
        j->end = at;
        /* A value begins here. */
        if (at >= size) return JSON_REFUSED;
        switch (text[at]) {
            case '{': case '[':
                if (depth == JSON_DEPTH) return JSON_REFUSED;
                node = json_add(j, text[at] == '{' ? JSON_OBJECT : JSON_LIST, at, 0);
                if (node < 0) return JSON_NO_MEMORY;
                open[depth].node = node;
                open[depth].keys = 0;
                open[depth++].seen = 0;
                at = j->end = json_blanks(j, at + 1);
                if (at >= size) return JSON_REFUSED;
                if (j->nodes[node].kind == JSON_LIST) {
                    if (text[at] == ']') goto closed;
                    continue;
                }
                if (text[at] == '}') goto closed;
                goto key;
            case '"':
                end = json_quoted(j, at + 1, &kind);
                if (end < 0) return JSON_REFUSED;
                node = json_add(j, kind, at + 1, end - at - 1);
                if (node < 0) return JSON_NO_MEMORY;
                at = end + 1;
                break;
            case 't': kind = JSON_TRUE; end = json_word(j, at, "true", 4); goto word;
            case 'f': kind = JSON_FALSE; end = json_word(j, at, "false", 5); goto word;
            case 'n': kind = JSON_NULL; end = json_word(j, at, "null", 4); goto word;
            default:
                end = json_number(j, at, &kind);
            word:
                if (end < 0) return JSON_REFUSED;
                node = json_add(j, kind, at, end - at);
                if (node < 0) return JSON_NO_MEMORY;
                at = end;
        }
        /* A value has ended: what is around it goes on, or ends too. */
        for (;;) {
            j->end = at;
            if (!depth) return JSON_PLAIN;
            at = j->end = json_blanks(j, at);
            if (at >= size) return JSON_REFUSED;
            int is_list = j->nodes[open[depth - 1].node].kind == JSON_LIST;
            if (text[at] == ',') {
                at = json_blanks(j, at + 1);
                if (!is_list) goto key;
                j->nodes[node].more = 1;
                break;
            }
            if (text[at] != (is_list ? ']' : '}')) return JSON_REFUSED;
        closed:
            node = open[--depth].node;
            j->nodes[node].next = j->count;
            j->nodes[node].size = (int32_t)(at + 1 - j->nodes[node].at);
            at++;
        }
        continue;
    key:
        j->end = at;
        if (at >= size || text[at] != '"') return JSON_REFUSED;
        end = json_quoted(j, at + 1, &kind);
        if (end < 0 || kind == JSON_ESCAPED) return JSON_REFUSED;
        node = json_add(j, JSON_TEXT, at + 1, end - at - 1);
        if (node < 0) return JSON_NO_MEMORY;
        if (++open[depth - 1].keys > JSON_KEYS || json_again(j, open[depth - 1].node, node, &open[depth - 1].seen))
            return JSON_REFUSED;
        at = j->end = json_blanks(j, end + 1);
        if (at >= size || text[at] != ':') return JSON_REFUSED;
        at = json_blanks(j, at + 1);
    }
}

/* Reads a line, an object with nothing but blanks around it. */
static int json_read(json_text *j, const uint8_t *text, int64_t size) {
    int read;
    if (size > INT32_MAX / 2) return JSON_REFUSED;
    j->breaks = 0;
    read = json_value(j, text, size, 0);
    return read == JSON_PLAIN && json_blanks(j, j->end) < size ? JSON_REFUSED : read;
}

/* Reads a value of a text, which may go on behind what is there: MORE where only that tells. `any` as above. */
static int json_read_at(json_text *j, const uint8_t *text, int64_t size, int any) {
    int read;
    if (size > INT32_MAX / 2) size = INT32_MAX / 2;
    j->breaks = 1;
    read = json_value(j, text, size, any);
    /* A number at the end may go on. */
    if (read == JSON_PLAIN) return j->end == size && j->nodes[0].kind >= JSON_WHOLE ? JSON_MORE : read;
    if (read != JSON_REFUSED) return read;
    /* What is refused this near to the end, or inside text that does not end, may be no more than unfinished. */
    return j->end + 16 >= size || (text[j->end] == '"' && !json_closes(text, j->end + 1, size)) ? JSON_MORE : read;
}

/* The value of a key; -1 where there is none, or where the node is no object. */
static inline int32_t json_key(const json_text *j, int32_t object, const char *name, int32_t size) {
    if (object < 0 || j->nodes[object].kind != JSON_OBJECT) return -1;
    int32_t end = j->nodes[object].next;
    for (int32_t key = object + 1; key < end; key = j->nodes[key + 1].next) {
        const json_node *n = &j->nodes[key];
        if (n->size == size && !memcmp(j->text + n->at, name, (size_t)size)) return key + 1;
    }
    return -1;
}

/* The same, and -1 where the value is null. */
static inline int32_t json_member(const json_text *j, int32_t object, const char *name, int32_t size) {
    int32_t value = json_key(j, object, name, size);
    return value >= 0 && j->nodes[value].kind == JSON_NULL ? -1 : value;
}

/* Tells whether a word of at least three signs stands in a text. The inner loop has no branch, so that it is vectorized. */
static int json_holds(const uint8_t *text, int64_t size, const uint8_t *word, int64_t length) {
    const uint8_t first = word[0], second = word[1], last = word[length - 1];
    int64_t stop = size - length + 1;
    for (int64_t at = 0; at < stop; at += 512) {
        int64_t part = stop - at < 512 ? stop - at : 512;
        const uint8_t *from = text + at, *to = from + length - 1;
        uint8_t met = 0;
        for (int64_t i = 0; i < part; i++) met |= (from[i] == first) & (from[i + 1] == second) & (to[i] == last);
        for (int64_t i = 0; met && i < part; i++)
            if (!memcmp(from + i, word, (size_t)length)) return 1;
    }
    return 0;
}

#endif
