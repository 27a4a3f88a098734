/* stream.cc - streams, events and graphs as queues of closures.  EMU_STREAMS=random[:seed]
 * delays all asynchronous work to the last moment and interleaves the streams at random, so
 * that a missing wait shows. */
#include "emu.h"
#include "include/cuda_runtime.h"
#include <algorithm>
#include <ctime>
#include <deque>
#include <map>

/* A piece of queued work: something to run, or an event's ticket to wait for. */
struct Work {
    std::function<void()> run;
    cudaEvent_t wait;
    uint64_t ticket;
};

struct EmuGraph {
    std::vector<std::function<void()>> nodes;
};

struct EmuStream {
    std::deque<Work> q;
    EmuGraph *capture = nullptr;
};

struct EmuEvent {
    uint64_t asked = 0, reached = 0;
    double t = 0;
};

static EmuStream default_stream;
static std::vector<EmuStream *> streams{&default_stream};
static int lazy = -1;
static uint64_t rng = 88172645463325252ull;
static bool ready(EmuStream *s)
{
    return !s->q.empty()
           && (!s->q.front().wait || s->q.front().wait->reached >= s->q.front().ticket);
}

static void step(EmuStream *s)
{
    Work w = std::move(s->q.front());
    s->q.pop_front();
    if (w.run)
        w.run();
}

/* Run queued work of random streams until satisfied. */
static void drain(const std::function<bool()> &until)
{
    while (!until()) {
        std::vector<EmuStream *> r;
        for (auto *s : streams)
            if (ready(s))
                r.push_back(s);
        if (r.empty())
            emu_die("streams", {}, "nothing can run: an event is waited for that nothing records");
        rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
        step(r[rng % r.size()]);
    }
}

/* What waits or allocates is refused while a stream is captured. */
void emu_not_captured(const char *call)
{
    for (auto *s : streams)
        if (s->capture)
            emu_die(call, {}, "not permitted while a stream is captured");
}

static bool all_empty()
{
    for (auto *s : streams)
        if (!s->q.empty())
            return false;
    return true;
}

static void read_mode()
{
    const char *e = getenv("EMU_STREAMS");
    lazy = e && *e == 'r';
    if (e && strchr(e, ':'))
        rng += strtoull(strchr(e, ':') + 1, nullptr, 0) * 7919;
}

void emu_enqueue(cudaStream_t s, const std::function<void()> &f)
{
    if (lazy < 0)
        read_mode();
    if (!s)
        s = &default_stream;
    auto guarded = [f] {
        emu_open_memory(true);
        f();
        emu_open_memory(false);
    };
    if (s->capture) {
        s->capture->nodes.push_back(guarded);
        return;
    }
    if (!lazy && s->q.empty()) {
        guarded();
        return;
    }
    if (s == &default_stream)           /* the legacy stream waits for the others */
        drain(all_empty);
    s->q.push_back({guarded, nullptr, 0});
}

cudaError_t cudaStreamCreate(cudaStream_t *s)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    streams.push_back(*s = new EmuStream);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    return cudaStreamCreate(s);
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    emu_not_captured("cudaStreamSynchronize");
    if (!s)
        s = &default_stream;
    drain([=] { return s->q.empty(); });
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    cudaStreamSynchronize(s);
    streams.erase(std::find(streams.begin(), streams.end(), s));
    delete s;
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize()
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    emu_not_captured("cudaDeviceSynchronize");
    drain(all_empty);
    return cudaSuccess;
}

static double now()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

cudaError_t cudaEventCreate(cudaEvent_t *e)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *e = new EmuEvent;
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    return cudaEventCreate(e);
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    delete e;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    uint64_t n = ++e->asked;
    auto f = [=] {
        e->reached = std::max(e->reached, n);
        e->t = now();
    };
    if (!s)
        s = &default_stream;
    if (s->q.empty())
        f();
    else
        s->q.push_back({f, nullptr, 0});
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    if (!s)
        s = &default_stream;
    if (e->reached < e->asked)
        s->q.push_back({nullptr, e, e->asked});
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    emu_not_captured("cudaEventSynchronize");
    uint64_t n = e->asked;
    drain([=] { return e->reached >= n; });
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t e)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    return e->reached >= e->asked ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *ms = b->t - a->t;
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    s->capture = new EmuGraph;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *g = s->capture;
    s->capture = nullptr;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *x, cudaGraph_t g, unsigned long long)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *x = new EmuGraph(*g);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t x, cudaStream_t s)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    for (auto &f : x->nodes)
        emu_enqueue(s, f);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    delete g;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t g)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    delete g;
    return cudaSuccess;
}

