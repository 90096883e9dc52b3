# cython: language_level=3, always_allow_keywords=False
"""The places of a Tabular List natively, as expat tells of its elements one by one.

The list has 180,000 elements. A tree of them all, which is then read, takes three times as long.
"""

from weakcode.errors import EditionError

DEEPEST = 200
"""So many elements may stand inside one another; a real list has eight."""

cdef enum Role:
    # What an open element is for. Nobody asks for one that is `OTHER`.
    OTHER, LIST, CHAPTER, SECTION, DIAGNOSIS, BLOCK, DEFINITION
    # Those of which the text is taken come last.
    VERSION, NAME, TITLE, LINE, NOTE, EXTENSION

cdef dict ROLES = {
    "ICD10CM.tabular": LIST, "chapter": CHAPTER, "section": SECTION, "diag": DIAGNOSIS, "sevenChrDef": DEFINITION,
    "version": VERSION, "name": NAME, "desc": TITLE, "note": NOTE, "extension": EXTENSION,
}


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
    cdef object node, block, parser, listening
    cdef dict kinds
    cdef Role roles[200]
    cdef int depth
    cdef bint inside
    cdef _Open place
    cdef list lines
    cdef str kind, text, characters
    cdef bint defining
    cdef readonly str version
    cdef readonly list chapters
    """The chapters, with everything below them."""
    cdef readonly dict places
    """Categories and what is below them, by their compact names."""
    cdef readonly list seventh
    """Places with a definition of 7th characters, and these with their texts."""

    def __cinit__(self, str where, node, block, dict kinds):
        self.where, self.node, self.block, self.kinds = where, node, block, kinds
        self.chapters, self.places, self.seventh = [], {}, []

    def read(self, parser, content):
        """Read a list with a parser that has no handlers for elements yet."""
        self.parser = parser
        self.listening = self.hear
        parser.buffer_text = parser.ordered_attributes = True
        parser.StartElementHandler, parser.EndElementHandler = self.start, self.end
        try:
            parser.Parse(content, True)
        finally:
            self.parser = self.listening = None

    def start(self, str tag, list attributes):
        """Take the beginning of an element."""
        cdef Role role = OTHER
        cdef Role above
        cdef _Open place
        if self.depth >= DEEPEST:
            raise EditionError(f"{self.where} nests codes without end; give an unaltered Tabular List.")
        if self.inside:
            # Part of a text, whatever it is.
            pass
        elif not self.depth:
            if tag != "ICD10CM.tabular":
                raise EditionError(
                    f"{self.where} holds <{tag}>, not <ICD10CM.tabular>; give CDC's ICD-10-CM Tabular List in XML."
                )
            role = LIST
        else:
            above = self.roles[self.depth - 1]
            if above == BLOCK:
                role = LINE
            elif above != OTHER:
                role = self._role(tag, ROLES.get(tag, OTHER), above, attributes)
        self.roles[self.depth] = role
        self.depth += 1
        if role >= VERSION:
            self.inside = True
            self.text = ""
            # Between texts there are as many blank ones, which nobody wants to hear of.
            self.parser.CharacterDataHandler = self.listening
        elif CHAPTER <= role <= DIAGNOSIS:
            place = _Open.__new__(_Open)
            place.role = role
            place.blocks, place.children = [], []
            if attributes:
                if role == DIAGNOSIS:
                    place.placeholder = _attribute(attributes, "placeholder") == "true"
                elif role == SECTION:
                    place.name = _attribute(attributes, "id")
            place.above, self.place = self.place, place

    cdef Role _role(self, str tag, Role role, Role above, list attributes) except *:
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
        self.kind = self.kinds.get(tag)
        if self.kind is not None:
            self.lines = []
            return BLOCK
        return OTHER

    def hear(self, str text):
        """Take a text, or a part of one."""
        self.text = self.text + text if self.text else text

    def end(self, str tag):
        """Take the end of an element."""
        cdef Role role
        cdef _Open place
        self.depth -= 1
        role = self.roles[self.depth]
        if role >= VERSION:
            self.inside = False
            self.parser.CharacterDataHandler = None
            self._take(role, _single_spaced(self.text))
        elif role >= BLOCK:
            if self.lines:
                self.place.blocks.append(self.block(self.kind, tuple(self.lines)))
        elif role >= CHAPTER:
            place, self.place = self.place, self.place.above
            self._close(place)

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


cdef str _attribute(list attributes, str name):
    """Return the value of an attribute; names and values take turns."""
    cdef Py_ssize_t i
    for i in range(0, len(attributes), 2):
        if attributes[i] == name:
            return attributes[i + 1]
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


cdef str _single_spaced(str text):
    """Return a text with its words parted by single blanks."""
    cdef Py_UCS4 one
    cdef bint after_blank = True
    for one in text:
        if one > c" " and one < 0x7F:
            after_blank = False
        elif one != c" " or after_blank:
            return " ".join(text.split())
        else:
            after_blank = True
    return " ".join(text.split()) if after_blank else text
