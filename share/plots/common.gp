# share/plots/common.gp - SPDX-License-Identifier: MIT
# What all pictures have in common: colours, sizes, where panels and the legend lie. Before it stand
# the settings of one picture: name, panels[n_panels], labels and so on.
data = name . '.csv'
set datafile separator comma
set encoding utf8

# Okabe and Ito's colours, which colour-blind eyes tell apart; a ninth line begins again, dashed.
array colours[8] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#8a8a8a']
colour(i) = colours[(i - 1) % 8 + 1]
dash(i) = ((i - 1) / 8) % 4 + 1
ink = '#333333'
pale = '#dddddd'

# Panels in rows, below a head with the legend and a note. Sizes in pixels.
across = n_panels == 1 || is_narrow ? 1 : n_panels <= 4 ? 2 : 3
down = (n_panels + across - 1) / across
panel_width = is_narrow ? 460 : n_panels == 1 ? 800 : across == 2 ? 480 : 440
panel_height = is_narrow ? 300 : n_panels == 1 ? 450 : 340
# room for names and numbers beside the panel
longest = 8
if (exists('n_y_ticks')) {
    do for [i = 1:n_y_ticks] { longest = strlen(y_ticks[i]) > longest ? strlen(y_ticks[i]) : longest }
}
left = 32 + longest * 7.5
right = exists('n_value_label') ? 96 : 24
above = strlen(panels[1]) > 0 ? 34 : 14
# Names below a panel are turned where they cannot stand side by side; of many only as many are
# written as there is room for.
longest = 1
n_below = 0
if (exists('n_ticks')) {
    n_below = n_ticks
    do for [i = 1:n_ticks] { longest = strlen(ticks[i]) > longest ? strlen(ticks[i]) : longest }
}
if (exists('n_x_ticks')) {
    n_below = n_x_ticks
    do for [i = 1:n_x_ticks] { longest = strlen(x_ticks[i]) > longest ? strlen(x_ticks[i]) : longest }
}
room = panel_width - left - right
is_turned = (longest * 7.5 + 10) * n_below > room && longest > 3
name_width = is_turned ? 17.0 : longest * 8.0 + 8
every = n_below > 0 ? int(ceil(name_width * n_below / room)) : 1
below = is_turned ? 66 + longest * 5.2 : 64
panel_height = exists('is_square') ? room + above + below : panel_height + below - 64
picture_width = across * panel_width
head = 10
panel_column(p) = (p - 1) % across
panel_row(p) = (p - 1) / across
panel_left(p) = (panel_column(p) * panel_width + left) / (1.0 * picture_width)
panel_right(p) = ((panel_column(p) + 1) * panel_width - right) / (1.0 * picture_width)
panel_top(p) = 1 - (head + panel_row(p) * panel_height + above) / (1.0 * picture_height)
panel_bottom(p) = 1 - (head + (panel_row(p) + 1) * panel_height - below) / (1.0 * picture_height)
is_lowest(p) = p + across > n_panels
is_leftmost(p) = panel_column(p) == 0

# The legend stands in the head: as many names in a row as there is room for.
legend_rows = 0
legend_across = 1
legend_width = 0
if (exists('n_labels')) {
    longest = 0
    do for [i = 1:n_labels] { longest = strlen(labels[i]) > longest ? strlen(labels[i]) : longest }
    legend_width = longest * 7.5 + 48
    legend_across = int((picture_width - 40) / legend_width)
    legend_across = legend_across < 1 ? 1 : legend_across > n_labels ? n_labels : legend_across
    legend_rows = longest == 0 || n_labels < 1 ? 0 : (n_labels + legend_across - 1) / legend_across
}
head = head + legend_rows * 22 + (strlen(note) > 0 ? 20 : 0)
picture_height = head + down * panel_height

# gnuplot's own marks for text ('_', '^', '{') are off: names are shown as they are.
png = strstrt(GPVAL_TERMINALS, 'pngcairo') > 0 ? 'pngcairo' : 'png'
set border 3 lc rgb ink lw 1
set tics nomirror out scale 0.6 textcolor rgb ink
set grid back lc rgb pale lt 1 lw 0.6
unset key
if (is_turned) { set xtics rotate by 45 right }

# ---- the parts of a picture, as commands for eval ----

begin(format) = sprintf('set terminal %s size %d, %d noenhanced font "%s" background "#ffffff"; ', \
    format eq 'svg' ? 'svg' : png, picture_width, picture_height, format eq 'svg' ? 'sans-serif,13' : 'sans-serif,10') \
    . sprintf('set output "%s.%s"; set multiplot; ', name, format) \
    . 'set label 1 note at screen 0.5, screen 1 - (head - 8.0) / picture_height center textcolor rgb "#666666"'

# name i of the legend: a line, dot or bar in its colour, and the text behind it
legend_x(i) = (picture_width - legend_across * legend_width) / 2 + ((i - 1) % legend_across) * legend_width
legend_y(i) = 1 - (18.0 + ((i - 1) / legend_across) * 22) / picture_height
legend_sign(i, sign) = sign eq 'dot' \
    ? sprintf('set label %d "" at screen %f, screen %f point pt shape(%d) ps 1 lc rgb dot_colour(%d); ', \
        100 + i, (legend_x(i) + 22) / picture_width, legend_y(i), i, i) \
    : sprintf('set arrow %d from screen %f, screen %f to screen %f, screen %f nohead front lc rgb %s; ', \
        100 + i, (legend_x(i) + 4) / picture_width, legend_y(i), (legend_x(i) + 30) / picture_width, legend_y(i), \
        sign eq 'bar' ? sprintf('bar_colour(%d) lw 9', i) : sprintf('colour(%d) lw 2 dt dash(%d)', i, i))
legend_name(i, sign) = legend_rows == 0 ? '' : legend_sign(i, sign) \
    . sprintf('set label %d labels[%d] at screen %f, screen %f left textcolor rgb ink; ', \
        200 + i, i, (legend_x(i) + 38) / picture_width, legend_y(i))

begin_panel(p) = sprintf('p = %d; ', p) \
    . 'set lmargin at screen panel_left(p); set rmargin at screen panel_right(p); ' \
    . 'set tmargin at screen panel_top(p); set bmargin at screen panel_bottom(p); ' \
    . 'set title panels[p] textcolor rgb ink offset 0, -0.4; ' \
    . 'set xlabel (is_lowest(p) ? x_label : "") textcolor rgb ink; ' \
    . 'set label 2 (is_leftmost(p) ? y_label : "") at screen 12.0 / picture_width, ' \
    . 'screen (panel_top(p) + panel_bottom(p)) / 2 center rotate by 90 textcolor rgb ink'
# legend and note are drawn with the first panel, once
end_panel = 'unset label; unset arrow'

# places of x that are something else than the others lie on a shade
shade(i) = sprintf('set object %d rectangle from first marked[%d] - 0.5, graph 0 to first marked[%d] + 0.5, graph 1 ', \
    300 + i, i, i) . 'behind fc rgb "#e69f00" fs transparent solid 0.25 noborder'

# The colours of value v, with their scale beside panel p. viridis: its lightness rises evenly, so it is
# read without colours too.
set palette defined (0 '#440154', 1 '#482475', 2 '#414487', 3 '#355f8d', 4 '#2a788e', 5 '#21918c', \
    6 '#22a884', 7 '#44bf70', 8 '#7ad151', 9 '#bddf26', 10 '#fde725')
set format cb '%g'
set cbtics scale 0.4 textcolor rgb ink
colour_box(v) = sprintf('v = %d; unset logscale cb; ', v) . (value_log[v] ? 'set logscale cb; ' : '') \
    . 'set cbrange [value_low[v]:value_high[v]]; set cblabel value_label[v] textcolor rgb ink offset 1, 0; ' \
    . 'set colorbox user origin screen panel_right(p) + 14.0 / picture_width, screen panel_bottom(p) ' \
    . 'size screen 12.0 / picture_width, screen panel_top(p) - panel_bottom(p)'

# A plot command of the parts all, each with a comma and a blank behind it. A panel without points says
# so.
draw(all) = strlen(all) > 0 ? 'plot ' . all[1:strlen(all) - 2] \
    : 'set xrange [0:1]; set label 3 "no points" at graph 0.5, graph 0.5 center textcolor rgb "#666666"; ' \
        . 'plot NaN notitle; ' \
        . (x_is_shared ? 'set xrange [x_low:x_high]' : 'set xrange [*:*]; set autoscale xfix')
