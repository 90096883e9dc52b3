# Text of a resource, as it stands in its bytes.

cdef Part NOTHING
NOTHING.at, NOTHING.size = NULL, 0


cdef inline int32_t member(json_text *j, int32_t node, const char *name) except -2:
    """Return the value of a key of an object; -1 where it is missing or null, or the node is -1."""
    cdef int32_t size = 0
    if node < 0:
        return -1
    if j.nodes[node].kind != JSON_OBJECT:
        raise Unusual
    while name[size]:
        size += 1
    return json_member(j, node, name, size)


cdef inline Part text_of(json_text *j, int32_t node) except *:
    """Return a text as it stands; nothing where there is none, or another value."""
    cdef Part found = NOTHING
    if node >= 0:
        if j.nodes[node].kind == JSON_ESCAPED:
            raise Unusual
        if j.nodes[node].kind == JSON_TEXT:
            found.at, found.size = j.text + j.nodes[node].at, j.nodes[node].size
    return found


cdef inline bytes text_as_written(json_text *j, int32_t node):
    """Return the text of a value."""
    return None if node < 0 else PyBytes_FromStringAndSize(<const char *> j.text + j.nodes[node].at, j.nodes[node].size)


cdef Part part_of(object text) except *:
    """Return bytes as a part, which is good as long as they are."""
    cdef Part found = NOTHING
    if text is not None:
        found.at, found.size = <const uint8_t *> PyBytes_AsString(text), <int32_t> len(<bytes> text)
    return found


cdef inline bint is_word(Part text, const char *word) noexcept:
    cdef int32_t at
    if text.at == NULL:
        return False
    for at in range(text.size):
        if word[at] == 0 or <uint8_t> word[at] != text.at[at]:
            return False
    return word[text.size] == 0


cdef inline bint is_lower_word(Part text, const char *word) noexcept:
    """Tell whether text of ASCII is a word of lower case, whatever its own case."""
    cdef int32_t at
    cdef uint8_t sign
    for at in range(text.size):
        sign = text.at[at]
        if 65 <= sign <= 90:
            sign += 32
        if word[at] == 0 or <uint8_t> word[at] != sign:
            return False
    return word[text.size] == 0


cdef bint part_holds(Part text, const char *word) except -1:
    cdef int32_t at, size = 0
    while word[size]:
        size += 1
    for at in range(text.size - size + 1):
        if not memcmp(text.at + at, word, size):
            return True
    return False


cdef inline Part stripped(Part text) except *:
    """Return text without blanks around it, which other scripts have too."""
    cdef int32_t at
    for at in range(text.size):
        if text.at[at] >= 128:
            raise Unusual
    while text.size and text.at[0] == 32:
        text.at += 1
        text.size -= 1
    while text.size and text.at[text.size - 1] == 32:
        text.size -= 1
    return text


cdef Part filled(Part text) except *:
    """Return text without blanks around it, nothing where it is empty."""
    text = stripped(text)
    return text if text.size else NOTHING


cdef Part canonical(Part code, uint8_t *spelled) except *:
    """Spell a code: dotted and in upper case. What is no plain code is for the reader in Python."""
    cdef int32_t at, size = 0
    cdef uint8_t sign
    cdef Part found
    while code.size and code.at[code.size - 1] == 46:
        code.size -= 1
    if not 1 <= code.size <= 8:
        raise Unusual
    for at in range(code.size):
        sign = code.at[at]
        if at == 3 and sign == 46:
            continue
        if 97 <= sign <= 122:
            sign -= 32
        if not (48 <= sign <= 57 or 65 <= sign <= 90):
            raise Unusual
        if size == 3:
            spelled[3] = 46
            size = 4
        spelled[size] = sign
        size += 1
    if size > 8:
        raise Unusual
    found.at, found.size = spelled, size
    return found
