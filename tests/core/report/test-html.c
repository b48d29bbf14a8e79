/* tests/core/report/test-html.c - SPDX-License-Identifier: MIT */
#include "adit-config-keys.h"
#include "adit-document.h"
#include "adit-html.h"
#include "adit-page.h"
#include "adit-svg.h"

#include <adit/adit-error.h>
#include <string.h>

static void
assert_escaped(const char *text, const char *expected)
{
    g_autofree char *got = adit_html_escape(text);

    g_assert_cmpstr(got, ==, expected);
}

static void
test_escape(void)
{
    assert_escaped("a<b> & \"c\" 'd'", "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
    assert_escaped("</script><script>", "&lt;/script&gt;&lt;script&gt;");
    assert_escaped("ümlaut ± 1", "ümlaut ± 1");
    /* XML has no such characters, escaped or not */
    assert_escaped("a\001b\033c\td\x7f", "a b c d ");
    assert_escaped("two\nlines", "two\nlines");
    assert_escaped("\xef\xbf\xbe|\xef\xbf\xbf|", "\xef\xbf\xbd|\xef\xbf\xbd|");
    assert_escaped("no \xff UTF-8", "no \xef\xbf\xbd UTF-8");
}

static void
test_link(void)
{
    g_autoptr(GString) html = g_string_new(NULL);

    adit_html_append_link(html, "javascript:alert(1)", "a<b");
    adit_html_append_link(html, "runs/x y&\"z/report.html", "x");
    g_assert_cmpstr(html->str, ==,
                    "<a href=\"./javascript%3Aalert%281%29\">a&lt;b</a>"
                    "<a href=\"./runs/x%20y%26%22z/report.html\">x</a>");
}

static void
add_row(GPtrArray *rows, const char *a, const char *b, const char *c)
{
    const char *const cells[] = {a, b, c, NULL};

    g_ptr_array_add(rows, g_strdupv((char **) cells));
}

/* Columns of numbers are to the right: with signs, spreads and gaps; times and names are not. */
static void
test_table(void)
{
    g_autoptr(GString) html = g_string_new(NULL);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

    add_row(rows, "name", "value", "time");
    add_row(rows, "a", "-1.5 ± 0.2", "1:05");
    add_row(rows, "7", "-", "2:00");
    adit_html_append_table(html, rows);
    g_assert_cmpstr(html->str, ==,
                    "<div class=\"scroll\" tabindex=\"0\"><table>\n"
                    "<thead><tr><th scope=\"col\">name</th><th scope=\"col\" class=\"n\">value</th>"
                    "<th scope=\"col\">time</th></tr>\n</thead>\n"
                    "<tbody><tr><td>a</td><td class=\"n\">-1.5 ± 0.2</td><td>1:05</td></tr>\n"
                    "<tr><td>7</td><td class=\"n\">-</td><td>2:00</td></tr>\n</tbody>\n"
                    "</table></div>\n");
}

static void
test_document(void)
{
    g_autoptr(AditDocument) document = adit_document_new();
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autofree char *emphasized = adit_document_emphasize("published");

    add_row(rows, "a*b", "<c>", "d");
    add_row(rows, emphasized, "1", "2");
    adit_document_add_heading(document, 1, "title");
    adit_document_add_paragraph(document, "published", "of x<y.");
    adit_document_add_heading(document, 2, "part");
    adit_document_add_table(document, rows);
    g_assert_cmpstr(document->markdown->str, ==,
                    "# title\n\n*published*: of x&lt;y.\n\n## part\n\n"
                    "| a\\*b        | &lt;c> |   d |\n"
                    "| :---------- | -----: | --: |\n"
                    "| *published* |      1 |   2 |\n");
    g_assert_nonnull(strstr(document->html->str,
                            "<p class=\"note\"><em>published</em>: of x&lt;y.</p>\n<h3>part</h3>"));
    g_assert_null(strstr(document->html->str, "title"));
    g_assert_nonnull(strstr(document->html->str, "<td><em>published</em></td>"));
}

/* ---- pictures ---- */

static const char *const svg =
    "<?xml version=\"1.0\"?>\n"
    "<svg \n width=\"80\" height=\"50\"\n viewBox=\"0 0 80 50\"\n>\n"
    "<title>Gnuplot</title>\n<desc>by <b>gnuplot</b></desc>\n"
    "<g id=\"gnuplot_canvas\">\n"
    "<rect x=\"0\" width=\"80\" fill=\"#ffffff\"/>\n"
    "<defs><circle id='dot' r='1'/><use xlink:href='#dot' id='two'/></defs>\n"
    "<g fill=\"none\" color=\"black\" stroke=\"rgb( 51,  51,  51)\">\n</g>\n"
    "<polygon fill = 'rgb(  0, 114, 178)' fill-opacity = '0.18' clip-path='url(#cut)'/>\n"
    "<g fill=\"rgb(12, 34, 56)\"><text>a &lt; b > c</text></g>\n"
    "<image xlink:href='data:image/png;base64,iVBO'/>\n"
    "</g>\n</svg>\n";

static void
test_svg(void)
{
    g_autoptr(GString) html = g_string_new(NULL);

    adit_svg_append(html, svg, 7, "loss \"<x>\"");
    g_assert_cmpstr(
        html->str, ==,
        "<svg viewBox=\"0 0 80 50\" width=\"80\" height=\"50\" role=\"img\" "
        "aria-label=\"loss &quot;&lt;x&gt;&quot;\">\n"
        "\n\n<g id=\"p7-gnuplot_canvas\">\n"
        "<rect x=\"0\" width=\"80\" fill=\"none\"/>\n"
        "<defs><circle id=\"p7-dot\" r=\"1\"/><use href=\"#p7-dot\" id=\"p7-two\"/></defs>\n"
        "\n"
        "<polygon fill=\"var(--line-1)\" fill-opacity=\"0.18\" clip-path=\"url(#p7-cut)\"/>\n"
        "<g fill=\"rgb(12,34,56)\"><text>a &lt; b > c</text></g>\n"
        "<image href=\"data:image/png;base64,iVBO\"/>\n"
        "</g>\n</svg>\n");
}

/* What is no picture, and what was cut off, is left out or ends. */
static void
test_svg_damaged(void)
{
    static const char *const texts[] = {
        "", "nothing", "<svg", "<svg>", "<svg viewBox=\"0 0", "<svg viewBox=\"0 0 1 1\"><g a='1"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GString) html = g_string_new(NULL);

        adit_svg_append(html, texts[i], 1, "x");
        g_assert_null(strstr(html->str, "nothing"));
    }
}

static guint
count(const char *text, const char *needle)
{
    guint n = 0;

    for (; (text = strstr(text, needle)) != NULL; text++)
        n++;
    return n;
}

static void
test_page(void)
{
    g_autoptr(AditPage) page = adit_page_new("a <title> & more");
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = NULL;

    adit_page_begin_section(page, "<first>");
    adit_page_begin_figures(page);
    adit_page_add_figure(page, "report/x", "one", svg, FALSE, FALSE);
    adit_page_add_figure(page, "report/y", "two", svg, TRUE, TRUE);
    adit_page_add_figure(page, "report/z", "three", NULL, TRUE, FALSE);
    adit_page_end_figures(page);
    adit_page_begin_section(page, "second");
    text = adit_page_finish(page, g_getenv("ADIT_PLOTS_DIR"), &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(text->str, "<!DOCTYPE html>\n"));
    g_assert_nonnull(strstr(text->str, "<title>a &lt;title&gt; &amp; more</title>"));
    g_assert_nonnull(strstr(text->str, "<a href=\"#s1\">&lt;first&gt;</a>"));
    g_assert_nonnull(strstr(text->str, "prefers-color-scheme: dark"));
    g_assert_cmpuint(count(text->str, "<section "), ==, 2);
    g_assert_cmpuint(count(text->str, "</section>"), ==, 2);
    /* each picture has ids of its own, and only what is there is linked */
    g_assert_cmpuint(count(text->str, "id=\"p1-dot\""), ==, 1);
    g_assert_cmpuint(count(text->str, "id=\"p2-dot\""), ==, 1);
    g_assert_cmpuint(count(text->str, "<svg "), ==, 2);
    g_assert_cmpuint(count(text->str, ".png\""), ==, 1);
    g_assert_cmpuint(count(text->str, ".svg\""), ==, 2);
    g_assert_cmpuint(count(text->str, ".csv\""), ==, 3);
    g_assert_cmpuint(count(text->str, "class=\"broad\""), ==, 1);
    g_assert_cmpuint(count(text->str, "<script"), ==, 0);
}

static void
test_no_style(void)
{
    g_autoptr(AditPage) page = adit_page_new("x");
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_page_finish(page, "/nonexistent", &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "/nonexistent/report.css"));
}

/* ---- pipelines as keys ---- */

static void
test_keys(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditConfigKeys) keys = adit_config_keys_new(
        "x.yaml",
        "a: {b: 1e-3, c: []}\nlist:\n- relu\n- dense: {units: 3}\nempty: {}\nd: ~\n"
        "one: [{e: 1}]\nword: [f]\n",
        &error);
    static const char *const expected[][2] = {
        {"a.b", "1e-3"}, {"a.c", "[]"}, {"list.1", "relu"}, {"list.2.dense.units", "3"},
        {"empty", "{}"}, {"d", "~"},    {"one.e", "1"},     {"word.1", "f"}};

    g_assert_no_error(error);
    g_assert_cmpuint(adit_config_keys_count(keys), ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpstr(adit_config_keys_get_key(keys, i), ==, expected[i][0]);
        g_assert_cmpstr(adit_config_keys_find(keys, expected[i][0]), ==, expected[i][1]);
    }
    g_assert_null(adit_config_keys_find(keys, "a"));
}

static void
test_no_keys(void)
{
    static const char *const texts[] = {"", "a: [", "a: 1\na: 2\n"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(adit_config_keys_new("x.yaml", texts[i], &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_true(g_str_has_prefix(error->message, "x.yaml"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/html/escape", test_escape);
    g_test_add_func("/report/html/link", test_link);
    g_test_add_func("/report/html/table", test_table);
    g_test_add_func("/report/html/document", test_document);
    g_test_add_func("/report/svg/parts", test_svg);
    g_test_add_func("/report/svg/damaged", test_svg_damaged);
    g_test_add_func("/report/page/whole", test_page);
    g_test_add_func("/report/page/no-style", test_no_style);
    g_test_add_func("/report/keys/flat", test_keys);
    g_test_add_func("/report/keys/none", test_no_keys);
    return g_test_run();
}
