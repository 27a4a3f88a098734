/* check.h - between check.cc, which sees every access, and trace.cc, which gathers them. */
#pragma once
#include "emu.h"
#include <algorithm>

uint32_t emu_pc_offset(const void *pc);     /* a place in this program as a number */
const void *emu_pc_at(uint32_t offset);

/* trace.cc */
void emu_trace_access(const void *p, size_t n, bool write, const void *pc);
void emu_trace_begin();
void emu_trace_end();
