# share/plots/scatter.gp - SPDX-License-Identifier: MIT
# Points. Block b of the data has one colour in one panel: x and y from column x_column on. Circles
# are published figures.
up_column = x_column + 1

# What is drawn of block b, as a part of a plot command.
look(b) = sprintf('lc rgb colour(%d) notitle, ', int(block_line[b]))
dots(b) = sprintf('data index %d using x_column:up_column with points ', b - 1) \
    . (block_published[b] ? 'pt 6 ps 1.4 lw 1.5 ' : 'pt 7 ps 1 ') . look(b)

if (log_x) { set logscale x }
if (log_y) { set logscale y }
set format x '%g'
set format y '%g'
set xrange [x_low:x_high]
set yrange [y_low:y_high]
if (n_ticks > 0) {
    set xtics ()
    do for [i = 1:n_ticks] { set xtics add (ticks[i] tick_at[i]) }
}

do for [format in 'svg png'] {
    eval begin(format)
    do for [i = 1:n_labels] { eval legend_name(i, 'dot') }
    do for [i = 1:n_panels] {
        eval begin_panel(i)
        all = ''
        do for [b = 1:n_block_panel] { all = all . (block_panel[b] == p ? dots(b) : '') }
        eval draw(all)
        eval end_panel
    }
    unset multiplot
}
