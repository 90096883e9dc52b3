# What Python sees of the reader of JSON.

cdef extern from "_json.h" nogil:
    enum:
        JSON_OBJECT
        JSON_LIST
        JSON_TEXT
        JSON_ESCAPED
        JSON_WHOLE
        JSON_REAL
        JSON_TRUE
        JSON_PLAIN
        JSON_NO_MEMORY
        JSON_MORE
    ctypedef struct json_node:
        int32_t at
        int32_t size
        int32_t next
        int16_t kind
        int16_t more
    ctypedef struct json_text:
        const uint8_t *text
        int64_t size
        json_node *nodes
        int high
        int32_t root
        int64_t end
    int json_read(json_text *text, const uint8_t *at, int64_t size)
    int json_read_at(json_text *text, const uint8_t *at, int64_t size, int any)
    int json_holds(const uint8_t *text, int64_t size, const uint8_t *word, int64_t length)
    int32_t json_key(const json_text *text, int32_t object, const char *name, int32_t size)
    int32_t json_member(const json_text *text, int32_t object, const char *name, int32_t size)
