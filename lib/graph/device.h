/* device.h - where to compute: the options --device and --level of every program that runs
 * a model. */
#pragma once
#include "base/opt.h"
#include "kernels/backend.h"

/* Whether the backend is to be timed (profile.h); a program's --profile sets it. */
extern int device_profile;

extern const struct opt device_options[];
/* The backend they name, ready to use; dies with the reason when it cannot be had. */
const struct backend *device_open(void);
