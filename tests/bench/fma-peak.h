/* tests/bench/fma-peak.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-kernels.h"

/* Floating-point operations a second that one core reaches in float32 with fused multiply-adds of
 * registers, two each: the limit of every product. @isa must be available. */
double fma_peak_measure(AditIsa isa);
