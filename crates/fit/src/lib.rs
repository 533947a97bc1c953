//! Scaling laws: forms, objectives, minima, intervals, frontiers and planning; pure.
