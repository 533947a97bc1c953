//! Memory shared between values that are never needed at the same time: for devices, which decide what they keep.

/// First and last time at which every value of a program is touched.
#[derive(Clone, Debug)]
pub struct Lifetimes(Vec<Option<(usize, usize)>>);

/// Which buffer every value lives in, and how long the buffers are.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Buffer of every value; `usize::MAX` for a value that is never touched.
    pub buffer_of: Vec<usize>,
    /// Length of every buffer, in the unit of the values' sizes.
    pub buffers: Vec<usize>,
}

impl Lifetimes {
    /// Of so many values, none of them touched yet.
    pub fn new(values: usize) -> Self {
        Self(vec![None; values])
    }

    /// Records that a value is read or written at a time.
    pub fn touch(&mut self, value: usize, time: usize) {
        let (first, last) = self.0[value].unwrap_or((time, time));
        self.0[value] = Some((first.min(time), last.max(time)));
    }

    /// Assigns every value of these sizes a buffer: in the order of first use, the free buffer closest in size.
    pub fn share(&self, sizes: &[usize]) -> Memory {
        let mut order: Vec<(usize, usize, usize)> = self
            .0
            .iter()
            .enumerate()
            .filter_map(|(value, life)| life.map(|(first, last)| (first, value, last)))
            .collect();
        order.sort_unstable();
        let mut memory = Memory { buffer_of: vec![usize::MAX; sizes.len()], buffers: vec![] };
        let mut free_after: Vec<usize> = vec![];
        for (first, value, last) in order {
            let size = sizes[value];
            let best = (0..memory.buffers.len())
                .filter(|&b| free_after[b] < first)
                .min_by_key(|&b| (memory.buffers[b].abs_diff(size), b));
            let buffer = best.unwrap_or_else(|| {
                memory.buffers.push(0);
                free_after.push(0);
                memory.buffers.len() - 1
            });
            memory.buffers[buffer] = memory.buffers[buffer].max(size);
            free_after[buffer] = last;
            memory.buffer_of[value] = buffer;
        }
        memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_live_together_never_share_a_buffer() {
        let lives = [(0, 3), (1, 2), (3, 5), (4, 6), (7, 7)];
        let mut lifetimes = Lifetimes::new(lives.len());
        for (value, (first, last)) in lives.into_iter().enumerate() {
            lifetimes.touch(value, last);
            lifetimes.touch(value, first);
        }
        let memory = lifetimes.share(&[5, 3, 4, 7, 1]);
        for (i, a) in lives.iter().enumerate() {
            for (j, b) in lives.iter().enumerate().skip(i + 1) {
                let together = a.0 <= b.1 && b.0 <= a.1;
                assert!(!(together && memory.buffer_of[i] == memory.buffer_of[j]), "{i} and {j}");
            }
        }
        assert_eq!(memory.buffers.len(), 2);
    }
}
