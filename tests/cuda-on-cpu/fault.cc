/* fault.cc - how a mistake in a kernel is reported: one line, the thread, the place; exit 86. */
#include "emu.h"
#include <map>
#include <unistd.h>

[[noreturn]] void emu_die(const char *kind, EmuSite at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fflush(stdout);
    fprintf(stderr, "CUDA-ON-CPU ERROR: %s: ", kind);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n  kernel %s<<<(%u,%u,%u),(%u,%u,%u)>>> block (%u,%u,%u) thread (%u,%u,%u)\n",
            emu.name ? emu.name : "none", emu_gdim.x, emu_gdim.y, emu_gdim.z, emu_bdim.x,
            emu_bdim.y, emu_bdim.z, emu_bid.x, emu_bid.y, emu_bid.z, emu_tid.x, emu_tid.y,
            emu_tid.z);
    if (at.file)
        fprintf(stderr, "  at %s\n", emu_str(at).c_str());
    if (getenv("EMU_ABORT"))
        abort();
    _exit(86);
}

std::string emu_str(EmuSite s)
{
    return std::string(s.file ? s.file : "?") + ":" + std::to_string(s.line);
}

EmuSite emu_where(const void *pc)
{
    static std::map<const void *, EmuSite> cache;
    Dl_info di{};
    if (!pc || !dladdr(pc, &di))
        return {nullptr, 0};
    if (cache.count(pc))
        return cache[pc];
    char cmd[600], out[800] = "?:0";
    snprintf(cmd, sizeof cmd, "addr2line -se %s %#lx 2>/dev/null", di.dli_fname,
             (unsigned long)((char *)pc - 1 - (char *)di.dli_fbase));
    if (FILE *f = popen(cmd, "r")) {
        if (!fgets(out, sizeof out, f))
            out[0] = 0;
        pclose(f);
    }
    char *c = strrchr(out, ':');
    if (c)
        *c++ = 0;
    return cache[pc] = {strdup(out), c ? atoi(c) : 0};
}
