/* core/report/adit-svg.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * adit_svg_append:
 * @svg: what gnuplot drew
 * @number: of the picture in its page
 * @label: what it shows, for those who do not see it
 *
 * Appends the picture as a part of a page: its ids are like no other picture's, its background is
 * the page's, and the colours of text, axes and lines are the variables of the page's style
 * (share/plots/report.css), which knows them for a light and for a dark page.
 */
void adit_svg_append(GString *html, const char *svg, guint number, const char *label);

G_END_DECLS
