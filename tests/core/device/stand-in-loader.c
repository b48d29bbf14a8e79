/* tests/core/device/stand-in-loader.c - SPDX-License-Identifier: MIT */

/* A Vulkan loader by its one symbol, which tells which of the loaders it is. */
const char *vkGetInstanceProcAddr(void);

const char *
vkGetInstanceProcAddr(void)
{
    return STAND_IN_NAME;
}
