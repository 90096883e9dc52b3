# Threads that judge claims one by one, in turn.

cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident()

cdef extern from "_turns.h" nogil:
    ctypedef struct wk_turns:
        uint64_t other
        int waiting
    wk_turns wk_turn
    void wk_come_back(unsigned long me)
    int wk_is_over(unsigned long me)
    void wk_offer(unsigned long me, int others)


def give_way():
    """Let another thread judge, where several do and this one has had its turn. Costs nothing worth telling elsewhere."""
    cdef unsigned long me = PyThread_get_thread_ident()
    cdef int others
    if not wk_is_over(me):
        return
    others = wk_turn.waiting
    wk_turn.waiting += 1
    with nogil:
        wk_offer(me, others)
    wk_turn.waiting -= 1
    wk_come_back(me)


def forget_turns():
    """Forget the other threads: in a forked child there are none."""
    wk_turn.waiting = 0
    wk_turn.other = 0
