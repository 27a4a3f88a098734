#include "base/fault.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *fault(const char *fmt, ...)
{
    static _Thread_local char reason[400];
    char text[sizeof reason];       /* an argument may be the text before */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return strcpy(reason, text);
}
