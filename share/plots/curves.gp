# share/plots/curves.gp - SPDX-License-Identifier: MIT
# Lines with bands. Block b of the data is a line of one panel: x, mean, low, high from column
# x_column on. Circles are published figures.
mean = x_column + 1
low = x_column + 2
high = x_column + 3
# nothing is below the edge of a logarithmic scale: zeros lie on it
clip(v) = log_y && v < y_low ? y_low : v

# What is drawn of block b, as parts of a plot command.
block(b) = sprintf('data index %d using x_column', b - 1)
look(b) = sprintf('lc rgb colour(%d) notitle, ', int(block_line[b]))
band(b) = block(b) . ':(clip(column(low))):(clip(column(high))) with filledcurves fs transparent solid 0.18 noborder ' \
    . look(b)
line(b) = block(b) . sprintf(':(clip(column(mean))) with lines lw 2 dt dash(%d) ', int(block_line[b])) . look(b)
marks(b) = block(b) . ':(clip(column(mean))) with points pt 7 ps 0.6 ' . look(b)
circles(b) = block(b) . ':(clip(column(mean))) with points pt 6 ps 1.4 lw 1.5 ' . look(b)

if (log_x) { set logscale x }
if (log_y) { set logscale y }
set format x '%g'
set format y '%g'
set yrange [y_low:y_high]
if (x_is_shared) { set xrange [x_low:x_high] } else { set autoscale xfix }
if (x_is_whole && x_high - x_low < 10) { set xtics 1 }
if (n_ticks > 0) {
    set xtics ()
    do for [i = 1:n_ticks:every] { set xtics add (ticks[i] tick_at[i]) }
}

do for [format in formats] {
    eval begin(format)
    do for [i = 1:n_labels] { eval legend_name(i, 'line') }
    do for [i = 1:n_marked] { eval shade(i) }
    do for [i = 1:n_panels] {
        eval begin_panel(i)
        bands = ''
        lines = ''
        do for [b = 1:n_block_panel] {
            if (block_panel[b] == p && block_published[b]) { lines = lines . circles(b) }
            if (block_panel[b] == p && !block_published[b]) {
                bands = bands . (has_bands ? band(b) : '')
                lines = lines . line(b) . (has_marks ? marks(b) : '')
            }
        }
        eval draw(bands . lines)
        eval end_panel
    }
    unset multiplot
}
