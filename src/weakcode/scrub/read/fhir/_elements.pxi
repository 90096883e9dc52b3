# Elements of FHIR: codings, identifiers, references, numbers.

cdef int list_of_objects(json_text *j, int32_t node) except -1:
    """Raise Unusual unless a node is a list of objects, or there is none."""
    cdef int32_t item
    if node < 0:
        return 0
    if j.nodes[node].kind != JSON_LIST:
        raise Unusual
    item = node + 1
    while item < j.nodes[node].next:
        if j.nodes[item].kind != JSON_OBJECT:
            raise Unusual
        item = j.nodes[item].next
    return 0


cdef inline int32_t first_item(json_text *j, int32_t items) noexcept:
    """Return the first item of a list of objects, -1 where there is none."""
    return items + 1 if items >= 0 and j.nodes[items].next > items + 1 else -1


cdef inline int32_t next_object(json_text *j, int32_t item) noexcept:
    """Return the item behind another one in their list, -1 at its end."""
    return j.nodes[item].next if j.nodes[item].more else -1


cdef int32_t first_object(json_text *j, int32_t items) except -2:
    """Return the first item of what has to be a list of objects, -1 where there is none; raise Unusual where it is not."""
    list_of_objects(j, items)
    return first_item(j, items)


cdef int32_t first_coding(json_text *j, int32_t concept) except -2:
    """Return the first coding of a concept, -1 where there is none."""
    return first_object(j, member(j, concept, b"coding"))


cdef Part first_code(json_text *j, int32_t concept) except *:
    """Return the first code of a concept that is none of blanks."""
    cdef int32_t coding = first_coding(j, concept)
    cdef Part code = NOTHING
    while coding >= 0 and code.at == NULL:
        code = filled(text_of(j, member(j, coding, b"code")))
        coding = next_object(j, coding)
    return code


cdef bint has_code(json_text *j, int32_t concept, const char *one, const char *other, bint lower) except -1:
    """Tell whether a coding of a concept has one of two codes."""
    cdef int32_t coding = first_coding(j, concept)
    cdef Part code
    while coding >= 0:
        code = filled(text_of(j, member(j, coding, b"code")))
        if code.at != NULL:
            if is_lower_word(code, one) if lower else is_word(code, one):
                return True
            if other != NULL and is_word(code, other):
                return True
        coding = next_object(j, coding)
    return False


cdef int kinds_of(json_text *j, int32_t concepts) except -1:
    """Return what the types of a diagnosis say."""
    cdef int types = 0
    cdef int32_t concept = first_object(j, concepts), coding
    cdef Part code
    while concept >= 0:
        coding = first_coding(j, concept)
        while coding >= 0:
            code = text_of(j, member(j, coding, b"code"))
            if code.at != NULL:
                for at in range(code.size):
                    if code.at[at] >= 128:
                        raise Unusual
                if is_lower_word(code, b"principal"):
                    types |= PRINCIPAL
                elif is_lower_word(code, b"admitting"):
                    types |= ADMITTING | SPECIAL_TYPE
                elif is_lower_word(code, b"patientreasonforvisit"):
                    types |= REASON | SPECIAL_TYPE
                elif is_lower_word(code, b"external-cause") or is_lower_word(code, b"externalcauseofinjury"):
                    types |= SPECIAL_TYPE
                elif is_lower_word(code, b"other") or is_lower_word(code, b"secondary"):
                    types |= OTHER
            coding = next_object(j, coding)
        concept = next_object(j, concept)
    return types


cdef bint is_true(json_text *j, int32_t node) noexcept:
    return node >= 0 and j.nodes[node].kind == JSON_TRUE


cdef int32_t resolved(json_text *j, int32_t holder) except -2:
    """Return a reference, or the contained resource that it leads to, -1 where that is none."""
    cdef Part reference = text_of(j, member(j, holder, b"reference"))
    cdef int32_t one
    if reference.at == NULL or not reference.size or reference.at[0] != 35:
        return holder
    one = first_object(j, member(j, j.root, b"contained"))
    while one >= 0 and not leads_to(j, reference, one):
        one = next_object(j, one)
    return one


cdef bint leads_to(json_text *j, Part reference, int32_t one) except -1:
    """Tell whether a reference to something inside leads to this."""
    cdef int32_t node = member(j, one, b"id")
    cdef Part name = text_of(j, node)
    if name.at == NULL:
        # What has no id, or one that is no text, is called in a way of its own.
        raise Unusual
    return name.size == reference.size - 1 and not memcmp(name.at, reference.at + 1, name.size)


cdef int64_t whole(json_text *j, int32_t node) except? -1:
    """Return a whole number; -1 for anything else."""
    cdef int64_t value = 0
    cdef int32_t at
    cdef const uint8_t *text
    if node < 0 or j.nodes[node].kind != JSON_WHOLE:
        return -1
    text = j.text + j.nodes[node].at
    for at in range(text[0] == 45, j.nodes[node].size):
        value = value * 10 + text[at] - 48
    return -value if text[0] == 45 else value


cdef double number_of(json_text *j, int32_t node) except? -1.0:
    """Return an amount, NaN where there is none."""
    cdef double number
    cdef char *end = NULL
    if node < 0 or not (j.nodes[node].kind == JSON_WHOLE or j.nodes[node].kind == JSON_REAL):
        return _NAN
    if j.nodes[node].kind == JSON_WHOLE:
        number = <double> whole(j, node)
    else:
        number = PyOS_string_to_double(<const char *> j.text + j.nodes[node].at, &end, NULL)
    return number if -1e15 < number < 1e15 else _NAN


cdef int32_t first_identifier(json_text *j, int32_t holder) except -2:
    """Return the identifier of a holder, or the first of a list of them; -1 where there is none."""
    cdef int32_t given = member(j, holder, b"identifier")
    if given < 0 or j.nodes[given].kind == JSON_OBJECT:
        return given
    return first_object(j, given)


cdef Part npi_of(json_text *j, int32_t holder) except *:
    """Return the first identifier of a holder of which the system has npi in its name."""
    cdef int32_t one = first_identifier(j, holder)
    cdef Part value
    while one >= 0:
        value = text_of(j, member(j, one, b"value"))
        if value.at != NULL and names_npi(text_of(j, member(j, one, b"system"))):
            return stripped(value)
        one = next_object(j, one)
    return NOTHING


cdef Part taxonomy_of(json_text *j, int32_t concept) except *:
    """Return the first code of a concept of which the system is NUCC's taxonomy."""
    cdef int32_t coding = first_coding(j, concept)
    cdef Part code, system
    while coding >= 0:
        system = text_of(j, member(j, coding, b"system"))
        if system.at != NULL and part_holds(system, b"provider-taxonomy"):
            code = filled(text_of(j, member(j, coding, b"code")))
            if code.at != NULL:
                return code
        coding = next_object(j, coding)
    return NOTHING


cdef bint names_npi(Part system) except -1:
    cdef int32_t at
    for at in range(system.size):
        if system.at[at] >= 128:
            raise Unusual
    for at in range(system.size - 2):
        if system.at[at] | 32 == 110 and system.at[at + 1] | 32 == 112 and system.at[at + 2] | 32 == 105:
            return True
    return False


cdef Part name_of(json_text *j, int32_t holder) except *:
    """Return what a payer is called: what is displayed, or the value of its identifier."""
    cdef int32_t identifier
    cdef Part name = text_of(j, member(j, holder, b"display"))
    if is_not_blank(name):
        return name
    identifier = member(j, holder, b"identifier")
    if identifier >= 0 and j.nodes[identifier].kind == JSON_OBJECT:
        name = text_of(j, member(j, identifier, b"value"))
        if is_not_blank(name):
            return name
    return NOTHING


cdef bint is_not_blank(Part text) except -1:
    """Tell whether a text is more than blanks."""
    cdef int32_t at
    for at in range(text.size):
        if text.at[at] >= 128:
            raise Unusual
        if text.at[at] != 32:
            return True
    return False


cdef double submitted(json_text *j, int32_t adjudications) except? -1.0:
    """Return the first amount that is called submitted."""
    cdef int32_t one = first_object(j, adjudications), amount
    while one >= 0:
        amount = member(j, one, b"amount")
        if amount >= 0 and has_code(j, member(j, one, b"category"), b"submitted", NULL, True):
            return number_of(j, member(j, amount, b"value"))
        one = next_object(j, one)
    return _NAN


cdef bint are_main(json_text *j, int32_t items) except -1:
    """Tell whether no item has more than one pointer."""
    cdef int32_t item = first_item(j, items), pointers
    while item >= 0:
        pointers = member(j, item, b"diagnosisSequence")
        if pointers >= 0 and j.nodes[pointers].kind == JSON_LIST:
            # A number is one node.
            if j.nodes[pointers].next > pointers + 2:
                return False
        item = next_object(j, item)
    return True
