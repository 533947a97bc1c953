//! Which runs share a budget.

use crate::elementary::ln;

/// Indices of `values` in groups, the smallest values first: no group is wider than the factor `within`. Neighbours join
/// closest first as long as the whole group stays that narrow, so values that drift do not become one group.
///
/// Values that are not positive and finite are in no group.
///
/// # Example
/// ```
/// use scalelaw_fit::isoflop::clusters;
/// assert_eq!(clusters(&[1.0e18, 3.0e18, 1.05e18, 3.1e18], 1.1), [vec![0, 2], vec![1, 3]]);
/// ```
pub fn clusters(values: &[f64], within: f64) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> =
        (0..values.len()).filter(|i| values[*i].is_finite() && values[*i] > 0.0).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let place: Vec<f64> = order.iter().map(|i| ln(values[*i])).collect();
    let widest = ln(within.max(1.0)) + 1e-12;
    let mut gaps: Vec<usize> = (1..order.len()).collect();
    let gap = |i: usize| place[i] - place[i - 1];
    gaps.sort_by(|a, b| gap(*a).total_cmp(&gap(*b)).then(a.cmp(b)));
    // The first place of the group that ends at a place, and the last of the one that starts there.
    let (mut first, mut last): (Vec<usize>, Vec<usize>) = (0..order.len()).map(|i| (i, i)).unzip();
    let mut joined = vec![false; order.len()];
    for i in gaps {
        let (from, to) = (first[i - 1], last[i]);
        if place[to] - place[from] <= widest {
            (first[to], last[from], joined[i]) = (from, to, true);
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, value) in order.into_iter().enumerate() {
        match groups.last_mut() {
            Some(group) if joined[i] => group.push(value),
            _ => groups.push(vec![value]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_drifting_values_are_bounded_in_width() {
        let values: Vec<f64> = (0..200).map(|i| 1e18 * 1.02f64.powi(i)).collect();
        let groups = clusters(&values, 1.5);
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 200);
        for group in &groups {
            let (lo, hi) = (values[group[0]], values[group[group.len() - 1]]);
            assert!(hi / lo <= 1.5 * (1.0 + 1e-9), "{lo:e} to {hi:e}");
        }
    }

    #[test]
    fn clusters_are_separated_at_the_gaps_and_not_at_a_count() {
        // A greedy walk from the left would take 1.09 into the first group.
        let values = [1.0, 1.001, 1.002, 1.09, 1.091, 1.15, f64::NAN, -1.0];
        assert_eq!(clusters(&values, 1.1), [vec![0, 1, 2], vec![3, 4, 5]]);
        assert_eq!(clusters(&[2.0, 2.0, 3.0], 0.5), [vec![0, 1], vec![2]]);
        assert!(clusters(&[], 2.0).is_empty());
    }
}
