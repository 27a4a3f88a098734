/* fail.cc - a device that fails: with EMU_FAIL=CALL:N the N-th call of that function, counted from
 * 1, does nothing and returns an error. */
#include "emu.h"

bool emu_fails(const char *call)
{
    static const char *const e = getenv("EMU_FAIL");
    static long long n;
    const char *colon = e ? strchr(e, ':') : nullptr;
    return colon && strlen(call) == (size_t)(colon - e) && !strncmp(e, call, colon - e)
           && ++n == atoll(colon + 1);
}
