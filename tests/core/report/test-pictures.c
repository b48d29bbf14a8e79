/* tests/core/report/test-report.c - SPDX-License-Identifier: MIT */
int
main(void)
{
    return 0;
}
