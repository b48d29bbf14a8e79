# share/plots/curves.gp - SPDX-License-Identifier: MIT
# Lines with bands. Block b of the data is a line of one panel: x, mean, low, high from column
# x_column on. Circles are published figures.
mean = x_column + 1
low = x_column + 2
high = x_column + 3
# nothing is below the edge of a logarithmic scale
clip(v) = log_y && v < y_low ? y_low : v

# of each panel the blocks that are measured, and those that are published
array measured[n_panels]
array published[n_panels]
do for [p = 1:n_panels] {
    measured[p] = ''
    published[p] = ''
}
do for [b = 1:n_block_panel] {
    p = int(block_panel[b])
    if (block_published[b]) { published[p] = published[p] . ' ' . b } else { measured[p] = measured[p] . ' ' . b }
}
line(b) = int(block_line[int(b)])

if (log_x) { set logscale x }
if (log_y) { set logscale y }
set format x '%g'
set format y '%g'
set yrange [y_low:y_high]
if (x_is_shared) { set xrange [x_low:x_high] } else { set autoscale xfix }
if (n_ticks > 0) {
    set xtics ()
    do for [i = 1:n_ticks] { set xtics add (ticks[i] tick_at[i]) }
}

do for [format in 'svg png'] {
    eval terminal(format)
    set output name . '.' . format
    set multiplot
    do for [p = 1:n_panels] {
        set lmargin at screen panel_left(p)
        set rmargin at screen panel_right(p)
        set tmargin at screen panel_top(p)
        set bmargin at screen panel_bottom(p)
        set title panels[p] textcolor rgb ink offset 0, -0.4
        set xlabel (is_lowest(p) ? x_label : '') textcolor rgb ink
        set ylabel (is_leftmost(p) ? y_label : '') textcolor rgb ink
        plot for [b in (has_bands ? measured[p] : '')] data index b - 1 \
                 using x_column:(clip(column(low))):(clip(column(high))) with filledcurves \
                 fc rgb colour(line(b)) fs transparent solid 0.18 noborder notitle, \
             for [b in measured[p]] data index b - 1 using x_column:mean with lines \
                 lw 2 dt dash(line(b)) lc rgb colour(line(b)) notitle, \
             for [b in (has_marks ? measured[p] : '')] data index b - 1 using x_column:mean with points \
                 pt 7 ps 0.6 lc rgb colour(line(b)) notitle, \
             for [b in published[p]] data index b - 1 using x_column:mean with points \
                 pt 6 ps 1.4 lw 1.5 lc rgb colour(line(b)) notitle, \
             for [l = 1:n_labels] keyentry with lines lw 2 dt dash(l) lc rgb colour(l) \
                 title (p == 1 ? labels[l] : '')
        unset label 1
    }
    unset multiplot
}
