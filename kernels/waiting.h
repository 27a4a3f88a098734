/* waiting.h - idle threads go to sleep soon. */
#pragma once

/* Whether GNU OpenMP was told so; 0 where the user's environment decides, or it cannot be done. */
int waiting_is_short(void);
