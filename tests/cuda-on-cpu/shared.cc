/* shared.cc - the shared memory of a block.  Dynamic shared memory is one array here;
 * static shared arrays are function-local thread_local variables of this program, and are
 * found by their names in its own symbol table. */
#include "emu.h"
#include <algorithm>
#include <elf.h>
#include <link.h>

struct SharedVar {
    size_t off, size;
    std::string name;
};

static std::vector<SharedVar> vars;
static char *tls_base;
alignas(1024) static unsigned char dyn[EMU_SHARED_MAX + 1024];

static std::string own_program()
{
    std::string s;
    if (FILE *f = fopen("/proc/self/exe", "rb")) {
        char b[1 << 16];
        for (size_t n; (n = fread(b, 1, sizeof b, f)) > 0;)
            s.append(b, n);
        fclose(f);
    }
    return s;
}

static void find_vars()
{
    dl_iterate_phdr(
        [](dl_phdr_info *i, size_t, void *) {
            tls_base = (char *)i->dlpi_tls_data;
            return 1;
        },
        nullptr);
    const std::string s = own_program();
    const auto *eh = (const Elf64_Ehdr *)s.data();
    const auto *sh = (const Elf64_Shdr *)(s.data() + eh->e_shoff);
    for (int i = 0; i < eh->e_shnum; i++) {
        if (sh[i].sh_type != SHT_SYMTAB)
            continue;
        const char *names = s.data() + sh[sh[i].sh_link].sh_offset;
        const auto *y = (const Elf64_Sym *)(s.data() + sh[i].sh_offset);
        for (size_t k = 0; k < sh[i].sh_size / sizeof *y; k++)
            if (ELF64_ST_TYPE(y[k].st_info) == STT_TLS && !strncmp(names + y[k].st_name, "_ZZ", 3))
                vars.push_back({y[k].st_value, y[k].st_size, names + y[k].st_name});
    }
    std::sort(vars.begin(), vars.end(), [](auto &a, auto &b) { return a.off < b.off; });
}

void emu_shared_reset()
{
    static bool found;
    if (!found)
        find_vars();
    found = true;
    ASAN_UNPOISON_MEMORY_REGION(dyn, sizeof dyn);
    memset(dyn, 0xff, emu.smem);
    ASAN_POISON_MEMORY_REGION(dyn + emu.smem, sizeof dyn - emu.smem);
    for (auto &v : vars)
        memset(tls_base + v.off, 0xff, v.size);
}

std::string emu_shared_name(const void *p, size_t *off)
{
    *off = (size_t)((char *)p - (char *)dyn);
    if (*off < sizeof dyn)
        return *off < emu.smem ? "dynamic shared memory" : "past the end of dynamic shared memory";
    for (auto &v : vars)
        if ((char *)p >= tls_base + v.off && (char *)p < tls_base + v.off + v.size) {
            *off = (size_t)((char *)p - tls_base) - v.off;
            return v.name;
        }
    return "";
}

bool emu_is_shared(const void *p)
{
    if ((size_t)((unsigned char *)p - dyn) < sizeof dyn)
        return true;
    if (vars.empty())
        return false;
    const size_t o = (size_t)((char *)p - tls_base);
    return o >= vars[0].off && o < vars.back().off + vars.back().size;
}

void *emu_dynamic_shared()
{
    return dyn;
}
