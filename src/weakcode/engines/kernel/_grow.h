/* Arrays that grow. */

#ifndef WEAKCODE_GROW_H
#define WEAKCODE_GROW_H

#include <stdint.h>
#include <stdlib.h>

/* Make room for `needed` things of a size; 0 when there is no memory left. */
static inline int wk_grow(void **at, int64_t *room, int64_t needed, size_t size) {
    if (needed <= *room) return 1;
    int64_t more = *room * 2 > needed ? *room * 2 : needed + 256;
    void *grown = realloc(*at, (size_t)more * size);
    if (!grown) return 0;
    *at = grown;
    *room = more;
    return 1;
}

#endif
