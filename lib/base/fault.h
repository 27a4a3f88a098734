/* fault.h - what a parser of outside bytes says is wrong. */
#pragma once

/* The text, as printf writes it; valid until the thread's next one. */
__attribute__((nonnull, format(printf, 1, 2))) const char *fault(const char *fmt, ...);
