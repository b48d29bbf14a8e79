/* tests/core/device/test-device.c - SPDX-License-Identifier: MIT */
int
main(void)
{
    return 0;
}
