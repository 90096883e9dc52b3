# Columns of numbers, text and words that grow.

@final
cdef class Column:
    """Values of one size, one after the other."""

    cdef char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t room

    def __dealloc__(self):
        free(self.data)

    cdef int make_room(self, Py_ssize_t more) except -1:
        cdef Py_ssize_t room
        cdef void *data
        if self.size + more > self.room:
            room = max(max(4096, 2 * self.room), self.size + more)
            data = realloc(self.data, room)
            if data == NULL:
                raise MemoryError
            self.data, self.room = <char *> data, room
        return 0

    cdef inline int append(self, const void *value, Py_ssize_t size) except -1:
        self.make_room(size)
        memcpy(self.data + self.size, value, size)
        self.size += size
        return 0

    cdef inline int add(self, int32_t value) except -1:
        return self.append(&value, sizeof(value))

    cdef inline int add_long(self, int64_t value) except -1:
        return self.append(&value, sizeof(value))

    cdef inline int add_number(self, double value) except -1:
        return self.append(&value, sizeof(value))

    cdef inline int add_text(self, Part text) except -1:
        return self.append(text.at, text.size) if text.size else 0

    cdef bytes take(self):
        cdef bytes found = PyBytes_FromStringAndSize(self.data, self.size)
        self.size = 0
        return found


@final
cdef class Words:
    """A column of words, each of which has a number; -1 stands for none."""

    cdef Column index
    cdef dict numbers
    cdef list words
    cdef int32_t[64] recent
    cdef Column text
    cdef Column ends

    def __cinit__(self):
        self.clear()

    cdef clear(self):
        self.index, self.numbers, self.text, self.ends = Column(), {}, Column(), Column()
        self.ends.add(0)
        for at in range(64):
            self.recent[at] = -1

    cdef int32_t number(self, Part word) except -2:
        """Return the number of a word; those that came last in a place for their kind are found without asking twice."""
        cdef uint8_t slot
        cdef int32_t known
        cdef const int32_t *bounds
        if word.at == NULL:
            return -1
        slot = 0 if not word.size else <uint8_t> (
            word.size * 7 + word.at[0] * 3 + word.at[word.size // 2] * 5 + word.at[word.size - 1]
        ) & 63
        known = self.recent[slot]
        if known >= 0:
            bounds = <const int32_t *> self.ends.data + known
            if bounds[1] - bounds[0] == word.size and not memcmp(self.text.data + bounds[0], word.at, word.size):
                return known
        key = PyBytes_FromStringAndSize(<const char *> word.at, word.size)
        found = self.numbers.get(key)
        if found is None:
            found = len(self.numbers)
            self.numbers[key] = found
            self.text.add_text(word)
            self.ends.add(<int32_t> self.text.size)
        self.recent[slot] = found
        return found

    cdef int add(self, Part word) except -1:
        return self.index.add(self.number(word))

    cdef tuple take(self):
        found = (self.index.take(), self.ends.take(), self.text.take())
        self.clear()
        return found
