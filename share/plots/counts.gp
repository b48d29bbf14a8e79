# share/plots/counts.gp - SPDX-License-Identifier: MIT
# Bars of points, and in them bars of those above chance; block p of the data is panel p: position,
# points, done, failed, above-chance from column x_column on.
points = x_column + 1
done = x_column + 2
bar_colour(i) = i == 1 ? pale : colour(1)
inner = has_chance ? x_column + 4 : done

set xrange [0.4:n_ticks + 0.6]
set yrange [0:most * 1.12]
set grid noxtics ytics
set tics scale 0
set boxwidth 0.6
set xtics ()
do for [i = 1:n_ticks] { set xtics add (ticks[i] i) }

do for [format in formats] {
    eval begin(format)
    do for [i = 1:n_labels] { eval legend_name(i, 'bar') }
    do for [i = 1:n_panels] {
        eval begin_panel(i)
        plot data index p - 1 using x_column:points with boxes fs solid 1 noborder lc rgb bar_colour(1) notitle, \
             data index p - 1 using x_column:inner with boxes fs solid 1 noborder lc rgb bar_colour(2) notitle, \
             data index p - 1 using x_column:points:(sprintf('%d of %d', column(inner), column(points))) \
                 with labels offset 0, 0.7 textcolor rgb ink notitle
        eval end_panel
    }
    unset multiplot
}
