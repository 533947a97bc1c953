//! Fuzzing without tools: seeds, mutated at random from a fixed start, into targets.

use scalelaw_random::{Generator, Rng, generator};
use std::path::Path;
use std::time::{Duration, Instant};

/// Takes any bytes, and has to come back.
pub type Target = fn(&[u8]);

/// Inputs larger than this say little more.
pub const MAX_INPUT: usize = 64 << 10;
/// A target that takes longer on one input has failed.
const LONGEST: Duration = Duration::from_secs(10);

/// Mutates seeds into every target for some minutes. Ends the program with 1 and the input in `mutate-failure` if a
/// target panics or takes too long.
pub fn fuzz(targets: &[(&str, Target)], words: &[&[u8]], seeds: &[Vec<u8>], minutes: f64, seed: u64) {
    println!("{} seeds", seeds.len());
    let mut random = generator(seed);
    let (begun, mut said) = (Instant::now(), Instant::now());
    let mut executions = 0u64;
    let mut slowest = Duration::ZERO;
    while begun.elapsed().as_secs_f64() < minutes * 60.0 {
        let input = mutated(seeds, words, &mut random);
        executions += 1;
        for (name, target) in targets {
            let started = Instant::now();
            let outcome = std::panic::catch_unwind(|| target(&input));
            let took = started.elapsed();
            slowest = slowest.max(took);
            if outcome.is_err() || took > LONGEST {
                std::fs::write("mutate-failure", &input).unwrap();
                let bytes = input.len();
                println!("{name}: failed or too slow ({took:.1?}) on {bytes} bytes, kept in mutate-failure");
                std::process::exit(1);
            }
        }
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!("{:.0?}: {executions} executions, slowest {slowest:.1?}", begun.elapsed());
        }
    }
    for (name, _) in targets {
        println!("{name}: {executions} executions, no failure");
    }
    println!("slowest execution {slowest:.1?}");
}

/// The files below a folder, in order, as far as they say something.
pub fn files(folder: &Path, each: &mut dyn FnMut(&Path)) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { files(&path, each) } else { each(&path) }
    }
}

/// A seed's bytes.
pub fn seed_of(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    bytes[..bytes.len().min(4 * MAX_INPUT)].to_vec()
}

/// A seed with up to nine changes.
fn mutated(seeds: &[Vec<u8>], words: &[&[u8]], random: &mut Generator) -> Vec<u8> {
    let below = |random: &mut Generator, n: usize| (random.next_u64() % n.max(1) as u64) as usize;
    let mut input = seeds[below(random, seeds.len())].clone();
    for _ in 0..=below(random, 8) {
        let at = below(random, input.len() + 1);
        let most = 1 << below(random, 13);
        let length = below(random, most).min(input.len() - at);
        match below(random, 7) {
            0 if at < input.len() => input[at] ^= 1 << below(random, 8),
            1 if at < input.len() => input[at] = random.next_u64() as u8,
            2 => drop(input.drain(at..at + length)),
            3 => {
                let copy = input[at..at + length].repeat(1 + below(random, 4));
                input.splice(at..at, copy);
            }
            4 => input
                .splice(at..at, words[below(random, words.len())].repeat(1 << below(random, 10)))
                .for_each(drop),
            5 => {
                let other = &seeds[below(random, seeds.len())];
                let from = below(random, other.len());
                let piece = other[from..other.len().min(from + 4096)].to_vec();
                input.splice(at..at, piece);
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(MAX_INPUT * 8);
    input
}
