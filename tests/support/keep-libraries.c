/* tests/support/keep-libraries.c - SPDX-License-Identifier: MIT */

/* Loaded before everything else where leaks are looked for. The Vulkan loader closes drivers and
 * layers again; what they still hold would then be taken for lost, by a library without a name. */

int dlclose(void *handle);

int
dlclose(void *handle)
{
    return 0;
}
