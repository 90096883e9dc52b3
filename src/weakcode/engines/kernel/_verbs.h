/* The verbs of edits, for claims of few codes and of many: what violates each, and which of its code's lists an edit
   stands in. Meaning: weakcode.semantics.reference, which property tests hold this to. */

#ifndef WEAKCODE_VERBS_H
#define WEAKCODE_VERBS_H

/* weakcode.semantics.verbs.Verb and Where */
enum { PRESENT, FORBID, REQUIRE, FIRST, SECONDARY, ORDER, AT_MOST_ONE, ONCE, CLAIM_REQUIRE, VERBS };
enum { ANYWHERE, BEFORE, AFTER };

/* Lists of the edits that a code is a subject of and that need no list of objects, by when they can be violated. */
enum { ASKING, WHERE_FIRST, WHERE_LATER, COUNTED, REPEATED, LISTS };

/* Tell whether a missing code can be the violation: such an edit has a bit for its objects, not a list of them. */
static inline int wk_asks(int verb) { return verb == REQUIRE || verb == CLAIM_REQUIRE; }

/* Tell whether an edit stands in a list of the codes that it is about; LISTS are the paired ones. `asked` says that the edit
   has a bit for its objects. */
static inline int wk_stands_in(int verb, int asked, int list) {
    switch (verb) {
    case PRESENT: return list == WHERE_FIRST || list == WHERE_LATER;
    case SECONDARY: return list == WHERE_FIRST;
    case FIRST: return list == WHERE_LATER;
    case AT_MOST_ONE: return list == COUNTED;
    case ONCE: return list == REPEATED;
    default: return list == (asked ? ASKING : LISTS);
    }
}

/* What an edit with objects says of a subject: nothing, or a violation without an object, with each object related to it,
   with the first object after it, or with the last one before it. */
enum { KEPT, ALONE, WITH_EACH, WITH_NEXT, WITH_LAST };

/* `me` tells whether the subject is an object itself; `before` and `after` are 0, 1, or 2 where several objects stand there. */
static inline int wk_says(int verb, int where, int me, int before, int after) {
    int related = where == BEFORE ? before : where == AFTER ? after : before + after;
    if (verb == FORBID) return related && !me ? WITH_EACH : KEPT;
    if (verb == REQUIRE) return related ? KEPT : ALONE;
    if (where == AFTER) return before && !after ? WITH_LAST : KEPT;
    return after && !before ? WITH_NEXT : KEPT;
}

#endif
