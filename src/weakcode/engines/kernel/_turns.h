/* Fair turns for threads that judge claims one by one.

   The interpreter takes its lock from a thread after five milliseconds only, and a thread that judges never gives it
   back earlier: with eight of them each waits 35 ms for the others, again and again. So a thread whose turn has
   lasted gives the lock away between two claims, where others were seen to judge. All but wk_pause hold the
   interpreter's lock. */

#ifndef WK_TURNS_H
#define WK_TURNS_H

#include <stdint.h>

#ifdef _WIN32
#include <windows.h>
static uint64_t wk_now(void)
{
    LARGE_INTEGER ticks, rate;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&rate);
    return (uint64_t)((double)ticks.QuadPart * 1e9 / (double)rate.QuadPart);
}
static void wk_pause(void) { Sleep(0); }
#else
#include <time.h>
static uint64_t wk_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static void wk_pause(void)
{
    struct timespec least = {0, 1};
    nanosleep(&least, NULL);
}
#endif

/* Nanoseconds: how long a turn lasts, how long one counts that judged, and how long a turn is offered. */
#define WK_TURN 250000u
#define WK_RECENT 20000000u
#define WK_OFFER 1000000u

typedef struct {
    volatile unsigned long holder;
    uint64_t began, other;
    int waiting;
} wk_turns;

static wk_turns wk_turn;

static void wk_take(unsigned long me, uint64_t now)
{
    if (wk_turn.holder && wk_turn.holder != me)
        wk_turn.other = now;
    wk_turn.holder = me;
    wk_turn.began = now;
}

static void wk_come_back(unsigned long me) { wk_take(me, wk_now()); }

/* Tells whether this thread should give the lock away before it judges its next claim. */
static int wk_is_over(unsigned long me)
{
    uint64_t now = wk_now();
    if (me != wk_turn.holder) {
        wk_take(me, now);
        return 0;
    }
    if (now - wk_turn.began < WK_TURN)
        return 0;
    if (wk_turn.other && now - wk_turn.other < WK_RECENT)
        return 1;
    wk_turn.began = now;
    return 0;
}

/* Waits without the lock until another thread has its turn; not for long, since the others may be elsewhere. */
static void wk_offer(unsigned long me, int others)
{
    uint64_t until = wk_now() + WK_OFFER;
    do
        wk_pause();
    while (others && wk_turn.holder == me && wk_now() < until);
}

#endif
