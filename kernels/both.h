/* both.h - functions that run on the host and on a device. */
#pragma once

#ifndef __CUDACC__
#define __host__
#define __device__
#endif
