/* tests/core/pipeline/test-address.c - SPDX-License-Identifier: MIT */
#include "adit-address.h"

static void
test_good(void)
{
    static const char *const addresses[] = {"input",
                                            "stem",
                                            "trunk.7",
                                            "trunk.*",
                                            "trunk.**",
                                            "trunk.5..15/5",
                                            "trunk.5..15",
                                            "trunk.7:pre",
                                            "head",
                                            "**:pre",
                                            "*",
                                            "trunk.2.1.long.3",
                                            "trunk.**.conv:linear",
                                            "exits.branch",
                                            "exits.2",
                                            "trunk.1..4.conv",
                                            "trunk.residual-v2:in",
                                            "stem:collect"};

    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++)
        g_assert_cmpstr(adit_address_check(addresses[i], FALSE), ==, NULL);
}

static void
test_bad(void)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"", "an address is missing"},
        {"block", "address 'block' must begin with input, stem, trunk, head, exits, '*' or '**'"},
        {"turnk.1", "address 'turnk.1' begins with 'turnk'; did you mean 'trunk'?"},
        {"trunk.", "address 'trunk.' has an empty segment"},
        {"trunk..5", "address 'trunk..5' has an empty segment"},
        {"trunk.5..", "'5..' in address 'trunk.5..' is no range; write 5..15 or 5..15/5"},
        {"trunk.0", "items are counted from 1, but address 'trunk.0' says '0'"},
        {"trunk.0..3", "items are counted from 1, but address 'trunk.0..3' says '0..3'"},
        {"trunk.9..3", "range '9..3' in address 'trunk.9..3' runs backwards"},
        {"trunk.1..9/0", "range '1..9/0' in address 'trunk.1..9/0' has step 0"},
        {"trunk.1..x", "'1..x' in address 'trunk.1..x' is no range; write 5..15 or 5..15/5"},
        {"trunk.-1", "'-1' in address 'trunk.-1' is no segment; it is a number, a name, '*', '**' "
                     "or a range"},
        {"trunk.Dense", "'Dense' in address 'trunk.Dense' is no segment; it is a number, a name, "
                        "'*', '**' or a range"},
        {"trunk:", "no port ':' in address 'trunk:'; ports are in, linear, pre, out, collect"},
        {"trunk:lineer", "no port ':lineer' in address 'trunk:lineer'; did you mean ':linear'?"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = adit_address_check(rows[i].address, FALSE);

        g_assert_cmpstr(message, ==, rows[i].message);
    }
}

static void
test_parameters(void)
{
    g_autofree char *message = adit_address_check("trunk.1:pre", TRUE);

    g_assert_cmpstr(message, ==,
                    "address 'trunk.1:pre' must name parameters, and ':pre' is a tensor");
    g_assert_cmpstr(adit_address_check("trunk.1", TRUE), ==, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/address/good", test_good);
    g_test_add_func("/pipeline/address/bad", test_bad);
    g_test_add_func("/pipeline/address/parameters", test_parameters);
    return g_test_run();
}
