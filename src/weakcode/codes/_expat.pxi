# Functions of the expat that comes with Python, by the table that pyexpat.h of Python declares. Names of its members are
# our own; what is not used has no type. New functions are added at its end, and `size` tells how long it is.

from cpython.pycapsule cimport PyCapsule_Import

cdef extern from *:
    """
    typedef void *wk_parser;
    typedef void (*wk_start)(void *, const char *, const char **);
    typedef void (*wk_end)(void *, const char *);
    typedef void (*wk_text)(void *, const char *, int);
    typedef void (*wk_doctype)(void *, const char *, const char *, const char *, int);
    typedef struct {
        const char *magic;
        int size, major, minor, micro;
        const char *(*error_string)(int);
        int (*error_code)(wk_parser);
        unsigned long (*error_column)(wk_parser);
        unsigned long (*error_line)(wk_parser);
        int (*parse)(wk_parser, const char *, int, int);
        wk_parser (*create)(const char *, const void *, const char *);
        void (*release)(wk_parser);
        void (*on_text)(wk_parser, wk_text);
        void (*on_comment)(wk_parser, void *);
        void (*on_other)(wk_parser, void *);
        void (*on_element)(wk_parser, wk_start, wk_end);
        void (*on_namespace)(wk_parser, void *, void *);
        void (*on_instruction)(wk_parser, void *);
        void (*on_encoding)(wk_parser, void *, void *);
        void (*set_data)(wk_parser, void *);
        void (*on_doctype)(wk_parser, wk_doctype);
        int (*set_encoding)(wk_parser, const char *);
        void *encoding_of;
    } wk_expat;
    """
    ctypedef void *wk_parser
    ctypedef void (*wk_start)(void *, const char *, const char **) noexcept
    ctypedef void (*wk_end)(void *, const char *) noexcept
    ctypedef void (*wk_text)(void *, const char *, int) noexcept
    ctypedef void (*wk_doctype)(void *, const char *, const char *, const char *, int) noexcept
    ctypedef struct wk_expat:
        const char *magic
        int size
        const char *(*error_string)(int) noexcept
        int (*error_code)(wk_parser) noexcept
        unsigned long (*error_column)(wk_parser) noexcept
        unsigned long (*error_line)(wk_parser) noexcept
        int (*parse)(wk_parser, const char *, int, int) noexcept
        wk_parser (*create)(const char *, const void *, const char *) noexcept
        void (*release)(wk_parser) noexcept
        void (*on_text)(wk_parser, wk_text) noexcept
        void (*on_element)(wk_parser, wk_start, wk_end) noexcept
        void (*on_encoding)(wk_parser, void *, void *) noexcept
        void (*set_data)(wk_parser, void *) noexcept
        void (*on_doctype)(wk_parser, wk_doctype) noexcept
        void *encoding_of

cdef const wk_expat *EXPAT = <const wk_expat *>PyCapsule_Import("pyexpat.expat_CAPI", 0)
if strcmp(EXPAT.magic, "pyexpat.expat_CAPI 1.1") != 0 or EXPAT.size < <int>sizeof(wk_expat):
    raise ImportError("this Python's expat has another table of functions than weakcode was built for")
