# share/plots/heat-map.gp - SPDX-License-Identifier: MIT
# Cells of x_ticks by y_ticks; block p of the data is panel p: x, y (from 1), mean, n, failed from column
# x_column on. Cells without a value stay white, crossed out where the points failed.
across_column = x_column
up_column = x_column + 1
mean = x_column + 2
failed = x_column + 4

# a little over the next cell: no seams
edge(c, by) = column(c) + by

unset grid
set border 0
set xtics scale 0
set ytics scale 0
set xrange [0.5:n_x_ticks + 0.5]
set yrange [0.5:n_y_ticks + 0.5]
# names of cells, of many only as many as there is room for
y_every = int(ceil(18.0 * n_y_ticks / (panel_height - above - below)))
set xtics ()
set ytics ()
do for [i = 1:n_x_ticks:every] { set xtics add (x_ticks[i] i) }
do for [i = 1:n_y_ticks:y_every] { set ytics add (y_ticks[i] i) }

# where there is room the number stands in its cell, dark on what is light
has_numbers = room / n_x_ticks >= 38 && (panel_height - above - below) / n_y_ticks >= 17
value_of(p) = (p - 1) % n_value_label + 1
low(p) = value_low[value_of(p)]
high(p) = value_high[value_of(p)]
is_log(p) = value_log[value_of(p)]
part(v) = is_log(p) ? log(v / low(p)) / log(high(p) / low(p)) : (v - low(p)) / (high(p) - low(p))
number(v) = valid(mean) ? sprintf('%.3g', v) : ''
shade(v) = part(v) > 0.55 ? 0x222222 : 0xffffff

# very many cells are drawn as one image
is_dense = n_x_ticks * n_y_ticks > 1600
cells = is_dense ? 'using across_column:up_column:mean with image notitle' \
    : 'using across_column:up_column:(edge(across_column, -0.5)):(edge(across_column, 0.51)):(edge(up_column, -0.5)):' \
        . '(edge(up_column, 0.51)):mean with boxxyerror fs solid 1 noborder lc palette notitle'
crosses = 'using across_column:(column(failed) > 0 && !valid(mean) ? column(up_column) : NaN) ' \
    . 'with points pt 2 ps 0.8 lc rgb "#999999" notitle'
numbers = 'using across_column:(has_numbers ? column(up_column) : NaN):(number(column(mean))):(shade(column(mean))) ' \
    . 'with labels textcolor rgb variable notitle'

do for [format in formats] {
    eval begin(format)
    do for [i = 1:n_panels] {
        eval begin_panel(i)
        eval colour_box(value_of(i))
        eval 'plot data index p - 1 ' . cells . ', data index p - 1 ' . crosses . ', data index p - 1 ' . numbers
        eval end_panel
    }
    unset multiplot
}
