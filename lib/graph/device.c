#include "graph/device.h"
#include "graph/profile.h"

int device_profile;

static int device, level;

static const char *const device_names[] = {"cpu", "cuda", NULL};
static const char *const level_names[] = {"best", "v2", "v3", "v4", "v4bf16", "v4amx", NULL};

const struct opt device_options[] = {
    {0, "device", OPT_CHOICE, &device, 0, 0, "where to compute", device_names},
    {0, "level", OPT_CHOICE, &level, 0, 0, "instruction set of the CPU", level_names},
    {0},
};

const struct backend *device_open(void)
{
    const struct backend *be = backend_open(device_names[device],
                                            level ? level_names[level] : NULL);
    return device_profile ? profile_backend(be) : be;
}
