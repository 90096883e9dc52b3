# cython: language_level=3, always_allow_keywords=False
"""The places of a Tabular List natively, as expat tells of its elements one by one.

The list has 180,000 elements. A tree of them all, which is then read, takes four times as long, and with an object of
Python for each event it takes twice as long. So expat, the one that comes with Python, is asked through its table of C
functions (`PyExpat_CAPI` of Python's pyexpat.h, which is only ever added to at its end).
"""

from cpython.exc cimport PyErr_Occurred
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, strcmp, strlen

from weakcode.codes.sources.xmltree import DoctypeError
from weakcode.errors import EditionError

include "_expat.pxi"

DEEPEST = 200
"""So many elements may stand inside one another; a real list has eight."""

cdef enum:
    CHUNK = 1 << 20

cdef enum Role:
    # What an open element is for. Nobody asks for one that is `OTHER`.
    OTHER, LIST, CHAPTER, SECTION, DIAGNOSIS, BLOCK, DEFINITION
    # Those of which the text is taken come last.
    VERSION, NAME, TITLE, LINE, NOTE, EXTENSION

cdef struct Named:
    const char *tag
    Role role

cdef Named[9] ROLES = [
    Named("name", NAME), Named("desc", TITLE), Named("note", NOTE), Named("diag", DIAGNOSIS),
    Named("extension", EXTENSION), Named("section", SECTION), Named("chapter", CHAPTER),
    Named("sevenChrDef", DEFINITION), Named("version", VERSION),
]


cdef Role _role_of(const char *tag) noexcept:
    cdef int i
    for i in range(9):
        if strcmp(tag, ROLES[i].tag) == 0:
            return ROLES[i].role
    return OTHER


cdef class _Open:
    """A place of which the end is still to come. Of names, titles and definitions the first one counts."""

    cdef Role role
    cdef _Open above
    cdef str name
    cdef str title
    cdef list blocks
    cdef list children
    cdef dict seventh
    cdef bint placeholder


cdef class Reader:
    """Takes what expat tells, and has the places of a list when expat has come to its end.

    `node` and `block` make a place, of kind, name, title, blocks, places below and whether it is a placeholder, and a
    note, of kind and lines; `kinds` are the kinds of notes by the names of their elements. Raises EditionError, which
    names `where`, for a place that no list has.
    """

    cdef str where
    cdef object node, block, failed
    cdef list kinds
    cdef wk_parser parser
    cdef Role roles[200]
    cdef int depth
    cdef bint inside
    cdef _Open place
    cdef list lines
    cdef str kind, characters
    cdef char *text
    cdef Py_ssize_t length, room
    cdef bint defining
    cdef readonly str version
    cdef readonly list chapters
    """The chapters, with everything below them."""
    cdef readonly dict places
    """Categories and what is below them, by their compact names."""
    cdef readonly list seventh
    """Places with a definition of 7th characters, and these with their texts."""

    def __cinit__(self, str where, node, block, dict kinds):
        self.where, self.node, self.block = where, node, block
        self.kinds = [(tag.encode(), kind) for tag, kind in kinds.items()]
        self.chapters, self.places, self.seventh = [], {}, []

    def __dealloc__(self):
        free(self.text)

    def read(self, bytes content):
        """Read a list. Raises DoctypeError for a document type, ValueError for what is not well-formed."""
        cdef const char *begin = content
        cdef Py_ssize_t at = 0, size = len(content), chunk
        self.parser = EXPAT.create(NULL, NULL, "}")
        if self.parser == NULL:
            raise MemoryError
        try:
            EXPAT.set_data(self.parser, <void *>self)
            EXPAT.on_encoding(self.parser, EXPAT.encoding_of, NULL)
            EXPAT.on_doctype(self.parser, _on_doctype)
            EXPAT.on_element(self.parser, _on_start, _on_end)
            while True:
                chunk = min(size - at, <Py_ssize_t>CHUNK)
                self._parse(begin + at, <int>chunk, at + chunk == size)
                at += chunk
                if at == size:
                    break
        finally:
            EXPAT.release(self.parser)
            self.parser = NULL

    cdef int _parse(self, const char *content, int size, bint last) except -1:
        cdef int done = EXPAT.parse(self.parser, content, size, last)
        if self.failed is not None:
            raise self.failed
        if PyErr_Occurred():
            # An encoding that Python does not know either.
            return -1
        if not done:
            words = (<bytes>EXPAT.error_string(EXPAT.error_code(self.parser))).decode()
            line, column = EXPAT.error_line(self.parser), EXPAT.error_column(self.parser)
            raise ValueError(f"{words}: line {line}, column {column}")
        return 0

    cdef void _fail(self, error) noexcept:
        """Hear of nothing more, and raise an error when expat has come to the end of what it was given."""
        self.failed = error
        EXPAT.on_element(self.parser, NULL, NULL)
        EXPAT.on_text(self.parser, NULL)
        EXPAT.on_doctype(self.parser, NULL)

    cdef int start(self, const char *tag, const char **attributes) except -1:
        """Take the beginning of an element; attributes are names and values in turn."""
        cdef Role role = OTHER
        cdef Role above
        cdef _Open place
        if self.depth >= DEEPEST:
            raise EditionError(f"{self.where} nests codes without end; give an unaltered Tabular List.")
        if self.inside:
            # Part of a text, whatever it is.
            pass
        elif not self.depth:
            if strcmp(tag, "ICD10CM.tabular") != 0:
                raise EditionError(
                    f"{self.where} holds <{_decoded(tag)}>, not <ICD10CM.tabular>; give CDC's ICD-10-CM Tabular List in XML."
                )
            role = LIST
        else:
            above = self.roles[self.depth - 1]
            if above == BLOCK:
                role = LINE
            elif above != OTHER:
                role = self._role(tag, _role_of(tag), above, attributes)
        self.roles[self.depth] = role
        self.depth += 1
        if role >= VERSION:
            self.inside = True
            self.length = 0
            # Between texts there are as many blank ones, which nobody needs to hear of.
            EXPAT.on_text(self.parser, _on_text)
        elif CHAPTER <= role <= DIAGNOSIS:
            place = _Open.__new__(_Open)
            place.role = role
            place.blocks, place.children = [], []
            if attributes[0] != NULL:
                if role == DIAGNOSIS:
                    place.placeholder = _attribute(attributes, "placeholder") == "true"
                elif role == SECTION:
                    place.name = _attribute(attributes, "id")
            place.above, self.place = self.place, place
        return 0

    cdef Role _role(self, const char *tag, Role role, Role above, const char **attributes) except *:
        """Return what an element is for below one that is for something."""
        cdef _Open place
        if above == LIST:
            return role if role == CHAPTER or (role == VERSION and self.version is None) else OTHER
        if above == DEFINITION:
            if role == EXTENSION and self.defining:
                self.characters = _attribute(attributes, "char") or ""
                return role
            return role if role == NOTE else OTHER
        place = self.place
        if role == DIAGNOSIS:
            return role if above >= SECTION else OTHER
        if role == SECTION:
            return role if above == CHAPTER else OTHER
        if role == NAME:
            # A section is named by an attribute.
            return role if place.name is None and above != SECTION else OTHER
        if role == TITLE:
            return role if place.title is None else OTHER
        if role == DEFINITION:
            self.defining = place.seventh is None
            if self.defining:
                place.seventh = {}
            self.kind, self.lines = "seventh_character_note", []
            return role
        for tag_name, kind in self.kinds:
            if strcmp(tag, <const char *>(<bytes>tag_name)) == 0:
                self.kind, self.lines = kind, []
                return BLOCK
        return OTHER

    cdef int take_text(self, const char *text, int size) except -1:
        """Take a text, or a part of one."""
        cdef void *wider
        if self.length + size > self.room:
            wider = realloc(self.text, 2 * (self.length + size))
            if wider == NULL:
                raise MemoryError
            self.text, self.room = <char *>wider, 2 * (self.length + size)
        memcpy(self.text + self.length, text, size)
        self.length += size
        return 0

    cdef int end(self) except -1:
        """Take the end of an element."""
        cdef Role role
        cdef _Open place
        self.depth -= 1
        role = self.roles[self.depth]
        if role >= VERSION:
            self.inside = False
            EXPAT.on_text(self.parser, NULL)
            self._take(role, _single_spaced(self.text, self.length))
        elif role >= BLOCK:
            if self.lines:
                self.place.blocks.append(self.block(self.kind, tuple(self.lines)))
        elif role >= CHAPTER:
            place, self.place = self.place, self.place.above
            self._close(place)
        return 0

    cdef _take(self, Role role, str text):
        cdef _Open place = self.place
        if role == VERSION:
            self.version = text
        elif role == NAME:
            place.name = text
        elif role == TITLE:
            place.title = text
        elif role == EXTENSION:
            for one in self.characters.split(","):
                one = one.strip()
                if len(one) == 1:
                    place.seventh[one] = text
        elif text or role == NOTE:
            # An empty line between two 7th characters stays one.
            self.lines.append(text)

    cdef _close(self, _Open place):
        cdef str name = place.name or "", dotted = None, kind
        if place.role == DIAGNOSIS:
            if not _is_code(name):
                name = name.upper()
                if not _is_code(name):
                    raise EditionError(f'{self.where} has a code "{name}"; a code is written like M62.81.')
            for child in place.children:
                # Not more than the category: the list of 2021 has H54.512A below H54.511.
                if not (<str>child.name).startswith(name[:3]):
                    below = f"{child.name[:3]}.{child.name[3:]}".rstrip(".")
                    raise EditionError(f"{self.where} lists {below} below {name}; give an unaltered Tabular List.")
            kind = "category"
            if len(name) > 3:
                kind, dotted, name = "subcategory", name, name[:3] + name[4:]
            if name in self.places:
                raise EditionError(f"{self.where} defines {dotted or name} twice; give an unaltered Tabular List.")
        else:
            kind = "chapter" if place.role == CHAPTER else "section"
        node = self.node(kind, name, place.title or "", place.blocks, place.children, place.placeholder)
        if place.role == DIAGNOSIS:
            self.places[name] = node
            if place.seventh is not None:
                self.seventh.append((node, place.seventh))
        (self.chapters if place.role == CHAPTER else place.above.children).append(node)


cdef void _on_start(void *reader, const char *tag, const char **attributes) noexcept:
    try:
        (<Reader>reader).start(tag, attributes)
    except BaseException as error:
        (<Reader>reader)._fail(error)


cdef void _on_end(void *reader, const char *tag) noexcept:
    try:
        (<Reader>reader).end()
    except BaseException as error:
        (<Reader>reader)._fail(error)


cdef void _on_text(void *reader, const char *text, int size) noexcept:
    try:
        (<Reader>reader).take_text(text, size)
    except BaseException as error:
        (<Reader>reader)._fail(error)


cdef void _on_doctype(void *reader, const char *name, const char *system, const char *public, int subset) noexcept:
    try:
        raise DoctypeError(_decoded(name))
    except BaseException as error:
        (<Reader>reader)._fail(error)


cdef str _decoded(const char *text):
    return PyUnicode_DecodeUTF8(text, <Py_ssize_t>strlen(text), NULL)


cdef str _attribute(const char **attributes, const char *name):
    """Return the value of an attribute; names and values take turns, and NULL comes last."""
    cdef Py_ssize_t i = 0
    while attributes[i] != NULL:
        if strcmp(attributes[i], name) == 0:
            return _decoded(attributes[i + 1])
        i += 2
    return None


cdef bint _is_code(str text):
    """Tell whether a text is written as a code is: M62.81."""
    cdef Py_ssize_t i = 0
    cdef Py_UCS4 one
    if not 3 <= len(text) <= 8 or len(text) == 4:
        return False
    for one in text:
        if i == 3:
            if one != c".":
                return False
        elif not (c"A" <= one <= c"Z" or (i and c"0" <= one <= c"9")):
            return False
        i += 1
    return True


cdef str _single_spaced(const char *text, Py_ssize_t length):
    """Return a text of UTF-8 with its words parted by single blanks."""
    cdef Py_ssize_t i
    cdef unsigned char one
    cdef bint after_blank = True
    if not length:
        return ""
    for i in range(length):
        one = text[i]
        if one > c" " and one < 0x7F:
            after_blank = False
        elif one != c" " or after_blank:
            after_blank = True
            break
        else:
            after_blank = True
    words = PyUnicode_DecodeUTF8(text, length, NULL)
    return " ".join(words.split()) if after_blank else words
