/* profile.h - counting what warps ask of memory: check.cc's accesses or the PTX layer's. */
#pragma once
#include "emu.h"
#include <algorithm>

/* One access of a warp. */
struct Req {
    uint32_t lanes = 0;
    uint16_t size = 0;          /* bytes a lane */
    bool write = false;
    uintptr_t addr[32];
};

bool emu_profile_on();
void emu_profile_request(const Req &r, bool shared);
void emu_profile_launch_end();
