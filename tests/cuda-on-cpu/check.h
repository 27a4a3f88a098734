/* check.h - between check.cc, which sees every access, and profile.cc, which counts them. */
#pragma once
#include "emu.h"
#include <algorithm>

uint32_t emu_pc_offset(const void *pc);     /* a place in this program as a number */
const void *emu_pc_at(uint32_t offset);

/* profile.cc */
void emu_profile_access(const void *p, size_t n, bool write, const void *pc);
void emu_profile_block_begin();
void emu_profile_block_end();
void emu_profile_launch_end();
