#include "base/ordered.h"
#include "base/base.h"
#include "base/opt.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum state { EMPTY, FILLED, DONE };

struct crew {
    const struct ordered *o;
    pthread_mutex_t lock;
    pthread_cond_t filled, done;
    char *slots;
    enum state *states;
    size_t n;               /* slots */
    size_t next;            /* the slot to be worked on next, counted from the start */
    int over, threads;      /* no more will be filled; threads that began */
};

int ordered_threads(void)
{
    cpu_set_t set;
    if (opt_threads)
        return opt_threads;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void *worker(void *arg)
{
    struct crew *c = arg;
    pthread_mutex_lock(&c->lock);
    const int thread = c->threads++;
    for (;;) {
        const size_t i = c->next % c->n;
        if (c->states[i] == FILLED) {
            c->next++;
            c->states[i] = EMPTY;       /* taken: neither filled nor done */
            pthread_mutex_unlock(&c->lock);
            c->o->work(c->o->context, c->slots + i * c->o->slot_size, thread);
            pthread_mutex_lock(&c->lock);
            c->states[i] = DONE;
            pthread_cond_signal(&c->done);
        } else if (c->over) {
            break;
        } else {
            pthread_cond_wait(&c->filled, &c->lock);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Wait for slot number i (counted from the start), then drain it. */
static void drain(struct crew *c, size_t i)
{
    pthread_mutex_lock(&c->lock);
    while (c->states[i % c->n] != DONE)
        pthread_cond_wait(&c->done, &c->lock);
    c->states[i % c->n] = EMPTY;
    pthread_mutex_unlock(&c->lock);
    c->o->drain(c->o->context, c->slots + i % c->n * c->o->slot_size);
}

static void feed(struct crew *c)
{
    size_t i = 0, drained = 0;
    for (;; i++) {
        if (i - drained == c->n)
            drain(c, drained++);
        if (!c->o->fill(c->o->context, c->slots + i % c->n * c->o->slot_size))
            break;
        pthread_mutex_lock(&c->lock);
        c->states[i % c->n] = FILLED;
        pthread_cond_signal(&c->filled);
        pthread_mutex_unlock(&c->lock);
    }
    while (drained < i)
        drain(c, drained++);
    pthread_mutex_lock(&c->lock);
    c->over = 1;
    pthread_cond_broadcast(&c->filled);
    pthread_mutex_unlock(&c->lock);
}

static void run_alone(const struct ordered *o)
{
    void *slot = zalloc(1, o->slot_size);
    while (o->fill(o->context, slot)) {
        o->work(o->context, slot, 0);
        o->drain(o->context, slot);
    }
    o->release(slot);
    free(slot);
}

void ordered_run(const struct ordered *o, int threads)
{
    struct crew c = {.o = o, .n = 2 * (size_t)threads + 1};

    if (threads == 1) {
        run_alone(o);
        return;
    }
    pthread_t *ids = zalloc((size_t)threads, sizeof *ids);
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.filled, NULL);
    pthread_cond_init(&c.done, NULL);
    c.slots = zalloc(c.n, o->slot_size);
    c.states = zalloc(c.n, sizeof *c.states);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, worker, &c))
            die("no more threads can be started; try -j 1");
    feed(&c);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    for (size_t i = 0; i < c.n; i++)
        o->release(c.slots + i * o->slot_size);
    free(c.slots);
    free(c.states);
    free(ids);
}
