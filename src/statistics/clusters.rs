//! Groups of like things: k-means and rule cut-points.
