# Ids of findings.

cdef extern from "_ids.h" nogil:
    enum:
        WK_ID_DIGITS, WK_OF_CLAIM
    void wk_nth_id(const uint8_t *id, uint32_t kind, uint32_t nth, uint8_t *out)
    uint64_t wk_word(const uint8_t *at)
    void wk_siphash(const uint64_t *key, int prefixed, uint64_t before, const uint8_t *data, int64_t size, uint64_t *out)
    void wk_finding_id(
        const uint8_t *key, int32_t subject, int32_t other, const uint8_t *data, int64_t size, uint8_t *out
    )
    void wk_siphashes(const uint64_t *key, const int32_t *bounds, const uint8_t *data, int64_t size, uint8_t *out)
    int64_t wk_text_hashes(
        const uint64_t *key, const int32_t *bounds, const uint8_t *data, int64_t size, uint64_t *out
    )
    void wk_finding_ids(
        const uint8_t *keys, const int32_t *rows, const int32_t *variant, const int32_t *subject, const int32_t *other,
        const int32_t *bounds, const uint8_t *data, int64_t size, uint8_t *out
    )


ID_DIGITS = WK_ID_DIGITS
"""Hexadecimal digits of an id: 96 bits."""


cdef int _words_of(bytes key, uint64_t *words) except -1:
    """Write a key of 16 bytes as two numbers."""
    if len(key) != 16:
        raise ValueError(f"a key has 16 bytes, not {len(key)}")
    words[0] = wk_word(<const uint8_t *><const char *>key)
    words[1] = wk_word(<const uint8_t *><const char *>key + 8)
    return 0


cdef const uint8_t *_bytes_of(const int32_t[::1] bounds, const uint8_t[::1] data) except? NULL:
    """Return where the bytes of texts begin, NULL where there are none. Raises ValueError for bounds outside of them."""
    if bounds.shape[0] < 1 or not wk_climbs_short(&bounds[0], bounds.shape[0], data.shape[0]):
        raise ValueError("the bounds of texts lie outside their bytes")
    return &data[0] if data.shape[0] else NULL


def siphash(bytes key, bytes data):
    """Return the SipHash-2-4-128 of some bytes, as 16 bytes, under a key of 16."""
    cdef uint64_t under[2]
    cdef uint64_t hash[2]
    cdef uint8_t out[16]
    cdef int n
    _words_of(key, under)
    wk_siphash(under, 0, 0, <const uint8_t *><const char *>data, len(data), hash)
    for n in range(16):
        out[n] = <uint8_t>(hash[n // 8] >> 8 * (n % 8))
    return (<const char *>out)[:16]


def siphashes(bytes key, const int32_t[::1] bounds, const uint8_t[::1] data):
    """Return `siphash` of each text one after the other, text r being data[bounds[r]:bounds[r + 1]].

    Raises ValueError for bounds that lie outside the data, or a key that has not 16 bytes.
    """
    cdef uint64_t under[2]
    _words_of(key, under)
    cdef const uint8_t *text = _bytes_of(bounds, data)
    cdef Py_ssize_t size = bounds.shape[0] - 1
    cdef Block block = _fresh(16 * size)
    if text == NULL:
        text = <const uint8_t *>block.at
    with nogil:
        wk_siphashes(under, &bounds[0], text, size, <uint8_t *>block.at)
    return block


def text_hashes(bytes key, const int32_t[::1] bounds, const uint8_t[::1] data):
    """Return the first 64 bits of `siphash` of each text that is not empty, text r being data[bounds[r]:bounds[r + 1]].

    Runs without the GIL. Raises ValueError for bounds that lie outside the data, or a key that has not 16 bytes.
    """
    cdef uint64_t under[2]
    _words_of(key, under)
    cdef const uint8_t *text = _bytes_of(bounds, data)
    cdef Py_ssize_t size = bounds.shape[0] - 1
    cdef Block block = _fresh(size * sizeof(uint64_t))
    block.size = 0
    if text != NULL:
        with nogil:
            block.size = sizeof(uint64_t) * wk_text_hashes(under, &bounds[0], text, size, <uint64_t *>block.at)
    return block


def finding_id(bytes key, int32_t subject, int32_t other, bytes claim_id):
    """Return the id of a finding: the key of its rule and codes, its positions (0 for none), its claim."""
    cdef uint8_t out[WK_ID_DIGITS]
    if len(key) != 16:
        raise ValueError(f"a key has 16 bytes, not {len(key)}")
    wk_finding_id(
        <const uint8_t *><const char *>key, subject, other, <const uint8_t *><const char *>claim_id, len(claim_id), out
    )
    return (<const char *>out)[:WK_ID_DIGITS].decode("ascii")


def nth_id(str first, uint32_t nth):
    """Return the id of the nth finding, from 2, of a claim that would have this id too."""
    return _nth_id(first, WK_OF_CLAIM, nth)


cdef str _nth_id(str first, uint32_t kind, uint32_t nth):
    cdef uint8_t out[WK_ID_DIGITS]
    cdef bytes id_bytes = first.encode("ascii")
    if len(id_bytes) != WK_ID_DIGITS:
        raise ValueError(f"an id has {WK_ID_DIGITS} digits, not {len(id_bytes)}")
    wk_nth_id(<const uint8_t *><const char *>id_bytes, kind, nth, out)
    return (<const char *>out)[:WK_ID_DIGITS].decode("ascii")


def finding_ids(
    const uint8_t[::1] keys,
    const int32_t[::1] rows,
    const int32_t[::1] variant,
    const int32_t[::1] subject,
    const int32_t[::1] other,
    const int32_t[::1] bounds,
    const uint8_t[::1] data,
):
    """Return the ids of findings one after the other, `ID_DIGITS` bytes each; runs without the GIL.

    Finding r, on the claim of row rows[r], has the key number variant[r] and the claim id
    data[bounds[r]:bounds[r + 1]]; no bounds, no claim ids. Findings of a claim that would have one id stand together.
    Raises ValueError for columns that do not fit each other.
    """
    cdef Py_ssize_t size = variant.shape[0]
    cdef const int32_t *at = &bounds[0] if bounds.shape[0] else NULL
    cdef const uint8_t *text = &data[0] if data.shape[0] else NULL
    if (
        rows.shape[0] != size
        or subject.shape[0] != size
        or other.shape[0] != size
        or not wk_below(&variant[0] if size else NULL, size, keys.shape[0] // 16)
        or (at != NULL and (bounds.shape[0] != size + 1 or not wk_climbs_short(at, size + 1, data.shape[0])))
    ):
        raise ValueError("the columns of findings do not fit each other")
    cdef Block block = _fresh(size * WK_ID_DIGITS)
    if size:
        with nogil:
            wk_finding_ids(&keys[0], &rows[0], &variant[0], &subject[0], &other[0], at, text, size, <uint8_t *>block.at)
    return block


def digests(const int64_t[::1] bounds, const uint8_t[::1] data):
    """Return the SipHash-2-4-128 under the key 0 of each part data[bounds[r]:bounds[r + 1]], 16 bytes each; without the GIL.

    Raises ValueError for bounds that lie outside the data.
    """
    cdef Py_ssize_t size = bounds.shape[0] - 1, n
    cdef uint64_t *out
    cdef uint64_t[2] none = [0, 0]
    if size < 0 or not wk_climbs(&bounds[0], size + 1, data.shape[0]):
        raise ValueError("the bounds of texts lie outside their bytes")
    cdef Block block = _fresh(2 * size * sizeof(uint64_t))
    out = <uint64_t *>block.at
    cdef const uint8_t *text = &data[0] if data.shape[0] else NULL
    with nogil:
        for n in range(size):
            wk_siphash(none, 0, 0, text + bounds[n], bounds[n + 1] - bounds[n], out + 2 * n)
    return block
