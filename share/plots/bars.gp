# share/plots/bars.gp - SPDX-License-Identifier: MIT
# Bars side by side, for what has a name and no order to join. Block b of the data is a line of one
# panel: x (from 1), mean, low, high from column x_column on.
mean = x_column + 1
low = x_column + 2
high = x_column + 3
# a place's bars fill four fifths of it
bar_width = 0.8 / n_labels
place(b) = (block_line[b] - 1 - (n_labels - 1) / 2.0) * bar_width
# nothing is below the edge of a logarithmic scale: zeros lie on it
clip(v) = log_y && v < y_low ? y_low : v
bar_colour(i) = colour(i)

block(b) = sprintf('data index %d using (column(x_column) + place(%d))', b - 1, b)
bars(b) = block(b) . sprintf(':(clip(column(mean))):(bar_width) with boxes fs solid 1 noborder lc rgb colour(%d) notitle, ', \
    int(block_line[b]))
spreads(b) = block(b) . ':(clip(column(mean))):(clip(column(low))):(clip(column(high))) with yerrorbars pt 0 lw 1.2 lc rgb ink notitle, '

if (log_y) { set logscale y } else { y_low = y_low < 0 ? y_low : 0 }
set format y '%g'
set yrange [y_low:y_high]
set xrange [0.4:n_ticks + 0.6]
set grid noxtics ytics
set xtics scale 0
set xtics ()
do for [i = 1:n_ticks:every] { set xtics add (ticks[i] tick_at[i]) }

do for [format in formats] {
    eval begin(format)
    do for [i = 1:n_labels] { eval legend_name(i, 'bar') }
    do for [i = 1:n_marked] { eval shade(i) }
    do for [i = 1:n_panels] {
        eval begin_panel(i)
        all = ''
        do for [b = 1:n_block_panel] {
            if (block_panel[b] == p) { all = all . bars(b) . (has_bands ? spreads(b) : '') }
        }
        eval draw(all)
        eval end_panel
    }
    unset multiplot
}
