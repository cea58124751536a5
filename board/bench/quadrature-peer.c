/*
 * Quadrature edges through the checks of Sources/Metering/Pulser.swift, in C: what they cost without us.
 *
 *   cc -O2 -Wall -Wextra -o quadrature-peer board/bench/quadrature-peer.c
 *   ./quadrature-peer EDGES
 *
 * Takes EDGES edges of a forward flow, one each 50 us, and prints the nanoseconds of all, the counts and the faults. Each
 * edge is judged as there: its number on the line, its level, its time, how much time the edges before it have left, which
 * channel was last, which way it turns, whether it keeps the flow's pace, whether a channel is still; and each step goes into
 * the pulser's health: the step and the cycle that end at its place, and how the cycles differ. An edge that fails is a fault and no count: what is repaired, weighed against several edges or worked off there is not here.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EDGES_MAX = 1000000000, STILL_EDGES_MAX = 32, RUN_MAX = 8, HEALTH_STEPS = 512 };

static const uint64_t spacing = 50000;
/* At 20,000 edges a second: three quarters of a step, and a quarter of it. */
static const uint64_t step_min = 37500, together = 12500;

struct pulser {
    int64_t counts, faults;
    bool levels[2];
    int last;
    uint64_t last_time, credit;
    uint32_t sequences[2];
    int edges_on_one;
    /* The flow's pace: steps of this run, the mean time of two of them, the last one. */
    int run;
    uint64_t pair, previous;
    /* The pulser's health. */
    int taken;
    uint64_t cycle, last_of[4], cycles[4], sums[4], differences[2];
    uint64_t measured[6];
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool keeps_pace(struct pulser *pulser, uint64_t interval) {
    uint64_t two = interval + pulser->previous;
    pulser->previous = interval;
    if (pulser->run < 3) {
        if (pulser->run == 2) pulser->pair = two;
        pulser->run++;
        return true;
    }
    if (two * 8 - pulser->pair * 5 > pulser->pair * 6) {
        pulser->run = 0;
        return false;
    }
    pulser->pair = (pulser->pair * 7 + two) / 8;
    if (pulser->run < RUN_MAX) pulser->run++;
    return true;
}

static __attribute__((noinline)) void measured(struct pulser *pulser) {
    for (int place = 0; place < 4; place++) pulser->measured[place] = pulser->sums[place];
    for (int channel = 0; channel < 2; channel++) pulser->measured[4 + channel] = pulser->differences[channel];
    for (int place = 0; place < 4; place++) pulser->sums[place] = 0;
    pulser->differences[0] = pulser->differences[1] = 0;
    pulser->taken = 0;
}

static void gauge(struct pulser *pulser, int place, uint64_t interval) {
    pulser->cycle += interval - pulser->last_of[place];
    pulser->last_of[place] = interval;
    uint64_t before = pulser->cycles[place];
    pulser->cycles[place] = pulser->cycle;
    uint64_t difference = pulser->cycle > before ? pulser->cycle - before : before - pulser->cycle;
    pulser->sums[place] += interval;
    pulser->differences[place & 1] += difference;
    if (++pulser->taken >= HEALTH_STEPS || difference * 2 > pulser->cycle) measured(pulser);
}

static __attribute__((noinline)) int64_t edge(struct pulser *pulser, int channel, bool rising, uint64_t time,
                                              uint32_t sequence) {
    int64_t before = pulser->counts;
    int32_t ahead = (int32_t)(sequence - pulser->sequences[channel]);
    if (ahead > 0) pulser->sequences[channel] = sequence;
    if (ahead != 1) pulser->faults++;
    uint64_t interval = time > pulser->last_time ? time - pulser->last_time : 0;
    bool alone = pulser->last == channel;
    pulser->credit += interval;
    if (pulser->credit > 4 * step_min) pulser->credit = 4 * step_min;
    if (pulser->levels[channel] == rising) {
        pulser->faults++;
    } else {
        pulser->levels[channel] = rising;
        if ((interval < together && pulser->last >= 0) || pulser->credit < step_min) {
            pulser->faults++;
        } else {
            pulser->credit -= step_min;
            bool equal = pulser->levels[0] == pulser->levels[1];
            bool forward = channel == 0 ? !equal : equal;
            if (forward && !alone && keeps_pace(pulser, interval)) {
                pulser->counts++;
                gauge(pulser, (rising ? 0 : 2) + channel, interval);
            } else {
                pulser->faults++;
            }
        }
    }
    pulser->edges_on_one = alone ? pulser->edges_on_one + 1 : 1;
    if (alone && pulser->edges_on_one % STILL_EDGES_MAX == 0) pulser->faults++;
    pulser->last = channel;
    pulser->last_time = time;
    return pulser->counts - before;
}

int main(int argc, char **argv) {
    long edges = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (edges < 1 || edges > EDGES_MAX) {
        fprintf(stderr, "usage: %s EDGES\n", argv[0]);
        return 2;
    }
    struct pulser pulser = {.last = -1, .credit = 4 * step_min};
    uint64_t start = now();
    for (long index = 0; index < edges; index++)
        edge(&pulser, index % 2, index % 4 < 2, (uint64_t)index * spacing, (uint32_t)(index / 2 + 1));
    uint64_t elapsed = now() - start;
    printf("%llu %lld %lld\n", (unsigned long long)elapsed, (long long)pulser.counts, (long long)pulser.faults);
    return 0;
}
