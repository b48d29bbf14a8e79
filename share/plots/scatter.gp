# share/plots/scatter.gp - SPDX-License-Identifier: MIT
# Dots. Block b of the data is a line of one panel: x, y, low, high, n from column x_column on, then,
# where a value gives the colours, that. Hollow dots are published figures.
up_column = x_column + 1
shade_column = x_column + 5
has_shades = exists('n_value_label')

# lines are told apart by colours, or, where these mean something else, by shapes
array full[5] = [7, 5, 9, 13, 11]
array hollow[5] = [6, 4, 8, 12, 10]
kind(i) = has_shades ? (i - 1) % 5 + 1 : 1
shape(i) = full[kind(i)]
dot_colour(i) = has_shades ? ink : colour(i)

# What is drawn of block b, as a part of a plot command.
look(b) = has_shades ? 'lc palette notitle, ' : sprintf('lc rgb colour(%d) notitle, ', int(block_line[b]))
dots(b) = sprintf('data index %d using x_column:up_column%s with points ', b - 1, has_shades ? ':shade_column' : '') \
    . (block_published[b] ? sprintf('pt %d ps 1.4 lw 1.5 ', hollow[kind(int(block_line[b]))]) \
                          : sprintf('pt %d ps 1 ', full[kind(int(block_line[b]))])) . look(b)

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

do for [format in formats] {
    eval begin(format)
    do for [i = 1:n_labels] { eval legend_name(i, 'dot') }
    do for [i = 1:n_panels] {
        eval begin_panel(i)
        all = ''
        do for [b = 1:n_block_panel] { all = all . (block_panel[b] == p ? dots(b) : '') }
        if (has_shades) { eval colour_box(1) }
        eval draw(all)
        eval end_panel
    }
    unset multiplot
}
